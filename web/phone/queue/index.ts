// The send queue of this phone, as forms and screens use it. What they may rely on stands in web/README.md.
import { computed, reactive, ref, watch } from 'vue'
import { door } from '@/shared/client'
import { newId } from '@/shared/ids'
import { insist, measureRoom, nearlyFull, onChange } from '@/phone/store'
import { sha256 } from './hash'
import { type Conditions, type Entry, type ManifestLine, type OutgoingFile, type Problem, type Request, SETTINGS } from './model'
import { type Impatience, counts, editable, needsAPerson, next } from './rules'
import { IDLE, type Sending, Sender, tidy } from './sender'
import { type Draft, store, UNDO_FOR } from './store'
import { Http } from './transport'

export type { Draft } from './store'
export type * from './model'

/** Everything that screens show of the queue; kept up to date, also for what another tab does. */
export const queue = reactive({
  entries: [] as Entry[],
  drafts: [] as Draft[],
  settings: { ...SETTINGS },
  sending: { ...IDLE } as Sending,
  loaded: false,
})
export const unsent = computed(() => counts(queue.entries))
export const openDrafts = computed(() => queue.drafts.filter((draft) => draft.discarded_at === null))
/** The person says: this is Wi-Fi. For browsers that do not tell; forgotten with the page. */
export const calledWifi = ref(false)

/** What the server said to the last records of this page, for forms that wait for it. */
const answers = new Map<string, Record<string, unknown>>()
const MOST_ANSWERS = 20
const TIDY_EVERY = 6 * 3_600_000

interface Connection extends EventTarget {
  type?: string
  saveData?: boolean
}
const connection = (globalThis.navigator as { connection?: Connection } | undefined)?.connection

/** Whether this network costs: null where no browser says. */
export function metered(): boolean | null {
  if (calledWifi.value) return false
  if (connection?.saveData) return true
  if (!connection?.type || connection.type === 'unknown' || connection.type === 'other') return null
  return connection.type === 'cellular'
}

export function conditions(): Conditions {
  return { online: navigator.onLine, signed_in: door.token() !== null, metered: metered() }
}

