/* Brings the pages that are opened later, in the format `system` that rollup writes: plain scripts, of which the browser keeps a compiled copy. */
var System = (() => {
  const asked = {}
  const made = {}
  const bring = (place) =>
    (asked[place] ??= new Promise((done, fail) => {
      const script = document.createElement('script')
      script.onload = () => done(made[place].given)
      script.onerror = () => {
        delete asked[place] // without network now, perhaps with it at the next try
        script.remove()
        fail(new Error(`not loaded: ${place}`))
      }
      script.src = place
      document.head.append(script)
    }))
  return {
    register(needs, declare) {
      const own = document.currentScript.src
      const at = (place) => new URL(place, own).href
      const mine = (made[own] = { given: {}, heard: [] })
      const give = (name, value) => {
        Object.assign(mine.given, typeof name === 'string' ? { [name]: value } : name)
        for (const tell of mine.heard) tell(mine.given)
        return value
      }
      const { setters, execute } = declare(give, { import: (place) => bring(at(place)), meta: { url: own } })
      needs.forEach((place, nth) => {
        const other = made[at(place)] // what a later page needs is the start, which has run
        other.heard.push(setters[nth])
        setters[nth](other.given)
      })
      execute()
    },
  }
})()
