// The households this phone keeps: masked, of own visits and of the own unit's items, as few as the server gives it.
import { call } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { documents } from '../store'
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

export async function households(): Promise<Kept | undefined> {
  return (await documents.get<Kept>(NAME, serverNow()))?.value
}

/** Anew from the server; what did not change since the last time is not fetched again. */
export async function copyHouseholds(): Promise<void> {
  const before = await households()
  const have = before && !before.cut ? before.have : undefined
  const first = await page(have, null)
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

const page = (have: string | undefined, cursor: string | null) =>
  call('get', '/api/phone/households', { query: { ...(have ? { have } : {}), ...(cursor ? { cursor } : {}) } })
