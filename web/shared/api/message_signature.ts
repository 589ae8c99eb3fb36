/** How a terminal signs a request: RFC 9421 with HMAC-SHA256, and the digest of the body (RFC 9530), as `core/http_signatures.py` reads it. */
import { utf8 } from '../code/bytes'
import type { Sent } from './wire'

const GUARDED = ['authorization', 'idempotency-key'] as const

/** The three headers that sign a request under a session's secret; `created` is the city's time in whole seconds. */
export async function signatureOf(sent: Sent, secret: Uint8Array, created: number): Promise<Record<string, string>> {
  const digest = `sha-256=:${toBase64(await crypto.subtle.digest('SHA-256', utf8(sent.body ?? '') as BufferSource))}:`
  const components = componentsOf(sent, digest)
  const params = `(${components.map(([name]) => `"${name}"`).join(' ')});created=${created};alg="hmac-sha256"`
  const base = [...components.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${params}`].join('\n')
  const key = await crypto.subtle.importKey('raw', secret as BufferSource, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signature = toBase64(await crypto.subtle.sign('HMAC', key, utf8(base) as BufferSource))
  return { 'Content-Digest': digest, 'Signature-Input': `city=${params}`, Signature: `city=:${signature}:` }
}

/** What is signed, in order: the request line, the digest, and the two guarded headers where they are there. */
function componentsOf(sent: Sent, digest: string): [string, string][] {
  const [path = '', query = ''] = sent.url.replace(/^https?:\/\/[^/]+/, '').split(/\?(.*)/s)
  const headers = new Map(Object.entries(sent.headers).map(([name, value]) => [name.toLowerCase(), value]))
  const guarded = GUARDED.flatMap((name): [string, string][] => (headers.has(name) ? [[name, headers.get(name)!]] : []))
  return [['@method', sent.method], ['@path', path || '/'], ['@query', `?${query}`], ['content-digest', digest], ...guarded]
}

function toBase64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
}
