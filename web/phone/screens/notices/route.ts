import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  { path: '/me/notices', name: 'notice-settings', component: () => import('./Settings.vue'), meta: { title: () => t.value.title } },
]
export default routes
