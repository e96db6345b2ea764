import type { Instant } from "../../model/instant.ts";
import type { CoverageJson } from "../api/contract.ts";

/** A window that is still open ends now; no source can be expected to be complete to this very moment. */
const openEndGraceMs = 120_000;

export interface CoverageReport {
  /** False where something may have happened that is not known. */
  readonly complete: boolean;
  readonly text: string;
}

/** Says how far the sources cover a window from `from` (absent: ever since) to `to` (absent: now). */
export function reportCoverage(
  coverage: CoverageJson,
  to: Instant | undefined,
  now: Instant,
  from?: Instant,
): CoverageReport {
  const reached = reportReach(coverage, to, now);
  const holes = coverage.holes.filter(
    (hole) =>
      Date.parse(hole.to) > (from ?? Number.NEGATIVE_INFINITY) &&
      Date.parse(hole.from) < (to ?? Number.POSITIVE_INFINITY),
  );
  if (holes.length === 0) return reached;
  return { complete: false, text: `${reached.text} ${holesText(holes)}` };
}

/** At most so many spans are told in one line; `isochron sources` lists them all. */
const holesToldMax = 3;

function holesText(holes: CoverageJson["holes"]): string {
  const told = holes.slice(0, holesToldMax).map(({ from, to }) => `${from} to ${to}`);
  const more = holes.length > told.length ? `, and ${holes.length - told.length} more` : "";
  return `Events may be missing from ${told.join(", ")}${more}.`;
}

function reportReach(coverage: CoverageJson, to: Instant | undefined, now: Instant): CoverageReport {
  const needed = to === undefined || to > now - openEndGraceMs ? now - openEndGraceMs : to;
  // A document that was read to its end is behind nothing, and nothing more comes of what nobody reads any more.
  const connections = coverage.connections.filter(({ state }) => state !== "finished" && state !== "retired");
  if (connections.length === 0 && coverage.connections.length > 0)
    return { complete: true, text: "All sources complete." };
  if (connections.length === 0) {
    const reached = behind(coverage.complete_to, needed) === undefined;
    if (reached) return { complete: true, text: "All sources complete." };
    const text =
      coverage.complete_to === null
        ? "No source says how far it is complete."
        : `Complete to ${coverage.complete_to} only.`;
    return { complete: false, text };
  }
  const lagging = connections.flatMap((connection) => {
    const lagMs = behind(connection.complete_to, needed);
    if (lagMs === undefined) return [];
    const how =
      connection.complete_to === null ? "does not say how far it is" : `is ${lengthText(lagMs)} behind`;
    return [`${connection.connection} ${how}`];
  });
  const complete = connections.length - lagging.length;
  const sources = connections.length === 1 ? "source" : "sources";
  const details = lagging.length === 0 ? "" : ` Unknown, not quiet: ${lagging.join(", ")}.`;
  return {
    complete: lagging.length === 0,
    text: `${complete} of ${connections.length} ${sources} complete.${details}`,
  };
}

function behind(completeTo: string | null, needed: number): number | undefined {
  if (completeTo === null) return Number.POSITIVE_INFINITY;
  const lagMs = needed - Date.parse(completeTo);
  return lagMs > 0 ? lagMs : undefined;
}

/** A length of time as people say it: `45 s`, `13 min`, `2 h 29`, `3 d 4 h`. */
export function lengthText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48)
    return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(hours / 24)} d${hours % 24 === 0 ? "" : ` ${hours % 24} h`}`;
}
