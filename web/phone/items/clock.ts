// The clock of an item in words: how long until its last day, or since. The last day ends at midnight, so what is told is
// that day and not the midnight after it.
import { date, due, exact, hour, serverNow } from '@/shared/time'
import { language } from '@/shared/words'
import type { Row } from './types'
import { w } from './words'

type Clocked = Pick<Row, 'status' | 'due_at' | 'overdue' | 'closed_at' | 'review_on'>

export function clockOf(it: Clocked, now = serverNow()): { text: string; tone: 'overdue' | 'soon' | 'good' | '' } {
  if (it.status === 'closed') return { text: it.closed_at ? w.value.closedOn(date(it.closed_at)) : w.value.status.closed, tone: 'good' }
  if (it.status === 'voided' || it.status === 'draft') return { text: '', tone: '' }
  if (it.status === 'hung') return { text: it.review_on ? w.value.reviewOn(date(`${it.review_on}T00:00:00+08:00`)) : '', tone: '' }
  if (!it.due_at) return { text: w.value.noDate, tone: '' }
  const said = due(Date.parse(it.due_at) - 1, now)
  if (it.overdue) return { text: said.level === 'overdue' ? said.text : w.value.overdueTag, tone: 'overdue' }
  return { text: said.text, tone: said.level === 'calm' ? '' : said.level }
}

/** The exact date under it: the day alone where the day as a whole is meant, with the hour where one was set. */
export function deadlineOf(it: { due_at: string | null; due_on: string | null }): string {
  const whole = !it.due_at || hour(it.due_at) === '00:00'
  const said = exact(whole ? `${it.due_on}T00:00:00+08:00` : it.due_at!)
  const day = whole ? said.slice(0, said.lastIndexOf(' ')) : said
  return language.value === 'en' ? `by ${day}` : `${day}前`
}

/** 上夹河镇腰站村 of 抚顺市新宾满族自治县上夹河镇腰站村: what tells places of one county apart comes first. */
export function shortPlace(name: string): string {
  return name.replace(/^.*?(?:自治县|县|区|旗)(?=.)/, '')
}
