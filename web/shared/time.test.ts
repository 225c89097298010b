import { afterEach, describe, expect, it } from 'vitest'
import { ago, clockIsWrong, due, exact, learnOffset, offsetMs, said, serverNow } from './time'
import { language } from './words'

const NOON = Date.parse('2026-11-24T12:00:00+08:00')

afterEach(() => {
  offsetMs.value = null
  language.value = 'zh-CN'
})

describe('dates as people say them, in Shanghai wherever the phone is', () => {
  it('names the days near by', () => {
    expect(said('2026-11-24T18:00:00+08:00', NOON)).toBe('今天 18:00')
    expect(said('2026-11-23T23:59:00+08:00', NOON)).toBe('昨天 23:59')
    expect(said('2026-11-25T00:00:00+08:00', NOON)).toBe('明天 00:00')
    expect(said('2026-12-03T08:00:00+08:00', NOON)).toBe('12月3日')
    expect(said('2025-12-03T08:00:00+08:00', NOON)).toBe('2025年12月3日')
    expect(exact('2026-11-24T15:59:00Z')).toBe('2026年11月24日 23:59')
  })

  it('counts what is due by days of the calendar', () => {
    expect(due('2026-11-21T23:59:59+08:00', NOON)).toEqual({ text: '超期 3 天', level: 'overdue' })
    expect(due('2026-11-24T11:00:00+08:00', NOON)).toEqual({ text: '今天刚超期', level: 'overdue' })
    expect(due('2026-11-24T18:00:00+08:00', NOON)).toEqual({ text: '今天 18:00 前', level: 'soon' })
    expect(due('2026-11-25T23:59:59+08:00', NOON)).toEqual({ text: '明天到期', level: 'soon' })
    expect(due('2026-11-25T00:00:00+08:00', NOON)).toEqual({ text: '今天到期', level: 'soon' })
    expect(due('2026-11-24T00:00:00+08:00', NOON)).toEqual({ text: '超期 1 天', level: 'overdue' })
    expect(due('2026-11-30T23:59:59+08:00', NOON)).toEqual({ text: '还剩 6 天', level: 'calm' })
  })

  it('says how old a copy is', () => {
    expect(ago(NOON - 30_000, NOON)).toBe('刚刚')
    expect(ago(NOON - 5 * 60_000, NOON)).toBe('5 分钟前')
    expect(ago(NOON - 26 * 3600_000, NOON)).toBe('昨天 10:00')
    language.value = 'en'
    expect(ago(NOON - 5 * 60_000, NOON)).toBe('5 min ago')
  })
})

describe('the server clock', () => {
  it('is learned from an answer, half a second for the second it is rounded to', () => {
    learnOffset('Tue, 24 Nov 2026 04:10:00 GMT', NOON, NOON + 1000)
    expect(offsetMs.value).toBe(600_000)
    expect(clockIsWrong.value).toBe(true)
    expect(Math.abs(serverNow() - Date.now() - 600_000)).toBeLessThan(50)
  })

  it('is not learned from what is no date, nor from an answer that was long under way', () => {
    learnOffset(null, NOON)
    learnOffset('yesterday', NOON)
    expect(offsetMs.value).toBe(null)
    learnOffset('Tue, 24 Nov 2026 04:00:00 GMT', NOON, NOON + 1000)
    learnOffset('Tue, 24 Nov 2026 05:00:00 GMT', NOON, NOON + 30_000)
    expect(Math.abs(offsetMs.value!)).toBeLessThan(1000)
  })
})
