// A thumb on the fake client: finds what stands on the page by its words, touches it, types into it.
const PATIENCE_MS = 15_000

const textOf = (node) => node.text ?? node.children.map(textOf).join('')
const flat = (nodes) => nodes.flatMap((node) => (node.text === undefined ? [node, ...flat(node.children)] : [node]))

class Thumb {
  constructor(client, pauseMs) {
    Object.assign(this, { client, pauseMs }) // how long between two looks
  }

  text() {
    return this.client.screen().map(textOf).join('\n')
  }

  /** Wait for something that holds; the fault shows the page. */
  async until(what, look) {
    const end = Date.now() + PATIENCE_MS
    while (Date.now() < end) {
      const found = look()
      if (found) return found
      await new Promise((done) => setTimeout(done, this.pauseMs))
    }
    throw new Error(`not there: ${what}\n${this.client.stack.at(-1)?.is}\n${this.text()}`)
  }

  sees(words) {
    return this.until(words, () => this.text().includes(words))
  }

  async press(words) {
    const found = await this.until(words, () =>
      flat(this.client.screen()).find((node) => node.tag === 'button' && !node.attrs.disabled && (textOf(node).trim().startsWith(words) || node.attrs['aria-label'] === words)),
    )
    found.owner[found.attrs.bindtap]({ type: 'tap', detail: {}, currentTarget: { dataset: {} }, target: { dataset: {} } })
  }

  async type(label, value) {
    const found = await this.until(label, () => flat(this.client.screen()).find((node) => node.tag === 'input' && node.attrs['aria-label'] === label))
    found.owner[found.attrs.bindinput]({ type: 'input', detail: { value }, currentTarget: { dataset: {} }, target: { dataset: {} } })
  }

  picture() {
    return flat(this.client.screen()).find((node) => node.tag === 'image' && String(node.attrs['aria-label']).includes('付款码'))
  }
}

module.exports = { Thumb, flat, textOf }
