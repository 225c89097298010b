// Web Push of this browser: whether it can be offered, turning it on and off. The address it gives is told to the server
// only after the person said yes.
import { send } from '@/shared/client'
import { session } from '../session'

const WAIT_MS = 30 * 86_400_000
const WAITING = 'duban-push-later'

function able(): boolean {
  return 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window
}

/** Whether asking now makes sense: possible here, switched on at the server, not answered yet, not put off lately. */
export async function offerPush(): Promise<boolean> {
  if (!able() || Notification.permission !== 'default') return false
  if (Date.now() - Number(localStorage.getItem(WAITING) ?? 0) < WAIT_MS) return false
  return (await key()) !== null
}

export function waitWithPush(): void {
  localStorage.setItem(WAITING, String(Date.now()))
}

export type PushState = 'impossible' | 'off' | 'on' | 'denied' | 'not_here'

export async function pushState(): Promise<PushState> {
  if (!able()) return 'impossible'
  if (Notification.permission === 'denied') return 'denied'
  if ((await key()) === null) return 'not_here'
  return (await current()) ? 'on' : 'off'
}

/** The server's public key; null where it sends no push (or cannot be asked now). */
async function key(): Promise<string | null> {
  if (!session.value) return null
  try {
    const told = (await (await send('get', '/api/channels/push-key')).json()) as { key?: string; public_key?: string }
    return told.key ?? told.public_key ?? null
  } catch {
    return null
  }
}

async function current(): Promise<PushSubscription | null> {
  const worker = await navigator.serviceWorker.getRegistration('/phone/')
  return (await worker?.pushManager.getSubscription()) ?? null
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const raw = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(raw, (sign) => sign.charCodeAt(0))
}

/** False when the person, or the phone, did not allow it. Throws what the server or the push service says. */
export async function subscribePush(): Promise<boolean> {
  if ((await Notification.requestPermission()) !== 'granted') return false
  const worker = await navigator.serviceWorker.ready
  const applicationServerKey = await key()
  if (!applicationServerKey) return false
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(applicationServerKey) })
  const { endpoint, keys } = made.toJSON()
  await send('put', '/api/channels/push', { body: { endpoint, p256dh: keys?.p256dh, auth: keys?.auth } })
  return true
}

export async function unsubscribePush(): Promise<void> {
  const there = await current()
  if (!there) return
  await send('delete', '/api/channels/push', { body: { endpoint: there.endpoint } })
  await there.unsubscribe()
}
