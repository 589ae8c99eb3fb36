import { type Reason, Refused } from "./refusals.ts";

/** A tagged item (RFC 8949 section 3.4). */
export class Tagged {
  readonly tag: number;
  readonly value: Item;

  constructor(tag: number, value: Item) {
    this.tag = tag;
    this.value = value;
  }
}

export type Item = number | boolean | string | Uint8Array | Item[] | Map<number | string, Item> | Tagged;

const DEEPEST = 8;

/** The deterministic form of an item (RFC 8949 section 4.2.1). */
export function encode(item: Item): Uint8Array {
  if (typeof item === "boolean") return Uint8Array.of(item ? 0xf5 : 0xf4);
  if (typeof item === "number") return item >= 0 ? head(0, item) : head(1, -1 - item);
  if (item instanceof Uint8Array) return join(head(2, item.length), item);
  if (typeof item === "string") {
    const text = new TextEncoder().encode(item);
    return join(head(3, text.length), text);
  }
  if (Array.isArray(item)) return join(head(4, item.length), ...item.map(encode));
  if (item instanceof Tagged) return join(head(6, item.tag), encode(item.value));
  const pairs = [...item].map(([key, value]) => [encode(key), encode(value)] as const).sort(([a], [b]) => compare(a, b));
  return join(head(5, pairs.length), ...pairs.flat());
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function head(major: number, number: number): Uint8Array {
  const first = major << 5;
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError("a whole number below 2^53");
  if (number < 24) return Uint8Array.of(first | number);
  const size = number < 0x100 ? 1 : number < 0x10000 ? 2 : number < 0x100000000 ? 4 : 8;
  const made = new Uint8Array(1 + size);
  made[0] = first | (24 + Math.log2(size));
  for (let at = size, rest = number; at > 0; at -= 1, rest = Math.floor(rest / 256)) made[at] = rest % 256;
  return made;
}

/** Less than, equal or greater, byte by byte, a shorter beginning first. */
function compare(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    if (a[at] !== b[at]) return a[at]! - b[at]!;
  }
  return a.length - b.length;
}

/**
 * The one item in these bytes, or Refused with bad_encoding or not_canonical, whichever comes first.
 *
 * Strict, so that one meaning has one form: shortest and definite lengths, map keys ascending and single; no floats, null or bignums.
 */
export function decode(data: Uint8Array): Item {
  const reader = new Reader(data);
  const item = reader.item(0);
  if (!reader.done()) refuse("bad_encoding");
  return item;
}

class Reader {
  readonly #data: Uint8Array;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  done(): boolean {
    return this.#at === this.#data.length;
  }

  item(depth: number): Item {
    if (depth > DEEPEST) refuse("bad_encoding");
    const [major, number] = this.#head();
    switch (major) {
      case 0:
        return number;
      case 1:
        return -1 - number;
      case 2:
        return this.#bytes(number);
      case 3:
        return this.#text(number);
      case 4:
        return this.#array(number, depth);
      case 5:
        return this.#map(number, depth);
      case 6:
        return new Tagged(number, this.item(depth + 1));
      default:
        return number === 20 || number === 21 ? number === 21 : refuse("bad_encoding");
    }
  }

  #head(): [number, number] {
    const first = this.#data[this.#at] ?? refuse("bad_encoding");
    const major = first >> 5;
    const extra = first & 31;
    this.#at += 1;
    if (extra < 24) return [major, extra];
    if (extra === 31 && major >= 2 && major <= 5) refuse("not_canonical");
    if (extra > 27 || major === 7) refuse("bad_encoding");
    const size = 2 ** (extra - 24);
    if (size > this.#left()) refuse("bad_encoding");
    let number = 0;
    for (const byte of this.#bytes(size)) number = number * 256 + byte;
    if (number < (size === 1 ? 24 : 2 ** (4 * size))) refuse("not_canonical");
    return [major, number];
  }

  #left(): number {
    return this.#data.length - this.#at;
  }

  #bytes(length: number): Uint8Array {
    if (length > this.#left()) refuse("bad_encoding");
    this.#at += length;
    return this.#data.slice(this.#at - length, this.#at);
  }

  #text(length: number): string {
    const raw = this.#bytes(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
    } catch {
      return refuse("bad_encoding");
    }
  }

  #array(length: number, depth: number): Item[] {
    if (length > this.#left()) refuse("bad_encoding");
    return Array.from({ length }, () => this.item(depth + 1));
  }

  #map(length: number, depth: number): Map<number | string, Item> {
    if (2 * length > this.#left()) refuse("bad_encoding");
    const members = new Map<number | string, Item>();
    let before = new Uint8Array();
    for (let nth = 0; nth < length; nth += 1) {
      const start = this.#at;
      const key = this.item(depth + 1);
      if (typeof key !== "number" && typeof key !== "string") refuse("bad_encoding");
      const raw = this.#data.slice(start, this.#at);
      if (compare(raw, before) <= 0) refuse("not_canonical");
      before = raw;
      members.set(key, this.item(depth + 1));
    }
    return members;
  }
}

function refuse(reason: Reason): never {
  throw new Refused(reason);
}
