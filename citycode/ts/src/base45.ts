import { Refused } from "./refusals.ts";

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const VALUE = new Map([...LETTERS].map((letter, value) => [letter, value]));

/** The text of RFC 9285 section 4.1. */
export function encode(data: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 1 < data.length; at += 2) {
    const number = data[at]! * 256 + data[at + 1]!;
    text += LETTERS[number % 45]! + LETTERS[Math.floor(number / 45) % 45]! + LETTERS[Math.floor(number / 2025)]!;
  }
  if (data.length % 2) {
    const last = data[data.length - 1]!;
    text += LETTERS[last % 45]! + LETTERS[Math.floor(last / 45)]!;
  }
  return text;
}

/** The bytes of a text, or Refused: a foreign letter, a group of one, a group beyond its bytes. */
export function decode(text: string): Uint8Array {
  const values = [...text].map((letter) => VALUE.get(letter) ?? refuse());
  if (values.length % 3 === 1) refuse();
  const data: number[] = [];
  for (let at = 0; at < values.length; at += 3) {
    const whole = at + 2 < values.length;
    const number = values[at]! + 45 * values[at + 1]! + (whole ? 2025 * values[at + 2]! : 0);
    if (number > (whole ? 0xffff : 0xff)) refuse();
    if (whole) data.push(number >> 8);
    data.push(number & 0xff);
  }
  return Uint8Array.from(data);
}

function refuse(): never {
  throw new Refused("bad_base45");
}
