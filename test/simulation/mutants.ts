import type { Site } from "./site.ts";

/** A product that lacks one of its safeguards: texts of its own files, each replaced where it stands, exactly once. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, in the words of the promises. */
  readonly promise: string;
  /** The scenario in which it shows. */
  readonly kind: string;
  /** The sites of trouble that it takes, where it takes several at once; else those that the seed picks. */
  readonly sites?: readonly Site[];
  /** Where a short hunt begins: a seed that caught it. */
  readonly seed?: number;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

const place = "src/sources/sql/place.ts";
const statement = "src/sources/sql/statement.ts";
const tablePass = "src/sources/sql/pass.ts";
const ticketPass = "src/sources/rest/pass.ts";
const timeWindow = "src/sources/cursor/time-window.ts";
const listingDiff = "src/sources/cursor/listing-diff.ts";
const ingest = "src/pipeline/ingest.ts";
const lanes = "src/pipeline/lanes.ts";
const plan = "src/store/postgres/append-plan.ts";

function mutant(
  name: string,
  promise: string,
  kind: string,
  ...edits: readonly (readonly [file: string, find: string, replace: string])[]
): Mutant {
  return { name, promise, kind, edits: edits.map(([file, find, replace]) => ({ file, find, replace })) };
}

/** The same, with these sites of trouble instead of those that the seed picks. */
function among(sites: readonly Site[], one: Mutant): Mutant {
  return { ...one, sites };
}

const completeness = "complete";
const freshness = "complete to";
const idempotence = "once";

