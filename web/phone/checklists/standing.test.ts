import { describe, expect, it } from 'vitest'
import type { Entry } from '../queue'
import { answered, askedOf, failing, lacks, nextOpen, saidWith, tappedIn, unseenIn, whereIs, type Checklist, type Given, type Question, type Tapped } from './standing'

function given(more: Partial<Given> = {}): Given {
  return {
    id: 'g1', number: 1, question: 'S1', by: 'liu', by_name: '刘', answer: 'passes', note: '', finding: null, finding_filed: false,
    seen: null, phone_at: '2026-11-24T01:00:00Z', received_at: '2026-11-24T01:00:01Z', counts_at: '2026-11-24T01:00:00Z', late: false, ...more,
  }
}

function question(code: string, more: Partial<Question> = {}): Question {
  return {
    code, text: `${code}？`, hint: '', topic: '0304', photo_when_fails: true, may_not_apply: true, stands: null, last: null, differing: [],
    lacks: true, ...more,
  }
}

function checklist(...questions: Question[]): Checklist {
  return {
    version: 'v', checklist: 'c', code: 'YS', number: 1, title: '饮水安全核查', topic: '0304', paper: '', clause: '', required: false,
    status: 'in_force', answered: 0, questions,
  }
}

const tap = (more: Partial<Tapped> = {}): Tapped => ({
  id: 't1', version: 'v', question: 'S1', answer: 'fails', note: '', finding: null, seen: null, phone_at: '', parked: false, ...more,
})

const entry = (id: string, more: Partial<Entry> = {}) =>
  ({
    id, kind: 'checklist_answer', path: `/api/visits/x/checklists/v/answers/${id}`, record: 'waiting',
    body: JSON.stringify({ question: 'S1', answer: 'fails', note: '', finding: null, seen: null, phone_at: '' }), ...more,
  }) as Entry

it('finds answers among what waits, and nothing else', () => {
  const found = tappedIn([entry('a'), entry('b', { kind: 'finding' }), entry('c', { record: 'parked' })])
  expect(found.map(({ id, version, answer, parked }) => [id, version, answer, parked])).toEqual([
    ['a', 'v', 'fails', false], ['c', 'v', 'fails', true],
  ])
})

describe('what stands', () => {
  it('is the last tap of this phone until the server tells of it', () => {
    const [first] = askedOf(checklist(question('S1', { stands: given(), last: 'g1' })), [tap({ seen: 'g1' }), tap({ id: 't2', answer: 'not_applicable', seen: 't1' })])
    expect([first!.answer, first!.last, first!.given, first!.differing]).toEqual(['not_applicable', 't2', null, []])
  })
  it('is what the server says when nothing waits here, with what colleagues said otherwise', () => {
    const other = given({ id: 'g0', by_name: '王', answer: 'fails' })
    const [first] = askedOf(checklist(question('S1', { stands: given(), last: 'g1', differing: [other] })), [tap({ question: 'S2' }), tap({ version: 'w' })])
    expect([first!.answer, first!.last, first!.tapped]).toEqual(['passes', 'g1', null])
    expect(first!.differing).toEqual([other])
  })
  it('shows an answer beside it that the tap had not seen, if it is another', () => {
    const stands = given()
    const asked = (answer: Tapped['answer'], seen: string | null) => askedOf(checklist(question('S1', { stands, last: 'g1' })), [tap({ answer, seen })])[0]!.differing
    expect(asked('fails', null)).toEqual([stands])
    expect(asked('passes', null)).toEqual([])
    expect(asked('fails', 'g1')).toEqual([])
  })
  it('is counted', () => {
    const asked = askedOf(checklist(question('S1'), question('S2'), question('S3', { stands: given({ question: 'S3' }) })), [tap()])
    expect([answered(asked), failing(asked), asked.length]).toEqual([2, 1, 3])
    expect([nextOpen(asked, 2), nextOpen(asked, 0), nextOpen(asked.slice(2), 0)]).toEqual([1, 1, -1])
  })
})

it('what the server tells of is no longer shown from here, nor what was tapped before it', () => {
  const copy = [checklist(question('S1', { stands: given({ id: 't2' }), last: 't2' }), question('S2'))]
  const taps = [tap(), tap({ id: 't2' }), tap({ id: 't3' }), tap({ id: 't4', question: 'S2' })]
  expect(unseenIn(copy, taps).map((one) => one.id)).toEqual(['t3', 't4'])
})

it('a failure that is to be shown lacks a finding or a reason', () => {
  const none = new Set<string>()
  const [open, failed] = [askedOf(checklist(question('S1')), [])[0]!, askedOf(checklist(question('S1')), [tap({ finding: 'f' })])[0]!]
  expect(lacks(open, 'nowhere')).toBe(true)
  expect(lacks(failed, whereIs('f', none, none, none))).toBe(true)
  expect(lacks(failed, whereIs('f', none, none, new Set(['f'])))).toBe(false)
  expect([whereIs('f', new Set(['f']), none, none), whereIs('f', none, new Set(['f']), none), whereIs(null, none, none, none)]).toEqual(['filed', 'queued', 'nowhere'])
  expect(lacks({ ...failed, note: '户主不同意拍照' }, 'nowhere')).toBe(false)
  expect(lacks(askedOf(checklist(question('S1', { photo_when_fails: false })), [tap()])[0]!, 'nowhere')).toBe(false)
})

it('who settles a difference takes over the finding and the reason of the answer that is right', () => {
  const fails = given({ answer: 'fails', note: '井盖冻住', finding: 'f', finding_filed: true })
  const passes = given({ id: 'g2', by_name: '王', note: '' })
  const of = (stands: Given, ...differing: Given[]) => askedOf(checklist(question('S1', { stands, last: 'g2', differing })), [])[0]!
  expect(saidWith(of(fails, passes), 'fails')).toEqual({ note: '井盖冻住', finding: 'f' })
  expect(saidWith(of(passes, fails), 'fails')).toEqual({ note: '井盖冻住', finding: 'f' })
  expect(saidWith(of(fails, passes), 'passes')).toEqual({ note: '' })
  expect(saidWith(of(fails, passes), 'not_applicable')).toEqual({ note: '' })
})
