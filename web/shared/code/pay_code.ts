/** The pay code as a phone makes it, without network (docs/pay-code.md). */
import { bigEndian, fromBase64url } from './bytes'
import { hmacSha256, joined } from './sha256'

/** A key that makes HMAC-SHA256 and need not be readable. */
export type Mac = (message: Uint8Array) => Promise<Uint8Array>

export interface PayKey {
  readonly prefix: string
  readonly handle: number
  readonly stepSeconds: number
  readonly taps: number
  readonly device: Mac
  readonly permutation: Mac
}

const HALF = 100_000_000
const ROUNDS = 8

/** The eighteen digits of a step (a span of city time) and a tap (the first, second … code within it). */
export async function payCode(key: PayKey, step: number, tap: number): Promise<string> {
  if (tap < 0 || tap >= key.taps) throw new RangeError('no such tap')
  const mac = rest(await key.device(joined(bigEndian(step, 8), bigEndian(tap, 1))), 2 * HALF)
  const permuted = await permute(key.permutation, 2 * key.handle + Math.floor(mac / HALF), mac % HALF)
  return key.prefix + permuted
}

/** Eight rounds of a Feistel network over two halves of eight digits. */
export async function permute(mac: Mac, left: number, right: number): Promise<string> {
  let [l, r] = [left, right]
  for (let round = 0; round < ROUNDS; round++) {
    const mixed = rest(await mac(joined(bigEndian(round, 1), bigEndian(r, 4))), HALF)
    ;[l, r] = [r, (l + mixed) % HALF]
  }
  return digits(l) + digits(r)
}

/** The number in the first eight bytes, modulo a divisor below 2^45. */
function rest(bytes: Uint8Array, divisor: number): number {
  return bytes.slice(0, 8).reduce((sum, byte) => (sum * 256 + byte) % divisor, 0)
}

const digits = (half: number): string => String(half).padStart(8, '0')

/** A key in plain bytes, where there is no WebCrypto. */
export function plainMac(key: Uint8Array): Mac {
  return (message) => Promise.resolve(hmacSha256(key, message))
}

/** A key that WebCrypto holds and gives to nobody. */
export function heldMac(key: CryptoKey): Mac {
  return async (message) => new Uint8Array(await crypto.subtle.sign('HMAC', key, message as BufferSource))
}

export function heldKey(base64url: string): Promise<CryptoKey> {
  const bytes = fromBase64url(base64url) as BufferSource
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
}

/** Which code is the next one: the first of this step, or the tap after the last one that was shown and used up. */
export interface Shown {
  readonly step: number
  readonly tap: number
}

export function stepAt(seconds: number, key: Pick<PayKey, 'stepSeconds'>): number {
  return Math.floor(seconds / key.stepSeconds)
}

/** The next code after one that was used; null when this step has no more, so that the next step must be waited for. */
export function following(last: Shown | null, step: number, taps: number): Shown | null {
  if (last === null || last.step < step) return { step, tap: 0 }
  return last.tap + 1 < taps ? { step: last.step, tap: last.tap + 1 } : null
}
