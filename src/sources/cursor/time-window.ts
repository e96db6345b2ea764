/**
 * Cursor kind *(time, id) with inclusive overlap and signpost*: a pass asks for what changed at or after a lower bound,
 * goes on by the last row within the pass, and leaves as the next lower bound the moment at which it began itself, less
 * an overlap: never the time of the last row, beyond which something may still commit. Times are in milliseconds since
 * the epoch, by the source's clock wherever it tells it.
 */
export interface WindowRule {
  /** How far each pass reads back into the one before: at least the largest commit delay and clock error together. */
  readonly overlapMs: number;
  /** How long after its own time a record may become readable. */
  readonly settleMs: number;
}

/** The moment that a pass belongs to: our clock's, or the source's where that is behind. */
export function signpost(startedAt: number, sourceTime: number | undefined): number {
  return Math.floor(Math.min(startedAt, sourceTime ?? startedAt));
}

/** The lower bound (inclusive) of the pass after one that began at the signpost and was read to its end. */
export function nextLowerBound(signpostAt: number, { overlapMs }: Pick<WindowRule, "overlapMs">): number {
  return signpostAt - overlapMs;
}

/** Up to when everything is readable that a pass with this signpost was able to read. */
export function settledTo(signpostAt: number, { settleMs }: Pick<WindowRule, "settleMs">): number {
  return signpostAt - settleMs;
}

/** The highest id that a pass saw, with its signpost. */
export interface Mark {
  readonly at: number;
  readonly id: string;
}

/**
 * The same where a source is asked by id and ids become readable out of order: the lower bound is the id that was the
 * highest one an overlap ago. Gives the marks that are still younger than that, oldest first.
 */
export function settleMarks(
  floor: string | null,
  marks: readonly Mark[],
  signpostAt: number,
  { overlapMs }: Pick<WindowRule, "overlapMs">,
): { readonly floor: string | null; readonly marks: readonly Mark[] } {
  const settledAt = signpostAt - overlapMs;
  return {
    floor: marks.findLast(({ at }) => at <= settledAt)?.id ?? floor,
    marks: marks.filter(({ at }) => at > settledAt),
  };
}
