/** How a member of staff stands, and what this operator may do about it; the city decides again, this only decides what is offered. */
import type { components } from '@shared/api/schema'

export type Member = components['schemas']['StaffOut']
export type Standing = 'active' | 'admitted' | 'confirmed' | 'stopped'

/** Who looks: their own id, and their rights. */
export interface Looking {
  readonly id: string
  readonly permissions: readonly string[]
}

export const READ = 'auth:staff:read'
const ADMIT = 'auth:staff:admit'
const DISABLE = 'auth:staff:disable'
/** With two left, one more loss needs the machine's console. */
export const ADMINISTRATORS_WANTED = 3

export function standingOf(member: Member): Standing {
  if (member.disabled_at !== null) return 'stopped'
  if (member.enrolled_at !== null) return 'active'
  return member.confirmed_by !== null || member.from_console === 'first' ? 'confirmed' : 'admitted'
}

export const mayAdmit = (who: Looking | null): boolean => who?.permissions.includes(ADMIT) ?? false

/** Whoever admitted somebody cannot confirm them, and a city's first two get their codes at the console alone. */
export function mayConfirm(who: Looking | null, member: Member): boolean {
  const waits = standingOf(member) === 'admitted' || standingOf(member) === 'confirmed'
  return who !== null && mayAdmit(who) && waits && member.admitted_by !== who.id && member.from_console !== 'first'
}

/** Nobody stops themselves. */
export function mayStop(who: Looking | null, member: Member): boolean {
  return who !== null && who.permissions.includes(DISABLE) && standingOf(member) !== 'stopped' && member.id !== who.id
}

/** The administrators at work, of a list that is whole. */
export function administratorsAtWork(members: readonly Member[]): number {
  return members.filter((each) => each.roles.includes('administrator') && standingOf(each) === 'active').length
}
