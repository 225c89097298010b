import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  {
    // `?q=` is the question: reloading the page, or opening it after the phone died, comes back to it.
    path: '/visits/:visit/checklists/:version',
    name: 'checklist',
    component: () => import('./Checklist.vue'),
    props: (to) => ({ visit: to.params.visit, version: to.params.version, q: to.query.q ?? null }),
    meta: { title: () => t.value.title },
  },
]
export default routes
