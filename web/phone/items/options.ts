// Lists to choose from in the forms of acts: units whose area holds the place, people who may be sent to check. Kept, so
// that a form opens whole without a signal.
import { call, type Answer } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { documents } from '../store'
import { keep } from '../sync'
import type { Detail } from './types'

export interface Option {
  value: string
  label: string
  /** What tells two of one name apart. */
  more: string
}

export type From = 'units' | 'checkers'
type Units = Answer<'get', '/api/units'>
const MOST_PAGES = 5

/** As the server tells it now, else as it was told last; empty when there is neither. */
export async function optionsOf(from: From, item: Detail): Promise<Option[]> {
  const name = from === 'units' ? `options/units/${item.region}` : `options/checkers/${item.id}`
  try {
    const found = from === 'units' ? await units(item.region) : await checkers(item.id)
    await keep(name, found)
    return found
  } catch {
    return (await documents.get<Option[]>(name, serverNow()))?.value ?? []
  }
}

async function units(region: string): Promise<Option[]> {
  const all = await pages((cursor) => call('get', '/api/units', { query: { covering: region, ...(cursor ? { cursor } : {}) } }) as Promise<Units>)
  return all.map((unit) => ({ value: unit.id, label: unit.name, more: '' }))
}

async function checkers(id: string): Promise<Option[]> {
  const { items } = await call('get', '/api/rectifications/{item_id}/checkers', { path: { item_id: id } })
  return items.map((one) => ({ value: one.person, label: one.name, more: one.unit_name }))
}

async function pages<T>(ask: (cursor: string | null) => Promise<{ items: T[]; next: string | null }>): Promise<T[]> {
  const found: T[] = []
  let cursor: string | null = null
  for (let page = 0; page < MOST_PAGES; page++) {
    const told: { items: T[]; next: string | null } = await ask(cursor)
    found.push(...told.items)
    cursor = told.next
    if (!cursor) break
  }
  return found
}
