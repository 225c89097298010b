import type { RouteRecordRaw } from 'vue-router'
import { t } from './words'
import { unread } from './unread'

const routes: RouteRecordRaw[] = [
  {
    path: '/inbox',
    name: 'inbox',
    component: () => import('./Inbox.vue'),
    meta: { title: () => t.value.title, bar: { order: 3, label: () => t.value.title, icon: 'inbox', badge: () => unread.value } },
  },
]
export default routes
