/** What differs between a browser and the WeChat package; each implements this once. */
import type { DeviceKey } from '@shared/api/device_key'
import type { Wire } from '@shared/api/wire'
import type { Mac } from '@shared/code/pay_code'
import type { Store } from '@shared/store/store'

export interface Platform {
  readonly base: string
  readonly wire: Wire
  readonly store: Store
  random(length: number): Promise<Uint8Array>
  /** This device's key, made at the first call. */
  device(): Promise<DeviceKey>
  /** A secret as it is kept: unreadable where the platform can. */
  hold(secret: string): Promise<unknown>
  mac(held: unknown): Mac
  languages(): readonly string[]
  name(): string
  online(): boolean
  watchOnline(told: (online: boolean) => void): void
  /** Keep the screen on and bright while a code shows; returns how to let go. */
  shine(): () => void
  /** Leave for another page, which comes back to `page` of this app; false where only a copied address helps. */
  leave(url: string, page: string): boolean
  /** Words for a screen reader and the window's own title. */
  entitle(title: string, language: string, elder: boolean): void
}
