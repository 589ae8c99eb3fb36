import { decode, encode, type Item, Tagged } from "./cbor.ts";
import { type Reason, Refused } from "./refusals.ts";
import { checkForm } from "./signatures.ts";

export const PREFIX = "CC1:";
export const LONGEST = 600;
export const STEP = 5;
export const LIFE = 30;
export const FAST = 5;
export const NONCE_BYTES = 4;
const HOUR = 3600;
const MOST_FEN = 1_000_000;
const SIGN1 = 18;
const ES256 = -7;
const [ALG, KID] = [1, 4];
const [EXP, NBF, CTI, CNF, TERMS] = [4, 5, 7, 8, -70001];

/** What the issuer allows the holder of a one-time key; times in seconds of Unix time. */
export interface Authorisation {
  id: Uint8Array;
  x: Uint8Array;
  odd: boolean;
  concession: number;
  limitFen: number;
  startsAt: number;
  expiresAt: number;
}

export interface SignedAuthorisation {
  keyId: Uint8Array;
  terms: Authorisation;
  signed: Uint8Array;
  signature: Uint8Array;
}

/** A code taken apart, of sound form; nothing in it is proved yet. */
export interface Code {
  authorisation: SignedAuthorisation;
  generatedAt: number;
  nonce: Uint8Array;
  signed: Uint8Array;
  signature: Uint8Array;
}

/** The Sig_structure of RFC 9052 section 4.4, without outside data. */
export function toSign(header: Uint8Array, payload: Uint8Array): Uint8Array {
  return encode(["Signature1", header, new Uint8Array(), payload]);
}

export const DEVICE_HEADER = encode(new Map([[ALG, ES256]]));

/** A COSE_Sign1 of these parts. */
export function sign1(header: Uint8Array, payload: Uint8Array, signature: Uint8Array): Uint8Array {
  return encode(new Tagged(SIGN1, [header, new Map(), payload, signature]));
}

/** Take the bytes of a code apart, or Refused for the first thing out of place. */
export function readCode(data: Uint8Array): Code {
  const [header, payload, signature] = parts(decode(data));
  algorithm(header, [ALG]);
  const inside = decode(payload);
  if (!Array.isArray(inside) || inside.length !== 3) refuse("wrong_structure");
  const [authorisation, generatedAt, nonce] = inside;
  if (!isTime(generatedAt, STEP) || !isBytes(nonce, NONCE_BYTES)) refuse("wrong_structure");
  const inner = signedAuthorisation(authorisation);
  checkForm(signature);
  return { authorisation: inner, generatedAt, nonce, signed: toSign(header, payload), signature };
}

/** Take an authorisation apart, as the phone receives it. */
export function readAuthorisation(data: Uint8Array): SignedAuthorisation {
  return signedAuthorisation(decode(data));
}

function signedAuthorisation(item: Item | undefined): SignedAuthorisation {
  const [header, payload, signature] = parts(item);
  const keyId = algorithm(header, [ALG, KID]).get(KID);
  if (!isBytes(keyId, 8)) refuse("wrong_structure");
  const terms = claims(decode(payload));
  checkForm(signature);
  return { keyId, terms, signed: toSign(header, payload), signature };
}

function parts(item: Item | undefined): [Uint8Array, Uint8Array, Uint8Array] {
  if (!(item instanceof Tagged) || item.tag !== SIGN1 || !Array.isArray(item.value) || item.value.length !== 4) refuse("wrong_structure");
  const [header, open, payload, signature] = item.value;
  const bytes = header instanceof Uint8Array && payload instanceof Uint8Array && signature instanceof Uint8Array;
  if (!bytes || !(open instanceof Map) || open.size !== 0) refuse("wrong_structure");
  return [header, payload, signature];
}

function algorithm(header: Uint8Array, members: number[]): Map<number | string, Item> {
  const found = decode(header);
  if (!(found instanceof Map)) refuse("wrong_structure");
  if (found.get(ALG) !== ES256) refuse("wrong_algorithm");
  if (!hasExactly(found, members)) refuse("wrong_structure");
  return found;
}

function claims(found: Item): Authorisation {
  if (!(found instanceof Map) || !hasExactly(found, [EXP!, NBF!, CTI!, CNF!, TERMS!])) refuse("wrong_structure");
  const { x, odd } = shortKey(found.get(CNF!));
  const terms = found.get(TERMS!);
  if (!Array.isArray(terms) || terms.length !== 2) refuse("wrong_structure");
  const [concession, limitFen] = terms;
  if (!isCount(concession, 255) || !isCount(limitFen, MOST_FEN)) refuse("wrong_structure");
  const [id, startsAt, expiresAt] = [found.get(CTI!), found.get(NBF!), found.get(EXP!)];
  if (!isBytes(id, 16) || !isTime(startsAt, 1) || !isTime(expiresAt, 1)) refuse("wrong_structure");
  const length = expiresAt - startsAt;
  if (startsAt % HOUR || expiresAt % HOUR || length <= 0 || length > 24 * HOUR) refuse("bad_window");
  return { id, x, odd, concession, limitFen, startsAt, expiresAt };
}

function shortKey(cnf: Item | undefined): { x: Uint8Array; odd: boolean } {
  const key = cnf instanceof Map && hasExactly(cnf, [1]) ? cnf.get(1) : undefined;
  if (!(key instanceof Map)) refuse("wrong_structure");
  if (key.get(1) !== 2 || key.get(-1) !== 1) refuse("wrong_curve");
  const [x, odd] = [key.get(-2), key.get(-3)];
  if (!hasExactly(key, [1, -1, -2, -3]) || !isBytes(x, 32) || typeof odd !== "boolean") refuse("wrong_structure");
  return { x, odd };
}

function hasExactly(map: Map<number | string, Item>, members: number[]): boolean {
  return map.size === members.length && members.every((member) => map.has(member));
}

function isBytes(value: Item | undefined, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function isCount(value: Item | undefined, most: number): value is number {
  return typeof value === "number" && value >= 0 && value <= most;
}

function isTime(value: Item | undefined, step: number): value is number {
  return isCount(value, 2 ** 32 - 1) && value % step === 0;
}

function refuse(reason: Reason): never {
  throw new Refused(reason);
}
