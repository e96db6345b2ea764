import type { CoverageJson } from "../../api/contract.ts";
import type { BlindSpan } from "./blind-spans.ts";

/** A window that reaches to the present is not held against a source that is only just behind it. */
const presentGraceMs = 120_000;

/** How far one connection is complete, as the server reports it. */
export interface ConnectionCoverage {
  readonly connection: string;
  readonly state: string;
  /** Absent where nothing is known to be complete. */
  readonly completeTo?: number;
  /** Where events of it may be missing, before that moment or after it. */
  readonly holes?: readonly BlindSpan[];
}

/** A part of the strip in shares of the window's width, 0 to 1. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export interface HoleStretch extends Stretch {
  readonly hole: BlindSpan;
}

/** One row of the coverage strip: known up to `knownTo` but for its holes, unknown from there to `now`, not yet after it. */
export interface CoverageRow {
  readonly connection: string;
  readonly state: string;
  /** Whether the connection says at all how far it is complete; a feed that others push into may not. */
  readonly stated: boolean;
  /** Shares of the window's width, 0 to 1. */
  readonly knownShare: number;
  readonly unknownShare: number;
  readonly unknownFrom: number | undefined;
  readonly holes: readonly HoleStretch[];
}

/** Rows for the window [from, to); those with unknown parts first, the most blind of them foremost. */
export function coverageRows(
  connections: readonly ConnectionCoverage[],
  range: { readonly from: number; readonly to: number },
  now: number,
): CoverageRow[] {
  const span = range.to - range.from;
  const share = (at: number) => Math.min(1, Math.max(0, (at - range.from) / span));
  const end = share(Math.max(now, range.from));
  return connections
    .map((entry): CoverageRow => {
      const known = Math.min(entry.completeTo === undefined ? 0 : share(entry.completeTo), end);
      return {
        connection: entry.connection,
        state: entry.state,
        stated: entry.completeTo !== undefined,
        knownShare: known,
        unknownShare: end - known,
        unknownFrom: known < end ? Math.max(entry.completeTo ?? range.from, range.from) : undefined,
        holes: (entry.holes ?? [])
          .filter((hole) => hole.to > range.from && hole.from < range.to)
          .map((hole) => ({ from: share(hole.from), to: share(hole.to), hole })),
      };
    })
    .toSorted((a, b) => blindShare(b) - blindShare(a) || (a.connection < b.connection ? -1 : 1));
}

function blindShare(row: CoverageRow): number {
  return row.unknownShare + row.holes.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Whether nothing of the window is unknown. */
export function isWhole(row: CoverageRow): boolean {
  return row.unknownShare === 0 && row.holes.length === 0;
}

/** The widest stretch of a row that is not hatched, where words hide nothing. */
export function widestClear(row: CoverageRow): Stretch {
  const hatched: Stretch[] = row.holes.map(({ from, to }) => ({ from, to }));
  if (row.unknownShare > 0) hatched.push({ from: row.knownShare, to: row.knownShare + row.unknownShare });
  hatched.sort((a, b) => a.from - b.from);
  let best: Stretch = { from: 0, to: 0 };
  let reached = 0;
  for (const { from, to } of [...hatched, { from: 1, to: 1 }]) {
    if (from - reached > best.to - best.from) best = { from: reached, to: from };
    reached = Math.max(reached, to);
  }
  return best;
}

/**
 * From when on a lane is unknown: where none of the connections that feed it is complete any more.
 * Undefined where one of them does not say how far it is complete; the strip below the lanes tells that.
 */
export function unknownFrom(
  feeding: Iterable<string>,
  completeTo: ReadonlyMap<string, number | undefined>,
): number | undefined {
  let latest: number | undefined;
  for (const connection of feeding) {
    const at = completeTo.get(connection);
    if (at === undefined) return undefined;
    latest = latest === undefined ? at : Math.max(latest, at);
  }
  return latest;
}

/** The holes that touch a lane: those of each connection that feeds it, and those that nobody names. */
export function holesOfLane(feeding: ReadonlySet<string>, holes: readonly BlindSpan[]): BlindSpan[] {
  return holes.filter(({ connection }) => connection === undefined || feeding.has(connection));
}

/** The connections that are not known to be complete up to `to`; a document that was read to its end is behind nothing. */
export function behindAt(
  connections: CoverageJson["connections"],
  to: number,
  now: number,
): CoverageJson["connections"] {
  const needed = Math.min(to, now - presentGraceMs);
  return connections.filter(
    (entry) =>
      entry.state !== "finished" &&
      entry.state !== "retired" &&
      (entry.complete_to === null || Date.parse(entry.complete_to) < needed),
  );
}
