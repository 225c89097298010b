import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  { path: '/items/:id', name: 'item', component: () => import('./Item.vue'), meta: { title: () => t.value.title } },
  { path: '/items/:id/:act', name: 'act', component: () => import('./Act.vue'), meta: { title: () => t.value.title } },
]
export default routes
