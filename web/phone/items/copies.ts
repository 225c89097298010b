// The copies of items and lists that this phone works from without a signal.
import { call } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { dropUnseen, keep, type Today } from '../sync'
import { documents, type Document } from '../store'
import { PDF } from '../papers/paper'
import { picture } from './pictures'
import type { Detail } from './types'

const MOST_AHEAD = 12
const RENEW_MS = 10 * 60_000

export async function itemCopy(id: string): Promise<Document<Detail> | undefined> {
  return documents.get<Detail>(`items/${id}`, serverNow())
}

/** From the server, and kept; its copy goes when it is out of sight. Throws Refused and Unreachable. */
export async function fetchItem(id: string): Promise<Detail> {
  try {
    const item = await call('get', '/api/rectifications/{item_id}', { path: { item_id: id } })
    await keep(`items/${id}`, item)
    return item
  } catch (wrong) {
    await dropUnseen(`items/${id}`, wrong)
    throw wrong
  }
}

/** Every photo and paper that came with an item, the earliest first. */
export function photosOf(item: Detail): { before: Detail['evidence']; after: { at: string; unit: string; files: Detail['evidence'] }[] } {
  const photos = (files: Detail['evidence']) => files.filter(({ media_type }) => media_type.startsWith('image/') || media_type === PDF)
  return {
    before: photos([...(item.finding?.evidence ?? []), ...item.evidence]),
    after: item.hand_ins.map((one) => ({ at: one.at, unit: one.unit, files: photos(one.evidence) })).filter((one) => one.files.length > 0),
  }
}

/** The most urgent items whole, so that they open in a cellar. */
export async function copyItems(today: Today): Promise<void> {
  for (const row of today.rectifications.items.slice(0, MOST_AHEAD)) {
    const there = await itemCopy(row.id)
    if (there && serverNow() - Date.parse(there.as_of) < RENEW_MS) continue
    const item = await fetchItem(row.id)
    for (const file of photosOf(item).before.filter((one) => one.media_type !== PDF).slice(0, 3)) await picture(file.id, 'thumbnail')
  }
}

/** The lists and the inbox as they stand first, so that they open without a signal before anybody opened them with one. */
export async function copyLists(): Promise<void> {
  const there = await documents.get('lists/all', serverNow())
  if (there && serverNow() - Date.parse(there.as_of) < RENEW_MS) return
  const [all, mine, counts, inbox] = [
    await call('get', '/api/rectifications', { query: { limit: 100 } } as never),
    await call('get', '/api/decisions'),
    await call('get', '/api/rectifications/counts'),
    await call('get', '/api/notices/groups', { query: { limit: 30 } } as never),
  ]
  await keep('lists/mine', { lines: mine.items.map((one) => ({ row: one.item, waits: one.verbs })), next: null })
  await keep('lists/mine-counted', mine.count)
  await keep('lists/counts', counts)
  await keep('inbox/groups', inbox)
  await keep('lists/all', { lines: all.items.map((row) => ({ row, waits: [] })), next: all.next })
}
