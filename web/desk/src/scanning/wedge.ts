/**
 * A scanner that types like a keyboard. What it typed is known by its shape at the end of the keys before Enter, never by their speed:
 * a busy computer makes a scanner slow, and a quick person is not one. It works whatever field has the focus, and leaves that field as it was;
 * only what goes into a field for passwords is nobody's to remember, so a password of eighteen digits is none of its business.
 */
import { codeAtEnd, isCitizenNumber, type Scanned } from './codes'

type Field = HTMLInputElement | HTMLTextAreaElement
interface Key {
  readonly sign: string
  readonly field: Field | null
  readonly before: string
}

export interface Ears {
  readonly scanned: (code: Scanned) => void
  /** An input method swallows keys while nothing is being written in Chinese. */
  readonly swallowed: () => void
}

const MOST_KEYS = 64

/** Listen to the keys of a page; gives the function that stops it. */
export function listen(page: Window, ears: Ears): () => void {
  let keys: Key[] = []

  function hear(event: KeyboardEvent): void {
    if (event.isComposing || event.key === 'Process' || event.keyCode === 229) {
      if (!writesChinese(fieldOf(event.target))) ears.swallowed()
      return
    }
    if (isSecret(fieldOf(event.target))) {
      keys = []
      return
    }
    if (event.key === 'Enter') return finish(event)
    if (event.ctrlKey || event.altKey || event.metaKey || event.key === 'Shift' || event.key === 'CapsLock') return
    // Any other key than a sign ends what a scanner can have typed.
    if ([...event.key].length !== 1) keys = []
    else keys.push({ sign: event.key.normalize('NFKC'), field: fieldOf(event.target), before: fieldOf(event.target)?.value ?? '' })
    keys = keys.slice(-MOST_KEYS)
  }

  function finish(event: KeyboardEvent): void {
    const code = codeAtEnd(keys.map((key) => key.sign).join(''))
    const first = code && keys[keys.length - code.text.length]
    keys = []
    if (!code || !first || (asksForNumber(first.field) && isCitizenNumber(code.text))) return
    event.preventDefault()
    event.stopPropagation()
    restore(first)
    ears.scanned(code)
  }

  const touched = (): void => void (keys = [])
  page.addEventListener('keydown', hear, true)
  page.addEventListener('pointerdown', touched, true)
  return () => {
    page.removeEventListener('keydown', hear, true)
    page.removeEventListener('pointerdown', touched, true)
  }
}

/** Put the field back to what stood there before the first sign of the code. */
function restore({ field, before }: Key): void {
  if (!field) return
  field.value = before
  field.dispatchEvent(new Event('input', { bubbles: true }))
}

function fieldOf(target: EventTarget | null): Field | null {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement ? target : null
}

// A field whose password is shown is of type text; what it is for does not change.
const isSecret = (field: Field | null): boolean => field !== null && (field.type === 'password' || /-password\b/.test(field.autocomplete))
const writesChinese = (field: Field | null): boolean => field?.dataset['chinese'] !== undefined
const asksForNumber = (field: Field | null): boolean => field?.dataset['number'] !== undefined
