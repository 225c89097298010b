// The queue without a browser: what is sent next, what becomes of answers, what is kept and what may be freed.
import { beforeEach, describe, expect, it } from 'vitest'
import { setOwner, unsentOf } from '@/phone/store'
import { closeDatabase } from '@/phone/store/database'
import { newId } from '@/shared/ids'
import { sha256 } from './hash'
import type { Answer, Conditions, Entry, OutgoingFile } from './model'
import { SETTINGS } from './model'
import { delay, editable, freeable, next, outcome, waitsFor } from './rules'
import { Sender, type Transport, tidy } from './sender'
import { store } from './store'

const HERE: Conditions = { online: true, signed_in: true, metered: null }
const NOW = { at: 1_000_000, conditions: HERE, settings: SETTINGS }

function file(more: Partial<OutgoingFile> = {}): OutgoingFile {
  return {
    id: newId(), sha256: 'f'.repeat(64), size: 100, media_type: 'image/jpeg', source: 'camera', name: '1.jpg', state: 'waiting',
    sent: 0, upload: null, kept: true, tries: 0, next_at: 0, cause: null, problem: null, ...more,
  }
}

function entry(more: Partial<Entry> = {}): Entry {
  return {
    id: newId(), thing: 'visit/1', kind: 'finding', title: '登记问题', method: 'PUT', path: '/api/x', body: '{}',
    sha256: 'b'.repeat(64), headers: {}, urgent: false, whole: false, signed: true, seq: 1, made_at: 0, record: 'waiting',
    held: false, files: [], server: null, stored_at: null, done_at: null, form: {}, tries: 0, next_at: 0, cause: null,
    problem: null, ...more,
  }
}

const answered = (status: number, body: unknown = {}, retry_after: number | null = null): Answer => ({
  kind: 'answered', status, body, retry_after,
})
const refusal = (status: number, code: string, retry_after: number | null = null) =>
  answered(status, { code, detail: '说明' }, retry_after)

