// Ids of everything this phone writes: UUIDv7 (RFC 9562), so that a retry is the same request and lists keep their order.

let last = 0
let more = 0

/** A new id; later ones sort after earlier ones, also within a millisecond and when the clock goes back. */
export function newId(now = Date.now()): string {
  if (now > last) {
    last = now
    more = crypto.getRandomValues(new Uint16Array(1))[0]! & 0x7ff
  } else if (++more > 0xfff) {
    last += 1
    more = 0
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  for (let place = 5, rest = last; place >= 0; place--) {
    bytes[place] = rest % 256
    rest = Math.floor(rest / 256)
  }
  bytes[6] = 0x70 | (more >> 8)
  bytes[7] = more & 0xff
  bytes[8] = 0x80 | (bytes[8]! & 0x3f)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
