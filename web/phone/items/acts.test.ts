// The forms of acts against items as the server tells them: what is open, what is missing, what is sent.
import { describe, expect, it } from 'vitest'
import { acts, missing, openActs, stillNeeded, verbsOf, withoutForm } from './acts'
import { clockOf, shortPlace } from './clock'
import { matches } from './matching'
import type { Detail, Move, Row } from './types'

const NONE = {
  extensions: [], objections: [], site_checks: [], publicity: [], hand_ins: [], measures: [], progress: [], reviews: [], units: [],
}
const item = (moves: Move[], more: object = {}) => ({ id: 'i', number: 'ZG-1', ...NONE, ...more, moves }) as unknown as Detail
const move = (verb: Move['verb'], needs: [string, string][] = []): Move => ({
  verb, units: [], needs: needs.map(([field, sentence]) => ({ field, sentence })),
})
const HAND_IN = move('hand_in', [['note', '要写明情况'], ['evidence', '要有整改后照片'], ['measures', '还有 2 项措施未完成']])

describe('acts', () => {
  it('are open as the server says, in their order, and none besides', () => {
    expect(openActs(item([move('report'), HAND_IN, move('hang')])).map((one) => one.act.id)).toEqual(['hand-in', 'report', 'hanging'])
    expect(openActs(item([]))).toEqual([])
  })
  it('that answer a record are open only while it waits', () => {
    const grant = [move('grant_extension'), move('decline_extension')]
    expect(openActs(item(grant))).toEqual([])
    const asked = item(grant, { extensions: [{ id: 'x', answer: null }] })
    const [one] = openActs(asked)
    expect(one!.act.path(asked, one!.act.target!(asked)!)).toBe('/api/rectifications/i/extensions/x/decision')
  })
  it('say in the server\'s words what is missing, first what no input gives', () => {
    const it_ = item([HAND_IN])
    const [open] = openActs(it_)
    expect(stillNeeded(it_, open!)).toEqual(['还有 2 项措施未完成'])
    expect(missing(it_, open!, {})?.sentence).toBe('要有整改后照片')
    expect(missing(it_, open!, { evidence: 'there', note: ' ' })?.sentence).toBe('要写明情况')
    expect(missing(it_, open!, { evidence: 'there', note: '已修复' })).toBeNull()
  })
  it('ask for what the chosen answer needs, and for a choice', () => {
    const it_ = item([move('confirm_hand_in'), move('withdraw_hand_in', [['note', '要写明理由']])], { hand_ins: [{ id: 'h', principal_answer: null }] })
    const [open] = openActs(it_)
    expect(missing(it_, open!, {})?.field.name).toBe('answer')
    expect(missing(it_, open!, { answer: 'yes' })).toBeNull()
    expect(missing(it_, open!, { answer: 'no' })?.sentence).toBe('要写明理由')
    expect(open!.act.body({ answer: 'no', note: '不属实' }, it_, 'h')).toEqual({ upheld: false, note: '不属实' })
  })
  it('redirect with the unit that was chosen, and ask for it only then', () => {
    const needs = move('redirect', [['note', '要写明理由'], ['to_unit', '要选改派的责任单位']])
    const it_ = item([move('decline_objection', [['note', '要写明理由']]), needs], { objections: [{ id: 'o', answer: null }] })
    const [open] = openActs(it_)
    expect(missing(it_, open!, { answer: 'no', note: '在职责之内' })).toBeNull()
    expect(missing(it_, open!, { answer: 'other', note: '不归水务' })?.sentence).toBe('要选改派的责任单位')
    expect(open!.act.body({ answer: 'other', note: '不归水务', to_unit: ['u'] }, it_, 'o')).toEqual({ upheld: true, note: '不归水务', to_unit: 'u', due_on: null })
  })
  it('count those who are sent to check', () => {
    const it_ = item([move('assign_check', [['checkers', '核查人员至少 2 人']])])
    const [open] = openActs(it_)
    expect(missing(it_, open!, { checkers: ['a'] })?.sentence).toBe('核查人员至少 2 人')
    expect(missing(it_, open!, { checkers: ['a', 'b'] })).toBeNull()
  })
  it('issue with units taken off and the words of the paper, which stand in for the day', () => {
    const units = [{ unit: 'w', name: '水务局', role: 'responsible', ended_at: null }, { unit: 'm', name: '民政局', role: 'lead', ended_at: null }]
    const it_ = item([move('issue', [['due_on', '要有整改期限']])], { units, asks: '' })
    const [open] = openActs(it_)
    expect(open!.act.fields(it_, verbsOf(open!)).find((field) => field.name === 'without')?.choices?.map((one) => one.label)).toEqual(['水务局（责任）', '民政局（牵头）'])
    expect(missing(it_, open!, {})?.field.name).toBe('due_on')
    expect(missing(it_, open!, { due_text: '2月底前' })).toBeNull()
    const sent = open!.act.body({ without: ['w'], responsible_units: ['e'], due_text: ' 2月底前 ' }, it_, 'i')
    expect(sent).toMatchObject({ without_units: ['w'], responsible_units: ['e'], due_text: '2月底前', due_on: null })
  })
  it('name a move that no form is for', () => {
    expect(withoutForm(item([move('hang'), move('fly' as Move['verb'])]))).toEqual(['fly'])
  })
  it('have forms for each of their moves, and inputs with a label', () => {
    for (const act of acts()) {
      for (const field of act.fields(item([]), verbsOf({ act, moves: act.verbs.map((verb) => move(verb)) }))) {
        expect(field.label, `${act.id} ${field.name}`).not.toBe('')
      }
    }
  })
})

describe('the clock of an item', () => {
  const now = Date.parse('2026-11-28T10:00:00+08:00')
  const row = (more: object) => ({ status: 'working', overdue: false, closed_at: null, review_on: null, due_at: null, ...more }) as Row
  it('counts to the last day, not to the midnight after it', () => {
    expect(clockOf(row({ due_at: '2026-12-02T00:00:00+08:00' }), now).text).toBe('还剩 3 天')
    expect(clockOf(row({ due_at: '2026-11-29T00:00:00+08:00' }), now)).toMatchObject({ tone: 'soon' })
    expect(clockOf(row({ due_at: '2026-11-26T00:00:00+08:00', overdue: true }), now)).toEqual({ text: '超期 3 天', tone: 'overdue' })
  })
  it('says nothing of what does not tick', () => {
    expect(clockOf(row({ status: 'draft', due_at: '2026-12-02T00:00:00+08:00' }), now).text).toBe('')
    expect(clockOf(row({ status: 'closed', closed_at: '2026-11-20T10:00:00+08:00' }), now)).toEqual({ text: '11月20日销号', tone: 'good' })
  })
  it('names places by what tells them apart', () => {
    expect(shortPlace('抚顺市新宾满族自治县上夹河镇腰站村')).toBe('上夹河镇腰站村')
    expect(shortPlace('抚顺市新宾满族自治县')).toBe('抚顺市新宾满族自治县')
  })
})

it('searches the lists on the phone by every word', () => {
  const row = { number: 'ZG-0304', facts: '饮水管网冻裂', region_name: '腰站村', topic_name: '饮水安全', units: [{ name: '水务局' }] } as unknown as Row
  expect(matches(row, '腰站 水务')).toBe(true)
  expect(matches(row, 'zg-0304')).toBe(true)
  expect(matches(row, '腰站 教育')).toBe(false)
})
