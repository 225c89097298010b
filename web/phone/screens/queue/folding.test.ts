// Many taps, few lines.
import { expect, it } from 'vitest'
import type { Entry } from '../../queue'
import { folded } from './folding'

const answer = (id: string, n: number, more: Partial<Entry> = {}, version = 'v') =>
  ({
    id, kind: 'checklist_answer', thing: 'visit/1', title: `饮水安全核查 第 ${n} 问：符合`, body: '{"question":"S1"}',
    path: `/api/visits/1/checklists/${version}/answers/${id}`, ...more,
  }) as Entry
const other = (id: string) => ({ id, kind: 'finding', thing: 'visit/1', title: '登记问题', path: '', body: '{}' }) as Entry
const shown = (...entries: Entry[]) => folded(entries).map((line) => [line.title, line.entries.map((one) => one.id).join('')])

it('answers to one checklist on one visit are one line, where the first of them stood', () => {
  expect(shown(answer('a', 1), other('f'), answer('b', 2), answer('c', 3))).toEqual([['饮水安全核查', 'abc'], ['登记问题', 'f']])
})

it('a line of answers stays the same one while its first answers leave it', () => {
  const all = [answer('a', 1), answer('b', 2), answer('c', 3)]
  expect(folded(all.slice(1))[0]!.id).toBe(folded(all)[0]!.id)
})

it('another checklist and another visit are lines of their own', () => {
  const elsewhere = answer('c', 1, { thing: 'visit/2' })
  expect(shown(answer('a', 1), answer('b', 1, {}, 'w'), elsewhere).map(([, ids]) => ids)).toEqual(['a', 'b', 'c'])
})

it('a single answer says which question it is, also in English', () => {
  expect(shown(answer('a', 7))).toEqual([['饮水安全核查 第 7 问：符合', 'a']])
  const english = { title: 'Drinking water, question 3: Passes' }
  expect(shown(answer('a', 3, english), answer('b', 4, english))).toEqual([['Drinking water', 'ab']])
})
