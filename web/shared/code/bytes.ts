/** Bytes and their texts, without what only browsers have. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    const signs = Math.min(4, Math.ceil(((bytes.length - at) * 8) / 6))
    for (let i = 0; i < signs; i++) text += ALPHABET[(group >> (18 - 6 * i)) & 63]
  }
  return text
}

export function fromBase64url(text: string): Uint8Array {
  const signs = text.replace(/=+$/, '')
  const bytes = new Uint8Array(Math.floor((signs.length * 6) / 8))
  let held = 0
  let bits = 0
  let at = 0
  for (const sign of signs) {
    const value = ALPHABET.indexOf(sign === '+' ? '-' : sign === '/' ? '_' : sign)
    if (value < 0) throw new RangeError('not base64url')
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits >= 8) bytes[at++] = (held >> (bits -= 8)) & 0xff
  }
  return bytes
}

/** UTF-8 (RFC 3629). */
export function utf8(text: string): Uint8Array {
  return Uint8Array.from(unescape(encodeURIComponent(text)), (sign) => sign.charCodeAt(0))
}

/** A whole number as big-endian bytes; good up to 2^53. */
export function bigEndian(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = length - 1, rest = number; at >= 0; at--, rest = Math.floor(rest / 256)) bytes[at] = rest % 256
  return bytes
}
