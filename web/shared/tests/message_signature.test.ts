import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { signatureOf } from '../api/message_signature'
import { fromBase64url } from '../code/bytes'

interface Vector {
  readonly name: string
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
  readonly secret: string
  readonly created: number
  readonly signed: Record<string, string>
}
const vectors = JSON.parse(readFileSync(new URL('../../../tests/vectors/terminal_signatures.json', import.meta.url), 'utf8')) as Vector[]

for (const { name, method, url, headers, body, secret, created, signed } of vectors)
  it(`signs as the platform reads: ${name}`, async () => {
    const sent = body ? { method, url, headers, body } : { method, url, headers }
    expect(await signatureOf(sent, fromBase64url(secret), created)).toEqual(signed)
  })
