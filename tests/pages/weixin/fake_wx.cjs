// A WeChat client without a screen: runs the built package, asks the real city, and can be touched by the words that stand on it.
const fs = require('node:fs')
const path = require('node:path')
const { parse, expand } = require('./markup.cjs')

/** Everything the package asks of `wx`, counted; `refused` names permissions that the resident denies. */
function makeWx(client) {
  const storage = new Map()
  const later = (options, result) => setTimeout(() => (options?.success?.(result), options?.complete?.(result)), 0)
  const refuse = (options, name) => setTimeout(() => (options?.fail?.({ errMsg: `${name}:fail auth deny` }), options?.complete?.({})), 0)
  const device = { model: 'Fake 1', brand: 'fake', system: 'iOS 17.0', platform: 'ios', language: 'zh_CN', version: '8.0.50', SDKVersion: '3.5.0' }
  const size = { windowWidth: 390, windowHeight: 844, screenWidth: 390, screenHeight: 844, pixelRatio: 2, safeArea: {}, statusBarHeight: 20 }
  const may = (name, result) => (options) => (client.refused.has(name) ? refuse(options, name) : later(options, result))
  // A page opens after the call that asked for it, never within.
  const go = (clear) => (options) => setTimeout(() => (client.open(options.url, clear), later(options, { errMsg: 'ok' })), 0)
  return {
    env: { USER_DATA_PATH: '/' },
    request: (options) => client.request(options),
    getStorageSync: (name) => storage.get(name) ?? '',
    setStorageSync: (name, value) => void storage.set(name, structuredClone(value)),
    removeStorageSync: (name) => void storage.delete(name),
    getRandomValues: ({ length, success }) => success({ randomValues: crypto.getRandomValues(new Uint8Array(length)).buffer }),
    getSystemInfoSync: () => ({ ...device, ...size }),
    getAppBaseInfo: () => device,
    getDeviceInfo: () => device,
    getWindowInfo: () => size,
    getSystemSetting: () => ({}),
    getAppAuthorizeSetting: () => ({}),
    getLaunchOptionsSync: () => ({ path: '', query: {}, scene: 1001, referrerInfo: {} }),
    getEnterOptionsSync: () => ({ path: '', query: {}, scene: 1001, referrerInfo: {} }),
    getAccountInfoSync: () => ({ miniProgram: { appId: 'fake', envVersion: 'develop' } }),
    getMenuButtonBoundingClientRect: () => ({ top: 24, height: 32, width: 87, left: 290, right: 377, bottom: 56 }),
    canIUse: () => true,
    onNetworkStatusChange: () => undefined,
    onAppShow: () => undefined,
    onAppHide: () => undefined,
    onError: () => undefined,
    getScreenBrightness: may('brightness', { value: 0.4 }),
    setScreenBrightness: may('brightness', {}),
    setKeepScreenOn: may('screen', {}),
    setClipboardData: (options) => (client.refused.has('clipboard') ? refuse(options, 'clipboard') : ((client.clipboard = options.data), later(options, {}))),
    navigateTo: go(false),
    redirectTo: go(true),
    reLaunch: go(true),
    navigateBack: (options) => setTimeout(() => (client.back(), later(options, {})), 0),
    setNavigationBarTitle: (options) => later(options, {}),
  }
}

class Client {
  constructor(root, { refused = [] } = {}) {
    Object.assign(this, { root: path.resolve(root), stack: [], calls: {}, unknown: new Set(), refused: new Set(refused), clipboard: '', requests: 0 })
    this.app = JSON.parse(fs.readFileSync(path.join(this.root, 'app.json'), 'utf8'))
    const held = makeWx(this)
    const plain = {}
    // uni-app copies the client's functions key by key, so that this must be a plain object.
    for (const [name, value] of Object.entries(held)) plain[name] = typeof value === 'function' ? (...given) => ((this.calls[name] = (this.calls[name] ?? 0) + 1), value(...given)) : value
    Object.assign(globalThis, { wx: plain, App: (options) => (this.made = options), Page: (options) => (this.given = options), Component: (options) => (this.given = options) })
    Object.assign(globalThis, { Behavior: (options) => options, getApp: () => this.made, getCurrentPages: () => this.stack, __wxConfig: {} })
    this.definitions = new Map()
    require(path.join(this.root, 'app.js'))
    this.made.onLaunch?.({ path: this.app.pages[0], query: {}, scene: 1001 })
    this.made.onShow?.({ path: this.app.pages[0], query: {}, scene: 1001 })
  }

