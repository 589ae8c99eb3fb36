/** Reads codes in pictures, away from the page's own thread, with the decoder that the city serves itself. */
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url'
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader'

prepareZXingModule({ overrides: { locateFile: () => wasm } })

self.onmessage = async ({ data }: MessageEvent<ImageData>): Promise<void> => {
  try {
    const [found] = await readBarcodes(data, { formats: ['QRCode', 'Code128', 'PDF417'], maxNumberOfSymbols: 1, tryHarder: true })
    self.postMessage({ text: found?.isValid ? found.text : null })
  } catch (fault) {
    self.postMessage({ fault: String(fault) })
  }
}
