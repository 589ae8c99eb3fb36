/** What this counter did today, kept in this browser: the city offers no list of a terminal's charges. */
import { moment } from '@shared/language/language'
import type { Store } from '@shared/store/store'
import type { Charge, Undone } from './writing'

export interface Line {
  readonly id: string
  readonly receipt_number: string
  readonly amount_fen: number
  readonly given_back_fen: number
  readonly masked_name: string
  readonly occurred_at: string
}

interface Day {
  readonly day: string
  readonly lines: readonly Line[]
}

const TODAY = 'today'
const MOST_LINES = 2000

export class Today {
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {}

  /** The charges of today, newest first; those of another day are gone. */
  async lines(): Promise<readonly Line[]> {
    const kept = await this.store.get<Day>(TODAY)
    return kept?.day === this.day() ? kept.lines : []
  }

  async add(charge: Charge): Promise<void> {
    const line: Line = { ...pick(charge), given_back_fen: 0 }
    const others = (await this.lines()).filter((each) => each.id !== line.id)
    await this.keep([line, ...others].slice(0, MOST_LINES))
  }

  async undo(undone: Undone): Promise<void> {
    const lines = await this.lines()
    await this.keep(lines.map((each) => (each.id === undone.charge_id ? { ...each, given_back_fen: each.amount_fen - undone.left_fen } : each)))
  }

  private async keep(lines: readonly Line[]): Promise<void> {
    await this.store.set(TODAY, { day: this.day(), lines } satisfies Day)
  }

  private day(): string {
    return moment(new Date(this.now() * 1000).toISOString()).slice(0, 10)
  }
}

function pick({ id, receipt_number, amount_fen, masked_name, occurred_at }: Charge): Omit<Line, 'given_back_fen'> {
  return { id, receipt_number, amount_fen, masked_name, occurred_at }
}

/** How much was taken and given back. */
export function totals(lines: readonly Line[]): { count: number; taken: number; back: number } {
  return lines.reduce((sum, line) => ({ count: sum.count + 1, taken: sum.taken + line.amount_fen, back: sum.back + line.given_back_fen }), { count: 0, taken: 0, back: 0 })
}
