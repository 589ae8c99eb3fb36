/** The desk put together: the city's clock, this terminal, its operator, its till, and the ears for scanned codes. */
import { Client, type Surroundings } from '@shared/api/client'
import { CityClock } from '@shared/api/clock'
import type { components } from '@shared/api/schema'
import { browserWire } from '@shared/api/wire'
import { browserStore } from '@shared/store/store'
import { reactive, shallowRef } from 'vue'
import { Till } from './charging/till'
import { Today } from './charging/today'
import { Writing, type Pending } from './charging/writing'
import { Operator, type Shift } from './operator/operator'
import { language } from './reading'
import type { Scanned } from './scanning/codes'
import { Terminal, type Enrolled } from './terminal/terminal'

type Installation = components['schemas']['InstallationOut']

export const clock = new CityClock()
const drawer = browserStore('citycard-desk')
let asked: Promise<Installation> | undefined

const around: Omit<Surroundings, 'device'> = {
  wire: browserWire,
  base: '',
  clock,
  language: () => language.value,
  random: (length) => Promise.resolve(crypto.getRandomValues(new Uint8Array(length))),
  issuer: async () => (await installation()).issuer,
}
const plain = new Client({ ...around, device: () => Promise.reject(new Error('nobody signs here')) })

/** What the city says about itself; asked again when it could not be asked. */
export function installation(): Promise<Installation> {
  return (asked ??= plain.do('get', '/api/installation', {}).catch((fault: unknown) => {
    asked = undefined
    throw fault
  }))
}

export const terminal = new Terminal(around, drawer)
export const operator = new Operator(around, browserStore('citycard-desk-operator'), () => (shift.value = operator.shift))
export const writing = new Writing(terminal, drawer, () => clock.now())
export const today = new Today(drawer, () => clock.now())
export const till = new Till(terminal, writing, today)

/** What the pages show of all this. */
export const enrolled = shallowRef<Enrolled | null>(null)
export const shift = shallowRef<Shift | null>(null)
export const standing = reactive<{ loaded: boolean; fault: unknown; swallowed: boolean; sandboxes: readonly string[] }>({
  loaded: false,
  fault: null,
  swallowed: false,
  sandboxes: [],
})
/** A refund or reversal whose answer was lost. */
export const openQuestion = shallowRef<Pending | null>(null)
/** What the scanner gave last that is no pay code, for the page of the self-test. */
export const lastTest = shallowRef<Scanned | null>(null)

/** Start: the keys of this browser first, so that the page stands also where there is no network. */
export async function open(): Promise<void> {
  await Promise.all([terminal.recall(), operator.recall()])
  enrolled.value = terminal.enrolled
  await till.recall()
  const pending = await writing.pending()
  openQuestion.value = pending && pending.order.kind !== 'charge' ? pending : null
  standing.loaded = true
  await reach()
}

/** Learn the city's time and sign the terminal in; the fault stands on the page until it is gone. */
export async function reach(): Promise<void> {
  try {
    const began = Date.now()
    const { time } = await plain.do('get', '/healthz/live', {})
    clock.learn(Date.parse(time), began, Date.now(), 1)
    standing.sandboxes = (await installation()).sandboxes
    if (terminal.enrolled) await terminal.enter()
    standing.fault = null
  } catch (fault) {
    standing.fault = fault
  }
}
