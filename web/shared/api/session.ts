/** Being signed in: an access token in memory, a refresh token in the drawer, bound to the device's key (D5). */
import type { Store } from '../store/store'
import { Client, type Answer, type Surroundings } from './client'
import { Problem } from './problem'
import type { components } from './schema'
import type { Given, Method, Operation, Options, PathOf } from './typing'

export type Tokens = components['schemas']['TokensOut']

const EARLY_SECONDS = 20
const REFRESH = 'refresh'
const OVER = new Set(['refresh_refused', 'refresh_reused'])

export class Session {
  private access: { token: string; until: number } | null = null
  private turning: Promise<string | null> | null = null
  private readonly plain: Client
  private readonly client: Client

  constructor(
    private readonly around: Surroundings,
    private readonly store: Store,
    /** Called when the city ended this sign-in. */
    private readonly ended: () => void = () => undefined,
  ) {
    this.plain = new Client(around)
    this.client = new Client(around, () => this.token())
  }

  /** Requests in nobody's name. */
  get anonymous(): Client {
    return this.plain
  }

  async signedIn(): Promise<boolean> {
    return this.access !== null || (await this.store.get<string>(REFRESH)) !== undefined
  }

  /** Take up what a sign-in gave. */
  async begin(tokens: Tokens): Promise<void> {
    if (tokens.refresh_token !== null) await this.store.set(REFRESH, tokens.refresh_token)
    this.raise(tokens.access_token, tokens.expires_in)
  }

  /** Take up the stronger token that a proof gave. */
  raise(token: string, seconds: number): void {
    this.access = { token, until: this.around.clock.now() + seconds - EARLY_SECONDS }
  }

  async forget(): Promise<void> {
    this.access = null
    await this.store.remove(REFRESH)
  }

  async do<M extends Method, P extends PathOf<M>>(method: M, path: P, options: Options<Operation<P, M>>): Promise<Given<Operation<P, M>>> {
    return (await this.ask(method, path, options)).body
  }

  /** A request in the resident's name; a token that ran out on the way is turned over and the request sent once more. */
  async ask<M extends Method, P extends PathOf<M>>(method: M, path: P, options: Options<Operation<P, M>>): Promise<Answer<Given<Operation<P, M>>>> {
    try {
      return await this.client.ask(method, path, options)
    } catch (fault) {
      if (!(fault instanceof Problem) || fault.status !== 401) throw fault
      if (fault.code === 'token_revoked') return this.over(fault)
      this.access = null
      if ((await this.token()) === null) throw fault
      return this.client.ask(method, path, options)
    }
  }

  /** Ask the city for the token of this moment, whatever is held: after a step-up elsewhere. */
  async renew(): Promise<void> {
    this.access = null
    await this.token()
  }

  private async token(): Promise<string | null> {
    if (this.access !== null && this.access.until > this.around.clock.now()) return this.access.token
    return (this.turning ??= this.turn().finally(() => (this.turning = null)))
  }

  /** Two pages of one browser must not turn one token at once: the second would look like a thief. */
  private async turn(): Promise<string | null> {
    const alone = (globalThis.navigator as Navigator | undefined)?.locks
    return alone ? await alone.request('citycard-refresh', () => this.refresh()) : this.refresh()
  }

  /** The old token stays until the new one is kept, so a lost answer is asked for again (the city allows it for a minute). */
  private async refresh(): Promise<string | null> {
    const held = await this.store.get<string>(REFRESH)
    if (held === undefined) return null
    try {
      const tokens = await this.plain.do('post', '/api/sessions/refresh', { body: { refresh_token: held }, proved: true })
      await this.begin(tokens)
      return tokens.access_token
    } catch (fault) {
      if (fault instanceof Problem && OVER.has(fault.code)) return this.over(fault)
      throw fault
    }
  }

  private async over(fault: Problem): Promise<never> {
    await this.forget()
    this.ended()
    throw fault
  }
}
