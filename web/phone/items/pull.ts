// Pulling a page down at its top renews it. Only for fingers; the button beside "截至" does the same.
import { computed, ref } from 'vue'

const ENOUGH = 64

export function usePull(refresh: () => Promise<void>) {
  const far = ref(0)
  const ready = computed(() => far.value >= ENOUGH)
  let from: number | null = null

  function start(event: TouchEvent): void {
    from = window.scrollY <= 0 && event.touches.length === 1 ? event.touches[0]!.clientY : null
  }
  function move(event: TouchEvent): void {
    if (from === null) return
    const down = event.touches[0]!.clientY - from
    far.value = down > 0 && window.scrollY <= 0 ? Math.min(ENOUGH * 1.5, down / 2) : 0
  }
  function end(): void {
    const go = ready.value
    from = null
    far.value = 0
    if (go) void refresh()
  }
  return { far, ready, start, move, end }
}
