import type { RouteRecordRaw } from 'vue-router'
import { watch } from 'vue'
import { open } from '../../queue'
import { session } from '../../session'
import { t } from './words'

// The queue begins with the app, whatever screen is open, and anew with each sign-in.
watch(session, () => void open(), { immediate: true })

const routes: RouteRecordRaw[] = [
  { path: '/queue', name: 'queue', component: () => import('./Queue.vue'), meta: { title: () => t.value.title } },
]
export default routes
