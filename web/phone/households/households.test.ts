// Finding a household among the kept ones, and putting what changed into them.
import { describe, expect, it } from 'vitest'
import { livingIn, matching, merged, nameable, type Line } from './lines'

const line = (id: string, head_name: string, household_number: string, more: Partial<Line> = {}): Line => ({
  id, head_name, household_number, region: '210422108204', village: '腰站村', category: 'illness', population: 3, version: 1, persons: [], ...more,
})
const tong = line('a', '佟*义', '0012')
const guan = line('b', '关**福', '0038', { category: 'unsafe_housing', region: '210422108202', village: '马尔墩村' })
const li = line('c', '李*', '0100')
const kind = (one: Line) => ({ illness: '慢性病和大病户', unsafe_housing: '危房户' })[one.category as string] ?? ''
const found = (asked: string) => matching([tong, guan, li], asked, kind).map((one) => one.id).join('')

describe('a household is found', () => {
  it('by what is shown of the name, and by the whole name that only the person knows', () => {
    expect(found('佟')).toBe('a')
    expect(found('佟守义')).toBe('a')
    expect(found('关世永福')).toBe('b')
    expect(found('佟守礼')).toBe('')
    expect(found('李明')).toBe('c')
    expect(found('李明明')).toBe('')
  })
  it('by village, number and kind, and by several words at once', () => {
    expect(found('马尔墩')).toBe('b')
    expect(found('0012')).toBe('a')
    expect(found('危房')).toBe('b')
    expect(found('腰站 李')).toBe('c')
    expect(found('马尔墩 李')).toBe('')
  })
  it('nothing typed shows all', () => expect(found('  ')).toBe('abc'))
})

it('of a place are those below it and no others', () => {
  const elsewhere = line('d', '张*', '0001', { region: '210423100201' })
  const of = (region: string) => livingIn([tong, guan, elsewhere], region).map((one) => one.id).join('')
  expect(['210422108204', '210422108000', '210422000000', '210400000000', '210000000000'].map(of)).toEqual(['a', 'ab', 'ab', 'abd', 'abd'])
})

it('what changed takes the place of what was there, in the order of the ledger', () => {
  const moved = { ...tong, household_number: '9', version: 2 }
  expect(merged([guan, tong], [moved, li]).map((one) => `${one.id}${one.version}`)).toEqual(['b1', 'a2', 'c1'])
})

it('of a household may be named who lives there, and who was picked before they moved', () => {
  const spouse = { id: 'p', name: '佟*兰', relation: 'spouse' as const }
  expect(nameable(line('a', '佟*义', '0012', { persons: [spouse] }), spouse)).toEqual([spouse])
  expect(nameable(tong, spouse)).toEqual([spouse])
  expect(nameable({ ...tong, persons: undefined } as never, null)).toEqual([])
  expect(nameable(undefined, undefined)).toEqual([])
})
