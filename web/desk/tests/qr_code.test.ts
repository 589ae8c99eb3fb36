import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { qrCode } from '@shared/code/qr_code'
import qrcode from 'qrcode-generator'
import { beforeAll, expect, it } from 'vitest'
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader'

const QUIET = 4
const SCALE = 3
const CODES = ['810123456789012345', '000000000000000000', '999999999999999999', '7', '31', ...Array.from({ length: 60 }, (_, nth) => some(nth))]

/** Eighteen digits without order, the same at every run. */
function some(nth: number): string {
  return Array.from({ length: 18 }, (_, place) => Math.floor(Math.abs(Math.sin((nth + 1) * 97 + place * 13)) * 1e6) % 10).join('')
}

beforeAll(() => {
  const wasm = readFileSync(createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm'))
  prepareZXingModule({ overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) as ArrayBuffer } })
})

it('is read by the decoder of the counter', async () => {
  for (const digits of CODES) {
    const found = await readBarcodes(picture(qrCode(digits)), { formats: ['QRCode'] })
    expect(found.map((each) => each.text), digits).toEqual([digits])
    expect(found[0]!.isValid).toBe(true)
  }
})

it('is what another maker draws wherever both choose the same mask', () => {
  const same = CODES.filter((digits) => others(digits) === qrCode(digits).map((row) => row.toString(2)).join())
  expect(same.length).toBeGreaterThan(CODES.length / 4)
})

it('takes digits and nothing else, at most what the version holds', () => {
  expect(qrCode('1'.repeat(34))).toHaveLength(21)
  for (const wrong of ['', '12a', '1'.repeat(35)]) expect(() => qrCode(wrong)).toThrow(RangeError)
})

function others(digits: string): string {
  const drawn = qrcode(1, 'M')
  drawn.addData(digits, 'Numeric')
  drawn.make()
  const row = (y: number): number => Array.from({ length: 21 }, (_, x) => Number(drawn.isDark(y, x)) << x).reduce((a, b) => a | b)
  return Array.from({ length: 21 }, (_, y) => row(y).toString(2)).join()
}

/** The code on white, as a camera would give it. */
function picture(rows: readonly number[]): ImageData {
  const side = (rows.length + 2 * QUIET) * SCALE
  const data = new Uint8ClampedArray(side * side * 4).fill(255)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const row = rows[Math.floor(y / SCALE) - QUIET] ?? 0
      const column = Math.floor(x / SCALE) - QUIET
      if (column >= 0 && column < rows.length && (row >> column) & 1) data.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
    }
  return { data, width: side, height: side, colorSpace: 'srgb' }
}
