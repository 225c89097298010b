// Copying the households: page by page, and not all pages again and again where there are more than a phone takes.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { session } from '../session'
import { setOwner } from '../store'
import { copyHouseholds, households } from './copies'

vi.mock('../network', () => ({ answered: () => undefined }))

let asked = 0
let pages = 2
let which = 'h'
vi.stubGlobal('fetch', async () => {
  asked += 1
  const line = { id: `${asked}`, region: '210422108204', household_number: `${asked}`, head_name: '佟*义', village: '腰站村', category: 'illness', population: 3, version: 1 }
  const told = { as_of: new Date().toISOString(), have: `${which}.${asked}`, whole: true, items: [line], next: asked < pages ? `${asked}` : null }
  return new Response(JSON.stringify(told), { headers: { 'content-type': 'application/json' } })
})

beforeEach(() => {
  asked = 0
  session.value = { person: { id: 'wang' }, token: 'T', expires_at: '2126-12-01T00:00:00Z' } as never
  setOwner('wang')
})
afterEach(() => vi.useRealTimers())

it('all of them, when there are no more than a phone takes', async () => {
  await copyHouseholds()
  expect([asked, (await households())?.lines.length, (await households())?.cut]).toEqual([2, 2, false])
})

it('of too many the first ones, and not again with every look at the day', async () => {
  pages = 1_000
  await copyHouseholds()
  expect([asked, (await households())?.lines.length, (await households())?.cut]).toEqual([30, 30, true])
  await copyHouseholds()
  expect(asked).toBe(31) // the first page tells that they are the same
  vi.useFakeTimers({ now: Date.now() + 61 * 60_000, toFake: ['Date'] })
  await copyHouseholds()
  expect(asked).toBe(61)
  which = 'another visit'
  await copyHouseholds()
  expect(asked).toBe(91)
})
