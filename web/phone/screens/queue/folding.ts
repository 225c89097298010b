// The answers to one checklist on one visit are one line of the queue, however many taps they were. No screen.
import { tappedIn } from '../../checklists/standing'
import type { Entry } from '../../queue'

/** One entry, or the answers to one checklist in the order they were tapped. It stays the same line while they come and go. */
export interface Line {
  id: string
  title: string
  entries: Entry[]
}

/** Behind the checklist's own title, as `answerTitle` in checklists/words.ts puts it. */
const QUESTION = / 第 \d+ 问：.*$|, question \d+: .*$/s

/** In the order of the entries; a fold stands where its first one was. What needs a person is for the caller to leave out. */
export function folded(entries: readonly Entry[]): Line[] {
  const lines = new Map<string, Line>()
  for (const entry of entries) {
    const [answer] = tappedIn([entry])
    const key = answer ? `${entry.thing}/${answer.version}` : entry.id
    const line = lines.get(key)
    if (line) line.entries.push(entry)
    else lines.set(key, { id: key, title: entry.title, entries: [entry] })
  }
  return [...lines.values()].map((line) => (line.entries.length > 1 ? { ...line, title: line.title.replace(QUESTION, '') } : line))
}
