import type { RouteRecordRaw } from 'vue-router'
import { inShanghai, serverNow } from '@/shared/time'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  {
    path: '/months',
    redirect: () => {
      const { year, month } = inShanghai(serverNow())
      return `/months/${year}-${String(month).padStart(2, '0')}`
    },
  },
  { path: '/months/:month(\\d{4}-\\d{2})', name: 'month', component: () => import('./Month.vue'), meta: { title: () => t.value.title } },
  { path: '/months/:month(\\d{4}-\\d{2})/cells/:cell/record', name: 'month-record', component: () => import('./Record.vue'), meta: { title: () => t.value.file } },
]
export default routes
