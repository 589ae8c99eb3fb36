/** What stands on the till: nothing, a person, a refusal, an open question or a receipt; and what a scanned code does to it. */
import { Problem } from '@shared/api/problem'
import type { components } from '@shared/api/schema'
import { fenOf } from '@shared/language/language'
import { shallowReactive } from 'vue'
import type { Terminal } from '../terminal/terminal'
import type { Today } from './today'
import { Unsure, type Charge, type Order, type Outcome, type Pending, type Writing } from './writing'

export type Presentation = components['schemas']['PresentationOut']
export type Stands =
  | { readonly at: 'ready' }
  | { readonly at: 'asking'; readonly what: 'present' | 'charge' }
  | { readonly at: 'shown'; readonly presentation: Presentation }
  | { readonly at: 'refused'; readonly fault: unknown; readonly what: 'present' | 'charge' }
  | { readonly at: 'unsure'; readonly pending: Pending }
  | { readonly at: 'done'; readonly charge: Charge }
  | { readonly at: 'amount_first' }

export const MOST_FEN = 500_000

export class Till {
  readonly seen = shallowReactive<{ stands: Stands; amount: string }>({ stands: { at: 'ready' }, amount: '' })

  constructor(
    private readonly terminal: Terminal,
    private readonly writing: Writing,
    private readonly today: Today,
  ) {}

  /** A charge whose answer was lost before this page was loaded comes first. */
  async recall(): Promise<void> {
    const pending = await this.writing.pending()
    if (pending?.order.kind === 'charge') this.seen.stands = { at: 'unsure', pending }
  }

  /** The amount keyed in, in fen; null when it is none that can be charged. */
  get fen(): number | null {
    const fen = fenOf(this.seen.amount)
    return fen !== null && fen > 0 && fen <= MOST_FEN ? fen : null
  }

  get busy(): boolean {
    return this.seen.stands.at === 'asking' || this.seen.stands.at === 'unsure'
  }

  /** A code came: with an amount on the till it is charged at once, without one it shows who stands there. */
  async take(code: string): Promise<void> {
    const fen = this.fen
    if (this.busy) return
    if (fen !== null && this.terminal.may('charge:create') && this.seen.stands.at !== 'shown') return this.order({ amount_fen: fen, code })
    if (!this.terminal.may('presentation:create')) return void (this.seen.stands = { at: 'amount_first' })
    return this.present(code)
  }

  /** Charge the person shown. */
  async charge(): Promise<void> {
    const { stands } = this.seen
    if (stands.at !== 'shown' || this.fen === null) return
    await this.order({ amount_fen: this.fen, presentation_id: stands.presentation.id })
  }

  /** Ask again about the charge whose answer was lost. */
  async again(): Promise<void> {
    const { stands } = this.seen
    if (stands.at !== 'unsure') return
    this.seen.stands = { at: 'asking', what: 'charge' }
    await this.settle(() => this.writing.again(stands.pending))
  }

  /** Clear the till for the next person; an open question stays. */
  clear(): void {
    if (this.busy) return
    this.seen.stands = { at: 'ready' }
    this.seen.amount = ''
  }

  private async present(code: string): Promise<void> {
    this.seen.stands = { at: 'asking', what: 'present' }
    try {
      this.seen.stands = { at: 'shown', presentation: await this.terminal.do('post', '/api/presentations', { body: { code } }) }
    } catch (fault) {
      this.seen.stands = { at: 'refused', fault, what: 'present' }
    }
  }

  private async order(body: Extract<Order, { kind: 'charge' }>['body']): Promise<void> {
    this.seen.stands = { at: 'asking', what: 'charge' }
    await this.settle(() => this.writing.send({ kind: 'charge', body }))
  }

  private async settle(ask: () => Promise<Outcome>): Promise<void> {
    try {
      const outcome = await ask()
      if (outcome.kind !== 'charge') return
      await this.today.add(outcome.charge)
      this.seen.stands = { at: 'done', charge: outcome.charge }
      this.seen.amount = ''
    } catch (fault) {
      await this.refuse(fault)
    }
  }

  private async refuse(fault: unknown): Promise<void> {
    const pending = fault instanceof Unsure ? await this.writing.pending() : undefined
    this.seen.stands = pending ? { at: 'unsure', pending } : { at: 'refused', fault: fault instanceof Unsure ? fault.fault : fault, what: 'charge' }
  }
}

/** The code of a refusal, for a support call; empty when there was no answer. */
export function codeOf(fault: unknown): string {
  return fault instanceof Problem ? fault.code : ''
}
