import { filled, unbroken } from '@shared/language/language'
import { prefs } from '@/city/prefs'
import { en } from './en'
import { zh, type Word } from './zh'

const TABLES: Record<'zh-CN' | 'en', Readonly<Record<Word, string>>> = { 'zh-CN': zh, en }

/** A text in the reader's language. */
export function say(word: Word, values?: Readonly<Record<string, string | number>>): string {
  return filled(TABLES[prefs.language][word], values)
}

/** A text that the city gave in both languages. */
export function either(both: { zh: string; en: string }): string {
  return unbroken(prefs.language === 'en' ? both.en : both.zh)
}
export type { Word }
