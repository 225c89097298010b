// Which version of the app this is: what the build wrote beside it.
import { ref } from 'vue'

const found = ref('')

export function appVersion(): string {
  return found.value
}
export const version = found

void fetch('/phone/version.json')
  .then((answer) => answer.json())
  .then((told: { version: string }) => (found.value = told.version))
  .catch(() => undefined)
