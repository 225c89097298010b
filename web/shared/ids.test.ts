import { expect, it } from 'vitest'
import { newId } from './ids'

it('makes UUIDv7 that sort in the order they were made', () => {
  const made = Array.from({ length: 10_000 }, () => newId())
  expect(new Set(made).size).toBe(made.length)
  expect([...made].sort()).toEqual(made)
  for (const id of made) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

it('keeps the order when the clock goes back', () => {
  const later = newId(Date.now() + 60_000)
  expect(newId() > later).toBe(true)
  expect(parseInt(later.replaceAll('-', '').slice(0, 12), 16)).toBeGreaterThan(Date.now())
})
