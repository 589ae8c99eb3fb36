import { expect, it } from 'vitest'
import { drawn, secretIn } from '../src/scanning/drawing'
import { administratorsAtWork, mayConfirm, mayStop, standingOf, type Looking, type Member } from '../src/staff/standing'

const NOW = '2026-11-22T12:00:00Z'
const ME: Looking = { id: 'staff_me', permissions: ['auth:staff:read', 'auth:staff:admit', 'auth:staff:disable'] }
const member = (changed: Partial<Member>): Member => ({
  id: 'staff_them',
  login: 'sunli',
  display_name: '孙丽',
  roles: ['administrator'],
  admitted_by: 'staff_first',
  confirmed_by: null,
  from_console: null,
  enrolled_at: null,
  disabled_at: null,
  ...changed,
})
const FIRST = { admitted_by: null, from_console: 'first' } as const

it.each([
  [{}, 'admitted'],
  [{ confirmed_by: 'staff_second' }, 'confirmed'],
  [FIRST, 'confirmed'],
  [{ admitted_by: null, from_console: 'replacement' } as const, 'admitted'],
  [{ enrolled_at: NOW }, 'active'],
  [{ enrolled_at: NOW, disabled_at: NOW }, 'stopped'],
  [{ disabled_at: NOW }, 'stopped'],
])('says of %j that it is %s', (changed, standing) => {
  expect(standingOf(member(changed))).toBe(standing)
})

it('offers to confirm whom somebody else admitted, until they have enrolled', () => {
  expect(mayConfirm(ME, member({}))).toBe(true)
  expect(mayConfirm(ME, member({ confirmed_by: 'staff_second' }))).toBe(true)
  expect(mayConfirm(ME, member({ admitted_by: null, from_console: 'replacement' }))).toBe(true)
  expect(mayConfirm(ME, member({ admitted_by: ME.id }))).toBe(false)
  expect(mayConfirm(ME, member(FIRST))).toBe(false)
  expect(mayConfirm(ME, member({ enrolled_at: NOW }))).toBe(false)
  expect(mayConfirm(ME, member({ disabled_at: NOW }))).toBe(false)
  expect(mayConfirm({ ...ME, permissions: ['auth:staff:read'] }, member({}))).toBe(false)
  expect(mayConfirm(null, member({}))).toBe(false)
})

it('offers to stop everybody but the reader and whoever is stopped', () => {
  expect(mayStop(ME, member({ enrolled_at: NOW }))).toBe(true)
  expect(mayStop(ME, member({ id: ME.id }))).toBe(false)
  expect(mayStop(ME, member({ disabled_at: NOW }))).toBe(false)
  expect(mayStop({ ...ME, permissions: ['auth:staff:read', 'auth:staff:admit'] }, member({}))).toBe(false)
})

it('counts the administrators who can act', () => {
  const listed = [member({ enrolled_at: NOW }), member({}), member({ enrolled_at: NOW, disabled_at: NOW }), member({ enrolled_at: NOW, roles: ['supervisor'] })]
  expect(administratorsAtWork(listed)).toBe(1)
})

it('shows the secret of an authenticator app in groups, and draws its address', () => {
  const address = 'otpauth://totp/%E4%BA%91%E5%B7%9D%E5%B8%82%3Asunli?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567&issuer=x'
  expect(secretIn(address)).toBe('ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567')
  const { size, path } = drawn(address)
  expect((size - 8 - 17) % 4).toBe(0)
  expect(path.startsWith('M4 4h1v1h-1z')).toBe(true)
})
