import type { Language } from '../language/language'
import type { components } from './schema'
import { Unreachable } from './wire'

export type ProblemDocument = components['schemas']['Problem']

/** A refusal of the city, with its words in both languages (RFC 9457). */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: string
  readonly status: number
  readonly facts: Readonly<Record<string, unknown>>
  private readonly words: Partial<Record<Language, string>>

  constructor(status: number, said: Partial<ProblemDocument>) {
    super(said.code ?? `http_${status}`)
    this.code = said.code ?? `http_${status}`
    this.status = status
    this.facts = (said.facts as Record<string, unknown> | undefined) ?? {}
    this.words = (said.messages as Partial<Record<Language, string>> | undefined) ?? {}
  }

  /** What happened and what the reader can do, in their language. */
  in(language: Language): string {
    return this.words[language] ?? (language === 'en' ? 'Something went wrong; try again later' : '出错了，请稍后再试')
  }
}

/** The refusal in an answer, also where something before the city answered with no document. */
export function problemOf(status: number, text: string): Problem {
  try {
    return new Problem(status, JSON.parse(text) as Partial<ProblemDocument>)
  } catch {
    return new Problem(status, {})
  }
}

const AWAY = { 'zh-CN': '连不上网络，请检查后再试', en: 'There is no connection; check it and try again' } as const

/** Any fault of a call in words for the reader; a fault of our own is told to whoever looks at the console. */
export function wordsOf(fault: unknown, language: Language): string {
  if (fault instanceof Problem) return fault.in(language)
  if (fault instanceof Unreachable) return AWAY[language]
  console.error(fault)
  return new Problem(0, {}).in(language)
}
