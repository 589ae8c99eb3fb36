/** What the resident has decided on and the city has not answered yet: its Idempotency-Key outlives the page, so trying again is never paying again. */
import { platform } from '@platform'
import { Problem } from '@shared/api/problem'
import { toBase64url } from '@shared/code/bytes'

type Intents = Record<string, { key: string; amount: number }>

const SHELF = 'intents'
/** Refusals after which the first try may still come to its end. */
const UNDECIDED = new Set(['request_in_progress', 'token_expired'])

/** Send a decision under its own key. An answer or a refusal ends it; a lost answer keeps it for the next try. */
export async function decide<T>(name: string, amount: number, send: (key: string) => Promise<T>): Promise<T> {
  const key = await keyOf(name, amount)
  try {
    const given = await send(key)
    await end(name)
    return given
  } catch (fault) {
    if (fault instanceof Problem && fault.status < 500 && !UNDECIDED.has(fault.code)) await end(name)
    throw fault
  }
}

async function keyOf(name: string, amount: number): Promise<string> {
  const kept = await held()
  const known = kept[name]
  if (known?.amount === amount) return known.key
  const key = toBase64url(await platform.random(16))
  await platform.store.set(SHELF, { ...kept, [name]: { key, amount } })
  return key
}

async function end(name: string): Promise<void> {
  const { [name]: _, ...others } = await held()
  await platform.store.set(SHELF, others)
}

const held = async (): Promise<Intents> => (await platform.store.get<Intents>(SHELF)) ?? {}
