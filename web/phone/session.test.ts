// Signing out stands: what was under way when somebody signed out brings neither the sign-in nor a copy back.
import { beforeEach, expect, it, vi } from 'vitest'
import { call } from '@/shared/client'
import { prolong, restore, session, signIn, signOut } from './session'
import { documents, getSetting, setOwner } from './store'
import { closeDatabase, database } from './store/database'
import { forgetOpenKeys } from './store/sealing'
import { keep, sync, syncFailed, today, useDocument } from './sync'
import { fetchItem } from './items/copies'
import { picture } from './items/pictures'
import { fetchPaper } from './papers/paper'

vi.mock('./network', () => ({ answered: () => undefined }))

const WANG = { id: 'wang', name: '督查员王', roles: [], unit: { id: 'u', name: '市扶贫办' } }
const TOLD = { person: WANG, token: 'T1', expires_at: '2126-12-01T00:00:00Z', totp: 'not_needed' }
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })
const REVOKED = { type: '', title: '', status: 401, code: 'session_revoked', detail: '' }

/** What the server answers to each request; what is not named here hangs until it is. */
let answers: Record<string, Promise<Response>> = {}
vi.stubGlobal('fetch', (url: string, { method }: { method: string }) => answers[`${method} ${url}`] ?? new Promise(() => undefined))

function later(): [Promise<Response>, (answer: Response) => void] {
  let give!: (answer: Response) => void
  return [new Promise((done) => (give = done)), give]
}

async function copies(): Promise<unknown[]> {
  return (await database()).getAllKeys('documents')
}

beforeEach(async () => {
  vi.restoreAllMocks()
  await closeDatabase()
  forgetOpenKeys()
  await new Promise((done) => (indexedDB.deleteDatabase('duban').onsuccess = done))
  answers = { 'POST /api/sessions': Promise.resolve(json(TOLD, 201)), 'DELETE /api/sessions/current': Promise.resolve(new Response(null, { status: 204 })) }
  await signIn('wang', 'x', '')
  await keep('items/a', { title: '管网冻裂' })
})

it('an answer that comes while somebody signs out does not bring the sign-in back', async () => {
  const [ended, give] = later()
  answers['DELETE /api/sessions/current'] = ended
  answers['GET /api/decisions'] = Promise.resolve(json(REVOKED, 401))
  const over = signOut()
  const refused = call('get', '/api/decisions').catch(() => undefined)
  give(new Response(null, { status: 204 }))
  await Promise.all([over, refused])
  await new Promise((done) => setTimeout(done, 50))
  await restore()
  expect([session.value, await copies()]).toEqual([null, []])
})

it('a put-off end that was being written when somebody signed out is not written', async () => {
  const late = prolong('2126-12-02T00:00:00Z')
  await Promise.all([late, signOut()])
  expect(session.value).toBeNull()
  expect([await getSetting('session'), await copies()]).toEqual([undefined, []])
})

it('a copy that was being sealed when the copies were wiped is not kept, however long its sealing takes', async () => {
  const seal = crypto.subtle.encrypt.bind(crypto.subtle)
  const [gate, open] = later()
  const sealing = vi.spyOn(crypto.subtle, 'encrypt').mockImplementation(async (...what) => {
    await gate
    return seal(...what)
  })
  const kept = keep('items/b', { title: '路灯不亮' })
  await signOut()
  open(json({}))
  await kept
  sealing.mockRestore()
  expect(await copies()).toEqual([])
})

it('an answer that comes when somebody else has signed in is neither shown to them nor kept as theirs', async () => {
  const [late, give] = later()
  answers['GET /api/households/h'] = late
  const asked = useDocument('households/h', () => call('get', '/api/households/{household_id}', { path: { household_id: 'h' } }))
  await signOut()
  answers['POST /api/sessions'] = Promise.resolve(json({ ...TOLD, person: { ...WANG, id: 'sun' }, token: 'T2' }, 201))
  await signIn('sun', 'x', '')
  give(json({ head_name: '佟*义' }))
  await vi.waitFor(() => expect(asked.loading.value).toBe(false))
  expect([asked.found.value, await copies()]).toEqual([null, []])
})

/** Something happens in the moment in which the phone writes this. */
function whenWritten(what: (key: unknown) => boolean, happens: () => void): void {
  const put = IDBObjectStore.prototype.put
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...given: Parameters<typeof put>) {
    if (what(given[1] ?? (given[0] as { id: string }).id)) happens()
    return put.apply(this, given)
  })
}

const TODAY = { as_of: '2026-12-01T00:00:00Z', keep_until: '2126-12-02T00:00:00Z', assignments: [] }

