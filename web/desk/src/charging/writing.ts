/**
 * A write that moves money, kept in the drawer before it is sent: when its answer is lost, or the page, or the power, it is asked again
 * under the same Idempotency-Key, and the city gives the first answer or does it once.
 */
import { Problem } from '@shared/api/problem'
import type { components } from '@shared/api/schema'
import { toBase64url } from '@shared/code/bytes'
import type { Store } from '@shared/store/store'
import type { Terminal } from '../terminal/terminal'

export type Charge = components['schemas']['ChargeOut']
export type Undone = components['schemas']['UndoneOut']

export type Order =
  | { readonly kind: 'charge'; readonly body: { readonly amount_fen: number; readonly code?: string; readonly presentation_id?: string } }
  | { readonly kind: 'reversal'; readonly charge: string; readonly body: { readonly reason: string } }
  | { readonly kind: 'refund'; readonly charge: string; readonly body: { readonly amount_fen: number; readonly reason: string } }

export interface Pending {
  readonly order: Order
  readonly key: string
  readonly at: string
  /** Whether an answer was lost, so that the city may have done it. */
  readonly lost: boolean
}

export type Outcome = { readonly kind: 'charge'; readonly charge: Charge } | { readonly kind: 'undone'; readonly undone: Undone }

/** It is not known whether the city did it; asking again tells. */
export class Unsure extends Error {
  override name = 'Unsure'
  constructor(readonly fault: unknown) {
    super('unsure')
  }
}

const PENDING = 'pending'
const NOT_DECIDED = new Set(['request_in_progress'])

export class Writing {
  constructor(
    private readonly terminal: Terminal,
    private readonly store: Store,
    private readonly now: () => number,
  ) {}

  /** The write whose outcome is still open, if any. */
  pending(): Promise<Pending | undefined> {
    return this.store.get<Pending>(PENDING)
  }

  /** Send an order for the first time; the answer, a refusal as `Problem`, or `Unsure`. */
  async send(order: Order): Promise<Outcome> {
    const key = toBase64url(crypto.getRandomValues(new Uint8Array(16)))
    const pending: Pending = { order, key, at: new Date(this.now() * 1000).toISOString(), lost: false }
    await this.store.set(PENDING, pending)
    return this.settle(pending)
  }

  /** Ask again about an order whose answer did not come. */
  async again(pending: Pending): Promise<Outcome> {
    return this.settle({ ...pending, lost: true })
  }

  private async settle(pending: Pending): Promise<Outcome> {
    const lostBefore = this.terminal.lost
    try {
      const outcome = await this.ask(pending)
      await this.store.remove(PENDING)
      return outcome
    } catch (fault) {
      if (decided(fault, pending.lost || this.terminal.lost > lostBefore)) {
        await this.store.remove(PENDING)
        throw fault
      }
      await this.store.set(PENDING, { ...pending, lost: true })
      throw new Unsure(fault)
    }
  }

  private async ask({ order, key }: Pending): Promise<Outcome> {
    if (order.kind === 'charge') return { kind: 'charge', charge: await this.terminal.do('post', '/api/charges', { body: order.body as never, key }) }
    const path = { charge: order.charge }
    if (order.kind === 'reversal') return { kind: 'undone', undone: await this.terminal.do('post', '/api/charges/{charge}/reversal', { path, body: order.body, key }) }
    return { kind: 'undone', undone: await this.terminal.do('post', '/api/charges/{charge}/refunds', { path, body: order.body, key }) }
  }
}

/** Whether a fault says for certain that nothing was done; one that came before the work does not, once an answer was lost. */
function decided(fault: unknown, lost: boolean): boolean {
  if (!(fault instanceof Problem) || fault.status >= 500 || NOT_DECIDED.has(fault.code)) return false
  return !(lost && (fault.status === 401 || fault.status === 429))
}
