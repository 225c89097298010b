// Reading and checking signed receipts on the phone (C2SP signed-note, Ed25519; decision 0022). No network.

export interface Said {
  kind: string
  id: string
  sha256: string
  size: number | null
  stored_at: string
  files: { id: string; sha256: string }[]
}

const FIRST_LINE = 'duban receipt v1'

/** What a receipt says; null for what is none. Says nothing about the signature. */
export function read(note: string): Said | null {
  const [text] = parts(note)
  const lines = (text ?? '').split('\n')
  if (lines.shift() !== FIRST_LINE) return null
  const said: Record<string, string> = {}
  const files: Said['files'] = []
  for (const line of lines) {
    const [name, ...rest] = line.split(' ')
    if (name === 'file' && rest[0] && rest[1]) files.push({ id: rest[0], sha256: rest[1] })
    else if (name && rest[0]) said[name] = rest[0]
  }
  if (!said.kind || !said.id || !said.sha256 || !said.stored) return null
  const size = said.size === undefined ? null : Number(said.size)
  return { kind: said.kind, id: said.id, sha256: said.sha256, size, stored_at: said.stored, files }
}

/** Whether it speaks of exactly this file, or of exactly this request: only then may anything be freed. */
export function speaksOf(
  note: unknown, of: { kind: string; id: string; sha256: string; size?: number },
): Said | null {
  const said = typeof note === 'string' ? read(note) : null
  if (!said || said.kind !== of.kind || said.id !== of.id || said.sha256 !== of.sha256) return null
  return of.size === undefined || said.size === of.size ? said : null
}

/**
 * Whether one of the server's keys signed it: `NAME+ID+BASE64` as in GET /api/receipt-keys. Null where this browser has
 * no Ed25519, or none of the keys is the one that signed.
 */
export async function verified(note: string, keys: readonly string[]): Promise<boolean | null> {
  const [text, signatures] = parts(note)
  if (text === undefined) return false
  for (const line of signatures) {
    const [, name, encoded] = line.split(' ')
    const signature = bytesOf(encoded ?? '')
    for (const known of keys) {
      const [keyName, id, key] = split(known)
      if (!signature || keyName !== name || hex(signature.subarray(0, 4)) !== id) continue
      const raw = bytesOf(key)?.subarray(1)
      if (!raw) return false
      try {
        const imported = await crypto.subtle.importKey('raw', raw as BufferSource, { name: 'Ed25519' }, false, ['verify'])
        const said = new TextEncoder().encode(text)
        return await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature.subarray(4) as BufferSource, said)
      } catch {
        return null
      }
    }
  }
  return null
}

function parts(note: string): [string | undefined, string[]] {
  const at = note.lastIndexOf('\n\n')
  if (at < 0) return [undefined, []]
  return [note.slice(0, at + 1), note.slice(at + 2).split('\n').filter((line) => line.startsWith('— '))]
}

function split(key: string): [string, string, string] {
  const [name = '', id = '', ...rest] = key.split('+')
  return [name, id, rest.join('+')]
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
  } catch {
    return null
  }
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
