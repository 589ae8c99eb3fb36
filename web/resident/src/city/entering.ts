/** What follows a sign-in, by whatever way. */
import type { Tokens } from '@shared/api/session'
import { city, hear, session } from './city'
import { start } from './going'

/** Take up the tokens, hear who it is, and go home. */
export async function entered(tokens: Tokens): Promise<void> {
  await session.begin(tokens)
  city.signedIn = true
  await hear()
  start('home')
}
