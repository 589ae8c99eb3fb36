/** What a guardian says for a child at the counter: when it is whole, and when the city asks for it. */
import type { components } from '@shared/api/schema'
import { codeOf } from '../charging/till'

export type Said = components['schemas']['GuardianAgreementsIn']
export type Kind = Said['items'][number]['kind']
export type Document = Said['document']
export type Text = components['schemas']['TextOut']
type Chip = Said['guardian']

export const DOCUMENTS: readonly Document[] = ['household_register', 'birth_certificate', 'guardianship_decision']
/** A child is named with all of these; a face check is for the guardian to allow or not. */
export const NEEDED: readonly Kind[] = ['user_agreement', 'privacy_policy', 'identity_data']
const READ: readonly Kind[] = [...NEEDED, 'face_data']

/** The texts in the order in which they are read out. */
export function inOrder(texts: readonly Text[]): Text[] {
  return [...texts].sort((one, other) => READ.indexOf(one.kind) - READ.indexOf(other.kind))
}

/** What is sent once nothing is missing: the guardian's card, the document, and each needed text in the version that was shown. */
export function saidBy(chip: Chip | null, document: Document | null, texts: readonly Text[], agreed: readonly Kind[]): Said | null {
  const items = texts.filter(({ kind }) => agreed.includes(kind)).map(({ kind, version }) => ({ kind, version }))
  const whole = NEEDED.every((kind) => items.some((each) => each.kind === kind))
  return chip !== null && document !== null && whole ? { guardian: chip, document, items } : null
}

/** Whether a refusal means that the person is a child for whom a guardian has to speak. */
export function asksForGuardian(fault: unknown): boolean {
  return ['guardian_must_agree', 'guardian_required'].includes(codeOf(fault))
}

/** A name as the city shows it: the first and the last character stay, of two only the first. */
export function maskedName(name: string): string {
  const [first = '', ...rest] = name
  return rest.length < 2 ? first + '*'.repeat(rest.length) : first + '*'.repeat(rest.length - 1) + rest.at(-1)!
}
