import { Problem } from '@shared/api/problem'
import { expect, it } from 'vitest'
import { asksForGuardian, inOrder, maskedName, saidBy, type Kind, type Text } from '../src/guardian/saying'

const CHIP = { name: '王建国', citizen_number: '990101198001010019', valid_until: null, reader: 'simulator' }
const text = (kind: Kind): Text => ({ kind, version: '2026-11-01', zh: kind, en: kind, sections: [] })
const TEXTS = inOrder((['face_data', 'identity_data', 'privacy_policy', 'user_agreement'] as const).map(text))
const NEEDED: readonly Kind[] = ['user_agreement', 'privacy_policy', 'identity_data']

it('reads the texts out in one order, the one that may be left out last', () => {
  expect(TEXTS.map(({ kind }) => kind)).toEqual([...NEEDED, 'face_data'])
})

it('says what was ticked, in the versions that were shown', () => {
  expect(saidBy(CHIP, 'household_register', TEXTS, NEEDED)).toEqual({
    guardian: CHIP,
    document: 'household_register',
    items: NEEDED.map((kind) => ({ kind, version: '2026-11-01' })),
  })
  expect(saidBy(CHIP, 'household_register', TEXTS, [...NEEDED, 'face_data'])!.items).toHaveLength(4)
})

it.each(NEEDED)('is not whole without %s', (left) => {
  const ticked = [...NEEDED, 'face_data' as const].filter((kind) => kind !== left)
  expect(saidBy(CHIP, 'household_register', TEXTS, ticked)).toBeNull()
})

it('is not whole without card, document, or a text that is there to be read', () => {
  expect(saidBy(null, 'household_register', TEXTS, NEEDED)).toBeNull()
  expect(saidBy(CHIP, null, TEXTS, NEEDED)).toBeNull()
  expect(saidBy(CHIP, 'household_register', [], NEEDED)).toBeNull()
})

it('asks for a guardian where the city does, and for nothing else', () => {
  expect(asksForGuardian(new Problem(403, { code: 'guardian_must_agree' }))).toBe(true)
  expect(asksForGuardian(new Problem(403, { code: 'guardian_required' }))).toBe(true)
  expect(asksForGuardian(new Problem(409, { code: 'guardian_unfit' }))).toBe(false)
  expect(asksForGuardian(new TypeError('a fault of our own'))).toBe(false)
})

it.each([
  ['王明', '王*'],
  ['王小明', '王*明'],
  ['欧阳小明', '欧**明'],
  ['𠮷田明', '𠮷*明'],
])('shows %s as %s', (name, shown) => {
  expect(maskedName(name)).toBe(shown)
})
