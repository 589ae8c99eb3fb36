/** The typed way to the city's API: one function a request, refusals as `Problem`, no answer as `Unreachable`. */
import { toBase64url } from '../code/bytes'
import type { Language } from '../language/language'
import type { CityClock } from './clock'
import { proof, type DeviceKey } from './device_key'
import { problemOf } from './problem'
import type { Given, Method, Operation, Options, PathOf } from './typing'
import { Unreachable, type Came, type Wire } from './wire'

export interface Surroundings {
  readonly wire: Wire
  /** Where requests go: empty for the page's own origin. */
  readonly base: string
  readonly clock: CityClock
  readonly language: () => Language
  readonly random: (length: number) => Promise<Uint8Array>
  /** The address under which the platform knows itself, for proofs. */
  readonly issuer: () => Promise<string>
  readonly device: () => Promise<DeviceKey>
}

/** An answer; `body` is null when nothing changed since `unless`. */
export interface Answer<T> {
  readonly body: T
  readonly etag: string | null
  readonly changed: boolean
}

interface Loose {
  readonly path?: Record<string, string>
  readonly query?: Record<string, unknown>
  readonly body?: unknown
  readonly key?: string
  readonly proved?: boolean
  readonly unless?: string
}

export class Client {
  constructor(
    readonly around: Surroundings,
    private readonly bearer: () => Promise<string | null> = () => Promise.resolve(null),
  ) {}

  /** The body of an answer. */
  async do<M extends Method, P extends PathOf<M>>(method: M, path: P, options: Options<Operation<P, M>>): Promise<Given<Operation<P, M>>> {
    return (await this.ask(method, path, options)).body
  }

  /** The whole answer, for what is asked again and again by its ETag. */
  async ask<M extends Method, P extends PathOf<M>>(method: M, path: P, options: Options<Operation<P, M>>): Promise<Answer<Given<Operation<P, M>>>> {
    const came = await this.send(method.toUpperCase(), path as string, options as Loose)
    const body = (came.text && came.status !== 304 ? JSON.parse(came.text) : null) as Given<Operation<P, M>>
    return { body, etag: came.header('ETag'), changed: came.status !== 304 }
  }

  /** One request with all its headers; a write whose answer was lost is tried once more under the same key. */
  private async send(method: string, template: string, options: Loose): Promise<Came> {
    const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(options.path?.[name] ?? ''))
    const headers: Record<string, string> = { 'Accept-Language': this.around.language() }
    if (options.body !== undefined) headers['Content-Type'] = 'application/json'
    if (options.unless !== undefined) headers['If-None-Match'] = options.unless
    if (method !== 'GET') headers['Idempotency-Key'] = options.key ?? toBase64url(await this.around.random(16))
    const token = await this.bearer()
    if (token !== null) headers['Authorization'] = `Bearer ${token}`
    const once = async (): Promise<Came> => {
      if (options.proved) headers['DPoP'] = await this.proof(method, path)
      return this.timed({ method, url: this.around.base + path + query(options.query), headers, ...body(options.body) })
    }
    const came = await once().catch((fault: unknown) => {
      if (fault instanceof Unreachable && method === 'POST' && !options.proved) return once()
      throw fault
    })
    if (came.status >= 400) throw problemOf(came.status, came.text)
    return came
  }

  private async timed(sent: Parameters<Wire>[0]): Promise<Came> {
    const asked = Date.now()
    const came = await this.around.wire(sent)
    const said = came.header('Date')
    if (said !== null) this.around.clock.learn(Date.parse(said), asked, Date.now(), 1000)
    return came
  }

  private async proof(method: string, path: string): Promise<string> {
    const [key, issuer, once] = await Promise.all([this.around.device(), this.around.issuer(), this.around.random(16)])
    return proof(key, method, issuer + path, this.around.clock.now(), once)
  }
}

function body(given: unknown): { body?: string } {
  return given === undefined ? {} : { body: JSON.stringify(given) }
}

function query(values: Record<string, unknown> | undefined): string {
  const given = Object.entries(values ?? {}).filter(([, value]) => value !== undefined && value !== null)
  return given.length ? `?${given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}` : ''
}
