import { encode as base45 } from "./base45.ts";
import { encode, join } from "./cbor.ts";
import { DEVICE_HEADER, NONCE_BYTES, PREFIX, sign1, STEP, toSign } from "./format.ts";
import { sign } from "./signatures.ts";

/** A one-time key made in this phone: nobody can take its private half out, not even this program. */
export async function newOneTimeKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
}

/** The public half as the platform takes it: 33 bytes, a compressed point. */
export async function publicHalf(pair: CryptoKeyPair): Promise<Uint8Array> {
  const whole = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return join(Uint8Array.of(2 + (whole[64]! & 1)), whole.slice(1, 33));
}

/** The text to show at `now` (seconds of Unix time, by the phone's corrected clock); it changes every five seconds. */
export async function make(authorisation: Uint8Array, key: CryptoKey, now: number, nonce?: Uint8Array): Promise<string> {
  const generatedAt = Math.floor(now / STEP) * STEP;
  const chosen = nonce ?? crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const payload = join(Uint8Array.of(0x83), authorisation, encode(generatedAt), encode(chosen));
  const signature = await sign(key, toSign(DEVICE_HEADER, payload));
  return PREFIX + base45(sign1(DEVICE_HEADER, payload, signature));
}
