/** Both languages from the start: a table of words in Chinese, and one in English that must have the same words. */
export type Language = 'zh-CN' | 'en'
export const LANGUAGES: readonly Language[] = ['zh-CN', 'en']

export type Words = Readonly<Record<string, string>>
export type Tables<T extends Words> = { readonly 'zh-CN': T; readonly en: { readonly [Word in keyof T]: string } }

/** The reader's language from what the device prefers: Chinese unless English comes first. */
export function preferred(wanted: readonly string[]): Language {
  const known = wanted.map((each) => each.toLowerCase()).find((each) => each.startsWith('zh') || each.startsWith('en'))
  return known?.startsWith('en') ? 'en' : 'zh-CN'
}

/** A text with its {places} filled. */
export function filled(text: string, values: Readonly<Record<string, string | number>> = {}): string {
  return unbroken(text.replace(/\{(\w+)\}/g, (place, name: string) => (name in values ? String(values[name]) : place)))
}

/** A text whose dates stay on one line, and that begins no line with the dot between two things. */
export function unbroken(text: string): string {
  return text.replace(/(\d-)(?=\d)/g, '$1\u2060').replaceAll(' · ', '\u00a0· ')
}

/** Fen as yuan with two decimals: 1230 → "12.30". */
export function yuan(fen: number): string {
  const sign = fen < 0 ? '−' : ''
  // By hand: the first use of the browser's own formats costs a slow phone a sixteenth of a second, in the middle of its first picture.
  const whole = String(Math.floor(Math.abs(fen) / 100)).replace(/\B(?=(\d{3})+$)/g, ',')
  return `${sign}${whole}.${String(Math.abs(fen) % 100).padStart(2, '0')}`
}

/** What somebody typed as yuan, as whole fen; null when it is no amount. */
export function fenOf(typed: string): number | null {
  const parts = /^(\d{1,7})(?:\.(\d{1,2}))?$/.exec(typed.trim())
  return parts ? Number(parts[1]) * 100 + Number((parts[2] ?? '').padEnd(2, '0')) : null
}

const BEIJING_SECONDS = 8 * 3600

/** A moment on the city's wall clock: "2026-11-22 20:28". */
export function moment(instant: string): string {
  const there = new Date(Date.parse(instant) + BEIJING_SECONDS * 1000).toISOString()
  return `${there.slice(0, 10)} ${there.slice(11, 16)}`
}
