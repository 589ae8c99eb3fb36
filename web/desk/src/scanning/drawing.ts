/** A QR code as one path of squares, with the quiet zone of four (ISO/IEC 18004). */
import qrcode from 'qrcode-generator'

export interface Drawing {
  readonly size: number
  readonly path: string
}

export function drawn(text: string, mode: 'Alphanumeric' | 'Byte' = 'Byte'): Drawing {
  const code = qrcode(0, 'M')
  code.addData(text, mode)
  code.make()
  const count = code.getModuleCount()
  const all = Array.from({ length: count * count }, (_, at) => [at % count, Math.floor(at / count)] as const)
  return { size: count + 8, path: all.filter(([x, y]) => code.isDark(y, x)).map(([x, y]) => `M${x + 4} ${y + 4}h1v1h-1z`).join('') }
}

/** The secret of an ``otpauth`` address in groups of four, for whoever types it. */
export function secretIn(address: string): string {
  return (new URL(address).searchParams.get('secret') ?? '').replace(/(.{4})(?=.)/g, '$1 ')
}
