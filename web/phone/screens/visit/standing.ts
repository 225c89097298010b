// How far a visit is, from the server's copy and from what still lies on this phone, put together.
import { computed, shallowRef, watch, type Ref } from 'vue'
import { openDrafts, queue, type Entry } from '../../queue'
import type { Assignment } from '../../visits'

/**
 * What the team has done there, whether the server knows it already or not. `sent` is called when something of it has
 * left the queue: until the copy of the server knows it too it goes on being shown, so that nothing jumps back.
 */
export function useStanding(assignment: Ref<Assignment | null>, sent: () => void) {
  const thing = computed(() => `visit/${assignment.value?.visit.id}`)
  const here = computed(() => queue.entries.filter((entry) => entry.thing === thing.value))
  const left = shallowRef<Entry[]>([])
  watch(here, (now, before) => {
    const gone = before.filter((entry) => entry.record !== 'parked' && !now.some((one) => one.id === entry.id))
    const arrived = now.filter((entry) => entry.record === 'stored' && before.some((one) => one.id === entry.id && one.record !== 'stored'))
    if (gone.length) left.value = [...left.value, ...gone]
    if (gone.length || arrived.length) sent()
  })
  const known = computed(() => {
    const { visit, findings } = assignment.value ?? { visit: null, findings: [] }
    const ids = [...(visit?.arrivals ?? []), ...findings].map((one) => one.id)
    return new Set(visit?.submitted_at ? [...ids, visit.id] : ids)
  })
  const of = (kind: string) =>
    computed(() => [...left.value, ...here.value].filter((entry) => entry.kind === kind && !known.value.has(entry.id)))
  const arrivals = of('arrival')
  const findings = of('finding')
  const submissions = of('submission')
  const drafts = computed(() => openDrafts.value.filter((draft) => draft.thing === thing.value && draft.kind === 'finding'))
  const unsent = computed(() => here.value.filter((entry) => entry.record !== 'stored' && entry.kind !== 'submission'))
  return { arrivals, findings, submissions, drafts, unsent }
}

/** What an arrival that waits on this phone says. */
export function ofEntry(entry: Entry): { position: { lat: number; lng: number; accuracy_m: number }; phone_at: string } {
  return JSON.parse(entry.body)
}
