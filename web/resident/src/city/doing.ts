/** One thing at a time: what is under way, and what went wrong, in the reader's words. */
import { wordsOf } from '@shared/api/problem'
import { reactive } from 'vue'
import { prefs } from './prefs'

export interface Doing {
  busy: boolean
  fault: string
  /** Do something; a fault is kept for the page to say, and null given. A second call while one runs does nothing. */
  run<T>(work: () => Promise<T>): Promise<T | null>
  /** Say something that went otherwise than wished. */
  note(words: string): void
}

export function useDoing(): Doing {
  const doing: Doing = reactive({
    busy: false,
    fault: '',
    note(words: string): void {
      doing.fault = words
    },
    async run<T>(work: () => Promise<T>): Promise<T | null> {
      if (doing.busy) return null
      doing.busy = true
      doing.fault = ''
      try {
        return await work()
      } catch (fault) {
        doing.fault = wordsOf(fault, prefs.language)
        return null
      } finally {
        doing.busy = false
      }
    },
  })
  return doing
}
