// What the phone copies from the server to work from offline. Each copy says how old it is; none is ever shown as new.
import { ref, shallowRef, type Ref } from 'vue'
import { call, type Answer } from '@/shared/client'
import { isFull, NobodyHere, Refused, Unreachable } from '@/shared/problem'
import { learnOffset, offsetMs, serverNow } from '@/shared/time'
import { answered } from './network'
import { prolong, session, signInNeeded } from './session'
import { documents, getSetting, measureRoom, putSetting, type Document } from './store'

export type Today = Answer<'get', '/api/phone/today'>

/**
 * A document as it is on the screen. `asked`: which question brought it, counted since the app began; none for what lay
 * on the phone. By it two of them are told apart: the server's clock and what the phone takes it for agree to a second only.
 */
export interface Copy<T> extends Document<T> {
  asked?: number
}

let questions = 0

/** Whether the first was asked for later than the second. */
export function newer<T>(one: Copy<T>, other: Copy<T>): boolean {
  const order = (one.asked ?? 0) - (other.asked ?? 0)
  return order > 0 || (order === 0 && one.as_of > other.as_of)
}

/** The document of the day, null until there is one. */
export const today = shallowRef<Copy<Today> | null>(null)
export const syncing = ref(false)
/** Why the last try did not work; null when it did. */
export const syncFailed = ref<unknown>(null)

let running: Promise<void> | null = null

/** From the phone's own copy, at once. */
export async function openCopies(): Promise<void> {
  const kept = await getSetting('offsetMs')
  if (kept !== undefined && offsetMs.value === null) offsetMs.value = kept
  today.value = session.value ? ((await documents.get<Today>('today', serverNow())) ?? null) : null
}

/**
 * Anew from the server. Who asks while a run is under way gets one more after it: what was just sent is not in an answer
 * that was asked for before. Never throws: `syncFailed` says what was wrong.
 */
export function sync(): Promise<void> {
  if (running) again = true
  else running = runs().finally(() => (running = null))
  return running
}

let again = false

async function runs(): Promise<void> {
  do {
    again = false
    await run()
  } while (again && syncFailed.value === null)
}

async function run(): Promise<void> {
  if (!session.value || signInNeeded.value) return
  syncing.value = true
  try {
    const askedAt = Date.now()
    const whose = session.value.person.id
    const over = () => signInNeeded.value || session.value?.person.id !== whose // taken back, or somebody else’s meanwhile
    const asked = ++questions
    const told = await call('get', '/api/phone/today')
    learnOffset(told.as_of, askedAt)
    if (over()) return
    today.value = { value: told, as_of: told.as_of, asked }
    await documents.put('today', told, { as_of: told.as_of, expires: told.keep_until })
    await putSetting('offsetMs', offsetMs.value ?? 0)
    if (over()) return
    await prolong(told.keep_until)
    if (over()) return
    syncFailed.value = null
    answered(true)
    await copyTheRest(told)
  } catch (wrong) {
    if (wrong instanceof NobodyHere) return // signed out meanwhile
    if (wrong instanceof Unreachable) answered(false)
    syncFailed.value = wrong
  } finally {
    syncing.value = false
    void measureRoom()
  }
}

/** One that is refused or fails does not keep the others from being copied; without a signal there is no use in going on. */
async function copyTheRest(told: Today): Promise<void> {
  for (const more of alsoCopied) {
    try {
      await more(told)
    } catch (wrong) {
      if (wrong instanceof Unreachable || wrong instanceof NobodyHere) throw wrong
      console.warn('not copied', wrong)
    }
  }
}

const alsoCopied: ((today: Today) => Promise<void>)[] = []

/** A screen's own documents, copied after the document of the day whenever that is. */
export function alsoCopy(more: (today: Today) => Promise<void>): void {
  alsoCopied.push(more)
}

/**
 * One document: the phone's copy at once, then the server's. `failed` holds why the second did not come, while `found`
 * still holds the first with its `as_of`.
 */
export function useDocument<T>(name: string, ask: () => Promise<T>): {
  found: Ref<Copy<T> | null>
  failed: Ref<unknown>
  loading: Ref<boolean>
  refresh(): Promise<void>
} {
  const found = shallowRef<Copy<T> | null>(null)
  const failed = ref<unknown>(null)
  const loading = ref(true)
  async function refresh(): Promise<void> {
    loading.value = true
    try {
      found.value ??= (await documents.get<T>(name, serverNow())) ?? null
      const asked = ++questions
      const value = await ask()
      found.value = { value, as_of: new Date(serverNow()).toISOString(), asked }
      failed.value = null
      answered(true)
      await keep(name, value)
    } catch (wrong) {
      if (wrong instanceof Unreachable) answered(false)
      failed.value = wrong
      await dropUnseen(name, wrong)
    } finally {
      loading.value = false
    }
  }
  void refresh()
  return { found, failed, loading, refresh }
}

/**
 * Keeps a copy as long as the sign-in lasts; none of an answer that came when it had ended, and none where there is no room:
 * what it is a copy of was told or done all the same.
 */
export async function keep(name: string, value: unknown): Promise<void> {
  if (!session.value || signInNeeded.value) return
  const until = { as_of: new Date(serverNow()).toISOString(), expires: session.value.expires_at }
  await documents.put(name, value, until).catch((wrong: unknown) => {
    if (!(wrong instanceof NobodyHere || isFull(wrong))) throw wrong
  })
}

/** A copy of what the server says is not there, or no longer in the person's sight, leaves the phone. */
export async function dropUnseen(name: string, wrong: unknown): Promise<void> {
  if (wrong instanceof Refused && wrong.code === 'not_found') await documents.remove(name).catch(() => undefined)
}
