/** The words of the pages that are opened later: they lie with them, not in what every start must read. */
import { filled, unbroken } from '@shared/language/language'
import { prefs } from '@/city/prefs'
import { en } from './en'
import { zh, type BillWord } from './zh'

const TABLES: Record<'zh-CN' | 'en', Readonly<Record<BillWord, string>>> = { 'zh-CN': zh, en }

/** A text in the reader's language. */
export function tell(word: BillWord, values?: Readonly<Record<string, string | number>>): string {
  return filled(TABLES[prefs.language][word], values)
}

/** A text that the city gave by language. */
export function told(both: { 'zh-CN': string; en: string }): string {
  return unbroken(both[prefs.language])
}

export type { BillWord }
