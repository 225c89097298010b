import type { RouteRecordRaw } from 'vue-router'
import { newId } from '@/shared/ids'
import '../../capture/record'
import './knowing'
import { t } from './words'

const routes: RouteRecordRaw[] = [
  {
    // A new form has its id from the first moment, and this address: reloading it opens the same draft.
    path: '/visits/:visit/findings/new',
    name: 'finding-new',
    redirect: (to) => ({ name: 'finding', params: { visit: to.params.visit as string, finding: newId() }, query: { camera: '1' }, state: { begun: true } }),
  },
  {
    path: '/visits/:visit/findings/:finding',
    name: 'finding',
    component: () => import('./Finding.vue'),
    props: true,
    meta: { title: () => t.value.title },
  },
]
export default routes
