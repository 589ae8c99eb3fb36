/**
 * The WeChat package: no WebCrypto and no unreadable keys there, so both keys lie in the package's own storage. That still
 * defeats whoever stole a token elsewhere; what needs more is proved by face or passkey.
 */
import { p256 } from '@noble/curves/p256'
import type { DeviceKey } from '@shared/api/device_key'
import { Unreachable, type Came } from '@shared/api/wire'
import { fromBase64url, toBase64url } from '@shared/code/bytes'
import { plainMac } from '@shared/code/pay_code'
import { sha256 } from '@shared/code/sha256'
import type { Store } from '@shared/store/store'
import type { Platform } from './platform'

const store: Store = {
  get: <T>(name: string) => Promise.resolve((wx.getStorageSync(`city:${name}`) || undefined) as T | undefined),
  set: async (name, value) => wx.setStorageSync(`city:${name}`, value),
  note: async (name, value) => wx.setStorageSync(`city:${name}`, value),
  remove: async (name) => wx.removeStorageSync(`city:${name}`),
}

function random(length: number): Promise<Uint8Array> {
  return new Promise((done, fail) =>
    wx.getRandomValues({ length, success: ({ randomValues }) => done(new Uint8Array(randomValues)), fail: (fault) => fail(new Error(fault.errMsg)) }),
  )
}

async function makeKey(): Promise<DeviceKey> {
  let secret = await store.get<string>('device')
  if (secret === undefined) {
    secret = toBase64url(p256Secret(await random(48)))
    await store.set('device', secret)
  }
  const key = fromBase64url(secret)
  const point = p256.getPublicKey(key, false)
  const jwk = { kty: 'EC', crv: 'P-256', x: toBase64url(point.slice(1, 33)), y: toBase64url(point.slice(33)) } as const
  return { jwk, sign: (message) => Promise.resolve(p256.sign(sha256(message), key, { prehash: false, lowS: false }).toCompactRawBytes()) }
}

/** 48 random bytes reduced to a private key without bias (FIPS 186-5 A.2.1). */
function p256Secret(seed: Uint8Array): Uint8Array {
  const number = seed.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const hex = ((number % (p256.CURVE.n - 1n)) + 1n).toString(16).padStart(64, '0')
  return Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16))
}

let known: Promise<DeviceKey> | undefined
let connected = true

export const platform: Platform = {
  base: __CITY_ADDRESS__,
  wire: ({ method, url, headers, body }) =>
    new Promise<Came>((done, fail) =>
      wx.request({
        url,
        method: method as 'GET',
        header: { ...headers },
        ...(body === undefined ? {} : { data: body }),
        dataType: 'text' as '其他', // anything but "json": the text is read by us
        responseType: 'text',
        timeout: 15_000,
        success: ({ statusCode, data, header }) => {
          const lower = Object.fromEntries(Object.entries(header).map(([name, value]) => [name.toLowerCase(), String(value)]))
          done({ status: statusCode, header: (name) => lower[name.toLowerCase()] ?? null, text: typeof data === 'string' ? data : JSON.stringify(data) })
        },
        fail: (fault) => fail(new Unreachable(fault.errMsg)),
      }),
    ),
  store,
  random,
  device: () => (known ??= makeKey()),
  hold: (secret) => Promise.resolve(secret),
  mac: (held) => plainMac(fromBase64url(held as string)),
  languages: () => [wx.getAppBaseInfo().language],
  name: () => wx.getDeviceInfo().model.slice(0, 40),
  online: () => connected,
  watchOnline: (told) => {
    wx.onNetworkStatusChange(({ isConnected }) => told((connected = isConnected)))
  },
  shine: () => {
    let before = -1
    wx.getScreenBrightness({ success: ({ value }) => (before = value) })
    wx.setScreenBrightness({ value: 1, fail: () => undefined })
    wx.setKeepScreenOn({ keepScreenOn: true, fail: () => undefined })
    return () => {
      if (before >= 0) wx.setScreenBrightness({ value: before, fail: () => undefined })
      wx.setKeepScreenOn({ keepScreenOn: false, fail: () => undefined })
    }
  },
  leave: (url) => {
    wx.setClipboardData({ data: url, fail: () => undefined })
    return false
  },
  entitle: () => undefined,
}
