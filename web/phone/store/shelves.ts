// Shelves of the phone's database: documents, drafts, queue, receipts, files. Everything on them is sealed and belongs to
// one person; `write` puts several things on several shelves in one transaction, so that a killed browser loses nothing.
import { NobodyHere } from '@/shared/problem'
import { changed } from './changes'
import { database, SHELVES, type FileRow, type Row, type ShelfName } from './database'
import { decode, encode, seal, unseal, type KeyName } from './sealing'
import { wiped } from './wiping'

/** Whose shelves these are now; see session.ts. */
let owner: string | null = null

export function setOwner(person: string | null): void {
  owner = person
}

/** Whose they are now; throws NobodyHere. Who writes later than this was asked says it to `write`. */
export function person(): string {
  if (owner === null) throw new NobodyHere('nobody is signed in on this phone')
  return owner
}

export interface AboutFile {
  id: string
  /** What it belongs to: the finding, the hand-in. */
  thing: string
  name: string
  media_type: string
  size: number
  /** When its receipt was stored; absent while the only copy is here. */
  sent?: string
  /** What else its owner wants to know without opening the bytes (sha256, capture record, state). */
  [more: string]: unknown
}

export type Change =
  | { put: Exclude<ShelfName, 'documents'>; value: Thing }
  | { remove: ShelfName | 'files'; id: string }
  | { putFile: AboutFile; bytes: Blob | ArrayBuffer }
  | { about: AboutFile }

export interface Thing {
  id: string
  /** What it belongs to; `all(thing)` finds it by that. */
  thing: string
}

/**
 * All of it or nothing. Resolves when the database has said that it is stored. Throws QuotaExceededError when full, and
 * NobodyHere when these are no longer the shelves of `whose`: what one person's work came to is nothing of the next one's.
 */
export async function write(changes: Change[], whose = person()): Promise<void> {
  if (whose !== person()) throw new NobodyHere('the shelves are somebody else’s by now')
  const ready = await Promise.all(changes.map((change) => prepared(change, whose)))
  const db = await database()
  const transaction = db.transaction([...SHELVES, 'files'], 'readwrite', { durability: 'strict' })
  const steps: Promise<unknown>[] = [transaction.done]
  for (const one of ready) {
    if ('remove' in one) steps.push(transaction.objectStore(one.remove).delete([whose, one.id]))
    else if ('row' in one) steps.push(transaction.objectStore(one.shelf).put(one.row))
    else if ('file' in one) steps.push(transaction.objectStore('files').put(one.file))
    else
      steps.push(
        (async () => {
          const before = await transaction.objectStore('files').get([whose, one.about.id])
          if (before) await transaction.objectStore('files').put({ ...before, ...one.about })
        })(),
      )
  }
  const failed = (await Promise.allSettled(steps)).find((step) => step.status === 'rejected')
  if (failed) throw transaction.error ?? (failed as PromiseRejectedResult).reason
  changed(...new Set(ready.map((one) => ('remove' in one ? one.remove : 'row' in one ? one.shelf : 'files'))))
}

type Ready =
  | { remove: ShelfName | 'files'; id: string }
  | { shelf: ShelfName; row: Row }
  | { file: FileRow }
  | { about: Omit<Row, 'at' | 'expires'> }

async function prepared(change: Change, whose: string): Promise<Ready> {
  const work: KeyName = `work:${whose}`
  if ('remove' in change) return change
  if ('put' in change) {
    return { shelf: change.put, row: await sealedRow(work, change.put, whose, change.value, change.value) }
  }
  if ('about' in change) {
    const { at: _at, expires: _expires, ...row } = await sealedRow(work, 'files', whose, change.about, change.about)
    return { about: row }
  }
  const bytes = change.bytes instanceof Blob ? await change.bytes.arrayBuffer() : change.bytes
  const about = { ...change.putFile, size: bytes.byteLength }
  const closed = await seal(work, place('files', whose, about.id) + '|bytes', bytes)
  const row = await sealedRow(work, 'files', whose, about, about)
  return { file: { ...row, size: bytes.byteLength, bytesIv: closed.iv, bytes: closed.sealed } }
}

async function sealedRow(key: KeyName, shelf: string, whose: string, { id, thing }: Thing, value: unknown, expires = 0) {
  const closed = await seal(key, place(shelf, whose, id), encode(JSON.stringify(value)))
  return { id, person: whose, thing, at: Date.now(), expires, ...closed } satisfies Row
}

function place(shelf: string, whose: string, id: string): string {
  return `${shelf}|${whose}|${id}`
}

