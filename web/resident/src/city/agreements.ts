/** The texts a resident agrees to: read from the city, kept for times without network; what is agreed to before signing in waits here. */
import { platform } from '@platform'
import type { components } from '@shared/api/schema'
import { Problem } from '@shared/api/problem'
import { city, hear, session } from './city'
import { choose, prefs } from './prefs'

export type AgreementText = components['schemas']['TextOut']
export type Kind = AgreementText['kind']

export const AT_FIRST_START: readonly Kind[] = ['user_agreement', 'privacy_policy']

/** The present texts. */
export async function presentTexts(): Promise<AgreementText[]> {
  const heard = await session.anonymous.do('get', '/api/agreements', {}).catch(async (fault: unknown) => {
    const kept = await platform.store.get<AgreementText[]>('texts')
    if (kept === undefined) throw fault
    return { items: kept }
  })
  await platform.store.set('texts', heard.items)
  return heard.items
}

/** Agree to the present text of these kinds: sent at once by whoever is signed in, else right after signing in. */
export async function agreeTo(kinds: readonly Kind[]): Promise<void> {
  const read = (await presentTexts()).filter((text) => kinds.includes(text.kind))
  if (!city.signedIn) return choose({ agreed: { ...prefs.agreed, ...Object.fromEntries(read.map((text) => [text.kind, text.version])) } })
  await session.do('post', '/api/me/agreements', { body: { items: read.map(({ kind, version }) => ({ kind, version })) } })
  await hear()
}

/** What the city refuses of words said before signing in: an older version is asked for again, and for a child a guardian speaks. */
const SAID_IN_VAIN = ['agreement_outdated', 'guardian_must_agree']

/** Hand in what was agreed to on this device before anybody was signed in. */
export async function handInAgreed(): Promise<void> {
  const items = Object.entries(prefs.agreed).map(([kind, version]) => ({ kind: kind as Kind, version: version! }))
  if (items.length === 0) return
  await session.do('post', '/api/me/agreements', { body: { items } }).catch((fault: unknown) => {
    if (!(fault instanceof Problem) || !SAID_IN_VAIN.includes(fault.code)) throw fault
  })
  choose({ agreed: {} })
}
