import { expect, it, vi } from 'vitest'
import { CityClock } from '../api/clock'
import { deviceKey, makePair } from '../api/device_key'
import { Problem } from '../api/problem'
import { Session } from '../api/session'
import { Unreachable, type Came, type Sent } from '../api/wire'
import { memoryStore } from '../store/store'

const TOKENS = { access_token: 'a1', token_type: 'Bearer', expires_in: 600, refresh_token: 'r2', session: 's', device: 'd', identity_level: 2, strength: 2 }
const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Came => ({
  status,
  header: (name) => headers[name] ?? null,
  text: JSON.stringify(body),
})

/** A session over a city that answers from a list; each entry is an answer or a lost one. */
async function stage(...said: (Came | 'lost')[]) {
  const sent: Sent[] = []
  const key = await deviceKey(await makePair())
  const store = memoryStore()
  const ended = vi.fn()
  const around = {
    wire: async (each: Sent) => {
      sent.push(each)
      const next = said.shift()
      if (next === undefined || next === 'lost') throw new Unreachable('lost')
      return next
    },
    base: '',
    clock: new CityClock(),
    language: () => 'en' as const,
    random: (length: number) => Promise.resolve(crypto.getRandomValues(new Uint8Array(length))),
    issuer: () => Promise.resolve('https://city.example'),
    device: () => Promise.resolve(key),
  }
  await store.set('refresh', 'r1')
  return { session: new Session(around, store, ended), store, sent, ended }
}

it('turns the refresh token over once for requests that come together, with a proof of the device', async () => {
  const { session, store, sent } = await stage(answer(200, TOKENS), answer(200, { items: [] }), answer(200, { items: [] }))
  await Promise.all([session.do('get', '/api/cards', {}), session.do('get', '/api/cards', {})])
  expect(sent.map((each) => each.url)).toEqual(['/api/sessions/refresh', '/api/cards', '/api/cards'])
  expect(sent[0]!.headers['DPoP']!.split('.')).toHaveLength(3)
  expect(sent[1]!.headers['Authorization']).toBe('Bearer a1')
  expect(await store.get('refresh')).toBe('r2')
})

it('keeps the old refresh token when the answer was lost, and uses it again', async () => {
  const { session, store, sent } = await stage('lost', answer(200, TOKENS), answer(200, { items: [] }))
  await expect(session.do('get', '/api/cards', {})).rejects.toBeInstanceOf(Unreachable)
  expect(await store.get('refresh')).toBe('r1')
  await session.do('get', '/api/cards', {})
  expect(sent.slice(0, 2).map((each) => each.body)).toEqual(['{"refresh_token":"r1"}', '{"refresh_token":"r1"}'])
})

it('turns over a token that ran out on the way and sends the request once more', async () => {
  const { session, sent } = await stage(answer(200, TOKENS), answer(401, { code: 'token_expired' }), answer(200, { ...TOKENS, access_token: 'a2' }), answer(200, { items: [] }))
  await session.do('get', '/api/cards', {})
  expect(sent[3]!.headers['Authorization']).toBe('Bearer a2')
})

it('forgets a sign-in that the city ended, and says so', async () => {
  const { session, store, ended } = await stage(answer(401, { code: 'refresh_reused', messages: { en: 'Ended', 'zh-CN': '已退出' } }))
  const fault = await session.do('get', '/api/cards', {}).catch((each: unknown) => each)
  expect(fault).toBeInstanceOf(Problem)
  expect((fault as Problem).in('en')).toBe('Ended')
  expect(await store.get('refresh')).toBeUndefined()
  expect(ended).toHaveBeenCalledOnce()
})

it('sends a write whose answer was lost again under the same key', async () => {
  const { session, sent } = await stage(answer(200, TOKENS), 'lost', answer(201, {}))
  await session.do('post', '/api/cards', { body: { product: 'resident' } })
  expect(sent[1]!.headers['Idempotency-Key']).toMatch(/^[\w-]{22}$/)
  expect(sent[2]!.headers['Idempotency-Key']).toBe(sent[1]!.headers['Idempotency-Key'])
})

it('learns the time from documents more surely than from Date headers', () => {
  const clock = new CityClock()
  const now = Date.now()
  clock.learn(now + 60_000, now - 20, now, 1)
  clock.learn(now + 90_000, now - 20, now, 1000)
  expect(clock.now() - Date.now() / 1000).toBeCloseTo(60, 0)
})
