// Receipts as the server signs them: what they speak of, and whether the signature holds.
import { describe, expect, it } from 'vitest'
import { read, speaksOf, verified } from './receipts'

const encode = (bytes: Uint8Array | ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(bytes)))

/** A signed note and its verifier key, made as C2SP signed-note says. */
async function signed(text: string): Promise<{ note: string; key: string }> {
  const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])) as CryptoKeyPair
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const tagged = Uint8Array.from([1, ...raw])
  const named = Uint8Array.from([...new TextEncoder().encode('duban\n'), ...tagged])
  const id = new Uint8Array(await crypto.subtle.digest('SHA-256', named)).slice(0, 4)
  const signature = new Uint8Array(await crypto.subtle.sign({ name: 'Ed25519' }, pair.privateKey, new TextEncoder().encode(text)))
  const hex = Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { note: `${text}\n— duban ${encode(Uint8Array.from([...id, ...signature]))}\n`, key: `duban+${hex}+${encode(tagged)}` }
}

const TEXT = 'duban receipt v1\nkind file\nid 0190\nsha256 abcd\nsize 9\nstored 2026-03-02T01:00:00.000000Z\n'

describe('a receipt', () => {
  it('speaks of one file, by id, hash and size', async () => {
    const { note } = await signed(TEXT)
    expect(read(note)).toMatchObject({ kind: 'file', id: '0190', sha256: 'abcd', size: 9, stored_at: '2026-03-02T01:00:00.000000Z' })
    expect(speaksOf(note, { kind: 'file', id: '0190', sha256: 'abcd', size: 9 })).not.toBeNull()
    for (const other of [{ id: '0191' }, { sha256: 'abce' }, { size: 10 }, { kind: 'finding' }]) {
      expect(speaksOf(note, { kind: 'file', id: '0190', sha256: 'abcd', size: 9, ...other })).toBeNull()
    }
    expect(speaksOf(undefined, { kind: 'file', id: '0190', sha256: 'abcd' })).toBeNull()
  })

  it('holds only with the key that signed it, and only unchanged', async () => {
    const { note, key } = await signed(TEXT)
    const other = await signed(TEXT)
    expect(await verified(note, [other.key, key])).toBe(true)
    expect(await verified(note.replace('abcd', 'abce'), [key])).toBe(false)
    expect(await verified(note, [other.key])).toBeNull()
    expect(await verified('no note', [key])).toBe(false)
  })
})
