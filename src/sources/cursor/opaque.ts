import type { Instant } from "../../model/instant.ts";
import { formatInstant } from "../../model/instant.ts";
import type { Finding, Hole } from "../../model/source-health.ts";

/**
 * Cursor kind *opaque*: the place is the source's own word (a resource version, a token, an ETag), kept to the letter
 * and never computed with. A source that no longer knows it is read anew from what it still has; what lay between the
 * last answer and that reading is a hole, because nobody can tell whether something did.
 */
export interface LostPlace {
  readonly findings: readonly Finding[];
  readonly holes: readonly Hole[];
}

/**
 * What is to be said when the source no longer knows a place. `heardAt` is the last answer under it, undefined where
 * cursors of earlier versions did not keep that: then there is only the finding.
 */
export function losePlace(who: string, heardAt: Instant | undefined, now: Instant): LostPlace {
  const span = heardAt === undefined || heardAt >= now ? undefined : { from: heardAt, to: now };
  const since = span === undefined ? "" : ` after ${formatInstant(span.from)}`;
  const says = `${who} no longer knew the place that was read up to${since}, and was read anew.`;
  return {
    findings: [{ code: "place-lost", says }],
    holes: span === undefined ? [] : [{ ...span, reason: "place-lost", says }],
  };
}

/** What is to be said when a source was left alone for longer than it keeps its records. */
export function outliveRetention(who: string, readTo: Instant, keptFrom: Instant): LostPlace {
  if (readTo >= keptFrom) return { findings: [], holes: [] };
  const says = `${who} was read up to ${formatInstant(readTo)}, and keeps nothing from before ${formatInstant(keptFrom)}.`;
  return {
    findings: [{ code: "outlived-retention", says }],
    holes: [{ from: readTo, to: keptFrom, reason: "outlived-retention", says }],
  };
}
