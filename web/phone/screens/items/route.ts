import type { RouteRecordRaw } from 'vue-router'
import { today } from '../../sync'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  {
    path: '/items',
    name: 'items',
    component: () => import('./Items.vue'),
    meta: {
      title: () => t.value.title,
      bar: { order: 2, label: () => t.value.title, icon: 'items', badge: () => today.value?.value.rectifications.overdue ?? 0 },
    },
  },
]
export default routes
