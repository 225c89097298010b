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

/** `cut`: there are more than these; they are found by name, with a signal. `named`: those of the list found so before. */
export interface Options {
  list: Option[]
  cut: boolean
  named: Option[]
}

export type From = 'units' | 'checkers'
type Told = Pick<Options, 'list' | 'cut'>
type Units = Answer<'get', '/api/units'>
const MOST_PAGES = 5

const nameOf = (from: From, item: Detail) => (from === 'units' ? `choices/units/${item.region}` : `choices/checkers/${item.id}`)

/** As the server tells it now, with who was found by name before; else as it was told last; empty when there is neither. */
export async function optionsOf(from: From, item: Detail): Promise<Options> {
  const kept = (await documents.get<Options>(nameOf(from, item), serverNow()))?.value
  try {
    const { list, cut } = from === 'units' ? await units(item.region) : await checkers(item.id)
    const named = cut ? (kept?.named ?? []) : []
    const found = { list: matching(list, named, ''), cut, named }
    await keep(nameOf(from, item), found)
    return found
  } catch {
    return kept ?? { list: [], cut: false, named: [] }
  }
}

/** Of all that there are, those with this in their name. Throws Unreachable, Refused. */
export async function foundByName(from: From, item: Detail, q: string): Promise<Option[]> {
  if (from === 'checkers') return (await checkers(item.id, q)).list
  return (await call('get', '/api/units', { query: { covering: item.region, q } })).items.map(asUnit)
}

/** One that was found by name is in the list from now on: a draft shows who was chosen, also without a signal. */
export async function joined(options: Options, one: Option, from: From, item: Detail): Promise<Options> {
  if (options.list.some(({ value }) => value === one.value)) return options
  const longer = { ...options, list: [...options.list, one], named: [...(options.named ?? []), one] }
  await keep(nameOf(from, item), longer)
  return longer
}

/** What is shown for what somebody typed: of the list, and of what the server found. */
export function matching(list: readonly Option[], found: readonly Option[], asked: string): Option[] {
  const all = new Map([...list, ...found].map((one) => [one.value, one]))
  return [...all.values()].filter((one) => `${one.label} ${one.more}`.toLowerCase().includes(asked.trim().toLowerCase()))
}

const asUnit = (unit: Units['items'][number]): Option => ({ value: unit.id, label: unit.name, more: '' })

async function units(region: string): Promise<Told> {
  const list: Option[] = []
  let cursor: string | null = null
  for (let page = 0; page < MOST_PAGES; page++) {
    const told: Units = await call('get', '/api/units', { query: { covering: region, ...(cursor ? { cursor } : {}) } })
    list.push(...told.items.map(asUnit))
    cursor = told.next
    if (!cursor) break
  }
  return { list, cut: cursor !== null }
}

async function checkers(id: string, q = ''): Promise<Told> {
  const { items, more } = await call('get', '/api/rectifications/{item_id}/checkers', { path: { item_id: id }, query: { q } })
  return { list: items.map((one) => ({ value: one.person, label: one.name, more: one.unit_name })), cut: more }
}
