// Searching the lists on the phone. Pure.
import type { Row } from './types'

/** Whether a line has every word, as the server's search has it: number, facts, place, units, topic. */
export function matches(row: Row, q: string): boolean {
  const text = [row.number, row.facts, row.region_name, row.topic_name, ...row.units.map((part) => part.name)].join(' ').toLowerCase()
  return q.toLowerCase().split(/\s+/).filter(Boolean).every((word) => text.includes(word))
}
