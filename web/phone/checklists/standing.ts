// What stands for each question of a checklist, from the server's copy and from what still lies on this phone. Pure.
import type { Entry } from '../queue'
import type { Assignment } from '../visits'

export type Checklist = Assignment['checklists'][number]
export type Question = Checklist['questions'][number]
export type Given = NonNullable<Question['stands']>
export type Conformity = Given['answer']

/** An answer that this phone has not seen back from the server yet. */
export interface Tapped {
  id: string
  version: string
  question: string
  answer: Conformity
  note: string
  finding: string | null
  seen: string | null
  phone_at: string
  parked: boolean
}

/** One question as a screen shows it. `tapped`: what stands lies on this phone; `given`: what stands came from the server. */
export interface Asked {
  question: Question
  answer: Conformity | null
  note: string
  finding: string | null
  tapped: Tapped | null
  given: Given | null
  /** The last answer known of, by anybody: what the next one has seen. */
  last: string | null
  /** What colleagues said otherwise. */
  differing: Given[]
}

const PATH = /\/checklists\/([^/]+)\/answers\/([^/]+)$/

/** The answers among these entries of the queue, in the order they were tapped. */
export function tappedIn(entries: readonly Entry[]): Tapped[] {
  return entries.flatMap((entry) => {
    const found = entry.kind === 'checklist_answer' && PATH.exec(entry.path)
    if (!found) return []
    return [{ ...(JSON.parse(entry.body) as Omit<Tapped, 'id' | 'version' | 'parked'>), id: entry.id, version: found[1]!, parked: entry.record === 'parked' }]
  })
}

/** Of what this phone has tapped, what the server's copy does not tell of yet: all after the last one that it does. */
export function unseenIn(checklists: readonly Checklist[], tapped: readonly Tapped[]): Tapped[] {
  const told = new Set(checklists.flatMap(({ questions }) => questions.flatMap((one) => [one.stands?.id, one.last, ...one.differing.map((given) => given.id)])))
  return tapped.filter((one, n) => !tapped.some((other, m) => m >= n && other.version === one.version && other.question === one.question && told.has(other.id)))
}

/**
 * Each question with what stands: the last tap of this phone until the server's copy tells of it. A colleague's answer
 * that the tap had not seen stands beside it, so that nobody is surprised when the server has put them in order.
 */
export function askedOf(checklist: Checklist, tapped: readonly Tapped[]): Asked[] {
  return checklist.questions.map((question) => {
    const given = question.stands ?? null
    const taps = tapped.filter((one) => one.version === checklist.version && one.question === question.code)
    const own = taps.at(-1) ?? null
    const stands = own ?? given
    const seen = taps.some((one) => one.seen === question.last)
    const unseen = own && given && !seen && given.answer !== own.answer ? [given] : []
    return {
      question, answer: stands?.answer ?? null, note: stands?.note ?? '', finding: stands?.finding ?? null,
      tapped: own, given: own ? null : given, last: own?.id ?? question.last ?? null,
      differing: own ? unseen : question.differing,
    }
  })
}

export const answered = (asked: readonly Asked[]): number => asked.filter((one) => one.answer !== null).length
export const failing = (asked: readonly Asked[]): number => asked.filter((one) => one.answer === 'fails').length

/** Where the finding of a failure is: nowhere when its draft was thrown away, or when none was begun. */
export type Whereabouts = 'filed' | 'queued' | 'draft' | 'nowhere'

export function whereIs(finding: string | null, filed: ReadonlySet<string>, queued: ReadonlySet<string>, drafts: ReadonlySet<string>): Whereabouts {
  if (finding === null) return 'nowhere'
  if (filed.has(finding)) return 'filed'
  if (queued.has(finding)) return 'queued'
  return drafts.has(finding) ? 'draft' : 'nowhere'
}

/** What was said with this answer, in the answer that stands or in a colleague's: who says the same takes it over. */
export function saidWith(asked: Asked, answer: Conformity): { note: string; finding?: string } {
  const same = [asked, ...asked.differing].find((one) => one.answer === answer)
  return { note: same?.note ?? '', ...(answer === 'fails' && same?.finding ? { finding: same.finding } : {}) }
}

/** What the office would miss: no answer, or a failure that neither a finding shows nor a reason explains. */
export function lacks(asked: Asked, where: Whereabouts): boolean {
  if (asked.answer === null) return true
  return asked.answer === 'fails' && asked.question.photo_when_fails && where === 'nowhere' && !asked.note.trim()
}

/** The next question without an answer, from this place on and round; -1 when all are answered. */
export function nextOpen(asked: readonly Asked[], from: number): number {
  const order = [...asked.keys()].map((n) => (from + n) % asked.length)
  return order.find((n) => asked[n]!.answer === null) ?? -1
}
