/** Tells when nobody has touched this counter for a while, so that a shift does not stand open. */
const LONGEST_MS = 15 * 60_000
const LOOK_MS = 10_000

/** Watch keys and touches of a page; gives the function that stops it. */
export function watchIdle(page: Window, leave: () => void): () => void {
  let last = Date.now()
  const touched = (): void => void (last = Date.now())
  const looking = setInterval(() => {
    if (Date.now() - last < LONGEST_MS) return
    touched()
    leave()
  }, LOOK_MS)
  page.addEventListener('keydown', touched, true)
  page.addEventListener('pointerdown', touched, true)
  return () => {
    clearInterval(looking)
    page.removeEventListener('keydown', touched, true)
    page.removeEventListener('pointerdown', touched, true)
  }
}
