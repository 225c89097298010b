// Words of a screen in both languages. Each screen has its own words.ts; a missing or extra word is a type error.
import { computed, ref } from 'vue'

export type Language = 'zh-CN' | 'en'

/** The language of the screens; see preferences.ts for where it is kept. */
export const language = ref<Language>('zh-CN')

type Leaf = string | readonly string[] | ((...given: never[]) => string)
type Words = { [name: string]: Leaf | Words }
type Like<T> = { [K in keyof T]: T[K] extends string ? string : T[K] extends readonly string[] ? readonly string[] : T[K] extends Leaf ? T[K] : Like<T[K]> }

/**
 * `const t = words({ title: '今日' }, { title: 'Today' })`, then `t.value.title`, in a template `t.title`.
 * A word with something in it is a function: `left: (n: number) => \`还有 ${n} 件\``.
 */
export function words<T extends Words>(zh: T, en: Like<T>) {
  return computed<Like<T>>(() => (language.value === 'en' ? en : (zh as Like<T>)))
}

/** "1 item", "2 items": for the English words. */
export const many = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`
