// Who is signed in on this phone. The token is kept sealed with a key that cannot leave the browser.
import { computed, ref, shallowRef } from 'vue'
import { call, door, type Answer } from '@/shared/client'
import { Refused, Unreachable, type Problem } from '@/shared/problem'
import { serverNow } from '@/shared/time'
import { getSetting, putSetting, removeSetting, setOwner, wipeDocuments } from './store'
import { decode, encode, forgetOpenKeys, seal, unseal, type Sealed } from './store/sealing'

export type Person = NonNullable<Answer<'post', '/api/sessions'>>['person']
export type Role = Person['roles'][number]['role']

interface Signed {
  person: Person
  token: string
  expires_at: string
  /** The server did not take the token any more: reading and filing go on, sending waits for a sign-in. */
  ended?: boolean
  /** The person's roles need one-time codes, and none are set up yet: until then the server refuses everything else. */
  enrol?: boolean
}

export const session = shallowRef<Signed | null>(null)
/** Sending waits until the person signs in again. */
export const signInNeeded = computed(() => session.value?.ended === true)
/** The last end of a session, in words, for the sign-in page. */
export const endedBecause = ref<Problem | null>(null)

const BOUND = 'session'
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('duban-session')
channel?.addEventListener('message', () => void restore())

door.token = () => (session.value && !session.value.ended ? session.value.token : null)
door.person = () => session.value?.person.id ?? null
door.refused = (problem, token) => {
  if (token === null || token !== session.value?.token) return
  if (problem.code === 'totp_enrolment_needed') void renew({ enrol: true })
  else void end(problem)
}

/** From what the phone keeps; also without a signal. Past its absolute end the session is ended, not forgotten. */
export async function restore(): Promise<void> {
  forgetOpenKeys()
  const kept = (await getSetting('session')) as Sealed | undefined
  const bytes = kept && (await unseal('device', BOUND, kept))
  const found = bytes ? (JSON.parse(decode(bytes)) as Signed) : null
  if (found && !found.ended && Date.parse(found.expires_at) <= serverNow()) {
    await keep({ ...found, ended: true })
    return
  }
  adopt(found)
}

/** Throws Refused with the server's sentence (wrong password, code needed, held back), Unreachable without a signal. */
export async function signIn(username: string, password: string, otp: string): Promise<void> {
  const told = await call('post', '/api/sessions', { body: { username, password, otp: otp.trim() || null } })
  if (!told.token) throw new Refused({ type: '', title: '', status: 500, code: 'no_token', detail: '' })
  const before = session.value
  if (before && before.person.id !== told.person.id) await wipeDocuments(before.person.id)
  await putSetting('lastUsername', username)
  const enrol = told.totp === 'needed_enrolment'
  await keep({ person: told.person, token: told.token, expires_at: told.expires_at, enrol })
  endedBecause.value = null
  channel?.postMessage('changed')
}

/** The server puts the end off while the phone is used (`keep_until` of the document of the day). */
export async function prolong(expires_at: string): Promise<void> {
  const was = session.value
  if (was && !was.ended && was.expires_at !== expires_at) await renew({ expires_at })
}

/** One-time codes are set up: everything is open now. */
export async function enrolled(): Promise<void> {
  await renew({ enrol: false })
}

/**
 * Ends it here and on the server. What was copied from the server goes off the phone; drafts and what waits to be sent
 * stay sealed until the same person signs in again. The caller has warned of them (see screens/me).
 */
export async function signOut(): Promise<void> {
  const was = session.value
  if (!was) return
  if (!was.ended) {
    try {
      await call('delete', '/api/sessions/current')
    } catch (wrong) {
      if (!(wrong instanceof Refused || wrong instanceof Unreachable)) throw wrong
    }
  }
  leaving = true
  setOwner(null) // first, so that no answer under way is copied after the wipe
  try {
    await removeSetting('session')
    await wipeDocuments(was.person.id)
  } finally {
    adopt(null)
    leaving = false
  }
  channel?.postMessage('changed')
}

/**
 * The server said 401. Taken back (signed out elsewhere, account closed, phone lost): everything copied from it goes
 * off the phone at once. Only too old: the copies stay sealed under their own date of expiry, for the next sign-in.
 */
async function end(problem: Problem): Promise<void> {
  const was = session.value
  if (!was || was.ended) return
  const told = renew({ token: '', ended: true }) // first, so that no answer under way is copied after the wipe
  if (problem.code === 'session_revoked') await wipeDocuments(was.person.id)
  endedBecause.value = problem
  await told
  channel?.postMessage('changed')
}

/** While somebody signs out nothing writes the sign-in anew. */
let leaving = false

/** Of the sign-in that is here: what is under way when it ends does not bring it back. */
async function renew(change: Partial<Signed>): Promise<void> {
  if (!session.value || leaving) return
  const now = { ...session.value, ...change }
  adopt(now)
  const sealed = await seal('device', BOUND, encode(JSON.stringify(now)))
  if (session.value === now && !leaving) await putSetting('session', sealed)
}

async function keep(signed: Signed): Promise<void> {
  await putSetting('session', await seal('device', BOUND, encode(JSON.stringify(signed))))
  adopt(signed)
}

function adopt(signed: Signed | null): void {
  session.value = signed
  setOwner(signed?.person.id ?? null)
}

/** Whether the person holds one of these roles anywhere. */
export function has(...roles: Role[]): boolean {
  return session.value?.person.roles.some((held) => roles.includes(held.role)) ?? false
}
