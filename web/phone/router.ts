// The screens and their stable addresses (/phone/#/visits/…). A screen is a folder with a route.ts; nothing is listed here.
import { computed } from 'vue'
import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router'
import { onlyLeads } from './items/roles'
import { session } from './session'

declare module 'vue-router' {
  interface RouteMeta {
    /** For the browser's title and the history. */
    title: () => string
    /** Its place in the bar at the bottom. */
    bar?: { order: number; label: () => string; icon: 'today' | 'items' | 'inbox' | 'me' | 'lead'; badge?: () => number; shown?: () => boolean }
    /** May be seen signed out. */
    open?: boolean
  }
}

const found = import.meta.glob<{ default: RouteRecordRaw[] }>('./screens/*/route.ts', { eager: true })
const routes = Object.values(found).flatMap((module) => module.default)

export const router = createRouter({
  history: createWebHashHistory('/phone/'),
  routes: [{ path: '/', redirect: () => (onlyLeads() ? '/lead' : '/today') }, ...routes, { path: '/:rest(.*)*', redirect: '/' }],
  async scrollBehavior(to, _from, saved) {
    if (!saved) return to.query.paper ? false : { top: 0 } // a paper opens over the page, which stays where it is
    // Going back, a long list is there only after the phone's copy was read: its place is waited for, a second at most.
    for (let n = 0; n < 40 && document.documentElement.scrollHeight < saved.top + innerHeight; n++) {
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return saved
  },
})

router.beforeEach((to) => {
  if (!session.value && !to.meta.open) return { name: 'sign-in', query: to.path === '/today' ? {} : { then: to.fullPath } }
  if (session.value?.enrol && to.name !== 'enrol' && !to.meta.open) return { name: 'enrol' }
  return true
})
router.afterEach((to) => {
  document.title = to.meta.title ? `${to.meta.title()} · 督办` : '督办'
})

/** What stands in the bar at the bottom, in order; some of it only for some people. */
const places = routes.filter((route) => route.meta?.bar).sort((a, b) => a.meta!.bar!.order - b.meta!.bar!.order)
export const bar = computed(() => places.filter((route) => session.value && (route.meta!.bar!.shown?.() ?? true)))
