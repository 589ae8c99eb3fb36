import { Problem } from '@shared/api/problem'
import { Unreachable } from '@shared/api/wire'
import { memoryStore } from '@shared/store/store'
import { expect, it } from 'vitest'
import { Unsure, Writing, type Order } from '../src/charging/writing'
import type { Terminal } from '../src/terminal/terminal'

const CHARGE = { id: 'charge_1', receipt_number: 'R1', amount_fen: 1230 }
const ORDER: Order = { kind: 'charge', body: { amount_fen: 1230, code: '810123456789012345' } }

/** A terminal that answers from a list: an answer, a refusal, or a lost answer. */
function stage(...said: (object | Error)[]) {
  const keys: string[] = []
  const terminal = {
    lost: 0,
    do: async (_method: string, _path: string, { key }: { key: string }) => {
      keys.push(key)
      const next = said.shift()!
      if (next instanceof Unreachable) terminal.lost++
      if (next instanceof Error) throw next
      return next
    },
  }
  return { writing: new Writing(terminal as unknown as Terminal, memoryStore(), () => 1_790_000_000), keys, terminal }
}

it('forgets an order when its answer came', async () => {
  const { writing } = stage(CHARGE)
  expect(await writing.send(ORDER)).toEqual({ kind: 'charge', charge: CHARGE })
  expect(await writing.pending()).toBeUndefined()
})

it('keeps an order whose answer was lost, and asks again under the same key', async () => {
  const { writing, keys } = stage(new Unreachable('lost'), CHARGE)
  await expect(writing.send(ORDER)).rejects.toBeInstanceOf(Unsure)
  const pending = (await writing.pending())!
  expect(pending.lost).toBe(true)
  expect(await writing.again(pending)).toEqual({ kind: 'charge', charge: CHARGE })
  expect(keys[1]).toBe(keys[0])
  expect(await writing.pending()).toBeUndefined()
})

it('forgets an order that was refused for certain', async () => {
  const { writing } = stage(new Problem(409, { code: 'card_lost' }))
  await expect(writing.send(ORDER)).rejects.toMatchObject({ code: 'card_lost' })
  expect(await writing.pending()).toBeUndefined()
})

it('stays unsure where the outcome is not known, or the question was turned away after a lost answer', async () => {
  const { writing } = stage(new Problem(503, { code: 'outcome_unknown' }), new Problem(401, { code: 'token_revoked' }), new Problem(409, { code: 'code_expired' }))
  await expect(writing.send(ORDER)).rejects.toBeInstanceOf(Unsure)
  await expect(writing.again((await writing.pending())!)).rejects.toBeInstanceOf(Unsure)
  await expect(writing.again((await writing.pending())!)).rejects.toMatchObject({ code: 'code_expired' })
  expect(await writing.pending()).toBeUndefined()
})

it('does not take a turned-away repetition inside one call for certain', async () => {
  const { writing, terminal } = stage()
  terminal.do = async () => {
    terminal.lost++
    throw new Problem(429, { code: 'throttled' })
  }
  await expect(writing.send(ORDER)).rejects.toBeInstanceOf(Unsure)
})
