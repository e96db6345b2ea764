import { findWhatElse } from "../../src/pipeline/what-else.ts";
import type { WhatElseParts } from "../../src/pipeline/what-else.ts";
import { ingest } from "../../src/pipeline/ingest.ts";
import { duration, instant } from "../../src/model/instant.ts";
import type { StoredEvent } from "../../src/model/event.ts";
import { decoders } from "../../src/normalise/decode.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import { postMortem } from "../../src/sources/post-mortem.ts";
import type { RawRecord } from "../../src/sources/source.ts";
import { openTestStore, useTestServer, type TestStore } from "../../test/database.ts";
import { startTestServer } from "../../test/database-server.ts";
import { stagesOver } from "../../test/stages.ts";
import { unusable } from "../data-file.ts";
import type { MethodResult, Part, PartResult, Shares } from "./part.ts";
import { sharesOf } from "./part.ts";
import type { PostMortemCase, PostMortemQuery, TimelineRow } from "./post-mortem-data.ts";
import { listPostMortems, readPostMortem } from "./post-mortem-data.ts";

/**
 * Written post-mortems: which of the changes told of before a symptom its author's own analysis names. The store holds
 * the rows up to the symptom and nothing else; kinds are read from their words by the source, as for any import.
 */
export const postMortems: Part = {
  name: "post-mortems",
  needs: "timeline.jsonl and truth.json",
  find: (dir) => (listPostMortems(dir).length > 0 ? dir : undefined),
  run: runPostMortems,
};

type Rank = MethodResult["ranks"][number];

async function runPostMortems(dir: string): Promise<PartResult> {
  const cases = await Promise.all(listPostMortems(dir).map(readPostMortem));
  const server = await startTestServer();
  useTestServer(server);
  const ours: Rank[] = [];
  const notes: string[] = [];
  try {
    for (const item of cases) {
      const { ranks, told } = await askStore(item);
      ours.push(...ranks);
      notes.push(...told);
    }
  } finally {
    await server.stop();
  }
  const queries = cases.flatMap(({ rows, queries: asked }) => asked.map((query) => ({ rows, query })));
  return {
    name: "post-mortems",
    asked: `${cases.length} accounts, ${queries.length} symptoms, 1 to ${Math.max(...queries.map(({ query }) => query.candidateRows.length))} changes before each`,
    methods: [
      chance(queries.map(({ query }) => query)),
      ...baselines.map(([method, rank]) => ({
        method,
        ranks: queries.map(({ rows, query }) => judge(query, rank(query, rows))),
      })),
      { method: "what else (ours)", ranks: ours },
    ],
    notes,
  };
}

const baselines: readonly (readonly [
  string,
  (query: PostMortemQuery, rows: readonly TimelineRow[]) => readonly number[],
])[] = [
  ["latest change", ({ candidateRows }) => candidateRows.toSorted((a, b) => b - a)],
  ["earliest change", ({ candidateRows }) => candidateRows.toSorted((a, b) => a - b)],
  ["same component, then the latest", rankBySameComponent],
];

function rankBySameComponent(
  { candidateRows, symptomRow }: PostMortemQuery,
  rows: readonly TimelineRow[],
): readonly number[] {
  const componentOf = new Map(rows.map(({ row, component }) => [row, component]));
  const own = componentOf.get(symptomRow);
  const same = (row: number) => Number(componentOf.get(row) === own);
  return candidateRows.toSorted((a, b) => same(b) - same(a) || b - a);
}

/** Each rank as likely as any other, and each question counted once. */
function chance(queries: readonly PostMortemQuery[]): MethodResult {
  const ranksOf = ({ id, candidateRows }: PostMortemQuery): readonly Rank[] =>
    candidateRows.map((_, index) => ({ question: id, rank: index + 1 }));
  const method = "random (expected)";
  const each = queries.map((query) => sharesOf({ method, ranks: ranksOf(query) }));
  const mean = (key: keyof Shares) => each.reduce((sum, shares) => sum + shares[key], 0) / each.length;
  return {
    method,
    ranks: queries.flatMap(ranksOf),
    expected: { top1: mean("top1"), top3: mean("top3"), mrr: mean("mrr") },
  };
}

