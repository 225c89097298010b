// The copies of items and lists that this phone works from without a signal.
import { call } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { alsoCopy, keep } from '../sync'
import { documents, type Document } from '../store'
import { picture } from './pictures'
import type { Detail } from './types'

const MOST_AHEAD = 12
const RENEW_MS = 10 * 60_000

export async function itemCopy(id: string): Promise<Document<Detail> | undefined> {
  return documents.get<Detail>(`items/${id}`, serverNow())
}

/** From the server, and kept. Throws Refused and Unreachable. */
export async function fetchItem(id: string): Promise<Detail> {
  const item = await call('get', '/api/rectifications/{item_id}', { path: { item_id: id } })
  await keep(`items/${id}`, item)
  return item
}

/** Every photo that came with an item, the earliest first. */
export function photosOf(item: Detail): { before: Detail['evidence']; after: { at: string; unit: string; files: Detail['evidence'] }[] } {
  const photos = (files: Detail['evidence']) => files.filter((file) => file.media_type.startsWith('image/'))
  return {
    before: photos([...(item.finding?.evidence ?? []), ...item.evidence]),
    after: item.hand_ins.map((one) => ({ at: one.at, unit: one.unit, files: photos(one.evidence) })).filter((one) => one.files.length > 0),
  }
}

/** With each document of the day: the most urgent items whole, so that they open in a cellar. */
alsoCopy(async (today) => {
  for (const row of today.rectifications.items.slice(0, MOST_AHEAD)) {
    const there = await itemCopy(row.id)
    if (there && serverNow() - Date.parse(there.as_of) < RENEW_MS) continue
    const item = await fetchItem(row.id)
    for (const file of photosOf(item).before.slice(0, 3)) await picture(file.id, 'thumbnail')
  }
})
