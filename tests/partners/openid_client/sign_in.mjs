// openid-client signs a resident in and out, knowing the discovery address alone. Facts come as JSON in argv[2]; the address to visit goes
// out on a line, the address that was come back to comes in on a line, and what was learnt goes out as JSON.
import * as client from 'openid-client'
import { createInterface } from 'node:readline/promises'

const facts = JSON.parse(process.argv[2])
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => (await lines.next()).value
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')

const key = await crypto.subtle.importKey('jwk', facts.jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const config = await client.discovery(
  new URL(facts.issuer),
  facts.client_id,
  { id_token_signed_response_alg: 'ES256' },
  client.PrivateKeyJwt({ key, kid: 'one' }),
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
)
const handle = facts.dpop ? client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) : undefined
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const parameters = {
  redirect_uri: facts.redirect_uri,
  scope: 'openid phone offline_access',
  prompt: 'consent',
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: client.randomState(),
  nonce: client.randomNonce(),
  max_age: '300',
}
const address = facts.push
  ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: handle })
  : client.buildAuthorizationUrl(config, parameters)
say({ visit: address.href })

const checks = { pkceCodeVerifier, expectedState: parameters.state, expectedNonce: parameters.nonce, maxAge: 300, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(config, new URL(await read()), checks, undefined, { DPoP: handle })
const claims = tokens.claims()
const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP: handle })
const again = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: handle })
const before = await client.tokenIntrospection(config, again.access_token)
await client.tokenRevocation(config, tokens.refresh_token)
const after = await client.tokenIntrospection(config, again.access_token)
const out = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: facts.goodbye })
say({ claims, info, token_type: tokens.token_type, before: before.active, after: after.active, leave: out.href })

const own = await client.clientCredentialsGrant(config, { scope: 'resident:read' }, { DPoP: handle })
const api = await client.fetchProtectedResource(
  config, own.access_token, new URL(`${facts.issuer}/api/partner/residents/${claims.sub}?purpose=lending`), 'GET', undefined, undefined,
  { DPoP: handle },
)
say({ status: api.status })
process.exit(0)
