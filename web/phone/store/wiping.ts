// Taking things off the phone: what was copied from the server goes with the sign-in; unsent work never goes unasked.
import { changed } from './changes'
import { database } from './database'
import { forgetKey } from './sealing'

/** How much of a person's work is only on this phone. `files`: photos that have no receipt yet. */
export interface Unsent {
  drafts: number
  queued: number
  files: number
}

export async function unsentOf(person: string): Promise<Unsent> {
  const db = await database()
  const [drafts, queued, files, receipts] = await Promise.all([
    db.countFromIndex('drafts', 'person', person),
    db.countFromIndex('queue', 'person', person),
    db.getAllKeysFromIndex('files', 'person', person), // keys alone: no photo is read to be counted
    db.getAllKeysFromIndex('receipts', 'person', person),
  ])
  const safe = new Set(receipts.map(([, id]) => id))
  return { drafts, queued, files: files.filter(([, id]) => !safe.has(id)).length }
}

/** How often copies were wiped here: what was being sealed when this number changed must not be written any more. */
export function wiped(): number {
  return times
}

let times = 0

/** Everything copied from the server: the key first, so that what a crash leaves behind cannot be read. */
export async function wipeDocuments(person: string): Promise<void> {
  times += 1
  await forgetKey(`documents:${person}`)
  const transaction = (await database()).transaction('documents', 'readwrite')
  for (const key of await transaction.store.index('person').getAllKeys(person)) await transaction.store.delete(key)
  await transaction.done
  changed('documents')
}
