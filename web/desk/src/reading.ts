/** The reader's language and size of type on this counter, kept in the browser. */
import { filled, preferred, type Language } from '@shared/language/language'
import { ref, watchEffect } from 'vue'
import { en, zh, type Word } from './words'

const LANGUAGE = 'citycard-desk-language'
const LARGE = 'citycard-desk-large'
const kept = localStorage.getItem(LANGUAGE)

export const language = ref<Language>(kept === 'en' || kept === 'zh-CN' ? kept : preferred(navigator.languages))
export const large = ref(localStorage.getItem(LARGE) === 'yes')

/** A text of the desk in the reader's language. */
export function t(word: Word, values: Readonly<Record<string, string | number>> = {}): string {
  return filled((language.value === 'en' ? en : zh)[word], values)
}

/** What stands before the name of a step: ``第一步：``. */
export function nth(step: number): string {
  return t(`nth_${step}` as Word)
}

watchEffect(() => {
  localStorage.setItem(LANGUAGE, language.value)
  localStorage.setItem(LARGE, large.value ? 'yes' : 'no')
  document.documentElement.lang = language.value
  document.documentElement.classList.toggle('elder', large.value)
  document.title = t('title')
})
