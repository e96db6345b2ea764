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

/** How many words one pattern holds; PostgreSQL refuses those of some thousand as too complex. */
const wordsPerPattern = 100;

/** Patterns of PostgreSQL, for tables that are small: the words as they are, as JSON and as our Markdown spell them. */
export function patternsOf(words: readonly string[]): readonly string[] {
  const escaped = spelt(words).map((word) => word.replaceAll(/[^\p{L}\p{N}]/gu, signPattern));
  return Array.from({ length: Math.ceil(escaped.length / wordsPerPattern) }, (_, at) =>
    escaped.slice(at * wordsPerPattern, (at + 1) * wordsPerPattern).join("|"),
  );
}

/** What tenants are told of incidents is Markdown: there such a sign stands behind a backslash, in front matter by its number. */
function signPattern(sign: string): string {
  const plain = sign === "_" ? sign : `\\${sign}`;
  if (!/[\\`*_{}[\]<>#|~!&@$^]/.test(sign)) return plain;
  return `(?:\\\\?${plain}|\\\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")})`;
}

/** Finds the words in texts, those of JSON too. */
export function searchFor(words: readonly string[]): WordSearch {
  return new WordSearch(spelt(words));
}

function spelt(words: readonly string[]): readonly string[] {
  return [...new Set(words.flatMap((word) => [word, JSON.stringify(word).slice(1, -1)]))];
}

const prefixCharsMax = 4;

/** Finds words whatever their case, in a time that does not grow with their number: a tenant has thousands of things. */
export class WordSearch {
  /** By the first characters of the words; the longest first. */
  readonly #words = new Map<string, Set<string>>();
  readonly #lengths = new Map<string, readonly number[]>();
  readonly #prefixChars: number;

  constructor(words: readonly string[]) {
    const lower = words.filter((word) => word !== "").map(inLowerCase);
    this.#prefixChars = lower.reduce((least, { length }) => Math.min(least, length), prefixCharsMax);
    for (const [prefix, group] of Map.groupBy(lower, (word) => word.slice(0, this.#prefixChars))) {
      this.#words.set(prefix, new Set(group));
      this.#lengths.set(
        prefix,
        [...new Set(group.map(({ length }) => length))].sort((a, b) => b - a),
      );
    }
  }

  get isEmpty(): boolean {
    return this.#words.size === 0;
  }

  isIn(text: string): boolean {
    return !this.#matches(text).next().done;
  }

  replaceIn(text: string, by: string): string {
    let replaced = "";
    let from = 0;
    for (const [start, end] of this.#matches(text)) {
      replaced += text.slice(from, start) + by;
      from = end;
    }
    return from === 0 ? text : replaced + text.slice(from);
  }

  *#matches(text: string): Generator<readonly [start: number, end: number], undefined> {
    if (this.isEmpty) return;
    const lower = inLowerCase(text);
    for (let at = 0; at + this.#prefixChars <= lower.length; at += 1) {
      const prefix = lower.slice(at, at + this.#prefixChars);
      const length = this.#lengths
        .get(prefix)
        ?.find((chars) => this.#words.get(prefix)?.has(lower.slice(at, at + chars)) === true);
      if (length === undefined) continue;
      yield [at, at + length];
      at += length - 1;
    }
  }
}

/** As long as the text is, so that places in the one are places in the other. */
function inLowerCase(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (char) => {
    const small = char.toLowerCase();
    return small.length === char.length ? small : char;
  }).join("");
}

/** Rows by the thousand lose the same words. */
const searches = new WeakMap<readonly string[], WordSearch>();

function searchOnce(words: readonly string[]): WordSearch {
  const known = searches.get(words);
  if (known !== undefined) return known;
  const search = new WordSearch(words);
  searches.set(words, search);
  return search;
}

/** The value without the words, wherever they stand in it and however they are written; keys of objects too. */
export function withoutWords<Value>(value: Value, words: readonly string[]): Value {
  if (words.length === 0) return value;
  const search = searchOnce(words);
  const scrub = (one: Json): Json => {
    if (typeof one === "string") return search.replaceIn(one, erasedWord);
    if (Array.isArray(one)) return one.map((inner: Json) => scrub(inner));
    if (one === null || typeof one !== "object") return one;
    return Object.fromEntries(
      Object.entries(one as JsonObject).map(([key, inner]) => [
        search.replaceIn(key, erasedWord),
        inner === undefined ? inner : scrub(inner),
      ]),
    ) as JsonObject;
  };
  return scrub(value as Json) as Value;
}