/** One kind of the person's own things. `T` is what the owner of the shelf keeps in it. */
export class Shelf<T extends Thing> {
  constructor(readonly name: Exclude<ShelfName, 'documents'>) {}

  put(value: T): Promise<void> {
    return write([{ put: this.name, value }])
  }

  remove(id: string): Promise<void> {
    return write([{ remove: this.name, id }])
  }

  async get(id: string): Promise<T | undefined> {
    const row = await (await database()).get(this.name, [person(), id])
    return row && (await this.opened(row))
  }

  /** In the order of their ids, which is the order they were made in. Of one thing, or all. */
  async all(thing?: string): Promise<T[]> {
    const db = await database()
    const whose = person()
    const rows =
      thing === undefined
        ? await db.getAllFromIndex(this.name, 'person', whose)
        : await db.getAllFromIndex(this.name, 'thing', [whose, thing])
    const found = await Promise.all(rows.map((row) => this.opened(row)))
    return found.filter((value): value is Awaited<T> & T => value !== undefined)
  }

  async count(): Promise<number> {
    return (await database()).countFromIndex(this.name, 'person', person())
  }

  private async opened(row: Row): Promise<T | undefined> {
    const bytes = await unseal(`work:${row.person}`, place(this.name, row.person, row.id), row)
    return bytes === null ? undefined : (JSON.parse(decode(bytes)) as T)
  }
}

/** Files of the person: photos as they were shot. */
export const files = {
  async put(about: AboutFile, bytes: Blob | ArrayBuffer): Promise<void> {
    await write([{ putFile: about, bytes }])
  },
  /** The bytes, to show or to send. */
  async get(id: string): Promise<Blob | undefined> {
    const row = await (await database()).get('files', [person(), id])
    if (!row) return undefined
    const bytes = await unseal(`work:${row.person}`, place('files', row.person, id) + '|bytes', { iv: row.bytesIv, sealed: row.bytes })
    const about = await openedAbout(row)
    return bytes && about ? new Blob([bytes], { type: about.media_type }) : undefined
  },
  async about(id: string): Promise<AboutFile | undefined> {
    const row = await (await database()).get('files', [person(), id])
    return row && (await openedAbout(row))
  },
  /** Without opening any bytes. */
  async all(thing?: string): Promise<AboutFile[]> {
    const db = await database()
    const whose = person()
    const found: AboutFile[] = []
    const index = db.transaction('files').store.index(thing === undefined ? 'person' : 'thing')
    const rows = await index.getAll((thing === undefined ? whose : [whose, thing]) as never)
    for (const row of rows) {
      const about = await openedAbout(row)
      if (about) found.push(about)
    }
    return found
  },
  async remove(id: string): Promise<void> {
    await write([{ remove: 'files', id }])
  },
}

async function openedAbout(row: FileRow): Promise<AboutFile | undefined> {
  const bytes = await unseal(`work:${row.person}`, place('files', row.person, row.id), row)
  return bytes === null ? undefined : (JSON.parse(decode(bytes)) as AboutFile)
}

/** A copy of what the server told, to work from offline. `as_of` is the server's time and is shown. */
export interface Document<T> {
  value: T
  as_of: string
}

export const documents = {
  /**
   * `expires`: when it must not be read any more (server's clock, ISO 8601). Throws NobodyHere, with nothing kept, when
   * copies are wiped meanwhile.
   */
  async put<T>(name: string, value: T, { as_of, expires }: { as_of: string; expires: string }): Promise<void> {
    const whose = person()
    const wipes = wiped()
    const row = await sealedRow(`documents:${whose}`, 'documents', whose, { id: name, thing: name.split('/')[0]! }, { value, as_of }, Date.parse(expires))
    const db = await database()
    if (wipes !== wiped()) throw new NobodyHere('the copies were wiped while this one was sealed')
    await db.put('documents', row)
    changed('documents')
  },
  /** undefined when it is not there, is too old, or its key is gone. `now`: the server's clock, see serverNow(). */
  async get<T>(name: string, now: number): Promise<Document<T> | undefined> {
    const whose = person()
    const row = await (await database()).get('documents', [whose, name])
    if (!row) return undefined
    if (row.expires <= now) {
      await (await database()).delete('documents', [whose, name])
      return undefined
    }
    const bytes = await unseal(`documents:${whose}`, place('documents', whose, name), row)
    return bytes === null ? undefined : (JSON.parse(decode(bytes)) as Document<T>)
  },
  async remove(name: string): Promise<void> {
    await (await database()).delete('documents', [person(), name])
    changed('documents')
  },
}