function judge({ id, rootRow }: PostMortemQuery, ranked: readonly number[]): Rank {
  const at = ranked.indexOf(rootRow);
  return { question: id, rank: at < 0 ? null : at + 1 };
}

/** Asks about each symptom when the store knows the rows up to it. */
async function askStore(item: PostMortemCase): Promise<{ ranks: readonly Rank[]; told: readonly string[] }> {
  const ranks: Rank[] = [];
  const told: string[] = [];
  const db = await openTestStore();
  try {
    const records = await splitRows(item.rows);
    let known = 0;
    await db.store.events.connect({
      name: connection.name,
      source: postMortem.name,
      controlPlane: connection.controlPlane,
      config: {},
    });
    for (const query of item.queries.toSorted((a, b) => a.symptomRow - b.symptomRow)) {
      const upTo = item.rows.findIndex(({ row }) => row === query.symptomRow) + 1;
      await ingest(stagesOver(db.store), {
        connection,
        source: postMortem,
        stream: "document",
        records: records.slice(known, upTo),
      });
      known = Math.max(known, upTo);
      const answer = await ask(db, query, item.rows);
      const ranked = answer.map(({ row }) => row).filter((row) => query.candidateRows.includes(row));
      ranks.push(judge(query, ranked));
      const first = answer.find(({ row }) => row === ranked[0]);
      told.push(`${query.id}: row ${query.symptomRow} ← row ${ranked[0] ?? "none"}: ${first?.reason ?? ""}`);
    }
  } finally {
    await db.close();
  }
  return { ranks, told };
}

const connection = { name: "post-mortem", source: postMortem.name, controlPlane: "cloud" };
const dayMs = 86_400_000;

async function ask(
  { store }: TestStore,
  { id, symptomRow }: PostMortemQuery,
  rows: readonly TimelineRow[],
): Promise<readonly { readonly row: number; readonly reason: string }[]> {
  // The file that is imported counts its rows from one, whatever numbers the account gave them.
  const rowOf = ({ details }: Pick<StoredEvent, "details">) => rows[Number(details["row"]) - 1]?.row ?? 0;
  const scope = { kind: "provider" } as const;
  const page = await store.reader.timeline(scope, {}, { limit: 1000, order: "oldest" });
  const symptom = page.events.find(({ event }) => rowOf(event) === symptomRow);
  if (symptom === undefined)
    throw unusable(`query ${id}`, `asks about row ${symptomRow}, which no event tells`);
  const parts: WhatElseParts = {
    reader: store.reader,
    correlation: store.correlation,
    buildView: buildTopologyView,
    clockErrorOf: () => postMortem.contract.clockErrorMax,
  };
  const question = { event: symptom.event.id, windowMs: duration(dayMs), limit: 1000 };
  const answer = await findWhatElse(parts, scope, question);
  return answer!.candidates.map(({ event: { event }, reason }) => ({ row: rowOf(event), reason }));
}

/** The rows as the file that somebody would import: times, components and sentences, and no word of what they were. */
async function splitRows(rows: readonly TimelineRow[]): Promise<readonly RawRecord[]> {
  const cells = rows.map(({ ts, component, description }) =>
    [ts, component, description].map(quote).join(","),
  );
  const bytes = new TextEncoder().encode(["Time,Component,Description", ...cells].join("\n"));
  const file = {
    name: "timeline.csv",
    modifiedAt: instant(0),
    whole: () => Promise.resolve(bytes),
    lines: () => {
      throw new Error("a post-mortem is read as a whole");
    },
  };
  const records: RawRecord[] = [];
  for await (const record of postMortem.splitFile!(file, decoders)) records.push(record);
  return records;
}

function quote(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}
