/** How far one connection is complete, as the server reports it. */
export interface ConnectionCoverage {
  readonly connection: string;
  readonly state: string;
  /** Absent where nothing is known to be complete. */
  readonly completeTo?: number;
}

/** One row of the coverage strip: known up to `knownTo`, unknown from there to `now`, not yet after it. */
export interface CoverageRow {
  readonly connection: string;
  readonly state: string;
  /** Whether the connection says at all how far it is complete; a feed that others push into may not. */
  readonly stated: boolean;
  /** Shares of the window's width, 0 to 1. */
  readonly knownShare: number;
  readonly unknownShare: number;
  readonly unknownFrom: number | undefined;
}

/** Rows for the window [from, to); those with unknown parts first. */
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
      };
    })
    .toSorted((a, b) => b.unknownShare - a.unknownShare || (a.connection < b.connection ? -1 : 1));
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
