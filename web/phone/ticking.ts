// The server's time for what is shown, anew each half minute, so that "5 minutes ago" grows older on the screen.
import { ref, watch } from 'vue'
import { offsetMs, serverNow } from '@/shared/time'

export const now = ref(serverNow())

const tick = () => (now.value = serverNow())
setInterval(tick, 30_000)
watch(offsetMs, tick)
document.addEventListener('visibilitychange', tick)
