// Who is told when something on a shelf changes, in this tab and in the others.

type Listener = (shelf: string) => void

const listeners = new Set<Listener>()
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('duban-shelves')
channel?.addEventListener('message', (event: MessageEvent<string[]>) => event.data.forEach(tell))
;(channel as unknown as { unref?(): void } | null)?.unref?.()

function tell(shelf: string): void {
  for (const listener of listeners) listener(shelf)
}

export function changed(...shelves: string[]): void {
  shelves.forEach(tell)
  channel?.postMessage(shelves)
}

/** Returns what stops it again. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
