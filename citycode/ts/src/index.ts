export { entry, Gate, type GateRules, type Hotlist, RULES } from "./gate.ts";
export { type Authorisation, readAuthorisation } from "./format.ts";
export { make, newOneTimeKey, publicHalf } from "./make.ts";
export { type Reason, REASONS, Refused } from "./refusals.ts";
export { importPoint } from "./signatures.ts";
export { hex, type IssuerKey, read, TrustList, type Verified, verify } from "./verify.ts";
