// Which version of the app this is: the service worker knows its own, also without a signal; else what the build wrote.
import { ref } from 'vue'

export const version = ref('')

export function appVersion(): string {
  return version.value
}

async function find(): Promise<void> {
  const worker = navigator.serviceWorker?.controller
  if (worker) {
    navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ version?: string } | null>) => {
      if (event.data?.version) version.value = event.data.version
    })
    worker.postMessage('version')
    return
  }
  const told = (await (await fetch('/phone/version.json')).json()) as { version: string }
  version.value = told.version
}

void find().catch(() => undefined)
