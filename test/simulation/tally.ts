import type { FaultKind, HistoryOutcome } from "./history-outcome.ts";
import { faultKinds } from "./history-outcome.ts";

const sums = [
  "elements",
  "stable",
  "neverRead",
  "setAside",
  "claims",
  "revisions",
  "breaches",
  "kills",
  "sleeps",
  "passes",
] as const;

interface Row {
  histories: number;
  worstMissed: number;
  readonly sums: Record<(typeof sums)[number], number>;
  readonly faults: Record<FaultKind, number>;
}

/** What many histories came to, by scenario. */
export class Tally {
  readonly failed: HistoryOutcome[] = [];
  readonly #rows = new Map<string, Row>();

  add(outcome: HistoryOutcome): void {
    if (outcome.faults.length > 0) this.failed.push(outcome);
    const row = this.#rows.get(outcome.scenario) ?? emptyRow();
    this.#rows.set(outcome.scenario, row);
    row.histories += 1;
    row.worstMissed = Math.max(row.worstMissed, outcome.worstMissed);
    for (const name of sums) row.sums[name] += outcome[name];
    for (const { kind } of outcome.faults) row.faults[kind] += 1;
  }

  /** A row for each scenario and one for all of them. */
  lines(): readonly Readonly<Record<string, string | number>>[] {
    const rows = [...this.#rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const all = emptyRow();
    for (const [, row] of rows) {
      all.histories += row.histories;
      all.worstMissed = Math.max(all.worstMissed, row.worstMissed);
      for (const name of sums) all.sums[name] += row.sums[name];
      for (const kind of faultKinds) all.faults[kind] += row.faults[kind];
    }
    return [...rows, ["all", all] as const].map(([scenario, row]) => ({
      scenario,
      histories: row.histories,
      ...row.sums,
      worstMissed: row.worstMissed,
      ...row.faults,
    }));
  }
}

function emptyRow(): Row {
  return {
    histories: 0,
    worstMissed: 0,
    sums: Object.fromEntries(sums.map((name) => [name, 0])) as Row["sums"],
    faults: Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Row["faults"],
  };
}
