/** The key that makes this device known: P-256, never readable where WebCrypto keeps it (RFC 9449 proofs are signed with it). */
import { toBase64url, utf8 } from '../code/bytes'
import type { components } from './schema'

export type PublicJwk = components['schemas']['DeviceKeyIn']

export interface DeviceKey {
  readonly jwk: PublicJwk
  /** r and s, 32 bytes each (RFC 7518 section 3.4). */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** A fresh pair whose private half cannot be exported. */
export function makePair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(CURVE, false, ['sign', 'verify'])
}

export async function deviceKey(pair: CryptoKeyPair): Promise<DeviceKey> {
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  const sign = async (message: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, message as BufferSource))
  return { jwk: { kty: 'EC', crv: 'P-256', x, y }, sign }
}

/** The DPoP proof of one request: `url` is the issuer's address and the path, `at` the city's time, `once` 16 random bytes. */
export async function proof(key: DeviceKey, method: string, url: string, at: number, once: Uint8Array): Promise<string> {
  const said = [
    { typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk },
    { htm: method, htu: url, iat: Math.floor(at), jti: toBase64url(once) },
  ]
  const signed = said.map((part) => toBase64url(utf8(JSON.stringify(part)))).join('.')
  return `${signed}.${toBase64url(await key.sign(utf8(signed)))}`
}
