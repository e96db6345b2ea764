import type { Claim } from "./api-reader.ts";

/** What a source has told for good, by connection: what must be stored, and what may be. */
export interface Truth {
  readonly required: ReadonlyMap<string, number>;
  readonly possible: ReadonlyMap<string, number>;
}

export interface Verdict {
  readonly expected: number;
  readonly stored: number;
  readonly lost: readonly string[];
  readonly duplicate: readonly string[];
  readonly extra: readonly string[];
}

export const nothingWrong: Verdict = { expected: 0, stored: 0, lost: [], duplicate: [], extra: [] };

/** Compares what is stored, each event once per mention, with the truth. */
export function checkSet(truth: Truth, stored: readonly string[]): Verdict {
  const counts = new Map<string, number>();
  for (const name of stored) counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    expected: truth.required.size,
    stored: stored.length,
    lost: [...truth.required.keys()].filter((name) => !counts.has(name)),
    duplicate: [...counts].filter(([, count]) => count > 1).map(([name]) => name),
    extra: [...counts.keys()].filter((name) => !truth.required.has(name) && !truth.possible.has(name)),
  };
}

export function addVerdicts(verdicts: readonly Verdict[]): Verdict {
  return {
    expected: verdicts.reduce((sum, { expected }) => sum + expected, 0),
    stored: verdicts.reduce((sum, { stored }) => sum + stored, 0),
    lost: verdicts.flatMap(({ lost }) => lost),
    duplicate: verdicts.flatMap(({ duplicate }) => duplicate),
    extra: verdicts.flatMap(({ extra }) => extra),
  };
}

/**
 * Claims to be complete that were not: an event from before the claimed moment that could not be read after the claim
 * was made. What lies in a declared hole was not claimed.
 */
export function checkClaims(claims: readonly Claim[], truths: ReadonlyMap<string, Truth>): readonly string[] {
  const wrong = new Set<string>();
  for (const { connection, completeTo, seen, holes } of claims) {
    for (const [name, at] of truths.get(connection)?.required ?? []) {
      if (at >= completeTo || seen.has(name)) continue;
      if (holes.some(({ from, to }) => at >= from && at < to)) continue;
      wrong.add(`${connection} complete to ${new Date(completeTo).toISOString()} without ${name}`);
    }
  }
  return [...wrong];
}
