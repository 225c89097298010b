// What is sent next, and what becomes of an answer. Pure: time, network and settings are passed in.

import type { Answer, Cause, Conditions, Entry, OutgoingFile, Problem, Settings } from './model'

export const FIRST_DELAY = 2_000
export const LONGEST_DELAY = 5 * 60_000
const NO_ROOM_DELAY = 10 * 60_000
const NOT_YET_DELAY = 3_000

/** Seconds of a wait that doubles; a fifth either way, so that a hundred phones do not knock together. */
export function delay(tries: number, dice: number): number {
  const plain = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.max(0, tries - 1))
  return Math.round(plain * (0.8 + 0.4 * dice))
}

export type Step =
  | { do: 'record'; entry: Entry }
  | { do: 'file'; entry: Entry; file: OutgoingFile }
  | { do: 'rest'; until: number | null }

/** Which waits are over because something changed: the network came back, or a person asked. */
export type Impatience = 'none' | 'network' | 'asked'

export interface Now {
  at: number
  conditions: Conditions
  settings: Settings
  impatience?: Impatience
  /** Files that may go over a metered network, because a person said so for this once. */
  anyway?: boolean
}

/** Records before files, danger before everything, first in first out within a thing. */
export function next(entries: readonly Entry[], now: Now): Step {
  const { conditions, settings } = now
  if (!conditions.online || !conditions.signed_in || settings.paused) return { do: 'rest', until: null }
  const own = [...entries].sort(byTurn)
  const waits: number[] = []
  for (const entry of own) {
    if (entry.record !== 'waiting' || entry.held || behind(entry, own)) continue
    if (due(entry, now)) return { do: 'record', entry }
    waits.push(entry.next_at)
  }
  for (const entry of own) {
    if (entry.record !== 'stored' || entry.held || !filesMayGo(now)) continue
    for (const file of entry.files) {
      if (file.state !== 'waiting') continue
      if (due(file, now)) return { do: 'file', entry, file }
      waits.push(file.next_at)
    }
  }
  return { do: 'rest', until: waits.length ? Math.min(...waits) : null }
}

/** Whether something of its thing has to go first: an earlier record that waits; for a whole one, also what stepped aside. */
export function behind(entry: Entry, entries: readonly Entry[]): boolean {
  return entries.some((other) =>
    other.thing === entry.thing && other.id !== entry.id && other.seq < entry.seq
    && (entry.whole ? other.record !== 'stored' : other.record === 'waiting' && !other.held && !entry.urgent))
}

/** Originals wait for Wi-Fi when the person wants it so; a phone that cannot tell counts as not being on it. */
export function filesMayGo(now: Now): boolean {
  return !now.settings.wifi_only || now.anyway === true || now.conditions.metered === false
}

function byTurn(one: Entry, other: Entry): number {
  return Number(other.urgent) - Number(one.urgent) || one.seq - other.seq
}

const LONGEST_WAIT = 25 * 3_600_000 // a quota of the day

function due(it: { next_at: number; cause: Cause | null }, now: Now): boolean {
  if (it.next_at <= now.at) return true
  if (it.next_at - now.at > LONGEST_WAIT) return true // the phone's clock was set back meanwhile
  if (now.impatience === 'asked') return it.cause !== 'quota'
  return now.impatience === 'network' && it.cause === 'network'
}

export type Outcome =
  | { is: 'stored'; body: Record<string, unknown> }
  | { is: 'sign_in' }
  | { is: 'stopped' }
  /** `everything`: no use in trying the next one either. */
  | { is: 'again'; cause: Cause; problem: Problem | null; after: number | null; everything: boolean }
  | { is: 'parked'; problem: Problem }

const SAME_REQUEST_LATER = new Set([408, 423, 425, 460])
const CODES_FOR_LATER = new Set(['connection_lost', 'upload.wrong_offset', 'upload.too_many_open'])

/**
 * What an answer means for what was sent. A 2xx that is not ours (a hotel's sign-in page) stores nothing: that has lost
 * people's work elsewhere, so `stored` needs an answer in our form. `needs` says what must stand in it.
 */
export function outcome(answer: Answer, needs: (body: Record<string, unknown>) => boolean = () => true): Outcome {
  if (answer.kind === 'stopped') return { is: 'stopped' }
  if (answer.kind === 'nobody') return { is: 'again', cause: 'network', problem: null, after: null, everything: true }
  if (answer.kind === 'stranger') {
    const problem = { status: answer.status, code: 'stranger', detail: '' }
    return { is: 'again', cause: 'network', problem, after: null, everything: true }
  }
  const body = isObject(answer.body) ? answer.body : {}
  if (answer.status >= 200 && answer.status < 300) {
    if (needs(body)) return { is: 'stored', body }
    const problem = { status: answer.status, code: 'no_receipt', detail: '' }
    return { is: 'again', cause: 'server', problem, after: NOT_YET_DELAY, everything: false }
  }
  return refused(answer.status, problemOf(answer.status, body), answer.retry_after)
}

