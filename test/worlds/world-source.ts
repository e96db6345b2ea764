import { z } from "zod";
import type { EventDraft, Observation } from "../../src/model/event.ts";
import { duration, instant } from "../../src/model/instant.ts";
import type { TopologyFact } from "../../src/model/topology.ts";
import type { PullSource, RawRecord } from "../../src/sources/source.ts";
import type { World } from "./play.ts";

/** What one record of a world tells. */
export type Told =
  | { readonly plane: string; readonly fact: TopologyFact }
  | { readonly plane: string; readonly draft: EventDraft };

/** Every statement that was not lost, and every record. */
export function toldBy({ statements, records }: World): readonly Told[] {
  const facts = statements.flatMap(({ fact, lost }): Told[] => {
    const { from, relation, to, at, holds, controlPlane: plane } = fact;
    return lost ? [] : [{ plane, fact: { from, relation, to, at, holds } }];
  });
  return [...facts, ...records.map(({ plane, draft }) => ({ plane, draft }))];
}

export function asRecord(told: Told, number: number): RawRecord {
  const bytes = Buffer.from(JSON.stringify(told));
  return { bytes, position: `record ${number}`, receivedAt: instant(0), meta: {} };
}

/** Reads what {@link asRecord} wrote. */
export const worldSource: PullSource = {
  name: "world",
  title: "A made-up world",
  summary: "What sources would tell of it.",
  delivery: "pull",
  contract: {
    identity: "the record's name",
    version: "never changes",
    ordering: "unsorted",
    commitDelayMax: duration(0),
    clockErrorMax: duration(0),
    delivery: "pull",
    revisions: "never",
    blindSpots: "what was lost",
  },
  config: z.strictObject({}),
  cursor: z.json(),
  normalise(record, decode): Observation {
    const told = decode.json(decode.text(record.bytes)) as unknown as Told;
    return "fact" in told ? { events: [], facts: [told.fact] } : { events: [told.draft], facts: [] };
  },
  fetch: () => Promise.resolve({ records: [], cursor: 0, done: true }),
};
