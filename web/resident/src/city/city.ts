/** The city behind the pages: who is signed in, and what was last heard, kept so that the pages work without network. */
import { platform } from '@platform'
import { CityClock } from '@shared/api/clock'
import { Unreachable } from '@shared/api/wire'
import type { components } from '@shared/api/schema'
import { Problem } from '@shared/api/problem'
import { Session } from '@shared/api/session'
import { reactive } from 'vue'
import { choose, prefs } from './prefs'

type Schemas = components['schemas']
export type Card = Schemas['CardOut']
export type Me = Schemas['MeOut']
export type Wallet = Schemas['WalletOut']
export type Installation = Schemas['InstallationOut']

/** What was last heard; kept where it is read without waiting, because it makes the first picture of the next start. */
interface Heard {
  me: Me | null
  cards: Card[]
  wallet: Wallet | null
}

const before = (uni.getStorageSync('heard') || null) as Heard | null

export const city = reactive({
  online: platform.online(),
  signedIn: before !== null,
  installation: null as Installation | null,
  heard: before ?? { me: null, cards: [], wallet: null },
})

export const clock = new CityClock((ahead) => void platform.store.set('ahead', ahead))

export const session = new Session(
  {
    wire: async (sent) => {
      try {
        const came = await platform.wire(sent)
        city.online = true
        return came
      } catch (fault) {
        if (fault instanceof Unreachable) city.online = false
        throw fault
      }
    },
    base: platform.base,
    clock,
    language: () => prefs.language,
    random: (length) => platform.random(length),
    issuer: async () => (await installation()).issuer,
    device: () => platform.device(),
  },
  platform.store,
  () => void leftBehind().then(() => uni.reLaunch({ url: '/pages/enter' })),
)

/** What this installation is; asked once and kept for times without network. */
export async function installation(): Promise<Installation> {
  if (city.installation !== null) return city.installation
  const said = await session.anonymous.do('get', '/api/installation', {}).catch(async (fault: unknown) => {
    const kept = await platform.store.get<Installation>('installation')
    if (kept === undefined) throw fault
    return kept
  })
  await platform.store.set('installation', said) // what came, before it is made reactive: the drawer takes plain things alone
  city.installation = said
  return said
}

let woken: Promise<void> | undefined

/** Take up what the device holds; no network is needed for it. */
export function wake(): Promise<void> {
  return (woken ??= takeUp())
}

async function takeUp(): Promise<void> {
  platform.watchOnline((online) => (city.online = online))
  const [ahead, signedIn] = await Promise.all([platform.store.get<number>('ahead'), session.signedIn()])
  clock.recall(ahead)
  city.signedIn = signedIn
}

/** The city's time, to the millisecond, from its own document. */
export async function setClock(): Promise<void> {
  const asked = Date.now()
  const { time } = await session.anonymous.do('get', '/healthz/live', {})
  clock.learn(Date.parse(time), asked, Date.now(), 1)
}

/** The texts were never agreed to, or have a new version: the city knows for whoever is signed in. */
export function mustAgree(): boolean {
  return city.signedIn ? (city.heard.me?.agreements_due ?? []).length > 0 : Object.keys(prefs.agreed).length === 0
}

/** Hear anew who one is, which cards one holds and what the wallet has. */
export async function hear(): Promise<void> {
  const me = await session.do('get', '/api/me', {})
  if (me.agreements_due.length > 0) uni.reLaunch({ url: '/pages/welcome' })
  if (me.strength < 2) return keep({ me, cards: [], wallet: null }) // a message alone shows nothing of cards and money
  const wallet = session.do('get', '/api/wallet', {}).catch((fault: unknown) => (fault instanceof Problem ? null : city.heard.wallet))
  const { items: cards } = await session.do('get', '/api/cards', {})
  keep({ me, cards, wallet: await wallet })
}

/** Take up one card as an answer showed it. */
export function hearCard(card: Card): void {
  const others = city.heard.cards.filter((each) => each.id !== card.id)
  keep({ ...city.heard, cards: [card, ...others] })
}

function keep(heard: Heard): void {
  city.heard = heard
  uni.setStorageSync('heard', JSON.parse(JSON.stringify(heard))) // a plain copy: what is reactive cannot be kept
}

/** The card that is shown: the one in use, else the newest. */
export function mainCard(): Card | null {
  const { cards } = city.heard
  return cards.find((card) => card.refusal === null) ?? cards.find((card) => card.replaced_by === null) ?? cards[0] ?? null
}

/** Whether the resident has proved enough in this session to pay. */
export const provedEnough = (): boolean => (city.heard.me?.identity_level ?? 0) >= 2 && (city.heard.me?.strength ?? 0) >= 2

/** Nobody is signed in any more: nothing of the last resident stays but the device's own key. */
export async function leftBehind(): Promise<void> {
  city.signedIn = false
  choose({ agreed: {} }) // the next person on this device is asked anew
  city.heard = { me: null, cards: [], wallet: null }
  uni.removeStorageSync('heard')
  await session.forget()
  for (const name of ['pay_key', 'shown', 'asked', 'top_up', 'then', 'intents']) await platform.store.remove(name)
}
