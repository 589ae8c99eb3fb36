/** What follows a sign-in, by whatever way. */
import type { Tokens } from '@shared/api/session'
import { handInAgreed } from './agreements'
import { city, hear, mustAgree, session } from './city'
import { start } from './going'

/** Take up the tokens, hand in what was agreed to, hear who it is, and go home. */
export async function entered(tokens: Tokens): Promise<void> {
  await session.begin(tokens)
  city.signedIn = true
  await handInAgreed()
  await hear()
  if (!mustAgree()) start('home')
}
