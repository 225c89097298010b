import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  { path: '/feedback', name: 'feedback', component: () => import('./Feedback.vue'), meta: { title: () => t.value.title } },
  { path: '/feedback/:id', name: 'feedback-one', component: () => import('./One.vue'), meta: { title: () => t.value.title } },
]
export default routes
