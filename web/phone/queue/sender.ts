// The loop that sends. One at a time on this phone, whatever tabs are open: it runs under a lock that all of them ask
// for, and reads anew from the store what there is to do. What it was told is always written before it goes on.

import { isFull, NobodyHere } from '@/shared/problem'
import { alone } from './lock'
import type { Answer, Conditions, Entry, KeptReceipt, OutgoingFile } from './model'
import { type Said, speaksOf } from './receipts'
import { type Impatience, type Outcome, done, freeable, next, outcome, tried } from './rules'
import type { Store } from './store'

/** The way to the server. Never throws for what the network does. */
export interface Transport {
  send(entry: Entry, signal: AbortSignal): Promise<Answer>
  upload(file: OutgoingFile, bytes: Blob, heard: Heard, signal: AbortSignal): Promise<Answer>
  /** How the file stands on the server, with its receipt. */
  look(file: string, signal: AbortSignal): Promise<Answer>
  verified(note: string): Promise<boolean | null>
}

export interface Heard {
  /** Where this upload goes on after a break. */
  address(url: string): void
  progress(sent: number): void
}

export interface Ports {
  store: Store
  transport: Transport
  now(): number
  dice(): number
  conditions(): Conditions
  /** Calls back later; answers how to call it off. */
  later(wait: number, work: () => void): () => void
  told(state: Sending): void
  /** What the server said to a record that it stored. */
  answered(entry: string, body: Record<string, unknown>): void
}

/** What the sender is doing this moment. `halted`: why it does nothing although there is something to send. */
export interface Sending {
  busy: boolean
  entry: string | null
  file: string | null
  sent: number
  size: number
  halted: 'sign_in' | 'offline' | 'stranger' | 'phone_full' | null
  next_at: number | null
}

export const IDLE: Sending = { busy: false, entry: null, file: null, sent: 0, size: 0, halted: null, next_at: null }
const FORGET_AFTER_DAYS = 30
const PROGRESS_EVERY = 200
const PHONE_FULL_DELAY = 30_000
const AFTER_A_FAULT = 60_000

export class Sender {
  private running: Promise<void> | null = null
  private again: Impatience | null = null
  private call_off: (() => void) | null = null
  private current: AbortController | null = null
  private anyway = false
  private breaks = 0
  /** Whose entries this run sends. */
  private whose = ''
  state: Sending = IDLE

  constructor(private readonly ports: Ports) {}

  /** Sends whatever is due; resolves when nothing is left to do now. Called as often as anybody likes. */
  flush(impatience: Impatience = 'none', { anyway = false } = {}): Promise<void> {
    this.anyway ||= anyway
    if (this.running) {
      this.again = stronger(this.again, impatience)
      return this.running
    }
    this.call_off?.()
    this.running = alone('send', () => this.guardedRun(impatience)).finally(() => {
      this.running = null
      const again = this.again
      this.again = null
      if (again !== null) void this.flush(again)
    })
    return this.running
  }

  /** What is on its way is broken off; the server keeps what it has of a file. */
  stop(): void {
    this.current?.abort()
  }

  /** Whatever fails on the phone itself stops this run and loses nothing: the server will be asked again. */
  private async guardedRun(impatience: Impatience): Promise<void> {
    try {
      await this.run(impatience)
    } catch (wrong) {
      if (wrong instanceof NobodyHere) return this.rest(null, 'sign_in')
      if (!isFull(wrong)) {
        console.error(wrong)
        return this.rest(this.ports.now() + AFTER_A_FAULT, null)
      }
      await this.ports.store.freeReceipted().catch(() => undefined)
      await tidy(this.ports.store, this.ports.now(), true).catch(() => undefined)
      this.rest(this.ports.now() + PHONE_FULL_DELAY, 'phone_full')
    }
  }

  private async run(impatience: Impatience): Promise<void> {
    this.whose = this.ports.store.whose()
    const asked = new Set<string>() // what was tried in this run: impatience is for one try each
    for (;;) {
      const now = {
        at: this.ports.now(),
        conditions: this.ports.conditions(),
        settings: await this.ports.store.settings(),
        anyway: this.anyway,
      }
      const entries = await this.ports.store.entries()
      this.stillHere()
      let step = next(entries, { ...now, impatience })
      if (step.do !== 'rest' && asked.has(key(step))) step = next(entries, now)
      if (step.do === 'rest') return this.rest(step.until, null)
      asked.add(key(step))
      const halted = step.do === 'record' ? await this.record(step.entry) : await this.file(step.entry, step.file)
      if (halted) return halted === 'stopped' ? this.rest(null, null) : this.rest(this.retryAt(halted), halted)
    }
  }

