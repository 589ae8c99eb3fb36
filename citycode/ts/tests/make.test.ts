import assert from "node:assert/strict";
import { test } from "node:test";

import { encode } from "../src/cbor.ts";
import { sign1, toSign } from "../src/format.ts";
import { make, newOneTimeKey, publicHalf, TrustList, verify } from "../src/index.ts";
import { sign } from "../src/signatures.ts";

const START = 1_789_999_200;
const KEY_ID = new TextEncoder().encode("issuer 1");

async function issued() {
  const issuer = await newOneTimeKey();
  const phone = await newOneTimeKey();
  const half = await publicHalf(phone);
  const key = new Map<number, number | Uint8Array | boolean>([[1, 2], [-1, 1], [-2, half.slice(1)], [-3, half[0] === 3]]);
  const id = crypto.getRandomValues(new Uint8Array(16));
  const claims = encode(new Map<number, never>([[4, START + 86400], [5, START], [7, id], [8, new Map([[1, key]])], [-70001, [0, 2000]]] as never));
  const header = encode(new Map<number, number | Uint8Array>([[1, -7], [4, KEY_ID]]));
  const authorisation = sign1(header, claims, await sign(issuer.privateKey, toSign(header, claims)));
  const trust = new TrustList([{ id: KEY_ID, key: issuer.publicKey, startsAt: 0, endsAt: null }]);
  return { phone, authorisation, trust, id };
}

test("a phone makes a code that a gate accepts", async () => {
  const { phone, authorisation, trust, id } = await issued();
  for (let nth = 0; nth < 20; nth += 1) {
    const code = await make(authorisation, phone.privateKey, START + 60 + 5 * nth);
    assert.ok(code.length <= 419, `${code.length} letters fit into a QR code of version 12 at level M`);
    const found = await verify(code, trust, START + 62 + 5 * nth);
    assert.deepEqual([found.id, found.limitFen, found.generatedAt], [id, 2000, START + 60 + 5 * nth]);
  }
});

test("the private half of a one-time key cannot be taken out", async () => {
  const { privateKey } = await newOneTimeKey();
  assert.equal(privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("jwk", privateKey));
});

test("two codes of the same moment differ", async () => {
  const { phone, authorisation } = await issued();
  assert.notEqual(await make(authorisation, phone.privateKey, START), await make(authorisation, phone.privateKey, START));
});
