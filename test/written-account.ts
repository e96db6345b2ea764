import type { Correlatable } from "../src/correlate/correlatable.ts";
import type { Candidate } from "../src/correlate/what-else.ts";
import { rankWhatElse } from "../src/correlate/what-else.ts";
import { instant } from "../src/model/instant.ts";
import { clean } from "../src/normalise/clean.ts";
import { decoders } from "../src/normalise/decode.ts";
import { postMortem } from "../src/sources/post-mortem.ts";

/** A row of a made-up account: when, on what, what was seen or done. */
export type AccountRow = readonly [time: string, component: string, description: string];

/** What the source makes of an account, each event by its row number from 1. */
export async function readAccountRows(rows: readonly AccountRow[]): Promise<readonly Correlatable[]> {
  const table = rows.map((row) => `| ${row.join(" | ")} |`).join("\n");
  const text = `---\ndate: 2025-03-11\ntimezone: UTC\n---\n| Time | Component | What happened |\n|---|---|---|\n${table}\n`;
  const file = {
    name: "account.md",
    modifiedAt: instant(0),
    whole: () => Promise.resolve(new TextEncoder().encode(text)),
    lines: () => {
      throw new Error("a post-mortem is read as a whole");
    },
  };
  const events: Correlatable[] = [];
  for await (const record of postMortem.splitFile!(file, decoders)) {
    for (const draft of clean(postMortem.normalise(record, decoders), instant(0)).events) {
      events.push({ ...draft, id: `row ${String(draft.details["row"]).padStart(3, "0")}` });
    }
  }
  return events;
}

/** Candidates for the symptom in a row (from 1), from the rows up to it. */
export function rankBefore(events: readonly Correlatable[], row: number): readonly Candidate<Correlatable>[] {
  const symptom = events[row - 1]!;
  return rankWhatElse({
    target: { event: symptom, at: symptom.occurredAt },
    earlier: events.slice(0, row),
    edges: [],
    rates: new Map(),
    limit: 100,
  }).candidates;
}
