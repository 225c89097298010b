// Whether there is a way to the server: what the browser says, corrected by what really happened.
import { computed, ref } from 'vue'

const browserSays = ref(navigator.onLine)
/** The last request got no answer. */
const unanswered = ref(false)

export const online = computed(() => browserSays.value && !unanswered.value)

export function answered(yes: boolean): void {
  unanswered.value = !yes
}

const listeners = new Set<() => void>()

/** Called when it may be worth trying again: signal back, app looked at again. Returns what stops it. */
export function onChance(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function chance(): void {
  for (const listener of listeners) listener()
}

addEventListener('online', () => {
  browserSays.value = true
  unanswered.value = false
  chance()
})
addEventListener('offline', () => (browserSays.value = false))
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && chance())
