import { Refused } from "./refusals.ts";

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ES256 = { name: "ECDSA", hash: "SHA-256" };
const CURVE = { name: "ECDSA", namedCurve: "P-256" };

/** Bytes as WebCrypto takes them. */
export function plain(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data);
}

function number(data: Uint8Array): bigint {
  return data.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function bytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * (31 - at))) & 255n));
}

/** A signature of 64 bytes with s in the lower half: the one form that is taken. */
export function lower(signature: Uint8Array): Uint8Array {
  const s = number(signature.slice(32));
  if (s <= ORDER / 2n) return signature;
  const made = signature.slice();
  made.set(bytes(ORDER - s), 32);
  return made;
}

/** Refuse what is no number pair within bounds, or the upper form of one. */
export function checkForm(signature: Uint8Array): void {
  const r = number(signature.slice(0, 32));
  const s = number(signature.slice(32));
  if (signature.length !== 64 || r <= 0n || r >= ORDER || s <= 0n || s > ORDER / 2n) throw new Refused("bad_signature_form");
}

export async function sign(key: CryptoKey, message: Uint8Array): Promise<Uint8Array> {
  return lower(new Uint8Array(await crypto.subtle.sign(ES256, key, plain(message))));
}

export async function verify(key: CryptoKey, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  return crypto.subtle.verify(ES256, key, plain(signature), plain(message));
}

/** The P-256 key with this x and this parity of y; WebCrypto reads whole points alone, so y is computed here. */
export async function keyFrom(x: Uint8Array, odd: boolean): Promise<CryptoKey> {
  const at = number(x);
  const square = (((at * at) % P) * at - 3n * at + B) % P;
  const positive = (square + 3n * P) % P;
  let y = power(positive, (P + 1n) / 4n);
  if (at >= P || (y * y) % P !== positive) throw new Refused("wrong_curve");
  if ((y & 1n) !== (odd ? 1n : 0n)) y = P - y;
  const point = new Uint8Array(65);
  point[0] = 4;
  point.set(x, 1);
  point.set(bytes(y), 33);
  return importPoint(point);
}

/** A public key from its whole point (65 bytes). */
export async function importPoint(point: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", plain(point), CURVE, false, ["verify"]);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % P) {
    if (rest & 1n) result = (result * square) % P;
  }
  return result;
}
