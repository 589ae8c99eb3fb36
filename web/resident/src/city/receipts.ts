/** Hearing of a payment while a code shows: the newest receipt, asked for every two seconds by its ETag. */
import type { components } from '@shared/api/schema'
import { city, session } from './city'

export type Receipt = components['schemas']['ReceiptOut']

const EVERY_MS = 2000

/** Tells of each payment that comes from now on; returns how to stop. */
export function watchReceipts(tell: (receipt: Receipt) => void): () => void {
  let etag: string | null = null
  let newest: string | null | undefined
  let over = false
  const look = async (): Promise<void> => {
    const said = await session.ask('get', '/api/receipts', { query: { limit: 1 }, ...(etag ? { unless: etag } : {}) })
    if (over || !said.changed) return
    etag = said.etag
    const first = said.body.items[0]
    if (newest !== undefined && first && first.id !== newest && first.kind === 'charge') tell(first)
    newest = first?.id ?? null
  }
  const rounds = async (): Promise<void> => {
    while (!over) {
      // Without network there is nothing to hear; a fault is no reason to stop listening.
      if (city.signedIn) await look().catch(() => undefined)
      await new Promise((done) => setTimeout(done, EVERY_MS))
    }
  }
  void rounds()
  return () => (over = true)
}
