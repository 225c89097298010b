// Time: the server's, as this phone knows it, and dates as people say them. People read Asia/Shanghai wherever they are.
import { computed, ref } from 'vue'
import { language } from './words'

const ZONE = 'Asia/Shanghai'
const DAY = 86_400_000
/** From here on a phone's clock is told to be wrong (trust.md 3.4, domain.md i.3: five minutes). */
export const WRONG_CLOCK_MS = 5 * 60_000

/** Milliseconds to add to this phone's clock to get the server's; null until a server has answered. */
export const offsetMs = ref<number | null>(null)
export const clockIsWrong = computed(() => Math.abs(offsetMs.value ?? 0) > WRONG_CLOCK_MS)

/** What the server's clock says now, as far as this phone knows. */
export function serverNow(): number {
  return Date.now() + (offsetMs.value ?? 0)
}

/** Learns the offset from an answer: `date` was written between asking and receiving. Whole seconds are exact enough. */
export function learnOffset(date: string | null, askedAt: number, receivedAt = Date.now()): void {
  const told = date === null ? NaN : Date.parse(date)
  if (Number.isNaN(told)) return
  const found = told + 500 - (askedAt + receivedAt) / 2
  // An answer that was long under way says little; half its time is how wrong it may be.
  if (offsetMs.value === null || receivedAt - askedAt < 10_000) offsetMs.value = Math.round(found)
}

interface Parts {
  year: number
  month: number
  day: number
  hour: string
  minute: string
}

const FORMAT = new Intl.DateTimeFormat('en-CA', {
  timeZone: ZONE,
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})

/** The day and time that a clock in Shanghai shows. */
export function inShanghai(at: number | string): Parts {
  const found = new Map(FORMAT.formatToParts(new Date(at)).map((part) => [part.type, part.value]))
  const number = (name: 'year' | 'month' | 'day') => Number(found.get(name))
  return {
    year: number('year'),
    month: number('month'),
    day: number('day'),
    hour: found.get('hour')!,
    minute: found.get('minute')!,
  }
}

/** 14:03 */
export function hour(at: number | string): string {
  const { hour, minute } = inShanghai(at)
  return `${hour}:${minute}`
}

/** Days from now to that moment by the calendar of Shanghai: 0 today, 1 tomorrow, -1 yesterday. */
export function daysAway(at: number | string, now = serverNow()): number {
  const day = (moment: number | string) => {
    const { year, month, day } = inShanghai(moment)
    return Date.UTC(year, month - 1, day) / DAY
  }
  return day(at) - day(now)
}

/** 今天 18:00 · 昨天 09:12 · 3月20日 · 2025年3月20日 */
export function said(at: number | string, now = serverNow()): string {
  const zh = language.value === 'zh-CN'
  const days = daysAway(at, now)
  const near = zh ? { 0: '今天', 1: '明天', '-1': '昨天' } : { 0: 'today', 1: 'tomorrow', '-1': 'yesterday' }
  const word = (near as Record<string, string>)[String(days)]
  return word ? `${word} ${hour(at)}` : date(at, now)
}

/** 3月20日, with the year when it is another one. */
export function date(at: number | string, now = serverNow()): string {
  const { year, month, day } = inShanghai(at)
  const other = year !== inShanghai(now).year
  if (language.value === 'en') return `${day}/${month}${other ? `/${year}` : ''}`
  return `${other ? `${year}年` : ''}${month}月${day}日`
}

/** 2026年3月20日 18:00, for under what `said` says. */
export function exact(at: number | string): string {
  const { year, month, day } = inShanghai(at)
  return language.value === 'en' ? `${year}-${pad(month)}-${pad(day)} ${hour(at)}` : `${year}年${month}月${day}日 ${hour(at)}`
}

/** 刚刚 · 5 分钟前 · 2 小时前 · 昨天 09:12: how old a copy is. */
export function ago(at: number | string, now = serverNow()): string {
  const zh = language.value === 'zh-CN'
  const minutes = Math.floor((now - new Date(at).getTime()) / 60_000)
  if (minutes < 1) return zh ? '刚刚' : 'just now'
  if (minutes < 60) return zh ? `${minutes} 分钟前` : `${minutes} min ago`
  if (minutes < 6 * 60) return zh ? `${Math.floor(minutes / 60)} 小时前` : `${Math.floor(minutes / 60)} h ago`
  return said(at, now)
}

/** 超期 3 天 · 今天到期 · 还剩 2 天, by days of the calendar. A date ends at midnight, which still belongs to it. */
export function due(at: number | string, now = serverNow()): { text: string; level: 'overdue' | 'soon' | 'calm' } {
  const zh = language.value === 'zh-CN'
  const days = daysAway(new Date(at).getTime() - 1, now)
  if (new Date(at).getTime() <= now && days === 0) return { text: zh ? '今天刚超期' : 'overdue today', level: 'overdue' }
  if (days < 0) return { text: zh ? `超期 ${-days} 天` : `${-days} d overdue`, level: 'overdue' }
  if (days === 0 && hour(at) === '00:00') return { text: zh ? '今天到期' : 'due today', level: 'soon' }
  if (days === 0) return { text: zh ? `今天 ${hour(at)} 前` : `by ${hour(at)} today`, level: 'soon' }
  if (days === 1) return { text: zh ? '明天到期' : 'due tomorrow', level: 'soon' }
  return { text: zh ? `还剩 ${days} 天` : `${days} d left`, level: days <= 3 ? 'soon' : 'calm' }
}

function pad(number: number): string {
  return String(number).padStart(2, '0')
}
