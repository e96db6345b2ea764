/**
 * Cursor kind *id with gap set and open set*, first half: rows are followed by an id that is given out in order and
 * committed in any. Every id that was passed over is a gap, looked at again until nothing can commit in it any more.
 * The other half, rows that change after they were passed, is the open set (`open-set.ts`).
 */

/** Ids from the first to the last that were passed over, and since when that is known (the source's clock, ms). */
export type Gap = readonly [from: string, to: string, sinceMs: number];

/** More ranges than this are joined; a joined range also covers ids that were read, which are told once all the same. */
export const gapsMax = 5_000;

/** The ids that are missing between the last one passed and those that were read, in their order. */
export function gapsBetween(through: string | null, ids: readonly string[], nowMs: number): readonly Gap[] {
  const gaps: Gap[] = [];
  // Before the first row ever read, a lower id may still be on its way.
  let next = through === null ? 0n : BigInt(through) + 1n;
  for (const text of ids) {
    const id = BigInt(text);
    if (id > next) gaps.push([String(next), String(id - 1n), nowMs]);
    if (id >= next) next = id + 1n;
  }
  return gaps;
}

/**
 * The gaps that stay open after they were looked at: without the ids that were found, and without those that were
 * looked at after nothing could commit in them any more.
 */
export function closeGaps(
  gaps: readonly Gap[],
  found: readonly string[],
  nowMs: number,
  lifetimeMs: number,
): readonly Gap[] {
  const ids = found.map((id) => BigInt(id)).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return gaps.filter(([, , sinceMs]) => nowMs < sinceMs + lifetimeMs).flatMap((gap) => without(gap, ids));
}

function without([from, to, sinceMs]: Gap, sortedIds: readonly bigint[]): readonly Gap[] {
  const rest: Gap[] = [];
  const last = BigInt(to);
  let next = BigInt(from);
  for (const id of sortedIds.slice(firstFrom(sortedIds, next))) {
    if (id > last) break;
    if (id > next) rest.push([String(next), String(id - 1n), sinceMs]);
    next = id + 1n;
  }
  if (next <= last) rest.push([String(next), to, sinceMs]);
  return rest;
}

function firstFrom(sortedIds: readonly bigint[], least: bigint): number {
  let low = 0;
  let high = sortedIds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sortedIds[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** At most {@link gapsMax} ranges that cover all of the given ones; neighbours are joined, nothing is given up. */
export function boundGaps(gaps: readonly Gap[], most = gapsMax): readonly Gap[] {
  if (gaps.length <= most) return gaps;
  const perRange = Math.ceil(gaps.length / most);
  const sorted = gaps.toSorted((a, b) => (BigInt(a[0]) < BigInt(b[0]) ? -1 : 1));
  const joined: Gap[] = [];
  for (let start = 0; start < sorted.length; start += perRange) {
    const part = sorted.slice(start, start + perRange);
    joined.push([part[0]![0], part.at(-1)![1], Math.max(...part.map(([, , sinceMs]) => sinceMs))]);
  }
  return joined;
}