const sender = new Sender({
  store,
  transport: new Http(),
  now: Date.now,
  dice: Math.random,
  conditions,
  later(wait, work) {
    const timer = setTimeout(work, Math.min(wait, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
  told(state) {
    Object.assign(queue.sending, state)
    channel?.postMessage({ ...state })
  },
  answered(id, body) {
    answers.set(id, body)
    if (answers.size > MOST_ANSWERS) answers.delete(answers.keys().next().value as string)
  },
})
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('duban-sending')

/** Once, when the app starts; again after a sign-in. Reads what is there and sends it. */
export async function open(): Promise<void> {
  sender.stop() // what goes on goes on for who is signed in now
  await reload()
  listen()
  void tidyUp()
  void flush('network')
}

/** Sends whatever can be sent. `asked`: a person wants it now, whatever the waits are. */
export function flush(impatience: Impatience = 'none', more: { anyway?: boolean } = {}): Promise<void> {
  return sender.flush(impatience, more)
}

/**
 * Takes a request in: from here on it is stored on this phone, and will be sent once. With `files` (ids of bytes that
 * lie in the store, with what the server is told of each) the body gets its `evidence`.
 * Throws QuotaExceededError when the phone is full: nothing was taken then.
 */
export async function add(request: Request): Promise<Entry> {
  const whose = store.whose()
  const files = request.files ?? []
  const text = JSON.stringify(files.length ? { ...request.body, evidence: files.map((file) => file.line) } : request.body)
  const body = request.method === 'DELETE' || (request.bare ?? false) ? '' : text
  const made = {
    id: request.id,
    thing: request.thing,
    kind: request.kind,
    title: request.title,
    method: request.method,
    path: request.path,
    body,
    sha256: await sha256(new TextEncoder().encode(body)),
    headers: request.headers ?? {},
    urgent: request.urgent ?? false,
    whole: request.whole ?? false,
    signed: request.signed ?? true,
    made_at: Date.now(),
    record: 'waiting',
    held: false,
    files: files.map(({ line, name }) => outgoing(line, name)),
    server: null,
    stored_at: null,
    done_at: null,
    form: request.form ?? null,
    tries: 0,
    next_at: 0,
    cause: null,
    problem: null,
  } as const
  const entry = await insist(() => store.handOver(made, whose))
  await reload()
  void flush()
  return entry
}

/** How a request that a person waits for ended: stored with the server's answer, refused, or still on this phone. */
export type Ending =
  | { is: 'stored'; entry: Entry; answer: Record<string, unknown> | null }
  | { is: 'refused'; entry: Entry; problem: Problem }
  | { is: 'kept'; entry: Entry }

/** Takes it in and waits a moment for the server's word, so that a form can say what became of it. */
export async function addAndWait(request: Request, patience = 8_000): Promise<Ending> {
  const entry = await add(request)
  const late = new Promise<void>((resolve) => setTimeout(resolve, patience))
  for (;;) {
    const there = await store.known(entry.id)
    const now = there ?? { ...entry, record: answers.has(entry.id) ? ('stored' as const) : entry.record }
    if (now.record === 'stored') return { is: 'stored', entry: now, answer: answers.get(entry.id) ?? null }
    if (now.record === 'parked') return { is: 'refused', entry: now, problem: now.problem as Problem }
    const over = await Promise.race([late.then(() => true), change().then(() => false)])
    if (over || !conditions().online) return { is: 'kept', entry: now }
  }
}

/** A parked entry is tried once more as it is. */
export async function tryAgain(id: string): Promise<void> {
  const anew = { tries: 0, next_at: 0, cause: null, problem: null }
  await store.change(id, (entry) => ({
    ...entry,
    ...anew,
    held: false,
    record: entry.record === 'parked' ? 'waiting' : entry.record,
    files: entry.files.map((file) => (file.state === 'parked' ? { ...file, ...anew, state: 'waiting' } : file)),
  }))
  await flush('asked')
}

export async function hold(id: string, held: boolean): Promise<void> {
  await store.change(id, (entry) => ({ ...entry, held }))
  if (held && queue.sending.entry === id) sender.stop()
  if (!held) await flush('asked')
}

export async function pause(paused: boolean): Promise<void> {
  await store.set({ paused })
  queue.settings.paused = paused
  if (paused) sender.stop()
  else await flush('asked')
}

export async function setWifiOnly(on: boolean): Promise<void> {
  await store.set({ wifi_only: on })
  queue.settings.wifi_only = on
  if (on && queue.sending.file && metered() !== false) sender.stop()
  await flush()
}

/** Photos taken from now on; those that lie here stay as they are. */
export async function setLongestEdge(longest_edge: 4096 | 2048): Promise<void> {
  await store.set({ longest_edge })
  queue.settings.longest_edge = longest_edge
}

/** Opens the form of an entry that the server has certainly not stored: it is a draft again. Null when it is too late. */
export async function takeBack(id: string): Promise<Draft | null> {
  const entry = await store.entry(id)
  if (!entry || !editable(entry)) return null
  const files = entry.files.map((file) => file.id)
  const draft: Draft = {
    id, kind: entry.kind, thing: entry.thing, title: entry.title, form: entry.form, saved_at: Date.now(), files,
    discarded_at: null,
  }
  await store.takeBack(id, draft)
  await reload()
  return draft
}

/** The same content under a new number, its photos too: for what the server has under the old one with other content. */
export async function anew(id: string): Promise<Entry | null> {
  const entry = await store.entry(id)
  if (!entry) return null
  const made = await renamed(entry)
  await store.replace(id, made)
  await reload()
  void flush('asked')
  return made
}

/** Thrown away after the person was asked; its photos too, unless they were saved outside before. */
export async function drop(id: string): Promise<void> {
  if (queue.sending.entry === id) sender.stop()
  await store.drop(id)
  await reload()
}

/** Thrown away, with half a minute to take it back. */
export async function discardDraft(id: string): Promise<void> {
  await store.discard(id, Date.now())
  await reload()
  setTimeout(() => void store.sweep(Date.now()).catch(() => undefined), UNDO_FOR + 500)
}

export async function restoreDraft(id: string): Promise<void> {
  await store.discard(id, null)
  await reload()
}

export const parked = computed(() => queue.entries.filter(needsAPerson))

async function renamed(entry: Entry): Promise<Entry> {
  const ids = new Map([[entry.id, newId()], ...entry.files.map((file) => [file.id, newId()] as const)])
  const swap = (text: string) => [...ids].reduce((now, [old, fresh]) => now.replaceAll(old, fresh), text)
  const body = swap(entry.body)
  const start = { tries: 0, next_at: 0, cause: null, problem: null }
  return {
    ...entry, ...start, id: ids.get(entry.id)!, path: swap(entry.path), body, sha256: await sha256(new TextEncoder().encode(body)),
    record: 'waiting', server: null, stored_at: null, form: JSON.parse(swap(JSON.stringify(entry.form))) as unknown,
    files: entry.files.map((file) => ({ ...file, ...start, id: ids.get(file.id)!, state: 'waiting', sent: 0, upload: null })),
  }
}

function outgoing(line: ManifestLine, name: string): OutgoingFile {
  return {
    id: line.id, sha256: line.sha256, size: line.size, media_type: line.media_type, source: line.source, name,
    state: 'waiting', sent: 0, upload: null, kept: true, tries: 0, next_at: 0, cause: null, problem: null,
  }
}

async function reload(): Promise<void> {
  try {
    const [entries, drafts, settings] = await Promise.all([store.entries(), store.drafts(), store.settings()])
    Object.assign(queue, { entries, drafts, settings, loaded: true })
  } catch {
    Object.assign(queue, { entries: [], drafts: [], loaded: false }) // nobody is signed in
  }
}

function change(): Promise<void> {
  return new Promise((resolve) => {
    const stop = onChange((shelf) => {
      if (shelf !== 'queue' && shelf !== 'receipts') return
      stop()
      resolve()
    })
  })
}

/** Days that are over, and sooner when the phone is nearly full: bytes whose receipt is here. */
async function tidyUp(): Promise<void> {
  try {
    await measureRoom()
    await tidy(store, Date.now(), nearlyFull())
  } catch {
    // nobody is signed in, or another time
  }
}

/** What another tab took in, or was sending when it died. */
function takeOver(): void {
  const now = { at: Date.now(), conditions: conditions(), settings: queue.settings }
  if (next(queue.entries, now).do !== 'rest') void flush()
}

let listening = false

/** Whatever may mean that sending is possible again. Browsers on iPhones have no background sync: these are all. */
function listen(): void {
  if (listening) return
  listening = true
  let waiting: ReturnType<typeof setTimeout> | undefined
  onChange((shelf) => {
    if (shelf !== 'queue' && shelf !== 'drafts') return
    clearTimeout(waiting)
    waiting = setTimeout(() => void reload().then(takeOver), 50)
  })
  channel?.addEventListener('message', (event: MessageEvent<Sending>) => Object.assign(queue.sending, event.data))
  addEventListener('online', () => void flush('network'))
  addEventListener('offline', () => void flush())
  addEventListener('pageshow', () => void flush('network'))
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void flush('network')
  })
  connection?.addEventListener('change', () => void flush('network'))
  watch(calledWifi, () => void flush())
  setInterval(() => void tidyUp(), TIDY_EVERY)
}
