/** Ways between pages, and who may be where. */
import { city, mustAgree, wake } from './city'

export type Place = 'home' | 'code' | 'welcome' | 'enter' | 'prove' | 'card' | 'top_up' | 'receipts' | 'devices' | 'notices' | 'mine' | 'agreed' | 'text' | Later

/** What lies in the script that is brought when it is opened. */
type Later = 'bills/accounts' | 'bills/bind' | 'bills/account' | 'bills/bill' | 'bills/paid' | 'top_up_back'

export function go(place: Place, query: Record<string, string> = {}): void {
  const words = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  uni.navigateTo({ url: `/pages/${place}${words.length ? `?${words.join('&')}` : ''}`, animationDuration: 0 })
}

/** Begin anew at a page: nothing lies behind it. */
export function start(place: Place): void {
  uni.reLaunch({ url: `/pages/${place}` })
}

export function back(): void {
  if (getCurrentPages().length > 1) uni.navigateBack({ animationDuration: 0 })
  else start('home')
}

/** Send whoever must not be here yet to where they must be first; true when the page may show itself. */
export async function admitted(): Promise<boolean> {
  await wake()
  if (mustAgree()) {
    start('welcome')
    return false
  }
  if (!city.signedIn) start('enter')
  return city.signedIn
}
