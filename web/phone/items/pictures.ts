// Photos as the server shows them: fetched with the sign-in, kept sealed like all that was copied, handed to the page as
// object addresses. Thumbnails are always kept; display copies once they were looked at.
import { watch } from 'vue'
import { bytesOf, textOf } from '@/shared/base64'
import { send } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { session, signInNeeded } from '../session'
import { documents } from '../store'

export type Size = 'thumbnail' | 'display'

const shown = new Map<string, Promise<string | null>>()
const MOST_SHOWN = 200
// What one person was shown is nothing for the next one on this phone.
watch(() => session.value?.person.id, () => shown.clear())

/** An address for <img>, null where there is none to have now (not made yet, no signal and no copy). */
export function picture(file: string, size: Size): Promise<string | null> {
  const name = `pictures/${file}/${size}`
  let found = shown.get(name)
  if (!found) {
    found = find(name, file, size)
    shown.set(name, found)
    void found.then((address) => address === null && shown.delete(name))
    if (shown.size > MOST_SHOWN) void forgetOldest()
  }
  return found
}

async function forgetOldest(): Promise<void> {
  const [name, address] = shown.entries().next().value!
  shown.delete(name)
  const old = await address
  if (old) setTimeout(() => URL.revokeObjectURL(old), 60_000)
}

async function find(name: string, file: string, size: Size): Promise<string | null> {
  const kept = await documents.get<string>(name, serverNow()).catch(() => undefined)
  if (kept) return URL.createObjectURL(new Blob([bytesOf(kept.value)], { type: 'image/jpeg' }))
  try {
    const answer = await send('get', `/api/evidence/${file}/${size}`, { headers: { Accept: 'image/*' } })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    await store(name, bytes).catch(() => undefined) // a full phone shows the photo all the same
    return URL.createObjectURL(new Blob([bytes], { type: answer.headers.get('content-type') ?? 'image/jpeg' }))
  } catch {
    return null
  }
}

async function store(name: string, bytes: Uint8Array): Promise<void> {
  if (!session.value || signInNeeded.value) return
  const as_of = new Date(serverNow()).toISOString()
  await documents.put(name, textOf(bytes), { as_of, expires: session.value.expires_at })
}
