// A form on a phone that may be full: what it says is kept is kept, and there is always a way on.
import { beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import type * as Shelves from '@/phone/store/shelves'
import { files, setOwner, type Change } from '@/phone/store'
import { newId } from '@/shared/ids'
import { isFull } from '@/shared/problem'
import { add, type Request } from '../queue'
import { store } from '../queue/store'
import { useDraft } from './draft'
import type { Moment, Photo, Taken } from './photo'

/** A full phone lets nothing be written, however small, but lets things be removed. */
let full = false
/** Something else is wrong with it. */
let broken = false
/** What the next writes wait for, one each. */
let waits: Promise<void>[] = []
/** The second look at a photo. */
let looks: (first: Taken) => Taken = (first) => first
/** What the browser says of the room there is. */
let estimate: () => Promise<object>

vi.mock('@/phone/network', () => ({ online: { value: false }, onChance: () => () => undefined, answered: () => undefined }))
vi.mock('@/phone/updates', () => ({ holdUpdates: () => () => undefined }))
vi.mock('@/phone/store/shelves', async (original) => {
  const real = await original<typeof Shelves>()
  const write = async (changes: Change[], whose?: string) => {
    await waits.shift()
    if (full && changes.some((one) => !('remove' in one))) throw new DOMException('', 'QuotaExceededError')
    if (broken) throw new Error('broken')
    return real.write(changes, whose)
  }
  return { ...real, write }
})
vi.mock('./photo', () => ({
  taken: async (bytes: Blob): Promise<Taken> => ({ photo: { ...PHOTO, id: newId(), size: bytes.size, line: { sha256: 'as shot' } as Photo['line'] }, bytes }),
  looked: async (first: Taken) => looks(first),
}))
for (const name of ['addEventListener', 'removeEventListener'] as const) vi.stubGlobal(name, () => undefined)
vi.stubGlobal('document', { addEventListener: () => undefined, removeEventListener: () => undefined, visibilityState: 'visible' })
vi.stubGlobal('navigator', { storage: { estimate: () => estimate() } })

const PHOTO: Photo = { id: '', name: '1.jpg', line: null, thumb: '', size: 0, source: 'camera', at: 0, unfit: false, moment: null, was: null, removed_at: null }
const SHOT = new Blob(['as shot'])
const moment = {} as Moment

function form(id = newId()) {
  const scope = effectScope()
  const draft = scope.run(() => useDraft({ id, kind: 'finding', thing: 'visit/1', title: () => '', fresh: () => ({ facts: '' }) }))!
  return { id, draft, leave: () => scope.stop() }
}

const kept = async (id: string) => (await store.draft(id))?.form as { fields: { facts: string }; photos: Photo[] }

beforeEach(() => {
  setOwner('wang')
  full = broken = false
  waits = []
  estimate = () => Promise.resolve({})
  looks = (first) => first
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})

/** Time goes by, and the database has its say, until it is so. */
async function until(so: () => unknown): Promise<void> {
  for (let n = 0; n < 5_000 && !(await so()); n++) {
    await vi.advanceTimersByTimeAsync(50)
    await new Promise((done) => setImmediate(done))
  }
  expect(await so()).toBeTruthy()
}

/** Opens it as it lies there. */
async function opened(id?: string) {
  const it = form(id)
  await until(() => it.draft.ready.value)
  return it
}

/** A wait that a write stands in until it is let go. */
function wait(): () => void {
  let go!: () => void
  waits.push(new Promise((done) => (go = done)))
  return go
}

async function type(draft: { fields: { facts: string } }, facts: string): Promise<void> {
  draft.fields.facts = facts
  await nextTick()
  await vi.advanceTimersByTimeAsync(250)
}

it('says that it is kept only when its last change is, however long the one before took', async () => {
  const { id, draft } = await opened()
  const [first, second] = [wait(), wait()]
  await type(draft, '一')
  await type(draft, '一二')
  first()
  await until(async () => (await kept(id))?.fields.facts === '一')
  await until(() => draft.savedAt.value)
  expect(draft.pending.value).toBe(true)
  second()
  await until(() => !draft.pending.value)
  expect((await kept(id)).fields.facts).toBe('一二')
})

it('keeps what a full phone refused as soon as there is room, and when the form is left', async () => {
  const { id, draft, leave } = await opened()
  full = true
  await type(draft, '一')
  await until(() => isFull(draft.failed.value))
  expect(draft.pending.value).toBe(true)
  full = false
  await until(() => !draft.pending.value)
  expect([(await kept(id)).fields.facts, draft.failed.value]).toEqual(['一', null])
  full = true
  await type(draft, '一二')
  await until(() => isFull(draft.failed.value))
  full = false
  leave()
  await until(async () => (await kept(id)).fields.facts === '一二')
})

it('tries again what failed for whatever reason', async () => {
  const { id, draft } = await opened()
  broken = true
  await type(draft, '一')
  await until(() => draft.failed.value)
  broken = false
  await until(() => !draft.pending.value)
  expect([(await kept(id)).fields.facts, draft.failed.value]).toEqual(['一', null])
})

it('opens on a full phone too, with photos taken out of it, whose room is free then', async () => {
  const { id, draft, leave } = await opened()
  await draft.addPhoto(SHOT, moment)
  const [photo] = draft.photos.value
  draft.removePhoto(photo!.id)
  await until(() => !draft.pending.value)
  leave()
  await vi.advanceTimersByTimeAsync(31_000)
  full = true
  const again = await opened(id)
  expect(again.draft.photos.value).toEqual([])
  await until(async () => (await files.get(photo!.id)) === undefined)
})

it('a photo whose smaller copy finds no room stays what it was: its bytes are those it is declared with', async () => {
  const { id, draft } = await opened()
  looks = ({ photo }) => {
    full = true
    return { photo: { ...photo, thumb: 'T', line: { sha256: 'smaller' } as Photo['line'] }, bytes: new Blob(['smaller']) }
  }
  await draft.addPhoto(SHOT, moment)
  await until(() => full && draft.busy.value === 0)
  full = false
  await type(draft, '一')
  await until(async () => (await kept(id)).fields.facts === '一')
  const [photo] = (await kept(id)).photos
  expect([photo!.line!.sha256, await (await files.get(photo!.id))!.text()]).toEqual(['as shot', 'as shot'])
})

it('a browser that cannot say how much room there is keeps photos all the same', async () => {
  estimate = () => Promise.reject(new TypeError('not here'))
  const { id, draft } = await opened()
  await draft.addPhoto(SHOT, moment)
  expect((await kept(id)).photos).toHaveLength(1)
})

it('no draft on the phone names a photo whose bytes are not there yet', async () => {
  const { id, draft } = await opened()
  let say: ((told: object) => void) | null = null
  estimate = () => new Promise((done) => (say = done))
  const added = draft.addPhoto(SHOT, moment)
  await until(() => say)
  await type(draft, '一')
  await until(() => !draft.pending.value)
  expect(await kept(id)).toMatchObject({ fields: { facts: '一' }, photos: [] })
  say!({})
  await added
  expect((await kept(id)).photos).toHaveLength(1)
})

it('what a full phone does not take at once is not handed over for the next person', async () => {
  full = true
  const request: Request = { id: newId(), kind: 'finding', thing: 'visit/1', title: '', method: 'PUT', path: '/api/x', body: {} }
  const handed = add(request).then(() => 'handed over', () => 'refused')
  await vi.advanceTimersByTimeAsync(100)
  setOwner('li')
  full = false
  let what = ''
  void handed.then((told) => (what = told))
  await until(() => what)
  expect([what, await store.entries()]).toEqual(['refused', []])
})
