// Of one visit the phone holds two copies, its own and that of the day: the newer one is shown, whatever the clocks say.
import { beforeEach, expect, it, vi } from 'vitest'
import { setOwner } from './store'
import { session } from './session'
import { sync, today } from './sync'
import { useVisit } from './visits'

vi.mock('./network', () => ({ answered: () => undefined }))

const VISIT = { id: 'v' }
/** The server's clock and what it knows of the visit. */
let clock: Date
let findings: { id: string }[]
/** How far the phone's idea of the server's clock is off: `Date` tells whole seconds. */
let told: Date

const json = (body: unknown) => new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json', date: told.toUTCString() } })
vi.stubGlobal('fetch', async (url: string) => {
  const at = { as_of: clock.toISOString(), keep_until: '2126-12-02T00:00:00Z' }
  if (url.endsWith('/today')) return json({ ...at, assignments: [{ visit: VISIT, findings, checklists: [] }] })
  return json(url.endsWith('/v') ? VISIT : { items: url.endsWith('/findings') ? findings : [] })
})

beforeEach(() => {
  setOwner('wang')
  session.value = { person: { id: 'wang' }, token: 'T', expires_at: '2126-12-01T00:00:00Z' } as typeof session.value
  today.value = null
  findings = []
  clock = told = new Date()
})

const shown = (visit: ReturnType<typeof useVisit>) => visit.copy.value?.value.findings.map((one) => one.id)
const until = (so: () => void) => vi.waitFor(so, { timeout: 5_000, interval: 5 })

it('what was asked for after the day came is newer, though the phone takes the time for earlier', async () => {
  clock = new Date(Date.now() + 900)
  await sync()
  findings = [{ id: 'of another phone' }]
  const visit = useVisit('v')
  await until(() => expect(visit.loading.value).toBe(false))
  expect(shown(visit)).toEqual(['of another phone'])
})

it('the day that was asked for after it came is newer, though the phone takes the time for later', async () => {
  told = new Date(Date.now() + 900)
  const visit = useVisit('v')
  await until(() => expect(visit.loading.value).toBe(false))
  findings = [{ id: 'of another phone' }]
  clock = new Date(Date.now() - 900)
  await sync()
  expect(shown(visit)).toEqual(['of another phone'])
})
