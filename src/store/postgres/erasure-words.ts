import type { Json, JsonObject } from "../../model/json.ts";

/** What stands where a word was erased. */
export const erasedWord = "erased";

/** Ids that are shorter than this, or as common, stand in too many places that mean something else. */
const wordCharsMin = 8;
const common = new Set(["provider", "resource", "operational", "security", "platform", "instance", "erased"]);

/** Those words that can be looked for in texts without hitting others. */
export function searchable(words: Iterable<string>): readonly string[] {
  const distinct = [...new Set(words)].filter(
    (word) => word.length >= wordCharsMin && !common.has(word.toLowerCase()),
  );
  // The longest first, so that none is taken apart by one that it begins with.
  return distinct.sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** A pattern that PostgreSQL and JavaScript read alike: the words as they are, and as JSON spells them. */
export function patternOf(words: readonly string[]): string {
  const spelt = words.flatMap((word) => [word, JSON.stringify(word).slice(1, -1)]);
  return [...new Set(spelt)].map((word) => word.replaceAll(/[^\p{L}\p{N}_]/gu, "\\$&")).join("|");
}

/** The value without the words, wherever they stand in it and however they are written; keys of objects too. */
export function withoutWords<Value>(value: Value, words: readonly string[]): Value {
  if (words.length === 0) return value;
  const escaped = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  const pattern = new RegExp(escaped.join("|"), "giu");
  const scrub = (one: Json): Json => {
    if (typeof one === "string") return one.replaceAll(pattern, erasedWord);
    if (Array.isArray(one)) return one.map((inner: Json) => scrub(inner));
    if (one === null || typeof one !== "object") return one;
    return Object.fromEntries(
      Object.entries(one as JsonObject).map(([key, inner]) => [
        key.replaceAll(pattern, erasedWord),
        inner === undefined ? inner : scrub(inner),
      ]),
    ) as JsonObject;
  };
  return scrub(value as Json) as Value;
}
