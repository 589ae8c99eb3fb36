/** The code on the screen: made on this device from the held key, fresh every step, without network. */
import { platform } from '@platform'
import { following, payCode, stepAt, type PayKey, type Shown } from '@shared/code/pay_code'
import { clock, session, type Card } from './city'

interface Held {
  card: string
  prefix: string
  handle: number
  stepSeconds: number
  taps: number
  device: unknown
  permutation: unknown
}

/** What makes the codes of a card, from the drawer; null when this device has no key for it. */
export async function heldMaker(card: string | null): Promise<CodeMaker | null> {
  const [held, shown] = await Promise.all([platform.store.get<Held>('pay_key'), platform.store.get<Shown>('shown')])
  if (held === undefined || (card !== null && held.card !== card)) return null
  return new CodeMaker({ ...held, device: platform.mac(held.device), permutation: platform.mac(held.permutation) }, shown ?? null)
}

/** Fetch the key of a card, once: asking again would end the one that is held. */
export async function fetchPayKey(card: Card): Promise<PayKey> {
  const asked = Date.now()
  const given = await session.do('post', '/api/cards/{card}/pay-key', { path: { card: card.id } })
  clock.learn(Date.parse(given.server_time), asked, Date.now(), 1)
  const [device, permutation] = await Promise.all([platform.hold(given.device_secret), platform.hold(given.permutation_key)])
  const { prefix, handle, step_seconds: stepSeconds, taps } = given
  await platform.store.set('pay_key', { card: card.id, prefix, handle, stepSeconds, taps, device, permutation } satisfies Held)
  return { prefix, handle, stepSeconds, taps, device: platform.mac(device), permutation: platform.mac(permutation) }
}

export async function dropPayKey(): Promise<void> {
  await platform.store.remove('pay_key')
}

/** A code with the time it is shown until, in seconds of the city. */
export interface Code {
  readonly digits: string
  readonly until: number
}

/** Makes one code after the other, and remembers across restarts which one of a step is out. */
export class CodeMaker {
  constructor(
    private readonly key: PayKey,
    private shown: Shown | null,
  ) {}

  /** The code of this moment: the one that is out, while its step lasts. */
  async present(): Promise<Code> {
    const step = stepAt(clock.now(), this.key)
    if (this.shown === null || this.shown.step !== step) await this.show({ step, tap: 0 })
    return this.make(this.shown!)
  }

  /** Another code, because the last one was used; null when this step has no more. */
  async another(): Promise<Code | null> {
    const next = following(this.shown, stepAt(clock.now(), this.key), this.key.taps)
    if (next === null) return null
    await this.show(next)
    return this.make(next)
  }

  /** Losing power takes longer than a code lives, so the disk need not be waited for. */
  private async show(next: Shown): Promise<void> {
    this.shown = next
    await platform.store.note('shown', { ...next })
  }

  private async make({ step, tap }: Shown): Promise<Code> {
    return { digits: await payCode(this.key, step, tap), until: (step + 1) * this.key.stepSeconds }
  }
}
