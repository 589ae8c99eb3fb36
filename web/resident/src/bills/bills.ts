/** The accounts that a resident has bound at the city's companies, and their bills. */
import type { components } from '@shared/api/schema'
import { wordsOf } from '@shared/api/problem'
import { moment } from '@shared/language/language'
import type { IconName } from '@shared/look/icons'
import { session } from '@/city/city'
import { prefs } from '@/city/prefs'
import { tell, told } from './telling'

type Schemas = components['schemas']
export type Item = Schemas['ItemOut']
export type Binding = Schemas['BindingOut']
export type Bill = Schemas['BillOut']
export type Payment = Schemas['BillPaymentOut']
export type Paid = Schemas['ListedBillPaymentOut']

/** An account with its bills, newest first; `said` is what its reader must know of them. */
export interface Account {
  readonly binding: Binding
  readonly item: Item | undefined
  readonly bills: readonly Bill[]
  readonly said: string
}

/** The bills that the resident's city offers, whichever they are. */
export async function offered(): Promise<Item[]> {
  const { services } = await session.do('get', '/api/items', {})
  return services.filter((item) => item.kind === 'statement')
}

/** A bound account with what its company says now; while it is away, what it said last. */
export async function accountOf(binding: Binding, items: readonly Item[]): Promise<Account> {
  const item = items.find((each) => each.code === binding.item)
  try {
    const { bills, fresh } = await session.do('get', '/api/bindings/{binding}/bills', { path: { binding: binding.id } })
    const time = bills.map((bill) => bill.fetched_at).sort().at(-1)
    const away = time ? tell('away', { agency: agencyOf(item), time: moment(time) }) : tell('away_never', { agency: agencyOf(item) })
    return { binding, item, bills, said: fresh ? '' : away }
  } catch (fault) {
    return { binding, item, bills: [], said: wordsOf(fault, prefs.language) }
  }
}

const ICONS: Readonly<Record<string, IconName>> = { water: 'drop', power: 'bolt', gas: 'flame' }

/** A picture of what a bill is for; a bill of another kind has that of a bill. */
export const iconOf = (code: string | undefined): IconName => ICONS[code ?? ''] ?? 'receipt'

export const nameOf = (item: Item | undefined, code: string): string => (item ? told(item.name) : code)
export const agencyOf = (item: Item | undefined): string => (item ? told(item.agency) : '')

/** What people call an account: the bill's name and their own word for it, or its number. */
export const accountName = (binding: Binding, item: Item | undefined): string =>
  `${nameOf(item, binding.item)}\u00a0· ${binding.alias || binding.account_number}`

/** A unit as it is written: the ASCII of the API made readable. */
export const unitOf = (unit: string): string => unit.replace(/m3$/, 'm³')

/** One bound account, wherever in the pages of the list it stands. */
export async function bindingOf(id: string): Promise<Binding | undefined> {
  let cursor: string | null | undefined
  do {
    const page = await session.do('get', '/api/bindings', { query: { limit: 100, ...(cursor ? { cursor } : {}) } })
    const found = page.items.find((each) => each.id === id)
    if (found) return found
    cursor = page.next_cursor
  } while (cursor)
  return undefined
}
