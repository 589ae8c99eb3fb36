/** SHA-256 (FIPS 180-4) and HMAC (RFC 2104) in plain TypeScript, for programs without WebCrypto: the WeChat package. */
const FIRST = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]
const BLOCK = 64

const ROUND = roundConstants()

/** The fractional parts of the cube roots of the first 64 primes, as the standard defines its constants. */
function roundConstants(): Uint32Array {
  const primes: number[] = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n)
  return Uint32Array.from(primes, (p) => cubeRootBits(p))
}

/** The first 32 bits after the point; a double holds 49 of them here. */
function cubeRootBits(prime: number): number {
  const root = Math.cbrt(prime)
  return Math.floor((root - Math.floor(root)) * 2 ** 32)
}

export function sha256(message: Uint8Array): Uint8Array {
  const state = Uint32Array.from(FIRST)
  const padded = pad(message)
  const schedule = new Uint32Array(64)
  for (let at = 0; at < padded.length; at += BLOCK) mix(state, padded, at, schedule)
  const digest = new Uint8Array(32)
  state.forEach((word, i) => new DataView(digest.buffer).setUint32(i * 4, word))
  return digest
}

function pad(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK)
  padded.set(message)
  padded[message.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(message.length / 2 ** 29))
  view.setUint32(padded.length - 4, (message.length * 8) >>> 0)
  return padded
}

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by))

function mix(state: Uint32Array, bytes: Uint8Array, at: number, w: Uint32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let i = 0; i < 64; i++) w[i] = i < 16 ? view.getUint32(at + i * 4) : extended(w, i)
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let i = 0; i < 64; i++) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[i]! + w[i]!) | 0
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
  }
  ;[a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = (state[i]! + word) | 0))
}

function extended(w: Uint32Array, i: number): number {
  const early = w[i - 15]!
  const late = w[i - 2]!
  const one = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)
  const two = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10)
  return (w[i - 16]! + one + w[i - 7]! + two) | 0
}

export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  const short = key.length > BLOCK ? sha256(key) : key
  const padded = (fill: number) => Uint8Array.from({ length: BLOCK }, (_, i) => (short[i] ?? 0) ^ fill)
  return sha256(joined(padded(0x5c), sha256(joined(padded(0x36), message))))
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0)
  return whole
}
