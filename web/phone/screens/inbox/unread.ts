// How many notices are unread: from the document of the day, and from the inbox whenever that was asked.
import { ref, watch } from 'vue'
import { today } from '../../sync'

export const unread = ref(0)

watch(today, (now) => (unread.value = now?.value.unread ?? 0), { immediate: true })
