// Checklists of one visit on this phone: what stands, and answering. Each tap is one entry of the queue, kept at once.
import { computed, shallowRef, watch, type Ref } from 'vue'
import { newId } from '@/shared/ids'
import { serverNow } from '@/shared/time'
import { add, openDrafts, queue, type Entry } from '../queue'
import { store } from '../queue/store'
import type { Assignment } from '../visits'
import { askedOf, lacks, tappedIn, unseenIn, whereIs, type Asked, type Checklist, type Conformity, type Whereabouts } from './standing'
import { t } from './words'

interface Copy {
  value: Assignment
  as_of: string
}

/** How long an answer that the server has is shown from here, when no copy tells of it: a colleague's may have come later. */
const GRACE = 10_000

/** `sent` is called when an answer has left the queue: until a copy tells of it, it goes on being shown. */
export function useAnswers(visit: string, copy: Ref<Copy | null>, sent: () => void) {
  const waiting = computed(() => queue.entries.filter((entry) => entry.thing === `visit/${visit}`))
  const answers = computed(() => waiting.value.filter((entry) => entry.kind === 'checklist_answer'))
  const left = shallowRef<{ entry: Entry; at: number }[]>([])
  watch(answers, (now, before) => {
    const gone = before.filter((entry) => entry.record !== 'parked' && !now.some((one) => one.id === entry.id))
    if (!gone.length) return
    left.value = [...left.value, ...gone.map((entry) => ({ entry, at: serverNow() }))]
    sent()
  })
  const tapped = computed(() => {
    const asOf = Date.parse(copy.value?.as_of ?? '') || 0
    const lately = left.value.filter((one) => asOf < one.at + GRACE).map((one) => one.entry)
    return unseenIn(copy.value?.value.checklists ?? [], tappedIn([...lately, ...answers.value]))
  })

  const filed = computed(() => new Set(copy.value?.value.findings.map((finding) => finding.id)))
  const queued = computed(() => new Set(waiting.value.filter((entry) => entry.kind === 'finding').map((entry) => entry.id)))
  const drafts = computed(() => new Set(openDrafts.value.map((draft) => draft.id)))

  const where = (asked: Asked): Whereabouts =>
    asked.given?.finding_filed ? 'filed' : whereIs(asked.finding, filed.value, queued.value, drafts.value)
  const of = (checklist: Checklist) => {
    const asked = askedOf(checklist, tapped.value)
    return { checklist, asked, lacking: asked.filter((one) => lacks(one, where(one))).length }
  }
  const all = computed(() => (copy.value?.value.checklists ?? []).map(of))
  return { all, where }
}

/** Keeps one answer; it is sent like everything else. Throws QuotaExceededError when the phone is full. */
export async function answer(visit: string, checklist: Checklist, asked: Asked, said: Conformity, more: { note?: string; finding?: string } = {}): Promise<void> {
  const id = newId()
  await add({
    id,
    kind: 'checklist_answer',
    thing: `visit/${visit}`,
    title: t.value.answerTitle(checklist.title, checklist.questions.indexOf(asked.question) + 1, t.value[said]),
    method: 'PUT',
    path: `/api/visits/${visit}/checklists/${checklist.version}/answers/${id}`,
    body: {
      question: asked.question.code,
      answer: said,
      phone_at: new Date(serverNow()).toISOString(),
      note: more.note ?? '',
      finding: more.finding ?? null,
      seen: asked.last,
    },
  })
}

/** The draft of the finding a failure leads to: topic set, question quoted. The answer names it; returns its id. */
export async function beginFinding(visit: string, checklist: Checklist, asked: Asked): Promise<string> {
  const finding = newId()
  const { text, topic } = asked.question
  const fields = { topic, facts: t.value.quoted(checklist.title, checklist.questions.indexOf(asked.question) + 1, text) }
  await store.saveDraft({
    id: finding, kind: 'finding', thing: `visit/${visit}`, title: fields.facts, form: { fields, photos: [] }, saved_at: serverNow(),
    files: [], discarded_at: null,
  })
  await answer(visit, checklist, asked, 'fails', { finding, note: asked.note })
  return finding
}
