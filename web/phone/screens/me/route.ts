import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  { path: '/me', name: 'me', component: () => import('./Me.vue'), meta: { title: () => t.value.title, bar: { order: 4, label: () => t.value.title, icon: 'me' } } },
  { path: '/me/sessions', name: 'sessions', component: () => import('./Sessions.vue'), meta: { title: () => t.value.sessions } },
]
export default routes
