// How much waits on this phone, for the head of the screens and before a sign-out. The queue keeps it true.
import { ref, watch } from 'vue'
import { session } from './session'
import { onChange, unsentOf, type Unsent } from './store'

export const unsent = ref<Unsent>({ drafts: 0, queued: 0, files: 0 })

export async function countUnsent(): Promise<Unsent> {
  unsent.value = session.value ? await unsentOf(session.value.person.id) : { drafts: 0, queued: 0, files: 0 }
  return unsent.value
}

let asked = false

/** Counts now, for whoever signs in, and after each change on the shelves, at most once a moment. */
export function watchUnsent(): void {
  watch(session, () => void countUnsent(), { immediate: true })
  onChange((shelf) => {
    if (asked || shelf === 'documents' || shelf === 'receipts') return
    asked = true
    setTimeout(() => {
      asked = false
      void countUnsent()
    }, 50)
  })
}