  /** What a page or component consists of; each file is loaded once, as the client does. */
  definition(name) {
    if (!this.definitions.has(name)) {
      this.given = undefined
      require(path.join(this.root, `${name}.js`))
      const read = (end) => fs.readFileSync(path.join(this.root, name + end), 'utf8')
      this.definitions.set(name, { options: this.given, markup: parse(read('.wxml')), parts: JSON.parse(read('.json')).usingComponents ?? {} })
    }
    return this.definitions.get(name)
  }

  instance(name, properties, trigger) {
    const { options } = this.definition(name)
    const made = { is: name, options: {}, properties, parts: new Map(), triggerEvent: trigger, selectComponent: () => null, selectAllComponents: () => [] }
    if (this.app.pages.includes(name)) made.route = made.__route__ = name // a component has none; uni-app tells them apart by it
    made.setData = (changes, done) => {
      for (const [place, value] of Object.entries(changes)) put(made.data, place, value)
      if (made.parts.size) this.drawn(made) // what stands on it hears of every change: two in a row may end where they began
      done?.()
    }
    Object.assign(made, options.methods ?? {}, { data: { ...structuredClone(options.data ?? {}), ...properties } })
    for (const hook of ['onLoad', 'onShow', 'onReady', 'onHide', 'onUnload']) if (options[hook]) made[hook] ??= options[hook]
    ;(options.lifetimes?.created ?? options.created)?.call(made)
    options.lifetimes?.attached?.call(made)
    return made
  }

  open(url, clear) {
    const [place, query = ''] = url.replace(/^\//, '').split('?')
    if (!this.app.pages.includes(place)) throw new Error(`no such page: ${place}`)
    if (clear) this.stack.splice(0).forEach((page) => page.onUnload?.())
    else this.stack.at(-1)?.onHide?.()
    const page = this.instance(place, {}, () => undefined)
    this.stack.push(page)
    page.options = Object.fromEntries(new URLSearchParams(query))
    page.onLoad?.(page.options)
    page.onShow?.()
    this.definition(place).options.lifetimes?.ready?.call(page)
    page.onReady?.()
  }

  back() {
    this.stack.pop()?.onUnload?.()
    this.stack.at(-1)?.onShow?.()
  }

  async request({ url, method, header, data, success, fail, complete, timeout }) {
    this.requests++
    try {
      const answer = await fetch(url, { method, headers: header, body: data, signal: AbortSignal.timeout(timeout ?? 60_000) })
      success?.({ statusCode: answer.status, data: await answer.text(), header: Object.fromEntries(answer.headers) })
    } catch (fault) {
      fail?.({ errMsg: `request:fail ${fault}` })
    }
    complete?.({})
  }

  /** The page in front as it stands: components filled in, each node knowing whose it is. */
  screen() {
    const page = this.stack.at(-1)
    return page ? this.drawn(page) : []
  }

  drawn(owner, slot = []) {
    const { markup, parts } = this.definition(owner.is)
    return this.settled(expand(markup, owner.data), owner, parts, slot)
  }

  settled(nodes, owner, parts, slot) {
    return nodes.flatMap((node) => {
      if (node.text !== undefined) return [node]
      if (node.tag === 'slot') return slot.filter((each) => (each.attrs?.slot ?? 'd') === (node.attrs.name ?? 'd'))
      const children = this.settled(node.children, owner, parts, slot)
      if (!(node.tag in parts)) return [{ ...node, children, owner }]
      const name = path.posix.join(path.posix.dirname(owner.is), parts[node.tag])
      return [{ ...node, children: this.drawn(this.part(name, node, owner), children), owner }]
    })
  }

  /** The instance of a component at its place, made when it first stands there, told when its properties change. */
  part(name, node, owner) {
    const key = node.attrs['u-i'] ?? node.tag
    const properties = { uI: node.attrs['u-i'], uP: node.attrs['u-p'], uS: node.attrs['u-s'], uR: node.attrs['u-r'] }
    let made = owner.parts.get(key)
    const events = { ...node.attrs }
    if (made === undefined) {
      made = this.instance(name, properties, (event, detail) => {
        const word = made?.events[`bind${event}`] ?? events[`bind:${event}`] ?? events[`bind${event}`]
        if (word) owner[word]?.({ type: event, detail, currentTarget: { dataset: {} }, target: { dataset: {} } })
      })
      owner.parts.set(key, made)
    } else if (made.properties.uP !== properties.uP) {
      made.properties.uP = made.data.uP = properties.uP
      this.definition(name).options.observers?.uP?.call(made, properties.uP)
    }
    made.events = events
    return made
  }
}

/** Put a value at a place like `a.b[2].c`. */
function put(data, place, value) {
  const steps = place.split(/[.[\]]+/).filter(Boolean)
  const last = steps.pop()
  steps.reduce((held, step) => (held[step] ??= {}), data)[last] = value
}

module.exports = { Client }
