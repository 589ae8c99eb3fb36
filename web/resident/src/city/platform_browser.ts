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
  name: () => /\(([^;)]+)/.exec(navigator.userAgent)?.[1]?.slice(0, 40) ?? '',
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
