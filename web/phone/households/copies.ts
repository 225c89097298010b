// The households this phone keeps: masked, of own visits and of the own unit's open items, as few as the server gives it.
import { call } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { documents, type Document } from '../store'
import { keep } from '../sync'
import { merged, type Line } from './lines'

/** `cut`: there are more than a phone takes. */
export interface Kept {
  have: string
  lines: Line[]
  cut: boolean
}

const NAME = 'households'
const MOST_PAGES = 30
const RENEW_CUT_MS = 60 * 60_000

export async function households(): Promise<Kept | undefined> {
  return (await copy())?.value
}

const copy = (): Promise<Document<Kept> | undefined> => documents.get<Kept>(NAME, serverNow())

/** Anew from the server; what did not change since the last time is not fetched again. Too many: the pages once an hour. */
export async function copyHouseholds(): Promise<void> {
  const there = await copy()
  const before = there?.value
  const have = before && !before.cut ? before.have : undefined
  const first = await page(have, null)
  if (before?.cut && same(before.have, first.have) && serverNow() - Date.parse(there!.as_of) < RENEW_CUT_MS) return
  if (!first.whole && !first.items.length) return
  const lines = [...first.items]
  let next = first.next
  for (let count = 1; next && count < MOST_PAGES; count++) {
    const told = await page(have, next)
    if (told.whole !== first.whole) return // a day or a visit ended in between: the next time brings the whole
    lines.push(...told.items)
    next = told.next
  }
  const known = first.whole ? [] : (before?.lines ?? [])
  await keep(NAME, { have: first.have, lines: merged(known, lines), cut: next !== null } satisfies Kept)
}

/** Of the same households, whenever each was told: what stands before the dot (notifications/today/kept.py). */
const same = (one: string, other: string) => one.split('.')[0] === other.split('.')[0]

const page = (have: string | undefined, cursor: string | null) =>
  call('get', '/api/phone/households', { query: { ...(have ? { have } : {}), ...(cursor ? { cursor } : {}) } })
