// Choosing from a list that is longer than what was told: said so, found by name, remembered. A server of two lines a page.
import { beforeEach, expect, it, vi } from 'vitest'
import { session } from '../session'
import { setOwner } from '../store'
import { foundByName, joined, matching, optionsOf } from './options'
import type { Detail } from './types'

vi.mock('../network', () => ({ answered: () => undefined }))

const item = { id: 'i', region: '210422108204' } as Detail
const person = (name: string) => ({ person: name, name, unit_name: '督查办' })
const all = ['王', '刘', '周'].map(person)
let signal = true
vi.stubGlobal('fetch', async (url: string) => {
  if (!signal) throw new TypeError('no signal')
  const q = new URL(url, 'http://duban').searchParams.get('q') ?? ''
  const items = all.filter((one) => one.name.includes(q))
  return new Response(JSON.stringify({ items: items.slice(0, 2), more: items.length > 2, next: null }), { headers: { 'content-type': 'application/json' } })
})

beforeEach(() => {
  session.value = { person: { id: 'wu' }, token: 'T', expires_at: '2126-12-01T00:00:00Z' } as never
  setOwner('wu')
  signal = true
})

it('says that the list is cut, finds whom it lacks by name, and has them when there is no signal', async () => {
  const first = await optionsOf('checkers', item)
  expect([first.list.map((one) => one.label), first.cut]).toEqual([['王', '刘'], true])
  const [zhou] = await foundByName('checkers', item, '周')
  expect(matching(first.list, [zhou!], '周').map((one) => one.label)).toEqual(['周'])
  await joined(first, zhou!, 'checkers', item)
  signal = false
  const kept = await optionsOf('checkers', item)
  expect([kept.list.map((one) => one.label), kept.cut]).toEqual([['王', '刘', '周'], true])
})

it('has who was found by name once more when the list is fetched anew, and nobody else of the old one', async () => {
  const first = await optionsOf('checkers', item)
  const [zhou] = await foundByName('checkers', item, '周')
  await joined(first, zhou!, 'checkers', item)
  all.unshift(person('赵'))
  expect((await optionsOf('checkers', item)).list.map((one) => one.label)).toEqual(['赵', '王', '周'])
  all.shift()
})

it('shows nobody twice, and finds by unit as well', () => {
  const one = { value: 'a', label: '王', more: '督查办' }
  expect(matching([one], [one], '')).toEqual([one])
  expect(matching([one], [], '督查')).toEqual([one])
})
