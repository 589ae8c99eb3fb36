/** This counter as the city knows it: a key of its own, a ten-minute session, a signature on every request (D17). */
import { Client, type Surroundings } from '@shared/api/client'
import { deviceKey, makePair, type DeviceKey } from '@shared/api/device_key'
import { signatureOf } from '@shared/api/message_signature'
import { Problem } from '@shared/api/problem'
import type { components } from '@shared/api/schema'
import type { Given, Method, Operation, Options, PathOf } from '@shared/api/typing'
import type { Wire } from '@shared/api/wire'
import { fromBase64url, toBase64url, utf8 } from '@shared/code/bytes'
import type { Store } from '@shared/store/store'

export type Enrolled = Pick<components['schemas']['TerminalOut'], 'id' | 'name' | 'functions' | 'merchant' | 'agency'>
export type TerminalFunction = 'presentation:create' | 'concession:read' | 'charge:create' | 'charge:reverse' | 'charge:refund'

interface Held {
  readonly token: string
  readonly secret: Uint8Array
  readonly until: number
}

const EARLY_SECONDS = 20
const ENROLLED = 'enrolled'
const KEY = 'key'

export class Terminal {
  enrolled: Enrolled | null = null
  /** How many signed requests got no answer. */
  lost = 0
  private held: Held | null = null
  private entering: Promise<Held> | null = null
  private readonly around: Surroundings
  private readonly plain: Client
  private readonly signed: Client

  constructor(
    around: Omit<Surroundings, 'device'>,
    private readonly store: Store,
  ) {
    this.around = { ...around, device: () => this.key() }
    this.plain = new Client(this.around)
    this.signed = new Client({ ...this.around, wire: this.signing(around.wire) }, async () => (await this.session()).token)
  }

  /** Take up what this browser holds; false where it is not enrolled. */
  async recall(): Promise<boolean> {
    this.enrolled = (await this.store.get<Enrolled>(ENROLLED)) ?? null
    return this.enrolled !== null
  }

  may(wanted: TerminalFunction): boolean {
    return this.enrolled?.functions.includes(wanted) ?? false
  }

  /** Give this browser's fresh key to the city by the one-time code; the private half never leaves the browser. */
  async enrol(code: string): Promise<Enrolled> {
    const pair = await makePair()
    await this.store.set(KEY, pair)
    const { jwk } = await deviceKey(pair)
    const given = await this.plain.do('post', '/api/terminals/enrolments', { body: { code: code.trim(), public_key: jwk }, proved: true })
    this.enrolled = { id: given.id, name: given.name, functions: given.functions, merchant: given.merchant, agency: given.agency }
    await this.store.set(ENROLLED, this.enrolled)
    return this.enrolled
  }

  /** Forget the key: the city's administrator has to give a new code afterwards. */
  async forget(): Promise<void> {
    this.held = this.enrolled = null
    await Promise.all([this.store.remove(KEY), this.store.remove(ENROLLED)])
  }

  /** A signed request; a session that ran out on the way is renewed and the request sent once more. */
  async do<M extends Method, P extends PathOf<M>>(method: M, path: P, options: Options<Operation<P, M>>): Promise<Given<Operation<P, M>>> {
    try {
      return await this.signed.do(method, path, options)
    } catch (fault) {
      if (!(fault instanceof Problem) || fault.status !== 401 || fault.code === 'terminal_assertion_refused') throw fault
      this.held = null
      return this.signed.do(method, path, options)
    }
  }

  /** Sign in now, so that the first code of the day is not the slow one; throws what stands against it. */
  async enter(): Promise<void> {
    await this.session()
  }

  private async session(): Promise<Held> {
    if (this.held !== null && this.held.until > this.around.clock.now()) return this.held
    return (this.entering ??= this.signIn().finally(() => (this.entering = null)))
  }

  private async signIn(): Promise<Held> {
    const given = await this.plain.do('post', '/api/terminal-sessions', { body: { assertion: await this.assertion() } })
    this.held = { token: given.access_token, secret: fromBase64url(given.session_key), until: this.around.clock.now() + given.expires_in - EARLY_SECONDS }
    return this.held
  }

  /** What a terminal signs to sign in (RFC 7523): itself, for this city, once, for a minute. */
  private async assertion(): Promise<string> {
    const [key, issuer, once] = await Promise.all([this.key(), this.around.issuer(), this.around.random(16)])
    const now = Math.floor(this.around.clock.now())
    const id = this.enrolled?.id ?? ''
    const said = [
      { typ: 'terminal+jwt', alg: 'ES256', kid: id },
      { iss: id, sub: id, aud: issuer, iat: now, exp: now + 60, jti: toBase64url(once) },
    ]
    const signed = said.map((part) => toBase64url(utf8(JSON.stringify(part)))).join('.')
    return `${signed}.${toBase64url(await key.sign(utf8(signed)))}`
  }

  private signing(wire: Wire): Wire {
    return async (sent) => {
      const { secret } = await this.session()
      const headers = { ...sent.headers, ...(await signatureOf(sent, secret, Math.floor(this.around.clock.now()))) }
      return wire({ ...sent, headers }).catch((fault: unknown) => {
        this.lost++
        throw fault
      })
    }
  }

  private async key(): Promise<DeviceKey> {
    const pair = await this.store.get<CryptoKeyPair>(KEY)
    if (pair === undefined) throw new Error('this browser holds no key of a terminal')
    return deviceKey(pair)
  }
}
