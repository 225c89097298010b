import type { RouteRecordRaw } from 'vue-router'
import { leads } from '../../items/roles'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  {
    path: '/lead',
    name: 'lead',
    component: () => import('./Leader.vue'),
    meta: { title: () => t.value.title, bar: { order: 1.5, label: () => t.value.title, icon: 'lead', shown: leads } },
  },
]
export default routes