describe('what is sent next', () => {
  it('records go before any file, in the order they were made', () => {
    const first = entry({ seq: 1, record: 'stored', files: [file()] })
    const second = entry({ seq: 2, thing: 'visit/2' })
    const third = entry({ seq: 3, thing: 'visit/3' })
    expect(next([third, first, second], NOW)).toMatchObject({ do: 'record', entry: { id: second.id } })
  })

  it('danger to life goes before everything, also within its visit', () => {
    const earlier = entry({ seq: 1 })
    const danger = entry({ seq: 2, urgent: true })
    expect(next([earlier, danger], NOW)).toMatchObject({ entry: { id: danger.id } })
  })

  it('a record that has to wait keeps the later ones of its visit back, and no others', () => {
    const waiting = entry({ seq: 1, next_at: NOW.at + 1, cause: 'server' })
    const behind = entry({ seq: 2 })
    const beside = entry({ seq: 3, thing: 'visit/2' })
    expect(next([waiting, behind, beside], NOW)).toMatchObject({ entry: { id: beside.id } })
    expect(waitsFor(behind, [waiting, behind, beside], NOW)).toBe('earlier')
  })

  it('a parked record keeps nothing back but the submission of its visit', () => {
    const parked = entry({ seq: 1, record: 'parked' })
    const finding = entry({ seq: 2 })
    const submission = entry({ seq: 3, whole: true, kind: 'submission' })
    expect(next([parked, finding, submission], NOW)).toMatchObject({ entry: { id: finding.id } })
    const later = [parked, { ...finding, record: 'stored' as const }, submission]
    expect(next(later, NOW)).toEqual({ do: 'rest', until: null })
    expect(waitsFor(submission, later, NOW)).toBe('earlier')
  })

  it('what a person holds steps aside as well', () => {
    const held = entry({ seq: 1, held: true })
    const finding = entry({ seq: 2 })
    expect(next([held, finding], NOW)).toMatchObject({ entry: { id: finding.id } })
    expect(next([held, entry({ seq: 3, whole: true })], NOW)).toEqual({ do: 'rest', until: null })
  })

  it('originals wait for Wi-Fi, records do not; a browser that cannot tell counts as mobile data', () => {
    const settings = { ...SETTINGS, wifi_only: true }
    const sent = entry({ record: 'stored', files: [file()] })
    expect(next([sent], { ...NOW, settings })).toEqual({ do: 'rest', until: null })
    expect(waitsFor(sent, [sent], { ...NOW, settings })).toBe('wifi')
    expect(next([sent], { ...NOW, settings, conditions: { ...HERE, metered: false } })).toMatchObject({ do: 'file' })
    expect(next([sent], { ...NOW, settings, anyway: true })).toMatchObject({ do: 'file' })
    expect(next([entry()], { ...NOW, settings })).toMatchObject({ do: 'record' })
  })

  it('says when it will be time again', () => {
    const late = entry({ next_at: NOW.at + 7_000, cause: 'server' })
    expect(next([late], NOW)).toEqual({ do: 'rest', until: NOW.at + 7_000 })
  })

  it('a person who asks is not kept waiting by the clock, but by a quota', () => {
    const late = entry({ next_at: NOW.at + 7_000, cause: 'server' })
    expect(next([late], { ...NOW, impatience: 'asked' })).toMatchObject({ do: 'record' })
    const full = entry({ record: 'stored', files: [file({ next_at: NOW.at + 7_000, cause: 'quota' })] })
    expect(next([full], { ...NOW, impatience: 'asked' })).toMatchObject({ do: 'rest' })
  })

  it('a clock that was set back does not keep anything back', () => {
    expect(next([entry({ next_at: NOW.at + 30 * 86_400_000, cause: 'server' })], NOW)).toMatchObject({ do: 'record' })
  })

  it('nothing goes out offline, signed out or paused', () => {
    for (const conditions of [{ ...HERE, online: false }, { ...HERE, signed_in: false }]) {
      expect(next([entry()], { ...NOW, conditions })).toMatchObject({ do: 'rest' })
    }
    expect(next([entry()], { ...NOW, settings: { ...SETTINGS, paused: true } })).toMatchObject({ do: 'rest' })
  })
})

describe('what becomes of an answer', () => {
  const cases: [string, Answer, object][] = [
    ['stored', answered(201, { receipt: 'note' }), { is: 'stored' }],
    ['a page of somebody else stores nothing', { kind: 'stranger', status: 200 }, { is: 'again', everything: true }],
    ['no answer', { kind: 'nobody' }, { is: 'again', cause: 'network', everything: true }],
    ['signed out', refusal(401, 'sign_in_needed'), { is: 'sign_in' }],
    ['the server is in trouble', refusal(500, 'bug'), { is: 'again', cause: 'server' }],
    ['busy', refusal(503, 'busy', 5), { is: 'again', after: 5_000, everything: true }],
    ['quota of the day', refusal(429, 'evidence.quota_person', 3600), { is: 'again', cause: 'quota', after: 3_600_000 }],
    ['no room there', refusal(507, 'no_room'), { is: 'again', cause: 'room' }],
    ['cut in between', refusal(400, 'connection_lost'), { is: 'again' }],
    ['damaged on its way', refusal(460, 'upload.checksum_mismatch'), { is: 'again' }],
    ['other content under that id', refusal(409, 'conflict'), { is: 'parked', problem: { code: 'conflict' } }],
    ['somebody else was faster', refusal(409, 'stale'), { is: 'parked' }],
    ['something is missing', refusal(422, 'outside_radius'), { is: 'parked', problem: { detail: '说明' } }],
    ['out of sight', refusal(404, 'not_found'), { is: 'parked' }],
  ]
  it.each(cases)('%s', (_, answer, expected) => expect(outcome(answer)).toMatchObject(expected))

  it('a 2xx without the receipt it should bring is asked again', () => {
    expect(outcome(answered(200, {}), (body) => 'receipt' in body)).toMatchObject({ is: 'again', cause: 'server' })
  })

  it('waits double, are spread by a fifth either way, and never exceed six minutes', () => {
    expect([delay(1, 0.5), delay(2, 0.5), delay(3, 0.5)]).toEqual([2_000, 4_000, 8_000])
    expect(delay(1, 0)).toBe(1_600)
    expect(delay(50, 1)).toBe(360_000)
  })
})

