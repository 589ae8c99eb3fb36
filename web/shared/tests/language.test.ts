import { expect, it } from 'vitest'
import { filled, yuan } from '../language/language'

it('writes fen as yuan, with a comma at every thousand', () => {
  expect([0, 5, 1230, 100_000, 123_456_789, -250].map(yuan)).toEqual(['0.00', '0.05', '12.30', '1,000.00', '1,234,567.89', '−2.50'])
})

it('ends no line within a date, and begins none with a dot between two things', () => {
  expect(filled('due by {day}', { day: '2026-11-26' })).toBe('due by 2026-\u206011-\u206026')
  expect(filled('pay-as-you-go · {what}', { what: 'water' })).toBe('pay-as-you-go\u00a0· water')
})
