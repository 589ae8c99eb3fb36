import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Gate, hex, importPoint, Refused, TrustList, verify } from "../src/index.ts";

interface Trusted {
  id: string;
  point: string;
  starts_at: number;
  ends_at: number | null;
}

interface Scan {
  code: string;
  now: number;
  amount_fen: number;
  refused: string | null;
}

interface Vector extends Scan {
  name: string;
  accepted?: Record<string, string | number>;
  hotlist: { version: number; made_at: number; entries: string[] };
  most_fen: number;
  scans: Scan[];
}

interface File {
  trust: Trusted[];
  vectors: Vector[];
}

const bytes = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

function file(name: string): File {
  return JSON.parse(readFileSync(new URL(`../../../vectors/${name}.json`, import.meta.url), "utf8")) as File;
}

async function trusted(keys: Trusted[]): Promise<TrustList> {
  const made = keys.map(async (key) => ({
    id: bytes(key.id),
    key: await importPoint(bytes(key.point)),
    startsAt: key.starts_at,
    endsAt: key.ends_at,
  }));
  return new TrustList(await Promise.all(made));
}

async function reason(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (fault) {
    if (fault instanceof Refused) return fault.reason;
    throw fault;
  }
}

const good = file("good");
const trust = await trusted(good.trust);

for (const vector of good.vectors) {
  test(`accepted: ${vector.name}`, async () => {
    const found = await verify(vector.code, trust, vector.now);
    assert.deepEqual(
      {
        id: hex(found.id),
        concession: found.concession,
        limit_fen: found.limitFen,
        starts_at: found.startsAt,
        expires_at: found.expiresAt,
        generated_at: found.generatedAt,
        key_id: hex(found.keyId),
      },
      vector.accepted,
    );
  });
}

for (const vector of file("hostile").vectors) {
  test(`refused: ${vector.name}`, async () => {
    assert.equal(await reason(verify(vector.code, trust, vector.now)), vector.refused);
  });
}

for (const vector of file("gate").vectors) {
  test(`gate: ${vector.name}`, async () => {
    const { version, made_at, entries } = vector.hotlist;
    const rules = { oldestLists: 72 * 3600, mostFen: vector.most_fen };
    const gate = new Gate(trust, { version, madeAt: made_at, entries: new Set(entries) }, rules);
    for (const scan of vector.scans) {
      assert.equal(await reason(gate.offer(scan.code, scan.amount_fen, scan.now)), scan.refused);
    }
  });
}
