// Web Push of this browser: whether it can be offered, turning it on and off. The address it gives is told to the server
// only after the person said yes.
import { call } from '@/shared/client'
import { newId } from '@/shared/ids'
import { session } from '../session'

const WAIT_MS = 30 * 86_400_000
const WAITING = 'duban-push-later'
const CHANNEL = 'duban-push-channel'

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
    return (await call('get', '/api/channels/push-key')).public_key
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

/** What this device is called in the person's list of addresses. */
function label(): string {
  const agent = navigator.userAgent
  const device = /iPhone|iPad/.test(agent) ? 'iPhone' : /Android/.test(agent) ? 'Android' : '电脑'
  return `${device} · ${/Edg/.test(agent) ? 'Edge' : /Firefox/.test(agent) ? 'Firefox' : /Chrome/.test(agent) ? 'Chrome' : 'Safari'}`
}

async function register(subscription: PushSubscription): Promise<void> {
  const { endpoint, keys } = subscription.toJSON()
  const told = await call('post', '/api/channels/push', {
    body: { id: newId(), endpoint: endpoint!, keys: { p256dh: keys!.p256dh!, auth: keys!.auth! }, label: label() },
  })
  localStorage.setItem(CHANNEL, told.id)
}

/** At each start: browsers change their addresses without asking anybody. Never throws. */
export async function renewPush(): Promise<void> {
  if (!able() || Notification.permission !== 'granted' || !localStorage.getItem(CHANNEL)) return
  const there = await current().catch(() => null)
  if (there) await register(there).catch(() => undefined)
}

/** False when the person, or the phone, did not allow it. Throws what the server or the push service says. */
export async function subscribePush(): Promise<boolean> {
  if ((await Notification.requestPermission()) !== 'granted') return false
  const worker = await navigator.serviceWorker.ready
  const applicationServerKey = await key()
  if (!applicationServerKey) return false
  await register(await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(applicationServerKey) }))
  return true
}

/** Here first, so that nothing is shown any more; the server finds out at its next message if it cannot be told now. */
export async function unsubscribePush(): Promise<void> {
  const there = await current()
  await there?.unsubscribe()
  const channel_id = localStorage.getItem(CHANNEL)
  localStorage.removeItem(CHANNEL)
  if (channel_id) await call('delete', '/api/channels/{channel_id}', { path: { channel_id } })
}
