import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  {
    path: '/visits/:id',
    name: 'visit',
    component: () => import('./Visit.vue'),
    props: true,
    meta: { title: () => t.value.title },
  },
]
export default routes