it('a form may be opened again only where the server has certainly not stored it', () => {
  expect(editable(entry())).toBe(true)
  expect(editable(entry({ tries: 1 }))).toBe(false)
  expect(editable(entry({ tries: 3, record: 'parked' }))).toBe(true)
  expect(editable(entry({ record: 'stored' }))).toBe(false)
})

/** What a server does with what it is told, as far as the queue can see; `fates` befall the requests in turn. */
class Server implements Transport {
  records = new Map<string, string>()
  files = new Map<string, string>()
  requests: string[] = []
  fates: Answer[] = []

  async send(it: Entry): Promise<Answer> {
    this.requests.push(`record ${it.id}`)
    const fate = this.fates.shift()
    if (fate?.kind !== 'answered' && fate) return fate
    if (fate?.kind === 'answered' && fate.status >= 300) return fate
    this.records.set(it.id, it.body)
    return answered(201, { receipt: note(it.kind, it.id, it.sha256), declared: it.files.length, arrived: 0 })
  }

  async upload(it: OutgoingFile, bytes: Blob): Promise<Answer> {
    this.requests.push(`file ${it.id}`)
    const fate = this.fates.shift()
    if (fate) return fate
    this.files.set(it.id, await sha256(bytes))
    return answered(200)
  }

  async look(id: string): Promise<Answer> {
    const hash = this.files.get(id)
    return hash ? answered(200, { receipt: note('file', id, hash, 9) }) : refusal(404, 'not_found')
  }

  honest = true
  async verified(): Promise<boolean> {
    return this.honest
  }
}

function note(kind: string, id: string, hash: string, size?: number): string {
  const sized = size === undefined ? '' : `size ${size}\n`
  return `duban receipt v1\nkind ${kind}\nid ${id}\nsha256 ${hash}\n${sized}stored 2026-03-02T01:00:00.000000Z\n\n— duban AAAA\n`
}

