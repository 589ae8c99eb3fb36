/** QR codes (ISO/IEC 18004) of version 1 and level M, digits alone: all that a pay code needs, and drawn quickly on a slow phone. */
const SIDE = 21
const LAST = SIDE - 1
const DATA_BYTES = 16
const MOST_DIGITS = 34
const FIELD = 0x11d // of the check bytes: x^8 + x^4 + x^3 + x^2 + 1
const GENERATOR = [216, 194, 159, 111, 199, 94, 95, 113, 157, 193] // of ten check bytes
const PAIRS = (1 << LAST) - 1 // of neighbours in a line

/** The 21 rows of a code; a row's bit 0 is its leftmost module, a set bit is dark. */
export function qrCode(digits: string): readonly number[] {
  if (!/^\d+$/.test(digits) || digits.length > MOST_DIGITS) throw new RangeError('one to 34 digits')
  const bits = withChecks(dataBytes(digits)).flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((place) => (byte >> place) & 1))
  const drawn = MASKS.map((mask, number) => draw(bits, mask, number))
  const faults = drawn.map(penalty)
  return drawn[faults.indexOf(Math.min(...faults))]!
}

/** Mode, length, digits by threes, end, and the filling that the standard names (7.4). */
function dataBytes(digits: string): number[] {
  const bits: number[] = []
  const push = (value: number, length: number): void => {
    for (let place = length - 1; place >= 0; place--) bits.push((value >> place) & 1)
  }
  push(1, 4)
  push(digits.length, 10)
  for (const three of digits.match(/.{1,3}/g)!) push(Number(three), three.length * 3 + 1)
  push(0, Math.min(4, DATA_BYTES * 8 - bits.length))
  while (bits.length % 8) bits.push(0)
  for (let fill = 0xec; bits.length < DATA_BYTES * 8; fill ^= 0xec ^ 0x11) push(fill, 8)
  return Array.from({ length: DATA_BYTES }, (_, nth) => parseInt(bits.slice(nth * 8, nth * 8 + 8).join(''), 2))
}

/** The bytes and their Reed-Solomon check bytes (7.5). */
function withChecks(data: readonly number[]): number[] {
  let checks = GENERATOR.map(() => 0)
  for (const byte of data) {
    const factor = byte ^ checks[0]!
    checks = GENERATOR.map((coefficient, nth) => (checks[nth + 1] ?? 0) ^ times(coefficient, factor))
  }
  return [...data, ...checks]
}

function times(a: number, b: number): number {
  let product = 0
  for (let [x, y] = [a, b]; y; y >>= 1) {
    if (y & 1) product ^= x
    x <<= 1
    if (x > 0xff) x ^= FIELD
  }
  return product
}

type Mask = (x: number, y: number) => boolean
const MASKS: readonly Mask[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => (x * y) % 6 === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** Corners, lines of the grid and format, and the data on their way up and down in pairs of columns (7.7). */
function draw(bits: readonly number[], mask: Mask, number: number): number[] {
  const rows = fixed()
  stamp(rows, number)
  let next = 0
  for (let right = LAST; right > 0; right -= right === 8 ? 3 : 2)
    for (let step = 0; step < SIDE; step++) {
      const y = (right + (right < 6 ? 1 : 0)) % 4 === 0 ? LAST - step : step
      for (const x of [right, right - 1]) if (!kept(x, y) && bits[next++]! !== Number(mask(x, y))) rows[y]! |= 1 << x
    }
  return rows
}

/** Whether a module belongs to the frame of every code. */
const kept = (x: number, y: number): boolean => x === 6 || y === 6 || (x < 9 && (y < 9 || y > 12)) || (x > 12 && y < 9)

function fixed(): number[] {
  const rows = Array<number>(SIDE).fill(0)
  for (let at = 8; at < 13; at += 2) {
    rows[6]! |= 1 << at
    rows[at]! |= 1 << 6
  }
  for (const [left, top] of [[0, 0], [14, 0], [0, 14]] as const)
    [0x7f, 0x41, 0x5d, 0x5d, 0x5d, 0x41, 0x7f].forEach((line, nth) => (rows[top + nth]! |= line << left))
  rows[13]! |= 1 << 8
  return rows
}

/** Level M and the mask, with their own check bits, twice (7.9). */
function stamp(rows: number[], mask: number): void {
  let rest = mask
  for (let step = 0; step < 10; step++) rest = (rest << 1) ^ ((rest >> 9) * 0x537)
  const format = ((mask << 10) | rest) ^ 0x5412
  for (let place = 0; place < 15; place++) {
    if (!((format >> place) & 1)) continue
    const down = place < 6 ? place : place < 8 ? place + 1 : SIDE - 15 + place
    const along = place < 8 ? LAST - place : place === 8 ? 7 : 14 - place
    rows[down]! |= 1 << 8
    rows[8]! |= 1 << along
  }
}

/** How hard a code is to read: runs of five, blocks of four, what looks like a corner, too much of one colour (7.8.3). */
function penalty(rows: readonly number[]): number {
  const columns = rows.map((_, x) => rows.reduce((line, row, y) => line | (((row >> x) & 1) << y), 0))
  let faults = 0
  for (const line of [...rows, ...columns]) {
    const five = alike(line) & (alike(line) >> 1) & (alike(line) >> 2) & (alike(line) >> 3)
    faults += ones(five) + 2 * ones(five & ~(five >> 1)) + 40 * ones(corners(line << 4))
  }
  rows.slice(1).forEach((row, nth) => (faults += 3 * ones(alike(row) & alike(rows[nth]!) & ~(row ^ rows[nth]!))))
  const dark = rows.reduce((sum, row) => sum + ones(row), 0)
  return faults + 10 * Math.floor(Math.abs((dark * 20) / SIDE ** 2 - 10))
}

/** Which modules of a line are like their right neighbour. */
const alike = (line: number): number => ~(line ^ (line >> 1)) & PAIRS

/** Where a line, with four white modules before it, shows 1011101 next to four white ones. */
function corners(line: number): number {
  const white = ~line & (~line >> 1) & (~line >> 2) & (~line >> 3)
  const shape = line & ~(line >> 1) & (line >> 2) & (line >> 3) & (line >> 4) & ~(line >> 5) & (line >> 6)
  return shape & ((white >> 7) | (white << 4))
}

function ones(bits: number): number {
  let count = 0
  for (let left = bits; left; left &= left - 1) count++
  return count
}
