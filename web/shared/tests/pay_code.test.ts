import { readFileSync } from 'node:fs'
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromBase64url, toBase64url, utf8 } from '../code/bytes'
import { following, heldKey, heldMac, payCode, permute, plainMac, type Mac, type PayKey } from '../code/pay_code'
import { hmacSha256, sha256 } from '../code/sha256'

interface Vectors {
  permutations: { city_id: number; prefix: string; key: string; pairs: { number: string; permuted: string }[] }[]
  devices: { handle: number; generation: number; secret: string }[]
  codes: { city_id: number; handle: number; generation: number; step: number; tap: number; code: string }[]
}
const vectors = JSON.parse(readFileSync(new URL('../../../tests/vectors/pay_code.json', import.meta.url), 'utf8')) as Vectors
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const held = async (key: Uint8Array): Promise<Mac> => heldMac(await heldKey(toBase64url(key)))

for (const [name, mac] of Object.entries({ webcrypto: held, plain: async (key: Uint8Array) => plainMac(key) })) {
  describe(`pay code by ${name}`, () => {
    it('permutes as the published vectors say', async () => {
      for (const city of vectors.permutations)
        for (const pair of city.pairs)
          expect(await permute(await mac(hex(city.key)), Number(pair.number.slice(0, 8)), Number(pair.number.slice(8)))).toBe(pair.permuted)
    })
    it('makes every published code', async () => {
      expect(vectors.codes.length).toBeGreaterThan(3)
      for (const each of vectors.codes) {
        const city = vectors.permutations.find((one) => one.city_id === each.city_id)!
        const phone = vectors.devices.find((one) => one.handle === each.handle && one.generation === each.generation)!
        const device = await mac(hex(phone.secret))
        const permutation = await mac(hex(city.key))
        const key: PayKey = { prefix: city.prefix, handle: each.handle, stepSeconds: 30, taps: 4, device, permutation }
        expect(await payCode(key, each.step, each.tap)).toBe(each.code)
      }
    })
  })
}

describe('plain hashes', () => {
  it('agree with those of the platform at every length around a block', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255)
      expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
      expect(Buffer.from(hmacSha256(bytes, bytes)).toString('hex')).toBe(createHmac('sha256', bytes).update(bytes).digest('hex'))
    }
  })
  it('and base64url and UTF-8 do too', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37) & 255)
      expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
      expect([...fromBase64url(toBase64url(bytes))]).toEqual([...bytes])
    }
    expect([...utf8('卡 ü')]).toEqual([...Buffer.from('卡 ü', 'utf8')])
  })
})

it('takes the next tap after a used code, and waits when there is none', () => {
  expect(following(null, 9, 4)).toEqual({ step: 9, tap: 0 })
  expect(following({ step: 9, tap: 0 }, 9, 4)).toEqual({ step: 9, tap: 1 })
  expect(following({ step: 9, tap: 3 }, 9, 4)).toBeNull()
  expect(following({ step: 9, tap: 3 }, 10, 4)).toEqual({ step: 10, tap: 0 })
})