const unseeded: readonly Mutant[] = [
  mutant("no gap set", completeness, "sql by serial", [
    place,
    "const opened = gapsBetween(through, ids, ms);",
    "const opened = gapsBetween(through, [], ms);",
  ]),
  mutant("gaps closed too early", completeness, "sql by serial", [
    "src/sources/cursor/gap-set.ts",
    "nowMs < sinceMs + lifetimeMs)",
    "nowMs < sinceMs + lifetimeMs / 3)",
  ]),
  mutant("no open set", "late finish", "sql by serial", [
    place,
    "const keys = revisits ? openKeys",
    "const keys = revisits && place.passes < 0 ? openKeys",
  ]),
  mutant("no overlap of passes over a table", completeness, "sql by time", [
    tablePass,
    "clockStatement(dialect, table.mapping, overlap, againMs)",
    "clockStatement(dialect, table.mapping, 0, againMs)",
  ]),
  mutant("ties at a page's edge", completeness, "sql by time", [
    statement,
    'return `(${this.#orderTerms().join(", ")}) > (${values.join(", ")})`;',
    "return `${this.#orderTerms()[0]} > ${values[0]}`;",
  ]),
  mutant("rows that move on are put off", freshness, "sql by time", [
    tablePass,
    ", until: horizon };",
    " };",
  ]),
  mutant("complete to the beginning of the pass", freshness, "sql by time", [
    tablePass,
    "(step.place.passedMs ?? 0) - clock.gapLifetimeMs",
    "(step.place.passedMs ?? 0)",
  ]),
  mutant("the live lane says what is complete", freshness, "sql by time", [
    lanes,
    'completeTo === undefined || name !== "main"',
    "completeTo === undefined",
  ]),
  mutant("no overlap of windows", completeness, "rest", [
    timeWindow,
    "return signpostAt - overlapMs;",
    "return signpostAt - overlapMs * 0;",
  ]),
  mutant("no time to settle", freshness, "rest", [
    timeWindow,
    "return signpostAt - settleMs;",
    "return signpostAt - settleMs * 0;",
  ]),
  mutant("what failed is not tried again", completeness, "rest", [
    ticketPass,
    "const isWhole = pass.failed.length === 0;",
    "const isWhole = pass.failed.length >= 0;",
  ]),
  mutant("revisions are dropped", "every version", "rest", [
    plan,
    'return { what: said ? "repeat" : "revise"',
    'return { what: said || hash !== "" ? "repeat" : "revise"',
  ]),
  mutant("marks dated by the pass", completeness, "zabbix", [
    "src/sources/zabbix/event-pass.ts",
    "{ at: seenAt, id: highest }",
    "{ at: startedAt, id: highest }",
  ]),
  mutant("complete to what was heard", freshness, "kubernetes-events", [
    "src/sources/kubernetes-events/event-pass.ts",
    "instant(heardAt - settleMs - clockErrorMs)",
    "heardAt",
  ]),
  // A clock of the transaction's beginning, when the snapshot came long after.
  among(
    ["slow calls", "held commits", "bursts", "rollbacks"],
    mutant("a clock before the snapshot", completeness, "sql by serial", [
      statement,
      'const clock = "statement_timestamp()";',
      'const clock = "now()";',
    ]),
  ),
  among(
    ["held commits", "clock error", "bursts"],
    mutant("Zabbix's clock taken for exact", freshness, "zabbix", [
      "src/sources/zabbix/event-pass.ts",
      "{ settleMs: settleMs + clockErrorMs }",
      "{ settleMs }",
    ]),
  ),
  among(
    ["clock error", "held commits", "bursts"],
    mutant("complete by our own clock", freshness, "zabbix", [
      "src/sources/zabbix/event-pass.ts",
      "const now = clock.earliest();",
      "const now = io.now();",
    ]),
  ),
  among(
    ["clock error", "held commits", "bursts"],
    mutant("complete by our own clock, of a cluster", freshness, "kubernetes-events", [
      "src/sources/kubernetes-events/event-pass.ts",
      "const heardAt = answeredAt(answer) ?? askedAt;",
      "const heardAt = answer.sentAt ?? askedAt;",
    ]),
  ),
  among(
    ["clock error", "second worker", "ties"],
    mutant("a suspect time is content", "every version, once", "zabbix", [
      plan,
      "contentHash({ ...said, details: told })",
      "contentHash({ ...said, details })",
    ]),
  ),
  among(
    ["storm folding", "bursts"],
    mutant("members of a fold are dropped", "exact counts", "zabbix", [
      plan,
      "members.push({ id: decision.id, key: decision.key, event });",
      "",
    ]),
  ),
  among(
    ["bursts", "slow calls", "second worker"],
    mutant("a heartbeat before all is stored", freshness, "stream", [
      "src/pipeline/stream.ts",
      "notes.heard(isSettled(completeTo) ? completeTo : undefined)",
      "notes.heard(completeTo)",
    ]),
  ),
  among(
    ["purges", "bursts", "second worker"],
    mutant("a loss is not written down", "it says so", "stream", [
      "src/pipeline/stream.ts",
      "lost: (hole, finding) => notes.lost(hole, finding),",
      "lost: () => undefined,",
    ]),
  ),
  among(
    ["dropped posts"],
    mutant("what was recalled does not count", "it says so", "webhook", [
      "src/pipeline/reconcile.ts",
      "      foundLate += ingested.foundLate ?? 0;",
      "      foundLate += 0;",
    ]),
  ),
  among(
    ["source outage", "held commits", "comparisons"],
    mutant("a sign-in page is an empty watch", freshness, "kubernetes-events", [
      "src/sources/kubernetes-events/event-pass.ts",
      'throw malformed(name, "a line that is no watch event");\n}\n\n/** A line may',
      "return { lines, isWhole: true };\n}\n\n/** A line may",
    ]),
  ),
  mutant(
    "gone after one listing",
    "no invented end",
    "sql by listing",
    [
      listingDiff,
      "return { once: keysOf(false), gone: keysOf(true), suspected: 0 };",
      "return { once: [], gone: [...keysOf(false), ...keysOf(true)], suspected: 0 };",
    ],
    [place, "if (known.misses === 0) {", "if (known.misses < 0) {"],
  ),
  mutant("a sudden drop is believed", "no invented end", "sql by listing", [
    listingDiff,
    "return missing >= limit.rowsMin && missing > known * limit.share;",
    "return missing < 0 && missing > known * limit.share + limit.rowsMin;",
  ]),
  mutant("the place before the data", "atomic position", "zabbix", [
    lanes,
    "    const batch = { connection,",
    '    await ingest(stages, { connection, source, stream: "main", records: [], epoch, lane: lane.name, ...how, ...place });\n    const batch = { connection,',
  ]),
  mutant("no fence", "fencing", "sql by serial", [
    ingest,
    "...(epoch === undefined ? {} : { epoch }),",
    "...(epoch === undefined || epoch > 0 ? {} : { epoch }),",
  ]),
  mutant(
    "ids by chance, deliveries forgotten",
    idempotence,
    "zabbix",
    [
      "src/store/postgres/event-id.ts",
      ".update(JSON.stringify([connection, stream, key]))",
      ".update(JSON.stringify([connection, stream, key, Math.random()]))",
    ],
    [plan, "if (before !== undefined) return this.#again(draft, hash, before);", ""],
  ),
  mutant("poison is swallowed", "poison is kept", "sql by serial", [
    ingest,
    "rejects.push(outcome);",
    "rejects.push();",
  ]),
  mutant("a comparison does not count", "it says so", "sql by serial", [
    "src/pipeline/reconcile.ts",
    "foundLate += page.ingested.foundLate ?? 0;",
    "foundLate += 0;",
  ]),
  mutant("late events are passed over in silence", "it says so", "sql by time", [
    ingest,
    "...(slackMs === undefined ? {} : { lateAfterMs: slackMs }),",
    "",
  ]),
  mutant("acknowledged before it is stored", "push durability", "stream", [
    "src/pipeline/stream.ts",
    "        await this.#store(page.map((item) => item.record));",
    "        for (const item of page) item.stored();\n        await this.#store(page.map((item) => item.record));",
  ]),
  mutant("answered before it is stored", "push durability", "webhook", [
    "src/pipeline/receive.ts",
    "return await ingestInSlices(stages, { connection, source, stream, records });",
    "void ingestInSlices(stages, { connection, source, stream, records }).catch(() => undefined);\n    return await ingestInSlices(stages, { connection, source, stream, records: [] });",
  ]),
];

/** Seeds that caught a mutant, where it was not the first one. */
const seeds: Readonly<Record<string, number>> = {
  "no gap set": 11,
  "gaps closed too early": 11,
  "no overlap of passes over a table": 2,
  "rows that move on are put off": 7,
  "complete to the beginning of the pass": 2,
  "the live lane says what is complete": 3,
  "no overlap of windows": 3,
  "no time to settle": 3,
  "revisions are dropped": 6,
  "marks dated by the pass": 32,
  "complete to what was heard": 11,
  "a clock before the snapshot": 122,
  "a sign-in page is an empty watch": 977,
  "Zabbix's clock taken for exact": 6,
  "a suspect time is content": 2,
  "the place before the data": 36,
  "no fence": 5,
  "a comparison does not count": 11,
  "late events are passed over in silence": 19,
};

export const mutants: readonly Mutant[] = unseeded.map((one) => {
  const seed = seeds[one.name];
  return seed === undefined ? one : { ...one, seed };
});
