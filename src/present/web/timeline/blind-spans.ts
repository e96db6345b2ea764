import { instant } from "../../../model/instant.ts";
import { mergeSpans, type HoleReason } from "../../../model/source-health.ts";
import type { CoverageJson, SourcesJson } from "../../api/contract.ts";
import { zoneName, formatClock, formatDate } from "../time/zone.ts";

/** A span in which events may be missing; a tenant is told no more of it than when it was. */
export interface BlindSpan {
  readonly from: number;
  readonly to: number;
  readonly connection?: string;
  readonly reason?: HoleReason;
  /** What the store says of it, in one sentence for operators. */
  readonly says?: string;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The holes as every answer tells them: merged, without names. */
export function namelessHoles(holes: CoverageJson["holes"]): BlindSpan[] {
  return holes.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }));
}

/** The holes of each connection by itself, oldest first. */
export function namedHoles(connections: SourcesJson["connections"]): BlindSpan[] {
  return connections
    .flatMap(({ connection, holes }) =>
      holes.map(({ from, to, reason, says }) => ({
        connection,
        from: Date.parse(from),
        to: Date.parse(to),
        reason,
        says,
      })),
    )
    .toSorted((a, b) => a.from - b.from);
}

export function spansWithin<T extends Range>(spans: readonly T[], { from, to }: Range): T[] {
  return spans.filter((span) => span.to > from && span.from < to);
}

/** The same time in the fewest spans. */
export function joinBlindSpans(spans: readonly Range[]): Range[] {
  return mergeSpans(spans.map(({ from, to }) => ({ from: instant(from), to: instant(to) }))).map(
    ({ from, to }) => ({ from, to }),
  );
}

/** Why a span may lack events, in a few words. */
export const holeReasonWords: Readonly<Record<HoleReason, string>> = {
  "late-commit": "records became readable late",
  "outlived-retention": "the source had dropped its records before they were read",
  "place-lost": "the source no longer knew the place to go on from",
  outage: "an outage",
};

/** `03:10–03:25 UTC`; with seconds where the minutes do not say enough, with the date where it spans days. */
export function spanWords({ from, to }: Range, zone: string): string {
  const whole = from % 60_000 === 0 && to % 60_000 === 0;
  const clock = (at: number) => formatClock(at, zone, whole ? "minute" : "second");
  const [first, last] = [formatDate(from, zone), formatDate(to, zone)];
  const name = zoneName(from, zone);
  return first === last
    ? `${clock(from)}–${clock(to)} ${name}`
    : `${first} ${clock(from)} – ${last} ${clock(to)} ${name}`;
}

/** How many spans one line tells at most. */
const toldMax = 3;

/** `03:10–03:25 UTC, 2 sources`: where a window may be incomplete; undefined where no hole touches it. */
export function incompleteWords(spans: readonly BlindSpan[], range: Range, zone: string): string | undefined {
  const touching = spansWithin(spans, range);
  if (touching.length === 0) return undefined;
  const merged = joinBlindSpans(touching);
  const told = merged.slice(0, toldMax).map((span) => spanWords(span, zone));
  const more = merged.length > told.length ? ` and ${merged.length - told.length} more spans` : "";
  const sources = new Set(touching.map(({ connection }) => connection).filter((name) => name !== undefined));
  const by = sources.size === 0 ? "" : `, ${sources.size} ${sources.size === 1 ? "source" : "sources"}`;
  return `${told.join("; ")}${more}${by}`;
}

/** A span in one sentence; without a name only that something may be missing. */
export function blindSpanSentence(span: BlindSpan, zone: string): string {
  if (span.connection === undefined) return `Something may be missing from ${fromToWords(span, zone)}.`;
  const why = span.reason === undefined ? "" : `: ${holeReasonWords[span.reason]}`;
  return `${span.connection}: events may be missing from ${fromToWords(span, zone)}${why}.`;
}

function fromToWords({ from, to }: Range, zone: string): string {
  const clock = (at: number) => formatClock(at, zone);
  const [first, last] = [formatDate(from, zone), formatDate(to, zone)];
  const name = zoneName(from, zone);
  return first === last
    ? `${clock(from)} to ${clock(to)} ${name}`
    : `${first} ${clock(from)} to ${last} ${clock(to)} ${name}`;
}
