// The service worker's part of Web Push: shows what came, and leads to it when it is tapped. The words come from the
// server, which names no household (notifications/inbox/outside.py).
/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope

interface Told {
  title: string
  body: string
  url: string
}

const HOME = '/phone/#/inbox'

self.addEventListener('push', (event) => {
  event.waitUntil(show(read(event.data)))
})

/** A browser shows something of its own for a push that shows nothing: so a message that cannot be read is told too. */
function read(data: PushMessageData | null): Told {
  try {
    const told = data?.json() as Partial<Told> | undefined
    if (told?.title) return { title: told.title, body: told.body ?? '', url: ours(told.url) }
  } catch {
    // not ours, or cut off
  }
  return { title: '督办', body: '有新消息，请打开查看。', url: HOME }
}

/** Only to a place of this app. */
function ours(url: string | undefined): string {
  return url?.startsWith('/phone/') ? url : HOME
}

async function show({ title, body, url }: Told): Promise<void> {
  // One thing, one notification: what is said anew about it takes the place of what was said before.
  await self.registration.showNotification(title, { body, tag: url, data: url, icon: '/phone/icon-192.png', lang: 'zh-CN' })
  for (const page of await self.clients.matchAll({ type: 'window' })) page.postMessage({ pushed: url })
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(ours(event.notification.data as string | undefined)))
})

/** In the page that is open already; a form in it keeps what is typed, because it lies on the phone. */
async function open(url: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const page = pages.find((one) => new URL(one.url).pathname.startsWith('/phone/'))
  if (page) {
    await page.focus()
    page.postMessage({ open: url })
  } else await self.clients.openWindow(url)
}

export {}
