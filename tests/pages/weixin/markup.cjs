// Reads WXML and fills it from an instance's data: as much of the language as the built package uses.
const TAG = /<!--[\s\S]*?-->|<(\/?)([\w-]+)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*(\/?)>|([^<]+)/g
const ATTRIBUTE = /([\w:-]+)(?:="([^"]*)")?/g

/** A tree of {tag, attrs, children} and {text}. */
function parse(source) {
  const root = { tag: 'root', attrs: {}, children: [] }
  const open = [root]
  for (const [whole, closing, tag, attrs, single, text] of source.matchAll(TAG)) {
    if (whole.startsWith('<!--')) continue
    if (text !== undefined) open.at(-1).children.push({ text })
    else if (closing) open.pop()
    else {
      const node = { tag, attrs: Object.fromEntries([...attrs.matchAll(ATTRIBUTE)].map(([, name, value]) => [name, value ?? ''])), children: [] }
      open.at(-1).children.push(node)
      if (!single) open.push(node)
    }
  }
  if (open.length !== 1) throw new Error(`WXML does not close: ${open.map((node) => node.tag)}`)
  return root.children
}

/** The value of an attribute or text: what stands between {{ }} is an expression over the data. */
function fill(text, scope) {
  const whole = /^\{\{([\s\S]*)\}\}$/.exec(text)
  if (whole && !whole[1].includes('{{')) return evaluate(whole[1], scope)
  return text.replace(/\{\{([\s\S]*?)\}\}/g, (_, expression) => evaluate(expression, scope) ?? '')
}

const compiled = new Map()
function evaluate(expression, scope) {
  if (!compiled.has(expression)) compiled.set(expression, new Function('scope', `with (scope) { return (${expression}) }`))
  return compiled.get(expression)(new Proxy(scope, { has: (_, name) => typeof name === 'string', get: (held, name) => held[name] }))
}

/** The nodes that stand now: conditions decided, lists unrolled, attributes filled. */
function expand(nodes, scope) {
  const out = []
  let taken = false
  for (const node of nodes) {
    if (node.text !== undefined) {
      const text = String(fill(node.text, scope) ?? '')
      if (text.trim()) out.push({ text })
      continue
    }
    const { attrs } = node
    if ('wx:if' in attrs) taken = Boolean(fill(attrs['wx:if'], scope))
    else if ('wx:elif' in attrs || 'wx:else' in attrs) {
      if (taken) continue
      taken = 'wx:else' in attrs || Boolean(fill(attrs['wx:elif'], scope))
    } else taken = true
    if (!taken) continue
    if (!('wx:for' in attrs)) out.push(...one(node, scope))
    else
      for (const [index, item] of (fill(attrs['wx:for'], scope) ?? []).entries())
        out.push(...one(node, { ...scope, [attrs['wx:for-item'] ?? 'item']: item, [attrs['wx:for-index'] ?? 'index']: index }))
  }
  return out
}

function one(node, scope) {
  const children = expand(node.children, scope)
  if (node.tag === 'block') return children
  const attrs = Object.fromEntries(Object.entries(node.attrs).filter(([name]) => !name.startsWith('wx:')).map(([name, value]) => [name, fill(value, scope)]))
  return [{ tag: node.tag, attrs, children }]
}

module.exports = { parse, expand }
