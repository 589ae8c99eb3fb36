/** The shapes by which a counter knows what was scanned or typed. */

export const TEST_CODE = 'CITYCARD-TEST-20261122'
const PAY_CODE_AT_END = /[0-9]{18}$/
const TEST_AT_END = /CITYCARD-TEST-[0-9]{8}$/i

export type Scanned = { readonly kind: 'pay'; readonly text: string } | { readonly kind: 'test'; readonly text: string }

/** The code that stands at the end of what was keyed in; whatever came before it was typed by a person. */
export function codeAtEnd(keyed: string): Scanned | null {
  const test = TEST_AT_END.exec(keyed)
  if (test) return { kind: 'test', text: test[0] }
  const pay = PAY_CODE_AT_END.exec(keyed)
  return pay ? { kind: 'pay', text: pay[0] } : null
}

/** What somebody typed as a pay code: wide digits, spaces and hyphens do not matter; null when it is none. */
export function typedCode(text: string): string | null {
  const plain = text.normalize('NFKC').replace(/[\s-]/g, '')
  return /^[0-9]{18}$/.test(plain) ? plain : null
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

/** Whether 18 signs are a citizen number with a right check character (GB 11643): such a number is not taken for a scan where one is asked for. */
export function isCitizenNumber(text: string): boolean {
  const parts = /^[1-9]\d{5}((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]$/.exec(text)
  if (!parts) return false
  const sum = WEIGHTS.reduce((whole, weight, at) => whole + weight * Number(text[at]), 0)
  return '10X98765432'[sum % 11] === text[17]!.toUpperCase()
}
