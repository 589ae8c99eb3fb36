import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const css = readFileSync(new URL('../look/tokens.css', import.meta.url), 'utf8')
const dark = css.slice(css.indexOf('@media'))
const light = css.slice(0, css.indexOf('@media'))

/** The colours of a mode; what the elder version says anew comes last. */
function colours(text: string, elder: boolean): Record<string, string> {
  const at = text.indexOf('.elder')
  const part = elder || at < 0 ? text : text.slice(0, at)
  return Object.fromEntries([...part.matchAll(/--city-([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]))
}

/** Contrast of two colours (WCAG 2.2, relative luminance). */
function contrast(one: string, other: string): number {
  const light = (hex: string): number => {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  }
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
  return (high! + 0.05) / (low! + 0.05)
}

const TEXTS: [string, string[]][] = [
  ['text', ['page', 'surface', 'sunken', 'primary-soft', 'danger-soft', 'good-soft', 'warn-soft']],
  ['muted', ['page', 'surface', 'sunken']],
  ['primary', ['page', 'surface', 'sunken', 'primary-soft']],
  ['primary-pressed', ['surface']],
  ['on-primary', ['primary', 'primary-pressed']],
  ['danger', ['page', 'surface', 'danger-soft']],
  ['on-danger', ['danger']],
  ['good', ['page', 'surface', 'good-soft']],
  ['warn', ['warn-soft']],
  ['on-card', ['card-from', 'card-to']],
]

for (const [mode, text] of Object.entries({ light, dark }))
  for (const elder of [false, true])
    it(`is readable: ${mode}${elder ? ', elder' : ''}`, () => {
      const colour = { ...colours(light, elder), ...colours(text, elder) }
      for (const [front, backs] of TEXTS)
        for (const back of backs) expect(contrast(colour[front]!, colour[back]!), `${front} on ${back}`).toBeGreaterThanOrEqual(4.5)
      for (const edge of ['control', 'focus'])
        for (const back of ['page', 'surface']) expect(contrast(colour[edge]!, colour[back]!), `${edge} on ${back}`).toBeGreaterThanOrEqual(3)
    })
