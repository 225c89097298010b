// How the screens look on this phone: language, light or dark or sunlight, size of letters.
import { ref, watch } from 'vue'
import { language } from './words'

export type Theme = 'auto' | 'light' | 'dark' | 'sunlight'
export const theme = ref<Theme>('auto')
export const fontScale = ref(100)

const darkOutside = matchMedia('(prefers-color-scheme: dark)')

/** Puts them onto the page now and whenever they change. */
export function applyPreferences(): void {
  const root = document.documentElement
  const apply = () => {
    root.dataset.theme = theme.value === 'auto' ? (darkOutside.matches ? 'dark' : 'light') : theme.value
    root.style.fontSize = `${(fontScale.value / 100) * 16}px`
    root.lang = language.value
  }
  watch([theme, fontScale, language], apply, { immediate: true })
  darkOutside.addEventListener('change', apply)
}
