/** Why a code is refused: the closed list of docs/city-code.md, in the order in which a verifier looks. */
export const REASONS = [
  "too_long",
  "other_format",
  "bad_base45",
  "bad_encoding",
  "not_canonical",
  "wrong_structure",
  "wrong_algorithm",
  "wrong_curve",
  "bad_signature_form",
  "bad_window",
  "unknown_issuer",
  "issuer_out_of_time",
  "bad_issuer_signature",
  "not_yet_valid",
  "expired",
  "bad_device_signature",
  "from_the_future",
  "stale",
  "lists_too_old",
  "listed",
  "replayed",
  "over_limit",
  "gate_full",
] as const;

export type Reason = (typeof REASONS)[number];

/** A code that is not accepted, and why. */
export class Refused extends Error {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super(reason);
    this.name = "Refused";
    this.reason = reason;
  }
}
