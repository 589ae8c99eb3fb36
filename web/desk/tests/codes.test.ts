import { expect, it } from 'vitest'
import { codeAtEnd, isCitizenNumber, TEST_CODE, typedCode } from '../src/scanning/codes'

const CODE = '810123456789012345'

it('finds a pay code at the end of whatever was keyed before it', () => {
  expect(codeAtEnd(CODE)).toEqual({ kind: 'pay', text: CODE })
  expect(codeAtEnd(`12.30${CODE}`)).toEqual({ kind: 'pay', text: CODE })
  expect(codeAtEnd(`${CODE}1`)?.text).toBe('101234567890123451')
  expect(codeAtEnd('12345678901234567')).toBeNull()
})

it('finds the test code also where an input method changed its letters', () => {
  expect(codeAtEnd(TEST_CODE)).toEqual({ kind: 'test', text: TEST_CODE })
  expect(codeAtEnd(TEST_CODE.toLowerCase())).toEqual({ kind: 'test', text: TEST_CODE.toLowerCase() })
})

it('reads a typed code with wide digits, spaces and hyphens', () => {
  expect(typedCode('81 0123-4567 8901 2345')).toBe(CODE)
  expect(typedCode('８１０１２３４５６７８９０１２３４５')).toBe(CODE)
  expect(typedCode('81012345678901234X')).toBeNull()
})

it('knows a citizen number by its check character', () => {
  expect(isCitizenNumber('11010519491231002X')).toBe(true)
  expect(isCitizenNumber('110105194912310021')).toBe(false)
  expect(isCitizenNumber(CODE)).toBe(false)
})
