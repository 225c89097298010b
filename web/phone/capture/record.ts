// What is noted at the shutter beside place and picture (trust.md 3.4): the last token of the server's time, and clocks.
import { call } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { documents, getSetting, putSetting } from '@/phone/store'
import { alsoCopy } from '@/phone/sync'
import { alone } from '../queue/lock'
import type { Capture } from '../queue/model'

interface Token {
  token: string
  received_at: string
}

const FRESH_ENOUGH = 5 * 60_000
const KEPT_FOR = 30 * 86_400_000 // as long as a token says anything (backend/evidence/rules.py)

let last: Token | null = null
/** The monotonic clock when the token came. It stands still while a phone sleeps: a page that was hidden forgets it. */
let ticking: number | null = null

if (typeof document !== 'undefined') {
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') ticking = null
  })
}

alsoCopy((today) => took(today.time.token))

async function took(token: string): Promise<void> {
  ticking = performance.now()
  last = { token, received_at: new Date().toISOString() }
  const as_of = new Date(serverNow()).toISOString()
  await documents.put('time-token', last, { as_of, expires: new Date(serverNow() + KEPT_FOR).toISOString() })
}

/** A newer token where there is a signal; without one the last will do. Called when the camera opens. */
export async function renewToken(): Promise<void> {
  last ??= (await documents.get<Token>('time-token', serverNow()))?.value ?? null
  if (!navigator.onLine || (ticking !== null && performance.now() - ticking < FRESH_ENOUGH)) return
  try {
    await took((await call('get', '/api/time')).token)
  } catch {
    // the bracket is wider then, and the trust report says so
  }
}

/** The record of this moment; its number goes up with every capture of this phone, in whichever tab. */
export async function captureRecord(): Promise<Capture> {
  const since = last && ticking !== null ? Math.round(performance.now() - ticking) : null
  const told = last
  const counter = await alone('captures', async () => {
    const number = ((await getSetting('captures')) ?? 0) + 1
    await putSetting('captures', number)
    return number
  })
  return { token: told?.token ?? null, token_received_at: told?.received_at ?? null, since_token_ms: since, counter }
}
