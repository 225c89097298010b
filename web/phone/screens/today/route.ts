import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  {
    path: '/today',
    name: 'today',
    component: () => import('./Today.vue'),
    meta: { title: () => t.value.title, bar: { order: 1, label: () => t.value.title, icon: 'today' } },
  },
]
export default routes
