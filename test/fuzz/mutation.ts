import type { SeededRandom } from "../faults/seeded-random.ts";
import { hostileBytes, hostileTexts, hostileValues } from "./hostile-documents.ts";

/** A document that is nearly sound, or not at all: what broken, old and hostile senders make of one. */
export function mutateBytes(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const way = random.next();
  if (way < 0.05) return random.pick(hostileBytes);
  if (way < 0.1) return Buffer.from(random.pick(hostileTexts));
  if (way < 0.2) return arbitraryBytes(random);
  if (way < 0.35) return spoiled(random, bytes);
  const value = parsed(bytes);
  if (value === undefined) return spoiled(random, bytes);
  let changed: unknown = value;
  for (let left = random.whole(1, 3); left > 0; left -= 1) changed = mutateValue(random, changed);
  const text = JSON.stringify(changed) ?? "null";
  return Buffer.from(random.chance(0.1) ? withRepeatedKey(text) : text);
}

/** The value with one change at any depth, also inside of JSON that stands as text in it. */
export function mutateValue(random: SeededRandom, value: unknown): unknown {
  if (typeof value === "string" && /^\s*[[{]/.test(value)) {
    const inner = parsed(Buffer.from(value));
    if (inner !== undefined && random.chance(0.8)) return JSON.stringify(mutateValue(random, inner));
  }
  if (typeof value !== "object" || value === null || random.chance(0.08)) return random.pick(hostileValues);
  if (Array.isArray(value)) return mutateList(random, value);
  const entries = Object.entries(value);
  if (entries.length === 0 || random.chance(0.05)) {
    const name = random.pick(["__proto__", "constructor", "", "id", "\0", "\u202e", "x".repeat(600)]);
    return Object.fromEntries([...entries, [name, random.pick(hostileValues)]]);
  }
  const at = random.whole(0, entries.length - 1);
  const [name, inner] = entries[at]!;
  if (random.chance(0.1)) entries.splice(at, 1);
  else entries[at] = [name, mutateValue(random, inner)];
  return Object.fromEntries(entries);
}

function mutateList(random: SeededRandom, list: readonly unknown[]): unknown {
  const copy = [...list];
  if (copy.length === 0) return [random.pick(hostileValues)];
  const at = random.whole(0, copy.length - 1);
  const way = random.next();
  if (way < 0.1) copy.splice(at, 1);
  else if (way < 0.2) copy.push(copy[at]);
  else copy[at] = mutateValue(random, copy[at]);
  return copy;
}

/** Bytes changed without regard for what they mean. */
function spoiled(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return arbitraryBytes(random);
  const at = random.whole(0, copy.length - 1);
  const way = random.whole(0, 3);
  if (way === 0) return copy.subarray(0, at);
  if (way === 1) copy[at] = random.whole(0, 255);
  if (way === 2) return Buffer.concat([copy.subarray(0, at), arbitraryBytes(random), copy.subarray(at)]);
  if (way === 3) return Buffer.concat([copy, copy.subarray(at)]);
  return copy;
}

function arbitraryBytes(random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: random.whole(0, 64) }, () => random.whole(0, 255)));
}

function withRepeatedKey(text: string): string {
  return text.startsWith('{"') ? `{"${text.slice(2, text.indexOf('"', 2))}":null,${text.slice(1)}` : text;
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
