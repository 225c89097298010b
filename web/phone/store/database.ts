// The phone's database: which shelves there are and in which version they came. Nothing is ever dropped by an upgrade.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'

/** What lies on a shelf: readable columns to find it by, the rest sealed (see sealing.ts). */
export interface Row {
  id: string
  person: string
  /** What it belongs to: a visit, an item, a finding. */
  thing: string
  /** When it was put here, by this phone's clock. */
  at: number
  /** Documents only: when it must not be read any more, by the server's clock. */
  expires: number
  iv: Uint8Array<ArrayBuffer>
  sealed: ArrayBuffer
}

/** A file: its bytes are sealed apart from what is known about it, so that lists need not open them. */
export interface FileRow extends Row {
  size: number
  bytesIv: Uint8Array<ArrayBuffer>
  bytes: ArrayBuffer
}

export const SHELVES = ['documents', 'drafts', 'queue', 'receipts'] as const
export type ShelfName = (typeof SHELVES)[number]

interface Schema extends DBSchema {
  documents: { key: [string, string]; value: Row; indexes: { person: string; thing: [string, string] } }
  drafts: { key: [string, string]; value: Row; indexes: { person: string; thing: [string, string] } }
  queue: { key: [string, string]; value: Row; indexes: { person: string; thing: [string, string] } }
  receipts: { key: [string, string]; value: Row; indexes: { person: string; thing: [string, string] } }
  files: { key: [string, string]; value: FileRow; indexes: { person: string; thing: [string, string] } }
  settings: { key: string; value: unknown }
  keys: { key: string; value: CryptoKey }
}
export type Database = IDBPDatabase<Schema>

const NAME = 'duban'
const VERSION = 1

let opened: Promise<Database> | null = null

/** The open database. A newer page that needs an upgrade closes this one; the next call opens it again. */
export function database(): Promise<Database> {
  opened ??= openDB<Schema>(NAME, VERSION, {
    upgrade(db, before) {
      if (before < 1) {
        for (const name of [...SHELVES, 'files'] as const) {
          const shelf = db.createObjectStore(name, { keyPath: ['person', 'id'] })
          shelf.createIndex('person', 'person')
          shelf.createIndex('thing', ['person', 'thing'])
        }
        db.createObjectStore('settings')
        db.createObjectStore('keys')
      }
    },
    blocking(_current, _blocked, event) {
      ;(event.target as IDBDatabase).close()
      opened = null
    },
    terminated() {
      opened = null
      for (const listener of listeners) listener()
    },
  }).catch((wrong: unknown) => {
    opened = null
    throw wrong
  })
  return opened
}

const listeners: (() => void)[] = []

/** Called when the browser closed it by itself, as Chromium does on a full disk; it may have thrown everything away. */
export function onLost(listener: () => void): void {
  listeners.push(listener)
}

/** Closes it; for tests. */
export async function closeDatabase(): Promise<void> {
  if (opened) (await opened).close()
  opened = null
}
