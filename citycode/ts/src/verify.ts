import { decode } from "./base45.ts";
import { type Code, FAST, LIFE, LONGEST, PREFIX, readCode } from "./format.ts";
import { Refused } from "./refusals.ts";
import * as signatures from "./signatures.ts";

/** A key that a verifier trusts, and from when until when (seconds of Unix time; null: no end yet). */
export interface IssuerKey {
  id: Uint8Array;
  key: CryptoKey;
  startsAt: number;
  endsAt: number | null;
}

/** What a verifier learns. */
export interface Verified {
  id: Uint8Array;
  concession: number;
  limitFen: number;
  startsAt: number;
  expiresAt: number;
  generatedAt: number;
  keyId: Uint8Array;
}

export function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The issuer keys that a verifier trusts, by their ids. */
export class TrustList {
  readonly #keys: Map<string, IssuerKey>;

  constructor(keys: Iterable<IssuerKey>) {
    this.#keys = new Map([...keys].map((key) => [hex(key.id), key]));
  }

  at(keyId: Uint8Array, now: number): CryptoKey {
    const found = this.#keys.get(hex(keyId));
    if (found === undefined) throw new Refused("unknown_issuer");
    if (now < found.startsAt || (found.endsAt !== null && now >= found.endsAt)) throw new Refused("issuer_out_of_time");
    return found.key;
  }
}

/** Take a scanned text apart without proving anything. */
export function read(text: string): Code {
  if (text.length > LONGEST) throw new Refused("too_long");
  if (!text.startsWith(PREFIX)) throw new Refused("other_format");
  return readCode(decode(text.slice(PREFIX.length)));
}

/** Prove a scanned text at `now` (whole seconds of Unix time), or Refused. Whether it was seen or listed is the gate's to say. */
export async function verify(text: string, trust: TrustList, now: number): Promise<Verified> {
  const code = read(text);
  const { keyId, terms, signed, signature } = code.authorisation;
  if (!(await signatures.verify(trust.at(keyId, now), signature, signed))) throw new Refused("bad_issuer_signature");
  if (now < terms.startsAt) throw new Refused("not_yet_valid");
  if (now >= terms.expiresAt) throw new Refused("expired");
  const key = await signatures.keyFrom(terms.x, terms.odd);
  if (!(await signatures.verify(key, code.signature, code.signed))) throw new Refused("bad_device_signature");
  if (code.generatedAt > now + FAST) throw new Refused("from_the_future");
  if (code.generatedAt < now - LIFE) throw new Refused("stale");
  const { id, concession, limitFen, startsAt, expiresAt } = terms;
  return { id, concession, limitFen, startsAt, expiresAt, generatedAt: code.generatedAt, keyId };
}
