/** The counter's camera: its pictures go to the reader one at a time, the next when the last was read. */
import { codeAtEnd, type Scanned } from './codes'

export type CameraFault = 'refused' | 'absent' | 'busy' | 'insecure' | 'reader'
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 } }
/** A code held still before the lens is one code. */
const AGAIN_MS = 4000

export class Camera {
  private stopped = false
  private readonly reader = new Worker(new URL('./reader.worker.ts', import.meta.url), { type: 'module' })
  private last = { text: '', at: 0 }

  private constructor(
    private readonly stream: MediaStream,
    private readonly picture: HTMLVideoElement,
    private readonly scanned: (code: Scanned) => void,
    private readonly failed: (fault: CameraFault) => void,
  ) {}

  /** Open the camera into a video element; the fault says why it cannot be. */
  static async open(picture: HTMLVideoElement, scanned: (code: Scanned) => void, failed: (fault: CameraFault) => void): Promise<Camera | null> {
    if (!('mediaDevices' in navigator)) return failed('insecure'), null
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: SIZE, audio: false })
      picture.srcObject = stream
      await picture.play()
      const camera = new Camera(stream, picture, scanned, failed)
      camera.watch()
      return camera
    } catch (fault) {
      failed(reasonOf(fault))
      return null
    }
  }

  close(): void {
    this.stopped = true
    this.reader.terminate()
    this.stream.getTracks().forEach((track) => track.stop())
    this.picture.srcObject = null
  }

  private watch(): void {
    this.reader.onmessage = ({ data }: MessageEvent<{ text?: string | null; fault?: string }>) => {
      if (data.fault !== undefined) return this.failed('reader')
      this.take(data.text ?? '')
      this.next()
    }
    this.reader.onerror = () => this.failed('reader')
    this.next()
  }

  private next(): void {
    if (this.stopped) return
    requestAnimationFrame(() => {
      const { videoWidth: width, videoHeight: height } = this.picture
      if (this.stopped || !width) return this.next()
      const canvas = new OffscreenCanvas(width, height)
      const paper = canvas.getContext('2d', { willReadFrequently: true })!
      paper.drawImage(this.picture, 0, 0)
      const frame = paper.getImageData(0, 0, width, height)
      this.reader.postMessage(frame, [frame.data.buffer])
    })
  }

  private take(text: string): void {
    const code = codeAtEnd(text.trim())
    const now = performance.now()
    if (!code || code.text !== text.trim()) return
    const seen = code.text === this.last.text && now - this.last.at < AGAIN_MS
    this.last = { text: code.text, at: now }
    if (!seen) this.scanned(code)
  }
}

function reasonOf(fault: unknown): CameraFault {
  const name = fault instanceof DOMException ? fault.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused'
  return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'absent'
}
