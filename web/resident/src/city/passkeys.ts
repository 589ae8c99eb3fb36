/** Passkeys, where the browser has them (WebAuthn level 3): the strongest way in, without a message. */
// #ifdef H5
import { platform } from '@platform'
import type { components } from '@shared/api/schema'
import { hear, session } from './city'
import { entered } from './entering'

type Schemas = components['schemas']

/** WebAuthn level 3 (sections 5.1.8 to 5.1.10), which this compiler's own table does not have yet. */
interface Speaking {
  parseCreationOptionsFromJSON(options: unknown): PublicKeyCredentialCreationOptions
  parseRequestOptionsFromJSON(options: unknown): PublicKeyCredentialRequestOptions
}
const speaking = (): Speaking => PublicKeyCredential as unknown as Speaking
const said = <T>(credential: Credential | null): T => (credential as unknown as { toJSON(): T }).toJSON()

/** A passkey belongs to a name, so an address of digits has none; and an old browser does not know them. */
export const passkeysPossible = (): boolean =>
  typeof PublicKeyCredential !== 'undefined' && 'parseRequestOptionsFromJSON' in PublicKeyCredential && !/^[\d.:[\]]+$/.test(location.hostname)

/** Whoever turned away from the browser's own question. */
export const turnedAway = (fault: unknown): boolean => fault instanceof DOMException && ['NotAllowedError', 'AbortError'].includes(fault.name)

export async function enterWithPasskey(city: number): Promise<void> {
  const { jwk } = await platform.device()
  const { public_key } = await session.anonymous.do('post', '/api/passkey-sign-ins/options', { body: { device_key: jwk, city } })
  const credential = await use(public_key)
  const body = { credential, device_name: platform.name() }
  await entered(await session.anonymous.do('post', '/api/passkey-sign-ins', { body, proved: true }))
}

/** Prove once more who is there, within the session. */
export async function proveWithPasskey(): Promise<void> {
  const { public_key } = await session.do('post', '/api/me/passkey-checks/options', {})
  const raised = await session.do('post', '/api/me/passkey-checks', { body: { credential: await use(public_key) } })
  if (raised.access_token !== null) session.raise(raised.access_token, raised.expires_in)
  await hear()
}

export async function addPasskey(): Promise<Schemas['PasskeyOut']> {
  const { public_key } = await session.do('post', '/api/me/passkeys/options', {})
  const publicKey = speaking().parseCreationOptionsFromJSON(public_key)
  const credential = said<Schemas['CreatedCredentialIn']>(await navigator.credentials.create({ publicKey }))
  const body = { name: platform.name() || 'passkey', credential }
  return session.do('post', '/api/me/passkeys', { body })
}

async function use(options: Schemas['RequestOut']): Promise<Schemas['UsedCredentialIn']> {
  const publicKey = speaking().parseRequestOptionsFromJSON(options)
  return said(await navigator.credentials.get({ publicKey }))
}
// #endif
