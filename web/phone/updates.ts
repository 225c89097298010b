// Updates of the app: a new version waits until the person takes it, and never comes in the middle of something.
import { computed, ref } from 'vue'

const waiting = ref<ServiceWorker | null>(null)
const holds = ref(0)
let reloadWhenFree = false

/** A new version lies ready and nothing speaks against taking it now. */
export const updateReady = computed(() => waiting.value !== null && holds.value === 0)

/** While something must not be interrupted (camera open, form not saved yet). Call what it returns when it is over. */
export function holdUpdates(): () => void {
  let held = true
  holds.value += 1
  return () => {
    if (!held) return
    held = false
    holds.value -= 1
    if (reloadWhenFree && holds.value === 0) location.reload()
  }
}

export function takeUpdate(): void {
  waiting.value?.postMessage('take-over')
}

/** Registers the worker and watches for newer ones: at the start, each hour, and when the app is looked at again. */
export async function watchUpdates(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  let hadOne = navigator.serviceWorker.controller !== null
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (!hadOne) {
      hadOne = true // the first worker of all: the page is the one it has
      return
    }
    if (holds.value === 0) location.reload()
    else reloadWhenFree = true
  })
  const found = await navigator.serviceWorker.register('/phone/sw.js', { scope: '/phone/', updateViaCache: 'none' })
  const look = (worker: ServiceWorker | null) => {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && navigator.serviceWorker.controller) waiting.value = worker
      if (worker.state === 'redundant' && waiting.value === worker) waiting.value = null
    })
  }
  if (found.waiting && navigator.serviceWorker.controller) waiting.value = found.waiting
  look(found.installing)
  found.addEventListener('updatefound', () => look(found.installing))
  const ask = () => void found.update().catch(() => undefined)
  setInterval(ask, 60 * 60_000)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && ask())
}
