import { deviceKey, makePair } from '@shared/api/device_key'
import { browserWire } from '@shared/api/wire'
import { heldKey, heldMac } from '@shared/code/pay_code'
import { browserStore } from '@shared/store/store'
import type { Platform } from './platform'

const store = browserStore('citycard')

async function pair(): Promise<CryptoKeyPair> {
  const kept = await store.get<CryptoKeyPair>('device')
  if (kept !== undefined) return kept
  const made = await makePair()
  await store.set('device', made)
  void navigator.storage?.persist?.() // a browser short of space would else throw the key away
  return made
}

/** What people call this device, as far as the browser says: "Android", "iPhone · Safari". */
function named(agent: string): string {
  const device = /iPhone|iPad|Android|Macintosh|Windows|CrOS|Linux/.exec(agent)?.[0]?.replace('Macintosh', 'Mac') ?? ''
  const browser = /MicroMessenger|Edg|Firefox|Chrome|Safari/.exec(agent)?.[0]?.replace('Edg', 'Edge').replace('MicroMessenger', 'WeChat') ?? ''
  return [device, browser].filter(Boolean).join(' · ')
}

let known: ReturnType<Platform['device']> | undefined

/** A browser: WebCrypto, IndexedDB, fetch. */
export const platform: Platform = {
  base: '',
  wire: browserWire,
  store,
  random: (length) => Promise.resolve(crypto.getRandomValues(new Uint8Array(length))),
  device: () => (known ??= pair().then(deviceKey)),
  hold: heldKey,
  mac: (held) => heldMac(held as CryptoKey),
  languages: () => navigator.languages,
  name: () => named(navigator.userAgent),
  online: () => navigator.onLine,
  watchOnline: (told) => {
    for (const event of ['online', 'offline']) addEventListener(event, () => told(navigator.onLine))
  },
  shine: () => {
    const lock = navigator.wakeLock?.request('screen').catch(() => undefined)
    return () => void lock?.then((held) => held?.release())
  },
  leave: (url, page) => {
    const back = `${location.origin}${location.pathname}#/${page}`
    location.assign(`${url}${url.includes('?') ? '&' : '?'}back=${encodeURIComponent(back)}`)
    return true
  },
  entitle: (title, language, elder) => {
    document.title = title
    document.documentElement.lang = language
    document.documentElement.classList.toggle('elder', elder)
  },
}
