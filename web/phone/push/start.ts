// Once somebody is signed in: a tap on a notification leads to its screen, and what was pushed is fetched at once.
import { router } from '../router'
import { sync } from '../sync'
import { renewPush } from './push'

let listening = false

export default function start(): void {
  void renewPush()
  if (listening || !('serviceWorker' in navigator)) return
  listening = true
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ open?: string; pushed?: string } | null>) => {
    if (event.data?.open) void router.push(event.data.open.replace(/^\/phone\/#?/, ''))
    if (event.data?.pushed) void sync()
  })
}