  private async record(entry: Entry): Promise<Halt> {
    this.tell({ busy: true, entry: entry.id, size: entry.body.length })
    const answer = await this.guarded((signal) => this.ports.transport.send(entry, signal))
    let result = outcome(answer, (body) => !entry.signed || this.receiptIn(body, entry) !== null)
    const receipt = result.is === 'stored' && entry.signed ? await this.kept(result.body.receipt as string, entry) : null
    this.stillHere()
    if (receipt?.verified === false) result = FORGED
    if (result.is === 'stored') {
      await this.ports.store.receipted(receipt, entry.id, (it) => this.recorded(it, result.body))
      this.ports.answered(entry.id, result.body)
      return null
    }
    return this.failed(result, (how) => this.ports.store.change(entry.id, (it) => {
      const changed = tried(it, how, this.ports.now(), this.ports.dice())
      return how.is === 'parked' ? { ...changed, record: 'parked' } : changed
    }))
  }

  private recorded(entry: Entry, body: Record<string, unknown>): Entry {
    const at = this.ports.now()
    const counted = typeof body.declared === 'number' && typeof body.arrived === 'number'
    const server = counted ? { declared: body.declared as number, arrived: body.arrived as number, at } : entry.server
    const stored: Entry = {
      ...entry, record: 'stored', tries: 0, next_at: 0, cause: null, problem: null, stored_at: at, server,
    }
    return { ...stored, done_at: done(stored) ? at : null }
  }

  private async file(entry: Entry, file: OutgoingFile): Promise<Halt> {
    const changing = (how: (it: OutgoingFile) => OutgoingFile) => (it: Entry) => withFile(it, file.id, how, this.ports.now())
    const bytes = await this.ports.store.bytes(file.id)
    this.stillHere()
    if (!bytes) {
      const problem = { status: 0, code: 'bytes_gone', detail: '' }
      await this.ports.store.change(entry.id, changing((it) => ({ ...it, state: 'parked', problem })))
      return null
    }
    this.tell({ busy: true, entry: entry.id, file: file.id, sent: file.sent, size: file.size })
    const asked = file.tries > 0 || file.upload !== null ? await this.looked(file) : null
    let result = asked && settles(asked) ? asked : await this.uploaded(entry, file, bytes)
    const sent = this.state.sent
    if (result !== asked && result.is === 'stored') result = await this.looked(file)
    const receipt = result.is === 'stored' ? await this.keptFile(result.body.receipt as string, file, entry) : null
    this.stillHere()
    if (receipt?.verified === false) result = FORGED
    if (result.is === 'stored') {
      await this.ports.store.receipted(receipt, entry.id, changing((it) => ({
        ...it, state: 'sent', sent: it.size, upload: null, tries: 0, next_at: 0, cause: null, problem: null,
      })))
      return null
    }
    return this.failed(result, (how) => this.ports.store.change(entry.id, changing((it) => {
      const changed = { ...tried(it, how, this.ports.now(), this.ports.dice()), sent: Math.min(sent, it.size) }
      // A refusal ends the upload on the server: the next one begins anew.
      return how.is === 'parked' ? { ...changed, state: 'parked', upload: null, sent: 0 } : changed
    })))
  }

  private async uploaded(entry: Entry, file: OutgoingFile, bytes: Blob): Promise<Outcome> {
    let told = 0
    const answer = await this.guarded((signal) => this.ports.transport.upload(file, bytes, {
      address: (upload) => {
        void this.ports.store.change(entry.id, (it) => withFile(it, file.id, (one) => ({ ...one, upload }), this.ports.now()))
          .catch(() => undefined) // without it a break begins anew, which costs bytes and nothing else
      },
      progress: (sent) => {
        const at = this.ports.now()
        if (at - told < PROGRESS_EVERY && sent < file.size) return
        told = at
        this.tell({ busy: true, entry: entry.id, file: file.id, sent, size: file.size })
      },
    }, signal))
    return outcome(answer)
  }

  /** What the server has of it. After a break it may have all of it, and only its answer was lost. */
  private async looked(file: OutgoingFile): Promise<Outcome> {
    const answer = await this.guarded((signal) => this.ports.transport.look(file.id, signal))
    return outcome(answer, (body) => this.fileReceiptIn(body, file) !== null)
  }

  private async failed(
    result: Exclude<Outcome, { is: 'stored' }>,
    write: (how: Extract<Outcome, { is: 'again' | 'parked' }>) => Promise<unknown>,
  ): Promise<Halt> {
    if (result.is === 'sign_in' || result.is === 'stopped') return result.is
    await write(result)
    if (result.is === 'parked') this.breaks = 0
    if (result.is === 'parked' || !result.everything) return null
    return result.problem?.code === 'stranger' ? 'stranger' : 'offline'
  }

  private receiptIn(body: Record<string, unknown>, entry: Entry): Said | null {
    return speaksOf(body.receipt, { kind: entry.kind, id: entry.id, sha256: entry.sha256 })
  }

