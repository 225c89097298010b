// Room on the phone: ask the browser to keep our data, and say so before it is full.
import { ref } from 'vue'
import { isFull } from '@/shared/problem'

const WARN_FROM = 0.8

/** Bytes used and allowed, null where the browser does not say. */
export const room = ref<{ used: number; quota: number } | null>(null)
/** Whether the browser has promised not to clear our data by itself; null where it does not say. */
export const kept = ref<boolean | null>(null)

export function nearlyFull(): boolean {
  return room.value !== null && room.value.used >= room.value.quota * WARN_FROM
}

export async function askToKeep(): Promise<void> {
  if (!navigator.storage?.persist) return
  kept.value = (await navigator.storage.persisted()) || (await navigator.storage.persist())
}

export async function measureRoom(): Promise<void> {
  const { usage, quota } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {}
  room.value = usage === undefined || !quota ? null : { used: usage, quota }
}

/** In milliseconds; Chromium counts a photo that it has just refused for a moment longer. */
const PAUSES = [300, 1_000, 3_000]

/** The browser closes the database where the disk is full, and the next write opens it again. */
const closing = (wrong: unknown) => wrong instanceof DOMException && wrong.name === 'InvalidStateError'

/** A small write that is not given up when there is no room at first: text and records fit where a photo did not. */
export async function insist<T>(write: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await write()
    } catch (wrong) {
      if (!isFull(wrong) && !closing(wrong)) throw wrong
    }
    await new Promise((done) => setTimeout(done, pause))
  }
  return write()
}
