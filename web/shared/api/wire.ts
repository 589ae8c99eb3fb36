/** How a request leaves the device: by fetch in a browser, by wx.request in the WeChat package. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Came {
  readonly status: number
  readonly header: (name: string) => string | null
  readonly text: string
}

/** Gives the answer, whatever its status; throws `Unreachable` when there was none. */
export type Wire = (sent: Sent) => Promise<Came>

/** No answer came: there is no network, or the city's centre is away. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

const PATIENCE_MS = 15_000

export const browserWire: Wire = async ({ method, url, headers, body }) => {
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS)
  try {
    const answer = await fetch(url, { method, headers, body: body ?? null, signal: patience.signal, cache: 'no-store', credentials: 'omit' })
    return { status: answer.status, header: (name) => answer.headers.get(name), text: await answer.text() }
  } catch (fault) {
    throw new Unreachable(String(fault))
  } finally {
    clearTimeout(timer)
  }
}
