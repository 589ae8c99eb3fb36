/** The member of staff at this counter: signed in by name, password and one-time code, bound to a key made for this shift. */
import type { Surroundings } from '@shared/api/client'
import { deviceKey, makePair, type DeviceKey } from '@shared/api/device_key'
import { Session } from '@shared/api/session'
import { fromBase64url } from '@shared/code/bytes'
import type { Store } from '@shared/store/store'

/** A shift on this counter; `permissions` only decide what is offered, the city decides what is done. */
export interface Shift {
  readonly id: string
  readonly login: string
  readonly name: string
  readonly since: string
  readonly permissions: readonly string[]
}

const SHIFT = 'shift'
const KEY = 'key'

export class Operator {
  shift: Shift | null = null
  readonly session: Session
  private readonly around: Surroundings

  constructor(
    around: Omit<Surroundings, 'device'>,
    private readonly store: Store,
    private readonly changed: () => void,
  ) {
    this.around = { ...around, device: () => this.key() }
    this.session = new Session(this.around, store, () => void this.drop())
  }

  /** Take up a shift that a reload of the page interrupted. */
  async recall(): Promise<void> {
    this.shift = (await this.session.signedIn()) ? ((await this.store.get<Shift>(SHIFT)) ?? null) : null
    this.changed()
  }

  may(permission: string): boolean {
    return this.shift?.permissions.includes(permission) ?? false
  }

  async begin(login: string, password: string, code: string): Promise<void> {
    await this.store.set(KEY, await makePair())
    const tokens = await this.session.anonymous.do('post', '/api/staff-sessions', { body: { login, password, code } as never, proved: true })
    await this.session.begin(tokens)
    const said = claims(tokens.access_token)
    const since = new Date(this.around.clock.now() * 1000).toISOString()
    this.shift = { id: said.sub, login, name: said.name || login, since, permissions: (said.scope ?? '').split(' ').filter(Boolean) }
    await this.store.set(SHIFT, this.shift)
    this.changed()
  }

  /** End the shift here and at the city; without network it ends here, and at the city when its token runs out. */
  async end(): Promise<void> {
    await this.session.do('delete', '/api/sessions/current', {}).catch(() => undefined)
    await this.drop()
  }

  private async drop(): Promise<void> {
    this.shift = null
    await this.session.forget()
    await Promise.all([this.store.remove(SHIFT), this.store.remove(KEY)])
    this.changed()
  }

  private async key(): Promise<DeviceKey> {
    const pair = await this.store.get<CryptoKeyPair>(KEY)
    if (pair === undefined) throw new Error('nobody is signed in')
    return deviceKey(pair)
  }
}

/** What a token says about its bearer, for showing alone; trust in it is the city's business. */
function claims(token: string): { sub: string; name?: string; scope?: string } {
  const bytes = fromBase64url(token.split('.')[1] ?? '')
  return JSON.parse(new TextDecoder().decode(bytes)) as { sub: string; name?: string; scope?: string }
}