function refused(status: number, problem: Problem, retryAfter: number | null): Outcome {
  const after = retryAfter === null ? null : retryAfter * 1000
  if (status === 401) return { is: 'sign_in' }
  if (problem.code.startsWith('evidence.quota_')) {
    return { is: 'again', cause: 'quota', problem, after: after ?? LONGEST_DELAY, everything: false }
  }
  if (status === 429) return { is: 'again', cause: 'server', problem, after, everything: problem.code === 'too_many' }
  if (status === 507) return { is: 'again', cause: 'room', problem, after: after ?? NO_ROOM_DELAY, everything: false }
  if (status >= 500 || SAME_REQUEST_LATER.has(status) || CODES_FOR_LATER.has(problem.code)) {
    const everything = problem.code === 'busy'
    return { is: 'again', cause: 'server', problem, after, everything }
  }
  return { is: 'parked', problem }
}

export function problemOf(status: number, body: Record<string, unknown>): Problem {
  return {
    status,
    code: typeof body.code === 'string' ? body.code : 'problem',
    detail: typeof body.detail === 'string' ? body.detail : '',
    field: typeof body.field === 'string' ? body.field : null,
    request_id: typeof body.request_id === 'string' ? body.request_id : null,
    details: isObject(body.details) ? body.details : {},
  }
}

/** What is written back after a try that is to be made again, or was refused for good. */
export function tried<T extends { tries: number }>(
  it: T, outcome: Extract<Outcome, { is: 'again' | 'parked' }>, at: number, dice: number,
): T {
  if (outcome.is === 'parked') return { ...it, tries: it.tries + 1, next_at: 0, cause: null, problem: outcome.problem }
  const tries = it.tries + 1
  const wait = outcome.after ?? delay(tries, dice)
  return { ...it, tries, next_at: at + wait, cause: outcome.cause, problem: outcome.problem }
}

/** Done when the record and every file of it has its receipt. */
export function done(entry: Entry): boolean {
  return entry.record === 'stored' && entry.files.every((file) => file.state === 'sent')
}

export const needsAPerson = (entry: Entry): boolean =>
  entry.record === 'parked' || entry.files.some((file) => file.state === 'parked')

/** Whether a form may be opened again: the server has certainly not stored this text. */
export const editable = (entry: Entry): boolean =>
  entry.form != null && (entry.record === 'parked' || (entry.record === 'waiting' && entry.tries === 0))

/** One word for what an entry waits for; the screen has the sentences. */
export type Waiting =
  | 'parked' | 'done' | 'paused' | 'held' | 'sign_in' | 'offline' | 'stranger' | 'earlier' | 'quota'
  | 'room' | 'server' | 'wifi' | 'turn'

export function waitsFor(entry: Entry, entries: readonly Entry[], now: Now): Waiting {
  if (needsAPerson(entry)) return 'parked'
  if (done(entry)) return 'done'
  const { conditions, settings } = now
  if (entry.held) return 'held'
  if (settings.paused) return 'paused'
  if (!conditions.online) return 'offline'
  if (!conditions.signed_in) return 'sign_in'
  const recordWaits = entry.record === 'waiting'
  if (recordWaits && behind(entry, entries)) return 'earlier'
  const it = recordWaits ? entry : entry.files.find((file) => file.state === 'waiting')
  if (!recordWaits && !filesMayGo(now)) return 'wifi'
  if (it && it.next_at > now.at && it.cause) {
    if (it.cause !== 'network') return it.cause
    return it.problem?.code === 'stranger' ? 'stranger' : 'offline'
  }
  return 'turn'
}

/** Bytes whose receipt has come and whose days are over. Nothing else on this phone may be freed. */
export function freeable(entry: Entry, settings: Settings, at: number, roomIsShort: boolean): string[] {
  const over = at - settings.keep_days * 86_400_000
  if (entry.done_at === null || (!roomIsShort && entry.done_at > over)) return []
  return entry.files.filter((file) => file.kept && file.state === 'sent').map((file) => file.id)
}

export interface Counts {
  waiting: number
  files: number
  bytes: number
  parked: number
}

/** What stands at the top of every screen: so many records and photos are only here. */
export function counts(entries: readonly Entry[]): Counts {
  const open = entries.filter((entry) => !done(entry))
  const files = open.flatMap((entry) => entry.files).filter((file) => file.state !== 'sent')
  return {
    waiting: open.length,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.size - file.sent, 0),
    parked: open.filter(needsAPerson).length,
  }
}

export function arrived(entry: Entry): number {
  return entry.files.filter((file) => file.state === 'sent').length
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
