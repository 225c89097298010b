// Encryption at rest: AES-GCM with keys that cannot be taken out of the browser (ASVS 5.0.0-14.3.3, docs/decisions/0034).
// Two keys a person: `documents` goes with the sign-in, `work` stays as long as there is something unsent.
import { database, onLost } from './database'

export type KeyName = `documents:${string}` | `work:${string}` | 'device'

const open = new Map<string, Promise<CryptoKey>>()

/** The key of that name, made when there is none yet. Two tabs that make it at once end up with the same one. */
export function key(name: KeyName): Promise<CryptoKey> {
  let found = open.get(name)
  if (!found) {
    found = find(name)
    found.catch(() => open.delete(name))
    open.set(name, found)
  }
  return found
}

async function find(name: KeyName): Promise<CryptoKey> {
  const db = await database()
  const there = await db.get('keys', name)
  if (there) return there
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const transaction = db.transaction('keys', 'readwrite')
  const first = await transaction.store.get(name)
  if (!first) await transaction.store.put(made, name)
  await transaction.done
  return first ?? made
}

/** After this nothing sealed with that key can be read again, wherever a copy of it may be. */
export async function forgetKey(name: KeyName): Promise<void> {
  open.delete(name)
  await (await database()).delete('keys', name)
}

/** Another tab, or the browser, may have thrown keys away: ask the database again. */
export function forgetOpenKeys(): void {
  open.clear()
}

onLost(forgetOpenKeys)

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  sealed: ArrayBuffer
}

/** `bound`: where it belongs; moved to another place it does not open. */
export async function seal(name: KeyName, bound: string, bytes: BufferSource): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: encode(bound) }, await key(name), bytes)
  return { iv, sealed }
}

/** null when the key is gone or the bytes are not what was sealed. */
export async function unseal(name: KeyName, bound: string, { iv, sealed }: Sealed): Promise<ArrayBuffer | null> {
  try {
    return await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: encode(bound) }, await key(name), sealed)
  } catch (wrong) {
    if (wrong instanceof DOMException && wrong.name === 'OperationError') return null
    throw wrong
  }
}

export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
}

export function decode(bytes: ArrayBuffer): string {
  return new TextDecoder().decode(bytes)
}
