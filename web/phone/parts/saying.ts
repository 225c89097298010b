// One sentence about what just happened, shown for a few seconds wherever the person is then.
import { ref } from 'vue'

export interface Said {
  text: string
  /** What takes it back, if that is possible. */
  undo?: { label: string; go: () => void }
}

export const told = ref<Said | null>(null)
let timer: ReturnType<typeof setTimeout> | undefined

export function say(text: string, undo?: Said['undo']): void {
  clearTimeout(timer)
  told.value = { text, undo }
  timer = setTimeout(() => (told.value = null), undo ? 10_000 : 6_000)
}

export function hush(): void {
  clearTimeout(timer)
  told.value = null
}
