// Where unsent work lies: entries and drafts on the phone's shelves, sealed and each person's own (phone/store). Every
// change is read, made and written under one lock, because another tab may be at it too; what belongs together is one
// transaction: a draft becomes an entry, or stays a draft.
import { files, getSetting, person, putSetting, Shelf, write, type AboutFile, type Change } from '@/phone/store'
import { alone } from './lock'
import { type Entry, type KeptReceipt, type OutgoingFile, SETTINGS, type Settings } from './model'

/** What is being written and not yet handed over. `form` belongs to the screen that writes it. */
export interface Draft {
  id: string
  kind: string
  thing: string
  title: string
  form: unknown
  saved_at: number
  /** Files whose bytes lie here for it. */
  files: string[]
  /** Thrown away a moment ago, and can still be taken back. */
  discarded_at: number | null
}

export const UNDO_FOR = 30_000

const queue = new Shelf<Entry>('queue')
const drafts = new Shelf<Draft>('drafts')
const receipts = new Shelf<KeptReceipt>('receipts')
/** Alone, and for who asked: `write` refuses it when somebody else is here by the time it comes to that. */
async function writing<T>(work: (whose: string) => Promise<T>, whose = person()): Promise<T> {
  return alone('outgoing', () => work(whose))
}

export const store = {
  /** Whose work this is; throws NobodyHere. */
  whose: person,

  async entries(): Promise<Entry[]> {
    return (await queue.all()).sort((one, other) => one.seq - other.seq)
  },

  entry: (id: string): Promise<Entry | undefined> => queue.get(id),

  /** An entry takes its place at the end, and its draft is over. Handing over twice is once. Who tries long says for whom. */
  handOver(made: Omit<Entry, 'seq'>, whose?: string): Promise<Entry> {
    return writing(async (whose) => {
      const all = await store.entries()
      const there = all.find((entry) => entry.id === made.id) ?? (await store.known(made.id))
      if (there && there.record !== 'parked') return there
      const entry = { ...made, seq: there?.seq ?? (all.at(-1)?.seq ?? 0) + 1 }
      await write([{ put: 'queue', value: entry }, { remove: 'drafts', id: made.id }], whose)
      return entry
    }, whose)
  },

  /** What became of it, on what lies there now. Undefined when it is gone. */
  change(id: string, how: (entry: Entry) => Entry): Promise<Entry | undefined> {
    return store.receipted(null, id, how)
  },

  /**
   * The receipt and what it allows are one write: nothing counts as sent whose receipt could not be kept. With the last
   * one the entry leaves the queue and lies with the receipt of its record.
   */
  receipted(receipt: KeptReceipt | null, id: string, how: (entry: Entry) => Entry): Promise<Entry | undefined> {
    return writing(async (whose) => {
      const there = await queue.get(id)
      const changed = there && how(there)
      const changes: Change[] = receipt ? [{ put: 'receipts', value: receipt }] : []
      if (changed && changed.done_at !== null) changes.push({ remove: 'queue', id }, ...(await left(changed, receipt)))
      else if (changed) changes.push({ put: 'queue', value: changed })
      if (changes.length) await write(changes, whose)
      return changed
    })
  },

  /** An entry becomes a draft again, with its files: to be corrected and handed over anew. */
  takeBack(id: string, draft: Draft): Promise<void> {
    return writing((whose) => write([{ put: 'drafts', value: draft }, { remove: 'queue', id }], whose))
  },

  /** One entry instead of another; the n-th file of the one gets the bytes of the n-th of the other. */
  replace(id: string, made: Entry): Promise<void> {
    return writing(async (whose) => {
      const there = await queue.get(id)
      if (!there) return
      const changes: Change[] = [{ remove: 'queue', id }, { put: 'queue', value: made }]
      for (const [at, file] of there.files.entries()) {
        const bytes = await files.get(file.id)
        const anew = made.files[at]
        if (bytes && anew) changes.push({ putFile: about(anew, made.id), bytes }, bytesOf(file.id))
      }
      await write(changes, whose)
    })
  },

  /** Only what a person threw away after being asked. What the server has is no concern of this. */
  drop(id: string): Promise<void> {
    return writing(async (whose) => {
      const there = await queue.get(id)
      if (there) await write([{ remove: 'queue', id }, ...there.files.map((file) => bytesOf(file.id))], whose)
    })
  },

  bytes: (id: string): Promise<Blob | undefined> => files.get(id),

  /** What was sent and is still shown, the newest first. */
  async sent(): Promise<Entry[]> {
    const found = (await receipts.all()).map((receipt) => receipt.sent).filter((entry): entry is Entry => entry != null)
    return found.sort((one, other) => (other.done_at ?? 0) - (one.done_at ?? 0))
  },

  /** On its way or sent: a form of that id is over. */
  async known(id: string): Promise<Entry | undefined> {
    return (await queue.get(id)) ?? (await receipts.get(id))?.sent ?? undefined
  },

  /** Frees bytes whose receipt is here; without one nothing happens. */
  free(id: string, ids: readonly string[]): Promise<void> {
    return writing(async (whose) => {
      const record = await receipts.get(id)
      if (!record?.sent) return
      const signed = new Set((await Promise.all(ids.map((file) => receipts.get(file)))).map((receipt) => receipt?.id))
      const files = record.sent.files.map((file) => (signed.has(file.id) ? { ...file, kept: false } : file))
      const value: KeptReceipt = { ...record, sent: { ...record.sent, files } }
      // Bytes first, by themselves: a full phone lets nothing be written, however small, but lets things be removed.
      await write(ids.filter((file) => signed.has(file)).map(bytesOf), whose)
      await write([{ put: 'receipts', value }], whose)
    })
  },

  /** For a phone that is full: bytes of this queue that have their receipt already, although their record is not done. */
  async freeReceipted(): Promise<void> {
    const files = (await store.entries()).flatMap((entry) => entry.files).filter((file) => file.state === 'sent' && file.kept)
    for (const { id } of files) if (await receipts.get(id)) await write([bytesOf(id)])
  },

  /** What was sent long ago is no longer shown. Its receipts stay. */
  forget(ids: readonly string[]): Promise<void> {
    return writing(async (whose) => {
      for (const id of ids) {
        const record = await receipts.get(id)
        const value: KeptReceipt | undefined = record && { ...record, sent: null }
        if (value) await write([{ put: 'receipts', value }], whose)
      }
    })
  },

  async drafts(): Promise<Draft[]> {
    return (await drafts.all()).sort((one, other) => other.saved_at - one.saved_at)
  },

  draft: (id: string): Promise<Draft | undefined> => drafts.get(id),

  /**
   * With files: their bytes first; what is `removed` goes before anything is written, which may make the room for it. A form
   * that saves late does not bring back what has been handed over.
   */
  saveDraft(draft: Draft, added: { about: AboutFile; bytes: Blob }[] = [], removed: string[] = []): Promise<void> {
    return writing(async (whose) => {
      if (await store.known(draft.id)) return
      const bytes = added.map(({ about, bytes }): Change => ({ putFile: about, bytes }))
      if (removed.length) await write(removed.map(bytesOf), whose)
      await write([...bytes, { put: 'drafts', value: draft }], whose)
    })
  },

  discard(id: string, at: number | null): Promise<void> {
    return writing(async (whose) => {
      const there = await drafts.get(id)
      const value: Draft | undefined = there && { ...there, discarded_at: at }
      if (value) await write([{ put: 'drafts', value }], whose)
    })
  },

  /** Drafts whose discarding can no longer be taken back, with their photos. */
  sweep(at: number): Promise<void> {
    return writing(async (whose) => {
      for (const draft of await drafts.all()) {
        if (draft.discarded_at === null || at - draft.discarded_at < UNDO_FOR) continue
        await write([{ remove: 'drafts', id: draft.id }, ...draft.files.map(bytesOf)], whose)
      }
    })
  },

  receipts: (): Promise<KeptReceipt[]> => receipts.all(),
  receipt: (id: string): Promise<KeptReceipt | undefined> => receipts.get(id),

  async settings(): Promise<Settings> {
    const [wifi, paused, edge] = await Promise.all([getSetting('wifiOnly'), getSetting('queuePaused'), getSetting('longestEdge')])
    const { wifi_only, longest_edge } = SETTINGS
    return { ...SETTINGS, wifi_only: wifi ?? wifi_only, paused: paused ?? false, longest_edge: edge ?? longest_edge }
  },

  async set(changes: Partial<Omit<Settings, 'keep_days'>>): Promise<void> {
    if (changes.wifi_only !== undefined) await putSetting('wifiOnly', changes.wifi_only)
    if (changes.paused !== undefined) await putSetting('queuePaused', changes.paused)
    if (changes.longest_edge !== undefined) await putSetting('longestEdge', changes.longest_edge)
  },
}

export type Store = typeof store

/** What becomes of an entry that is done: its place is with the receipt. What needs no receipt leaves nothing behind. */
async function left(entry: Entry, receipt: KeptReceipt | null): Promise<Change[]> {
  if (!entry.signed) return []
  const record = receipt?.id === entry.id ? receipt : await receipts.get(entry.id)
  const value: KeptReceipt | undefined = record && { ...record, sent: { ...entry, form: null } }
  return value ? [{ put: 'receipts', value }] : []
}

function about(file: OutgoingFile, thing: string): AboutFile {
  return { id: file.id, thing, name: file.name, media_type: file.media_type, size: file.size }
}

function bytesOf(id: string): Change {
  return { remove: 'files', id }
}
