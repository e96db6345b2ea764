import type { Instant } from "../../model/instant.ts";
import type { Finding, Hole } from "../../model/source-health.ts";

/** Where a durable consumer stands in its stream. */
export interface ConsumerPlace {
  /** Number in the stream of the last message that it was given, or that it skipped. */
  readonly streamSeq: number;
  /** How many messages it was given, those given again counted again. */
  readonly consumerSeq: number;
  /** All that the stream had taken until then was stored; absent before it was so for the first time. */
  readonly completeTo?: Instant;
}

/** What is looked at to find a loss: the place as it is now, and the stream behind it. */
export interface PlaceNow {
  readonly streamSeq: number;
  readonly consumerSeq: number;
  /** Number of the oldest message that the stream still has, and when it was taken. */
  readonly firstSeq: number;
  readonly firstAt: Instant | undefined;
  /** Whether only some subjects are read, so that a skipped message need not have been ours. */
  readonly filtered: boolean;
}

export interface Loss {
  readonly hole: Hole;
  readonly finding: Finding;
}

/**
 * Tells whether messages went away before they were read. The server moves a consumer past a purge by itself, which
 * only the comparison with an earlier place shows; what the stream's limits dropped shows by its first message alone.
 * Messages that were given again hide as many skipped ones, never more.
 */
export function lossBetween(
  before: ConsumerPlace,
  now: PlaceNow,
  stream: string,
  at: Instant,
  heardBefore: Instant | undefined,
): Loss | undefined {
  const behindFirst = Math.max(0, now.firstSeq - 1 - now.streamSeq);
  const moved = now.streamSeq - before.streamSeq;
  const given = now.consumerSeq - before.consumerSeq;
  const skipped = now.filtered ? (given === 0 ? moved : 0) : Math.max(0, moved - given);
  const gone = behindFirst + Math.max(0, skipped);
  if (gone === 0) return undefined;
  const to = now.firstAt ?? at;
  const known = before.completeTo ?? heardBefore ?? to;
  const span = { from: known < to ? known : to, to: to > known ? to : at };
  const many = `${gone} ${gone === 1 ? "message" : "messages"}${now.filtered ? ", perhaps of other subjects," : ""}`;
  const says = `${many} of stream ${stream} went away before they were read, up to number ${Math.max(now.firstSeq - 1, now.streamSeq)}: dropped by its limits, purged or deleted.`;
  return behindFirst > 0
    ? { hole: { ...span, reason: "outlived-retention", says }, finding: { code: "outlived-retention", says } }
    : { hole: { ...span, reason: "place-lost", says }, finding: { code: "place-lost", says } };
}

/** The place as the text that is kept in the consumer's own description, where it outlives every worker. */
export function formatPlace(place: ConsumerPlace): string {
  return `isochron read ${place.streamSeq}/${place.consumerSeq}${place.completeTo === undefined ? "" : ` @${place.completeTo}`}`;
}

/** Undefined for a description that holds no place. */
export function parsePlace(description: string | undefined): ConsumerPlace | undefined {
  const [, stream, consumer, at] = /^isochron read (\d+)\/(\d+)(?: @(\d+))?$/.exec(description ?? "") ?? [];
  if (stream === undefined || consumer === undefined) return undefined;
  return {
    streamSeq: Number(stream),
    consumerSeq: Number(consumer),
    ...(at !== undefined && { completeTo: Number(at) as Instant }),
  };
}
