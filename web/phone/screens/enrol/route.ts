import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  { path: '/enrol', name: 'enrol', component: () => import('./Enrol.vue'), meta: { title: () => t.value.title } },
]
export default routes
