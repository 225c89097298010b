// Leaving a form for the page it was opened from: back where that page lies before it, so that no page stands there twice.
import type { Router } from 'vue-router'

export async function leaveTo(router: Router, path: string): Promise<void> {
  if (window.history.state?.back === path) router.back()
  else await router.replace(path)
}
