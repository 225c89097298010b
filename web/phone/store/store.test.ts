// What the phone keeps: sealed, each person's own, all or nothing, and gone when it must be.
import { forceCloseDatabase } from 'fake-indexeddb'
import { unwrap } from 'idb'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { isFull } from '@/shared/problem'
import { documents, files, insist, onChange, setOwner, Shelf, unsentOf, wipeDocuments, write } from '.'
import { closeDatabase, database } from './database'
import { forgetOpenKeys } from './sealing'

interface Note {
  id: string
  thing: string
  text: string
}
const drafts = new Shelf<Note>('drafts')
const NOW = Date.parse('2026-11-24T04:00:00Z')
const UNTIL = { as_of: '2026-11-24T04:00:00Z', expires: '2026-11-25T04:00:00Z' }

beforeEach(async () => {
  await closeDatabase()
  forgetOpenKeys()
  await new Promise((done) => (indexedDB.deleteDatabase('duban').onsuccess = done))
  setOwner('wang')
})

describe('shelves', () => {
  it('give back what was put on them, also after the browser was killed', async () => {
    await drafts.put({ id: '1', thing: 'visit/a', text: '管网冻裂' })
    await drafts.put({ id: '2', thing: 'visit/b', text: '路灯不亮' })
    await closeDatabase()
    forgetOpenKeys()
    expect(await drafts.get('1')).toEqual({ id: '1', thing: 'visit/a', text: '管网冻裂' })
    expect((await drafts.all()).map((note) => note.id)).toEqual(['1', '2'])
    expect((await drafts.all('visit/b')).map((note) => note.id)).toEqual(['2'])
    expect(await drafts.count()).toBe(2)
  })

  it('hold nothing that can be read in the database', async () => {
    await drafts.put({ id: '1', thing: 'visit/a', text: 'household of Zhang San' })
    const row = (await (await database()).getAll('drafts'))[0]!
    expect(new TextDecoder().decode(row.sealed)).not.toContain('Zhang')
    const key = (await (await database()).getAll('keys'))[0]!
    await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
  })

  it('show a person nothing of another one', async () => {
    await drafts.put({ id: '1', thing: 'visit/a', text: 'of Wang' })
    setOwner('sun')
    expect(await drafts.get('1')).toBeUndefined()
    expect(await drafts.all()).toEqual([])
    setOwner(null)
    await expect(drafts.all()).rejects.toThrow()
    setOwner('wang')
    expect(await drafts.count()).toBe(1)
  })

  it('take several changes together or none of them', async () => {
    await drafts.put({ id: '1', thing: 'visit/a', text: 'draft' })
    const told: string[] = []
    const stop = onChange((shelf) => told.push(shelf))
    await write([
      { put: 'queue', value: { id: '1', thing: 'visit/a' } },
      { remove: 'drafts', id: '1' },
      { putFile: { id: 'p', thing: '1', name: 'a.jpg', media_type: 'image/jpeg', size: 0 }, bytes: new Blob(['abc']) },
    ])
    stop()
    expect(told.sort()).toEqual(['drafts', 'files', 'queue'])
    expect(await drafts.count()).toBe(0)
    const impossible = { id: '2', thing: 'visit/a', self: null as unknown }
    impossible.self = impossible
    await expect(write([{ remove: 'queue', id: '1' }, { put: 'drafts', value: impossible }])).rejects.toThrow()
    expect(await new Shelf('queue').count()).toBe(1)
  })

  it('do not open what was moved to another place', async () => {
    await drafts.put({ id: '1', thing: 'visit/a', text: 'one' })
    const db = await database()
    const row = (await db.get('drafts', ['wang', '1']))!
    await db.put('drafts', { ...row, id: '9' })
    expect(await drafts.get('9')).toBeUndefined()
  })
})

