// What this phone knows for suggestions: units of a place, what was chosen before here, what the day's findings name.
import { call } from '@/shared/client'
import { serverNow } from '@/shared/time'
import { documents } from '../../store'
import { alsoCopy, keep, type Today } from '../../sync'
import type { Habit, Unit } from './suggest'

interface Kept {
  units: Habit
  topics: string[]
}

const MOST_PAGES = 5

/** Units whose own area holds the place: they may be responsible there. From the phone; anew where there is a signal. */
export async function unitsOf(region: string): Promise<Unit[]> {
  const kept = (await documents.get<Unit[]>(nameOf(region), serverNow()))?.value
  if (kept) return kept
  try {
    return await fetched(region)
  } catch {
    return []
  }
}

async function fetched(region: string): Promise<Unit[]> {
  const found: Unit[] = []
  let cursor: string | null = null
  for (let page = 0; page < MOST_PAGES; page++) {
    const told: { items: Unit[]; next: string | null } = await call('get', '/api/units', { query: { covering: region, ...(cursor ? { cursor } : {}) } })
    found.push(...told.items.map(({ id, name, short_name, kind, region }) => ({ id, name, short_name, kind, region })))
    cursor = told.next
    if (!cursor) break
  }
  await keep(nameOf(region), found)
  return found
}

const nameOf = (region: string) => `units/${region}`

/** With the document of the day, so that the form knows the units of the place without a signal. */
alsoCopy(async (today) => {
  const regions = new Set(today.assignments.filter((one) => one.visit.status !== 'submitted').map((one) => one.visit.region))
  for (const region of regions) await fetched(region)
})

async function remembered(): Promise<Kept> {
  try {
    return (await documents.get<Kept>('habits/finding', serverNow()))?.value ?? { units: {}, topics: [] }
  } catch {
    return { units: {}, topics: [] }
  }
}

/** Topics in the order of use, the newest first: of this phone's forms, then of the day's findings. */
export async function usedTopics(today?: Today): Promise<string[]> {
  const filed = today?.assignments.flatMap((one) => one.findings.map((finding) => finding.topic)) ?? []
  return [...(await remembered()).topics, ...filed.reverse()]
}

/** Which units were named for which topic; own forms count before the day's findings. */
export async function habits(today?: Today): Promise<Habit> {
  const own = (await remembered()).units
  const all: Habit = { ...own }
  for (const finding of today?.assignments.flatMap((one) => one.findings) ?? []) {
    for (const [role, units] of [['responsible', finding.responsible_units], ['lead', finding.lead_units]] as const) {
      const key = `${role}/${finding.topic}`
      all[key] = [...(all[key] ?? []), ...units.filter((id) => !all[key]?.includes(id))]
    }
  }
  return all
}
