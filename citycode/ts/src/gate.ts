import { Refused } from "./refusals.ts";
import { hex, type TrustList, type Verified, verify } from "./verify.ts";

const ENTRY_BYTES = 5;

/** A hotlist at one version: entries in hexadecimal, and when the centre last called it the newest. */
export interface Hotlist {
  version: number;
  madeAt: number;
  entries: ReadonlySet<string>;
}

export interface GateRules {
  oldestLists: number;
  mostFen: number;
}

export const RULES: GateRules = { oldestLists: 72 * 3600, mostFen: 2_000_000 };

/** What the hotlist holds of an authorisation. */
export async function entry(id: Uint8Array): Promise<string> {
  const prefix = new TextEncoder().encode("citycode hotlist");
  const message = new Uint8Array([...prefix, ...id]);
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", message)).slice(0, ENTRY_BYTES));
}

/** A gate: decides without network, from its trust list, its hotlist and what it has seen itself. One scan at a time. */
export class Gate {
  readonly #trust: TrustList;
  readonly #hotlist: Hotlist;
  readonly #rules: GateRules;
  readonly #seen = new Set<string>();
  #openFen = 0;

  constructor(trust: TrustList, hotlist: Hotlist, rules: GateRules = RULES) {
    this.#trust = trust;
    this.#hotlist = hotlist;
    this.#rules = rules;
  }

  /** Accept a code for an amount in fen, or Refused; an authorisation is good for one acceptance. */
  async offer(text: string, amountFen: number, now: number): Promise<Verified> {
    if (now - this.#hotlist.madeAt > this.#rules.oldestLists) throw new Refused("lists_too_old");
    const shown = await verify(text, this.#trust, now);
    if (this.#hotlist.entries.has(await entry(shown.id))) throw new Refused("listed");
    if (this.#seen.has(hex(shown.id))) throw new Refused("replayed");
    if (!Number.isInteger(amountFen) || amountFen < 0 || amountFen > shown.limitFen) throw new Refused("over_limit");
    if (this.#openFen + amountFen > this.#rules.mostFen) throw new Refused("gate_full");
    this.#seen.add(hex(shown.id));
    this.#openFen += amountFen;
    return shown;
  }
}
