// Starts the phone app: what the phone keeps first, the server after.
import '@/shared/look/tokens.css'
import '@/shared/look/base.css'
import { createApp, watch } from 'vue'
import { applyPreferences, fontScale, theme } from '@/shared/preferences'
import { language } from '@/shared/words'
import App from './App.vue'
import { onChance } from './network'
import { router } from './router'
import { restore, session } from './session'
import { askToKeep, getSetting, putSetting } from './store'
import { openCopies, sync, today } from './sync'
import { watchUpdates } from './updates'

async function preferences(): Promise<void> {
  const [kept, look, letters] = await Promise.all([getSetting('language'), getSetting('theme'), getSetting('fontScale')])
  language.value = kept ?? (navigator.language.startsWith('zh') || !navigator.language.startsWith('en') ? 'zh-CN' : 'en')
  theme.value = look ?? 'auto'
  fontScale.value = letters ?? 100
  applyPreferences()
  watch(language, (value) => void putSetting('language', value))
  watch(theme, (value) => void putSetting('theme', value))
  watch(fontScale, (value) => void putSetting('fontScale', value as 100))
}

/** What folders want to do once somebody is signed in: at the start of the app, and after each sign-in. */
const starters = Object.values(import.meta.glob<{ default(): unknown }>('./*/start.ts', { eager: true }))

function signedIn(): void {
  for (const { default: begin } of starters) void begin()
  void sync()
  void askToKeep()
}

async function start(): Promise<void> {
  await preferences()
  await restore()
  await openCopies()
  createApp(App).use(router).mount('#app')
  watch(
    () => [session.value?.person.id, session.value?.token],
    async ([person, token], [before, old]) => {
      if (person === before && token === old) return // only its end was put off
      if (person !== before) {
        // Somebody else signed in in another tab: what this one had open is not theirs.
        if (person && before && !router.currentRoute.value.meta.open) void router.replace('/')
        today.value = null
        await openCopies()
      }
      if (token) signedIn()
      if (person) return
      if (!router.currentRoute.value.meta.open) void router.replace({ name: 'sign-in' })
    },
  )
  watch(
    () => session.value?.enrol,
    (needed) => {
      if (needed) void router.replace({ name: 'enrol' })
      else if (needed === false && session.value) signedIn()
    },
  )
  onChance(() => void sync())
  if (session.value) signedIn()
  void watchUpdates()
}

start().catch((wrong: unknown) => {
  // Private windows of some browsers have no database: say so instead of a white page.
  const told = document.createElement('p')
  told.className = 'empty'
  told.textContent = '这个浏览器不让督办在手机里存内容（可能是无痕模式）。请换一个普通窗口打开。'
  document.getElementById('app')?.replaceChildren(told)
  console.error(wrong)
})