describe('files', () => {
  const about = { id: 'p', thing: 'finding', name: 'a.jpg', media_type: 'image/jpeg', size: 0, sha256: 'x' }

  it('keep every byte, and what is known about them apart', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    await files.put(about, bytes.buffer)
    expect(new Uint8Array(await (await files.get('p'))!.arrayBuffer())).toEqual(bytes)
    expect(await files.about('p')).toEqual({ ...about, size: 60_000 })
    await write([{ about: { ...about, size: 60_000, name: 'b.jpg' } }])
    expect((await files.about('p'))!.name).toBe('b.jpg')
    expect((await files.get('p'))!.size).toBe(60_000)
    expect((await files.all('finding')).length).toBe(1)
  })

  it('count as unsent until they have a receipt', async () => {
    await files.put(about, new ArrayBuffer(3))
    expect(await unsentOf('wang')).toEqual({ drafts: 0, queued: 0, files: 1 })
    await new Shelf<Note>('receipts').put({ id: 'p', thing: 'finding', text: 'signed' })
    expect(await unsentOf('wang')).toEqual({ drafts: 0, queued: 0, files: 0 })
  })
})

it('what is written after the browser lost the database can be read when the app is opened again', async () => {
  await drafts.put({ id: '1', thing: 'visit/1', text: 'before' })
  forceCloseDatabase(unwrap(await database()) as never)
  await new Promise((done) => (indexedDB.deleteDatabase('duban').onsuccess = done))
  await drafts.put({ id: '2', thing: 'visit/1', text: 'after' })
  forgetOpenKeys()
  expect((await drafts.all()).map((one) => one.text)).toEqual(['after'])
})

describe('copies of the server', () => {
  it('say how old they are and end at their date', async () => {
    await documents.put('today', { visits: 1 }, UNTIL)
    expect(await documents.get('today', NOW)).toEqual({ value: { visits: 1 }, as_of: UNTIL.as_of })
    expect(await documents.get('today', NOW + 86_400_000)).toBeUndefined()
    expect(await (await database()).count('documents')).toBe(0)
  })

  it('go with the sign-in, while unsent work stays', async () => {
    await documents.put('today', { visits: 1 }, UNTIL)
    await drafts.put({ id: '1', thing: 'visit/a', text: 'mine' })
    const before = (await (await database()).get('documents', ['wang', 'today']))!
    await wipeDocuments('wang')
    expect(await documents.get('today', NOW)).toBeUndefined()
    // Not even a copy of the row that somebody took before can be read: the key is gone.
    await (await database()).put('documents', before)
    expect(await documents.get('today', NOW)).toBeUndefined()
    expect((await drafts.get('1'))!.text).toBe('mine')
  })
})

describe('a full phone', () => {
  const full = () => Promise.reject(new DOMException('', 'QuotaExceededError'))

  it('takes what is small a moment after it refused a photo, and says so when it stays full', async () => {
    vi.useFakeTimers()
    const write = vi.fn().mockImplementationOnce(full).mockImplementationOnce(full).mockResolvedValue('kept')
    const kept = insist(write)
    await vi.runAllTimersAsync()
    expect(await kept).toBe('kept')
    const never = vi.fn().mockImplementation(full)
    const refused = expect(insist(never)).rejects.toThrow(DOMException)
    await vi.runAllTimersAsync()
    await refused
    expect(never).toHaveBeenCalledTimes(4)
    vi.useRealTimers()
  })

  it('is full too where nothing at all is left on its disk, which Chromium says in other words', () => {
    const said = (name: string, text: string) => isFull(new DOMException(text, name))
    expect(said('DataError', 'Failed to write blobs (IOError)')).toBe(true)
    expect(said('UnknownError', 'Connection is closing because of: IO error: .../000003.log: FILE_ERROR_NO_SPACE (ChromeMethodBFE: 3)')).toBe(true)
    expect(said('DataError', 'The parameter is not a valid key.')).toBe(false)
  })

  it('is asked again where the browser closed the database over it', async () => {
    vi.useFakeTimers()
    const closing = () => Promise.reject(new DOMException('The database connection is closing.', 'InvalidStateError'))
    const kept = insist(vi.fn().mockImplementationOnce(full).mockImplementationOnce(closing).mockResolvedValue('kept'))
    await vi.runAllTimersAsync()
    expect(await kept).toBe('kept')
    vi.useRealTimers()
  })

  it('is not asked again where something else went wrong', async () => {
    const write = vi.fn().mockRejectedValue(new Error('other'))
    await expect(insist(write)).rejects.toThrow('other')
    expect(write).toHaveBeenCalledTimes(1)
  })
})