describe('the loop', () => {
  let at = 0
  let server: Server
  let conditions: Conditions
  const sender = (server: Server) =>
    new Sender({
      store, transport: server, now: () => at, dice: () => 0.5, conditions: () => conditions, later: () => () => {}, told: () => {},
      answered: () => {},
    })

  beforeEach(async () => {
    await closeDatabase()
    await new Promise((done) => (indexedDB.deleteDatabase('duban').onsuccess = done))
    setOwner('wang')
    at = 1_000_000
    conditions = { ...HERE }
    server = new Server()
  })

  async function finding(photos: string[] = [], more: Partial<Entry> = {}): Promise<Entry> {
    const made = entry({ id: newId(), ...more })
    const files: OutgoingFile[] = []
    const added = []
    for (const [place, text] of photos.entries()) {
      const bytes = new Blob([text.padEnd(9, '.')])
      const one = file({ sha256: await sha256(bytes), size: 9, name: `${place}.jpg` })
      files.push(one)
      added.push({ about: { id: one.id, thing: made.id, name: one.name, media_type: 'image/jpeg', size: 9 }, bytes })
    }
    const ids = files.map((it) => it.id)
    await store.saveDraft(
      { id: made.id, kind: 'finding', thing: made.thing, title: '', form: {}, saved_at: at, files: ids, discarded_at: null }, added)
    return store.handOver({ ...made, files })
  }

  it('sends the record, then its files, and keeps the receipt of each', async () => {
    const made = await finding(['one', 'two', 'three'])
    await sender(server).flush()
    expect(server.requests[0]).toBe(`record ${made.id}`)
    expect(server.files.size).toBe(3)
    const receipts = await store.receipts()
    expect(receipts.map((it) => it.id).sort()).toEqual([made.id, ...made.files.map((it) => it.id)].sort())
    expect(await store.entries()).toEqual([])
    expect(await store.known(made.id)).toMatchObject({ record: 'stored', done_at: at, server: { declared: 3, arrived: 3 } })
    expect(await unsentOf('wang')).toEqual({ drafts: 0, queued: 0, files: 0 })
    expect(await store.drafts()).toEqual([])
  })

  it('goes on after a break where it stopped, and sends nothing twice that was receipted', async () => {
    const made = await finding(['one', 'two'])
    server.fates = [answered(201), { kind: 'nobody' }]
    await sender(server).flush()
    expect(server.files.size).toBe(0)
    at += 1
    await sender(server).flush('network') // another tab, or the same after a restart
    expect(server.requests.filter((it) => it.startsWith('record'))).toHaveLength(1)
    expect(server.files.size).toBe(2)
    expect(await store.known(made.id)).toMatchObject({ done_at: at })
  })

  it('an answer that was lost costs a second request and no second record', async () => {
    const made = await finding()
    server.fates = [{ kind: 'nobody' }]
    await sender(server).flush()
    server.records.set(made.id, made.body) // it had arrived
    await sender(server).flush('network')
    expect(server.records.size).toBe(1)
    expect(await store.receipt(made.id)).toBeDefined()
  })

  it('frees nothing for a receipt that is signed wrongly, and asks again', async () => {
    const made = await finding(['one'])
    server.honest = false
    await sender(server).flush()
    expect(await store.entry(made.id)).toMatchObject({ record: 'waiting', problem: { code: 'bad_receipt' } })
    expect(await store.receipts()).toEqual([])
  })

  it('two tabs at once send everything once', async () => {
    await Promise.all([finding(['one']), finding(['two']), finding(['three'])])
    await Promise.all([sender(server).flush(), sender(server).flush(), sender(server).flush()])
    expect(server.requests).toHaveLength(6)
    expect(new Set(server.requests).size).toBe(6)
  })

  it('a photo whose last answer was lost is asked for, not sent again', async () => {
    const made = await finding(['one'])
    const id = made.files[0]!.id
    server.fates = [answered(201), { kind: 'nobody' }]
    await sender(server).flush()
    server.files.set(id, made.files[0]!.sha256) // all of it had arrived
    await sender(server).flush('network')
    expect(server.requests.filter((it) => it === `file ${id}`)).toHaveLength(1)
    expect(await store.receipt(id)).toBeDefined()
    expect(await store.entries()).toEqual([])
  })

  it('parks what is refused, with the sentence, and goes on with the rest', async () => {
    const first = await finding()
    const second = await finding()
    server.fates = [refusal(422, 'region_elsewhere')]
    await sender(server).flush()
    expect(await store.entry(first.id)).toMatchObject({ record: 'parked', problem: { code: 'region_elsewhere', detail: '说明' } })
    expect(await store.known(second.id)).toMatchObject({ record: 'stored' })
  })

  it('a photo that is refused stays on the phone and does not keep the others back', async () => {
    const made = await finding(['one', 'two'])
    server.fates = [answered(201), refusal(422, 'evidence.not_an_image')]
    await sender(server).flush()
    const now = (await store.entry(made.id))!
    expect(now.files.map((it) => it.state)).toEqual(['parked', 'sent'])
    expect(now.done_at).toBeNull()
    expect(await store.bytes(now.files[0]!.id)).toBeDefined()
  })

  it('stops at 401 and goes on after the sign-in', async () => {
    const made = await finding(['one'])
    server.fates = [refusal(401, 'sign_in_needed')]
    const one = sender(server)
    await one.flush()
    expect(one.state.halted).toBe('sign_in')
    expect(await store.entry(made.id)).toMatchObject({ record: 'waiting', tries: 0 })
    await one.flush()
    expect(await store.known(made.id)).toMatchObject({ done_at: at })
  })

  it('writes nothing of one person to the shelves of the next, whenever they change places', async () => {
    for (const moment of ['send', 'verified', 'upload', 'look'] as const) {
      setOwner('wang')
      const made = await finding(['one'])
      const one = new Server()
      const does = one[moment].bind(one) as (...given: unknown[]) => Promise<never>
      one[moment] = async (...given: unknown[]) => does(...given).finally(() => setOwner('li'))
      await sender(one).flush()
      expect([await store.receipts(), await store.entries()], moment).toEqual([[], []])
      setOwner('wang')
      await sender(server).flush('network') // back again: asked once more, and receipted under who sent it
      expect(await store.known(made.id), moment).toMatchObject({ done_at: at })
    }
  })

  it('sends nothing of one person for the next, who signed in while it was read', async () => {
    await finding(['one'])
    const one = new Sender({
      store: { ...store, entries: () => store.entries().finally(() => setOwner('li')) }, transport: server, now: () => at,
      dice: () => 0.5, conditions: () => conditions, later: () => () => {}, told: () => {}, answered: () => {},
    })
    await one.flush()
    expect(server.requests).toEqual([])
  })

  it('says that the phone is full, and tries again, also where nothing can even be removed', async () => {
    const made = await finding()
    const noRoom = () => Promise.reject(new DOMException('FILE_ERROR_NO_SPACE', 'UnknownError'))
    const waits: number[] = []
    const one = new Sender({
      store: { ...store, receipted: noRoom, freeReceipted: noRoom, sweep: noRoom }, transport: server, now: () => at, dice: () => 0.5,
      conditions: () => conditions, later: (wait) => (waits.push(wait), () => {}), told: () => {}, answered: () => {},
    })
    await one.flush()
    expect([one.state.halted, one.state.busy, waits]).toEqual(['phone_full', false, [30_000]])
    await sender(server).flush('network')
    expect(await store.known(made.id)).toMatchObject({ done_at: at })
  })

  it('a change that began for one person is not written for the next', async () => {
    const made = await finding()
    const changed = store.change(made.id, (it) => {
      setOwner('li')
      return { ...it, held: true }
    })
    await expect(changed).rejects.toThrow()
    expect(await store.entries()).toEqual([])
  })

  it('hands over twice is once, and a form that saves late brings no draft back', async () => {
    const made = await finding()
    await store.handOver({ ...made, body: '{"another":1}' })
    await store.saveDraft(
      { id: made.id, kind: 'finding', thing: made.thing, title: '', form: {}, saved_at: at, files: [], discarded_at: null })
    expect(await store.entries()).toMatchObject([{ body: '{}' }])
    expect(await store.drafts()).toEqual([])
  })

  it('frees bytes only days after their receipt, and keeps the receipt', async () => {
    const [sent, unsent] = [await finding(['one']), await finding(['two'], { thing: 'visit/2', held: true })]
    await sender(server).flush()
    const [there, open] = [sent.files[0]!.id, unsent.files[0]!.id]
    await tidy(store, at + 2 * 86_400_000, false)
    expect(await store.bytes(there)).toBeDefined()
    await store.free(unsent.id, [open]) // whoever asks: no receipt, no freeing
    await tidy(store, at + 3 * 86_400_000, true)
    expect(await store.bytes(there)).toBeUndefined()
    expect(await store.bytes(open)).toBeDefined()
    expect(await store.receipt(there)).toBeDefined()
    expect(freeable(unsent, SETTINGS, at + 1e12, true)).toEqual([])
    expect(await unsentOf('wang')).toEqual({ drafts: 0, queued: 1, files: 1 })
  })
})
