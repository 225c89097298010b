// One visit as this phone knows it: the newer of two copies, that of the day's document and the visit's own.
import { computed } from 'vue'
import { call } from '@/shared/client'
import { newer, sync, today, useDocument, type Copy, type Today } from './sync'

export type Assignment = Today['assignments'][number]

export function useVisit(id: string) {
  const own = useDocument<Assignment>(`visits/${id}`, async () => {
    const path = { visit_id: id }
    const [visit, findings, checklists] = await Promise.all([
      call('get', '/api/visits/{visit_id}', { path }),
      call('get', '/api/visits/{visit_id}/findings', { path }),
      call('get', '/api/visits/{visit_id}/checklists', { path }),
    ])
    return { visit, findings: findings.items, checklists: checklists.items }
  })
  const copy = computed(() => {
    const value = today.value?.value.assignments.find((one) => one.visit.id === id)
    const ofDay: Copy<Assignment> | null = value ? { ...today.value!, value } : null
    const mine = own.found.value
    return mine && (!ofDay || newer(mine, ofDay)) ? mine : ofDay
  })
  async function renew(): Promise<void> {
    await Promise.all([own.refresh(), sync()])
  }
  return { copy, loading: own.loading, failed: own.failed, renew }
}
