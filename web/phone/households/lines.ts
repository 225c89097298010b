// The lines of the kept households: which are meant by what somebody types, and what changed put among them. No store.
import type { Answer } from '@/shared/client'

export type Line = Answer<'get', '/api/phone/households'>['items'][number]

/** Those of this place and of those below it: behind its own digits (2, 4, 6, 9 or 12) a code has noughts. */
export function livingIn(lines: readonly Line[], region: string): Line[] {
  const own = region.slice(0, [2, 4, 6, 9].find((digits) => /^0*$/.test(region.slice(digits))))
  return lines.filter((line) => line.region.startsWith(own))
}

/** By a masked or whole name, a village, a number, a kind; each word must be found in the line. `category` is the kind in the language of the screen. */
export function matching(lines: readonly Line[], asked: string, category: (line: Line) => string): Line[] {
  const words = asked.trim().toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return [...lines]
  return lines.filter((line) => {
    const text = [line.head_name, line.village, line.household_number, category(line)].join(' ').toLowerCase()
    return words.every((word) => text.includes(word) || masked(word, line.head_name))
  })
}

/** 佟守义 may be 佟*义: whoever stands at the door knows the name, the phone does not. */
function masked(name: string, mask: string): boolean {
  return name.length > 1 && name.length === mask.length && [...mask].every((sign, at) => sign === '*' || sign === name[at])
}

/** What is new takes the place of what had its id. In the order of the ledger. */
export function merged(known: readonly Line[], now: readonly Line[]): Line[] {
  const all = new Map([...known, ...now].map((line) => [line.id, line]))
  return [...all.values()].sort(
    (a, b) => a.region.localeCompare(b.region) || a.household_number.localeCompare(b.household_number, 'zh-CN', { numeric: true }),
  )
}

/** Who may be named: those who live there as far as this phone knows, and whoever was picked before. */
export function nameable(line: Line | undefined, picked: Line['persons'][number] | null | undefined): Line['persons'] {
  const living = line?.persons ?? [] // a copy from before this version has none
  return picked && !living.some((one) => one.id === picked.id) ? [picked, ...living] : living
}
