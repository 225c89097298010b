// One list of items as a screen shows it: the phone's copy at once, then the server's pages as far as somebody scrolls.
import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { call } from '@/shared/client'
import { Unreachable } from '@/shared/problem'
import { serverNow } from '@/shared/time'
import { answered } from '../network'
import { session } from '../session'
import { documents } from '../store'
import { keep } from '../sync'
import { matches } from './matching'
import type { Row } from './types'

export type TabName = 'mine' | 'issued' | 'working' | 'overdue' | 'due_soon' | 'all'

/** What each tab asks the server; `mine` asks another question. */
const ASKED: Record<Exclude<TabName, 'mine'>, Record<string, unknown>> = {
  issued: { status: 'issued' },
  working: { status: 'working' },
  overdue: { overdue: true },
  due_soon: { due_soon: true },
  all: {},
}
const PAGE = 100
/** Lines of a tab that are kept for when there is no signal. */
const MOST_KEPT = 500

export interface Line {
  row: Row
  waits: readonly string[]
}

/** What was scrolled to since the app was opened: going back to a list finds as much again, at once. */
const seen = new Map<string, { lines: Line[]; next: string | null; asOf: string | null }>()

watch(() => session.value?.person.id, () => seen.clear())

interface Kept {
  lines: Line[]
  next: string | null
}

export function useList(tab: Ref<TabName>, q: Ref<string>, region: Ref<string | null>, household: Ref<string | null>) {
  const lines = shallowRef<Line[]>([])
  const next = ref<string | null>(null)
  const asOf = ref<string | null>(null)
  const loading = ref(false)
  const failed = ref<unknown>(null)
  let asking = 0

  const name = computed(() => ['lists', tab.value, region.value, household.value].filter(Boolean).join('/'))
  const found = computed(() => (failed.value && q.value ? lines.value.filter((line) => matches(line.row, q.value)) : lines.value))

  async function page(cursor: string | null): Promise<Kept> {
    if (tab.value === 'mine') {
      const told = await call('get', '/api/decisions')
      const all = told.items.map((one) => ({ row: one.item, waits: one.verbs }))
      return { lines: q.value ? all.filter((line) => matches(line.row, q.value)) : all, next: null }
    }
    const query = { ...ASKED[tab.value], limit: PAGE, ...(region.value ? { region: region.value } : {}), ...(household.value ? { household: household.value } : {}), ...(q.value ? { q: q.value } : {}), ...(cursor ? { cursor } : {}) }
    const told = await call('get', '/api/rectifications', { query } as never)
    return { lines: told.items.map((row) => ({ row, waits: [] })), next: told.next }
  }

  /** The front anew; with `anew` all of it. What is shown stays until the answer is there. */
  async function refresh(anew = false): Promise<void> {
    const turn = ++asking
    loading.value = true
    try {
      const kept = await documents.get<Kept>(name.value, serverNow())
      if (turn !== asking) return
      if (kept && lines.value.length === 0) {
        lines.value = kept.value.lines
        asOf.value = kept.as_of
      }
      const first = await page(null)
      if (turn !== asking) return
      const further = anew || q.value ? undefined : seen.get(name.value)
      if (further && first.next !== null && further.lines.length > first.lines.length) {
        // The front is new; what was scrolled to beyond it stays below until somebody asks for all of it anew.
        const known = new Set(first.lines.map((line) => line.row.id))
        first.lines.push(...further.lines.filter((line) => !known.has(line.row.id)))
        first.next = further.next
      }
      lines.value = first.lines
      next.value = first.next
      asOf.value = new Date(serverNow()).toISOString()
      failed.value = null
      answered(true)
      if (!q.value) await keep(name.value, first)
    } catch (wrong) {
      if (turn !== asking) return
      if (wrong instanceof Unreachable) answered(false)
      failed.value = wrong
      next.value = null
    } finally {
      if (turn === asking) loading.value = false
    }
  }

  /** The next page, when somebody has scrolled that far. */
  async function more(): Promise<void> {
    if (loading.value || next.value === null) return
    const turn = asking
    loading.value = true
    try {
      const told = await page(next.value)
      if (turn !== asking) return
      const known = new Set(lines.value.map((line) => line.row.id))
      lines.value = [...lines.value, ...told.lines.filter((line) => !known.has(line.row.id))]
      next.value = told.next
      failed.value = null
      if (!q.value && lines.value.length <= MOST_KEPT) await keep(name.value, { lines: lines.value, next: null })
    } catch (wrong) {
      if (turn === asking) failed.value = wrong
    } finally {
      if (turn === asking) loading.value = false
    }
  }

  let typing: ReturnType<typeof setTimeout> | undefined
  watch(
    [tab, region, household],
    () => {
      const before = q.value ? undefined : seen.get(name.value)
      lines.value = before?.lines ?? []
      next.value = before?.next ?? null
      asOf.value = before?.asOf ?? null
      void refresh()
    },
    { immediate: true },
  )
  watch(q, () => {
    clearTimeout(typing)
    typing = setTimeout(() => void refresh(), 300)
  })

  watch([lines, next], () => {
    if (!q.value && asOf.value) seen.set(name.value, { lines: lines.value, next: next.value, asOf: asOf.value })
  })

  return { found, next, asOf, loading, failed, refresh, more }
}