it('the day of one person is neither shown to the next nor kept as theirs, nor is their sign-in put off by it', async () => {
  answers['GET /api/phone/today'] = Promise.resolve(json(TODAY))
  const sun = { person: { ...WANG, id: 'sun' } as never, token: 'T2', expires_at: '2126-12-01T00:00:00Z' }
  whenWritten((key) => key === 'offsetMs', () => {
    session.value = sun // in another tab
    setOwner('sun')
    today.value = null
  })
  await sync()
  expect([today.value, session.value, await documents.get('today', Date.now())]).toEqual([null, sun, undefined])
})

it('a photo that comes slowly, and whole only when somebody else is here, is not kept as theirs', async () => {
  const [headIsHere, reading] = later()
  let rest!: () => void
  const body = new ReadableStream({
    pull(given) {
      rest = () => (given.enqueue(new Uint8Array([255, 216])), given.close())
      reading(json({}))
    },
  }, { highWaterMark: 0 })
  answers['GET /api/evidence/f/thumbnail'] = Promise.resolve(new Response(body, { headers: { 'content-type': 'image/jpeg' } }))
  const shown = picture('f', 'thumbnail')
  await headIsHere
  await signOut()
  answers['POST /api/sessions'] = Promise.resolve(json({ ...TOLD, person: { ...WANG, id: 'sun' }, token: 'T2' }, 201))
  await signIn('sun', 'x', '')
  rest()
  await shown
  expect(await copies()).toEqual([])
})

it('what a full phone cannot keep a copy of is shown, and is no failure of what was done', async () => {
  answers['GET /api/phone/today'] = Promise.resolve(json(TODAY))
  answers['GET /api/households/h'] = Promise.resolve(json({ head_name: '佟*义' }))
  whenWritten((key) => key === 'today' || key === 'households/h', () => {
    throw new DOMException('', 'QuotaExceededError')
  })
  const asked = useDocument('households/h', () => call('get', '/api/households/{household_id}', { path: { household_id: 'h' } }))
  await vi.waitFor(() => expect(asked.loading.value).toBe(false))
  expect([asked.found.value?.value, asked.failed.value]).toEqual([{ head_name: '佟*义' }, null])
  await sync()
  expect(today.value?.value).toEqual(TODAY)
  expect(syncFailed.value).toBeInstanceOf(DOMException) // said where the day is shown
})

it('a paper that comes after the sign-in was taken back is shown and not kept', async () => {
  const [paper, give] = later()
  answers['GET /api/p.pdf'] = paper
  answers['GET /api/decisions'] = Promise.resolve(json(REVOKED, 401))
  const reading = fetchPaper({ name: 'items/a', url: '/api/p.pdf', file: 'a.pdf' })
  await call('get', '/api/decisions').catch(() => undefined)
  await vi.waitFor(async () => expect(await copies()).toEqual([]))
  await vi.waitFor(() => expect(session.value?.ended).toBe(true))
  give(new Response('%PDF', { status: 200 }))
  expect((await reading).as_of).toBeNull()
  expect(await copies()).toEqual([])
})

it('a paper that is out of sight now is kept no longer', async () => {
  answers['GET /api/p.pdf'] = Promise.resolve(new Response('%PDF', { status: 200 }))
  const source = { name: 'items/a', url: '/api/p.pdf', file: 'a.pdf' }
  await fetchPaper(source)
  expect(await documents.get('papers/items/a', Date.now())).toBeDefined()
  answers['GET /api/p.pdf'] = Promise.resolve(json({ ...REVOKED, status: 404, code: 'not_found' }, 404))
  await expect(fetchPaper(source)).rejects.toMatchObject({ status: 404 })
  expect(await documents.get('papers/items/a', Date.now())).toBeUndefined()
})

it('nor is any other copy, but one that only cannot be asked for stays', async () => {
  const [NOT_FOUND, AWAY] = [{ ...REVOKED, status: 404, code: 'not_found' }, { ...REVOKED, status: 503, code: 'busy' }]
  const household = () => useDocument('households/h', () => call('get', '/api/households/{household_id}', { path: { household_id: 'h' } }))
  await keep('households/h', { head_name: '佟*义' })
  for (const [problem, left] of [[AWAY, 2], [NOT_FOUND, 0]] as const) {
    answers['GET /api/rectifications/a'] = Promise.resolve(json(problem, problem.status))
    answers['GET /api/households/h'] = Promise.resolve(json(problem, problem.status))
    await expect(fetchItem('a')).rejects.toMatchObject({ status: problem.status })
    const { loading } = household()
    await vi.waitFor(() => expect(loading.value).toBe(false))
    expect((await copies()).length).toBe(left)
  }
})
