// The service worker: the shell from the first load on, clean updates. Data is not its business: that lies in the store.
/// <reference lib="webworker" />
import './push/handlers'

declare const __SHELL__: string[]
declare const __LATER__: string[]
declare const __VERSION__: string
declare const self: ServiceWorkerGlobalScope

const BASE = '/phone/'
const PREFIX = 'duban-shell-'
const NAME = PREFIX + __VERSION__
const LATER = new Set(__LATER__.map((name) => BASE + name))
/** One older shell is kept: a page that is in the middle of something may still ask for its parts. */
const OLDER_KEPT = 1

self.addEventListener('install', (event) => {
  event.waitUntil(fill())
})

/** All of the shell or none of it: half an app must not replace a whole one. */
async function fill(): Promise<void> {
  const cache = await caches.open(NAME)
  const hashed = __SHELL__.filter((name) => name.startsWith('assets/'))
  const plain = __SHELL__.filter((name) => !name.startsWith('assets/'))
  await Promise.all(hashed.map((name) => add(cache, BASE + name, 'default')))
  await Promise.all(plain.map((name) => add(cache, BASE + name, 'no-cache')))
  // What an older shell was asked for is there without a signal after an update, too.
  for (const name of __LATER__) {
    const had = await caches.match(BASE + name)
    if (had) await cache.put(BASE + name, had)
  }
}

async function add(cache: Cache, url: string, mode: RequestCache): Promise<void> {
  // A part with a hash in its name that an older shell has is the same one: not fetched again over a thin line.
  const had = url.includes('/assets/') ? await caches.match(url) : undefined
  const answer = had ?? (await fetch(url, { cache: mode, credentials: 'omit' }))
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
  await cache.put(url, answer)
}

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME)
      await Promise.all(older.slice(0, Math.max(0, older.length - OLDER_KEPT)).map((name) => caches.delete(name)))
      await self.clients.claim()
    })(),
  )
})

self.addEventListener('message', (event) => {
  if (event.data === 'take-over') void self.skipWaiting()
  if (event.data === 'version') event.source?.postMessage({ version: __VERSION__ })
})

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (event.request.method !== 'GET' || url.origin !== self.location.origin || !url.pathname.startsWith(BASE)) return
  event.respondWith(fromShell(event.request, url))
})

async function fromShell(request: Request, url: URL): Promise<Response> {
  const path = request.mode === 'navigate' || url.pathname === BASE ? BASE + 'index.html' : url.pathname
  const cache = await caches.open(NAME)
  const had = (await cache.match(path)) ?? (await caches.match(path))
  if (had) return had
  const answer = await fetch(request)
  // A full phone goes without.
  if (answer.ok && LATER.has(path)) await cache.put(path, answer.clone()).catch(() => undefined)
  return answer
}

export {}