  private fileReceiptIn(body: Record<string, unknown>, file: OutgoingFile): Said | null {
    return speaksOf(body.receipt, { kind: 'file', id: file.id, sha256: file.sha256, size: file.size })
  }

  private async kept(note: string, entry: Entry): Promise<KeptReceipt> {
    const said = speaksOf(note, { kind: entry.kind, id: entry.id, sha256: entry.sha256 })
    return this.receipt(note, { ...entry, size: null }, entry.kind, said, entry)
  }

  private async keptFile(note: string, file: OutgoingFile, entry: Entry): Promise<KeptReceipt> {
    const said = speaksOf(note, { kind: 'file', id: file.id, sha256: file.sha256 })
    return this.receipt(note, file, 'file', said, entry)
  }

  private async receipt(
    note: string, of: { id: string; sha256: string; size: number | null }, kind: string, said: Said | null, entry: Entry,
  ): Promise<KeptReceipt> {
    const verified = await this.ports.transport.verified(note)
    return {
      id: of.id, kind, note, sha256: of.sha256, size: of.size, stored_at: said?.stored_at ?? '', verified,
      thing: entry.thing, entry: entry.id, kept_at: this.ports.now(), sent: null,
    }
  }

  /** What comes to somebody who has gone is theirs: it is written nowhere, and asked for again when they are back. */
  private stillHere(): void {
    if (this.ports.store.whose() !== this.whose) throw new NobodyHere('what was on its way is somebody else’s')
  }

  private async guarded(work: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    this.current = new AbortController()
    try {
      const answer = await work(this.current.signal)
      this.stillHere()
      if (answer.kind === 'answered') this.breaks = 0
      return this.current.signal.aborted && answer.kind !== 'answered' ? { kind: 'stopped' } : answer
    } finally {
      this.current = null
    }
  }

  private retryAt(halted: Exclude<Halt, null>): number | null {
    if (halted === 'sign_in' || halted === 'stopped') return null
    this.breaks += 1
    return this.ports.now() + Math.min(60_000, 2_000 * 2 ** Math.min(this.breaks - 1, 5))
  }

  private rest(until: number | null, halted: Sending['halted']): void {
    this.anyway = false
    this.state = { ...IDLE, halted, next_at: until }
    this.ports.told(this.state)
    if (until === null) return
    const wait = Math.max(250, until - this.ports.now())
    this.call_off = this.ports.later(wait, () => void this.flush(halted ? 'network' : 'none'))
  }

  private tell(part: Partial<Sending>): void {
    this.state = { ...IDLE, ...part }
    this.ports.told(this.state)
  }
}

/** The receipt is signed by a key of this server's name, and wrong: whoever answered, nothing here may be freed for it. */
const FORGED: Outcome = {
  is: 'again', cause: 'server', problem: { status: 200, code: 'bad_receipt', detail: '' }, after: null, everything: false,
}

/** Whether asking after a file was enough: it is there, or there is nobody to send it to now. */
function settles(asked: Outcome): boolean {
  return asked.is === 'again' ? asked.everything : asked.is !== 'parked'
}

type Halt = 'sign_in' | 'offline' | 'stranger' | 'stopped' | null

/** Frees what may be freed, forgets what was sent long ago; run now and then, and when the phone is full. */
export async function tidy(store: Store, at: number, roomIsShort: boolean): Promise<void> {
  const [sent, settings] = [await store.sent(), await store.settings()]
  for (const entry of sent) {
    const ids = freeable(entry, settings, at, roomIsShort)
    if (ids.length) await store.free(entry.id, ids)
  }
  const over = at - FORGET_AFTER_DAYS * 86_400_000
  await store.forget(sent.filter((entry) => entry.done_at !== null && entry.done_at < over).map((entry) => entry.id))
  await store.sweep(at)
}

function withFile(entry: Entry, id: string, how: (it: OutgoingFile) => OutgoingFile, at: number): Entry {
  const changed = { ...entry, files: entry.files.map((file) => (file.id === id ? how(file) : file)) }
  const arrived = changed.files.filter((file) => file.state === 'sent').length
  const server = entry.server && arrived > entry.server.arrived ? { ...entry.server, arrived, at } : entry.server
  return { ...changed, server, done_at: done(changed) ? (entry.done_at ?? at) : null }
}

function key(step: { entry: Entry } | { entry: Entry; file: OutgoingFile }): string {
  return 'file' in step ? `${step.entry.id}/${step.file.id}` : step.entry.id
}

function stronger(one: Impatience | null, other: Impatience): Impatience {
  const order: Impatience[] = ['none', 'network', 'asked']
  return order.indexOf(one ?? 'none') > order.indexOf(other) ? (one as Impatience) : other
}
