import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { EventDraft } from "../src/model/event.ts";
import { instant } from "../src/model/instant.ts";
import { ingest, type Stages } from "../src/pipeline/ingest.ts";
import type { Source } from "../src/sources/source.ts";
import { openStore } from "../src/store/postgres/open.ts";
import type { Store } from "../src/store/store.ts";
import { readOptions } from "../test/command-options.ts";
import { stagesOver } from "../test/stages.ts";
import { createTimedSource } from "../test/timed-source.ts";
import { buildCloud, cloudOf, controlPlane, type Cloud } from "./resolve/cloud.ts";
import { createRandom, drawDrafts } from "./resolve/drafts.ts";

/**
 * What it costs to find an event's owner (to load the topology around a page and to ask the rules) in a cloud of ten
 * thousand resources and in a large one: the same pages of 500 mixed events through the whole of ingest, one store after
 * the other, median of the rounds. Prints the ratio per event, how much of ingest it is, and how busy the machine was.
 * Usage: see `usage`.
 */
const usage = "npm run bench:resolve -- [--resources N] [--rounds N] [--json]";

const smallCloud = 10_000;
const eventsPerPage = 500;
const pagesPerRound = 6;
/** What is asked: that the cloud's size hardly shows, and that finding owners is a small part of taking events in. */
const ratioMax = 1.2;
const shareMax = 0.25;

/** A store of one size, and the milliseconds that its last page spent on its owners. */
interface Side {
  readonly cloud: Cloud;
  readonly stages: Stages;
  readonly spent: { resolveMs: number };
  readonly buildSeconds: number;
  readonly bytes: number;
  readonly close: () => Promise<void>;
}

async function openSide(resources: number): Promise<Side> {
  const data = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const began = performance.now();
  const store = await openStore({ dataDir: data });
  const cloud = cloudOf(resources);
  const client = new pg.Client({ host: join(data, "run"), user: "isochron_admin", database: "isochron" });
  await client.connect();
  try {
    await buildCloud(client, cloud);
    const size = await client.query<{ bytes: string }>("SELECT pg_database_size('isochron') AS bytes");
    await store.events.connect({ name: "bench", source: "timed", controlPlane, config: {} });
    const spent = { resolveMs: 0 };
    return {
      cloud,
      stages: timeStages(store, spent),
      spent,
      buildSeconds: (performance.now() - began) / 1000,
      bytes: Number(size.rows[0]?.bytes),
      close: async () => {
        await store.close();
        await rm(data, { recursive: true, force: true });
      },
    };
  } finally {
    await client.end();
  }
}

/** The real stages, of which those that find owners tell how long they took. */
function timeStages(store: Store, spent: { resolveMs: number }): Stages {
  const stages = stagesOver(store);
  const count = <T>(began: number, result: T): T => {
    spent.resolveMs += performance.now() - began;
    return result;
  };
  return {
    ...stages,
    topology: {
      ...stages.topology,
      mark: async () => {
        const began = performance.now();
        return count(began, await stages.topology.mark());
      },
      surroundings: async (...asked) => {
        const began = performance.now();
        return count(began, await stages.topology.surroundings(...asked));
      },
    },
    buildView: (...given) => count(performance.now(), stages.buildView(...given)),
    resolve: (...given) => {
      const began = performance.now();
      return count(began, stages.resolve(...given));
    },
  };
}

/** A source whose records are drafts by number. */
function sourceOf(drafts: readonly EventDraft[]): Source {
  return createTimedSource([], 1, {
    normalise: (record) => ({ events: [drafts[Number(record.position)]!], facts: [] }),
  });
}

interface Spent {
  readonly resolveMs: number;
  readonly ingestMs: number;
}

async function takePage(side: Side, drafts: readonly EventDraft[]): Promise<Spent> {
  side.spent.resolveMs = 0;
  const began = performance.now();
  await ingest(side.stages, {
    connection: { name: "bench", source: "timed", controlPlane },
    source: sourceOf(drafts),
    stream: "main",
    records: drafts.map((_, n) => ({
      bytes: new Uint8Array(),
      position: String(n),
      receivedAt: instant(Date.now()),
      meta: {},
    })),
  });
  return { resolveMs: side.spent.resolveMs, ingestMs: performance.now() - began };
}

/** One round over both, page by page in turn, so that whatever else the machine does is shared by both. */
async function takeRound(sides: readonly Side[], round: number): Promise<readonly Spent[]> {
  const sums = sides.map(() => ({ resolveMs: 0, ingestMs: 0 }));
  for (let page = 0; page < pagesPerRound; page += 1) {
    const order = [...sides.keys()];
    if (page % 2 === 1) order.reverse();
    for (const which of order) {
      const side = sides[which]!;
      const name = `r${round}-p${page}`;
      const drafts = drawDrafts(side.cloud, eventsPerPage, name, createRandom(round * 1_000 + page));
      const spent = await takePage(side, drafts);
      sums[which]!.resolveMs += spent.resolveMs;
      sums[which]!.ingestMs += spent.ingestMs;
    }
  }
  return sums;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Whatever else the machine does only adds: beside others the fastest round tells most of the work itself. */
function fastestMs(rounds: readonly Spent[]): number {
  return Math.min(...rounds.map((round) => round.resolveMs));
}

function summarise(side: Side, rounds: readonly Spent[]) {
  const events = pagesPerRound * eventsPerPage;
  const ingestMs = median(rounds.map((round) => round.ingestMs));
  return {
    resources: side.cloud.resources,
    buildSeconds: Math.round(side.buildSeconds),
    storeMegabytes: Math.round(side.bytes / 2 ** 20),
    resolveMicrosecondsPerEvent: Math.round((median(rounds.map((round) => round.resolveMs)) / events) * 1000),
    fastestMicrosecondsPerEvent: Math.round((fastestMs(rounds) / events) * 1000),
    ingestMicrosecondsPerEvent: Math.round((ingestMs / events) * 1000),
    shareOfIngest: Number(median(rounds.map((round) => round.resolveMs / round.ingestMs)).toFixed(2)),
  };
}

const round3 = (value: number): number => Number(value.toFixed(3));

/** Of one, five and fifteen minutes: beside others every round trip waits for its turn. */
function loads(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(" ");
}

interface Ratios {
  /** The median of the rounds' own. */
  readonly ratio: number;
  /** Of the two fastest rounds. */
  readonly ratioOfFastest: number;
}

function print(
  results: readonly ReturnType<typeof summarise>[],
  { ratio, ratioOfFastest }: Ratios,
  rounds: number,
): void {
  console.log(
    `pages of ${eventsPerPage} mixed events, ${pagesPerRound} a round, median of ${rounds} rounds\n`,
  );
  console.log(
    "| resources | store, MB | built in, s | resolve, µs/event | in the fastest round | ingest, µs/event | resolve's share |",
  );
  console.log("|---:|---:|---:|---:|---:|---:|---:|");
  for (const one of results) {
    console.log(
      `| ${one.resources} | ${one.storeMegabytes} | ${one.buildSeconds} | ${one.resolveMicrosecondsPerEvent} | ` +
        `${one.fastestMicrosecondsPerEvent} | ${one.ingestMicrosecondsPerEvent} | ${one.shareOfIngest} |`,
    );
  }
  console.log(`\nresolve per event, large to small: ${ratio.toFixed(2)} (goal: at most ${ratioMax})`);
  console.log(`of the fastest rounds: ${ratioOfFastest.toFixed(2)}`);
  console.log(`resolve's share of ingest (goal: at most ${shareMax})`);
  console.log(`load average: ${loads()}`);
}

async function main(): Promise<number> {
  const values = readOptions(usage, {
    resources: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "7" },
    json: { type: "boolean", default: false },
  });
  const resources = Number(values.resources);
  const rounds = Number(values.rounds);
  const sound = Number.isInteger(resources) && resources >= 100 && resources <= 10_000_000;
  if (!sound || !Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    console.error(`Usage: ${usage}`);
    return 2;
  }
  const sides: Side[] = [];
  try {
    for (const size of [Math.min(smallCloud, resources), resources]) sides.push(await openSide(size));
    // The first pages pay for plans and caches.
    await takeRound(sides, 0);
    const spent: (readonly Spent[])[] = [];
    for (let round = 1; round <= rounds; round += 1) spent.push(await takeRound(sides, round));
    const results = sides.map((side, which) =>
      summarise(
        side,
        spent.map((both) => both[which]!),
      ),
    );
    const ratio = median(spent.map(([small, large]) => large!.resolveMs / small!.resolveMs));
    const [smallest, largest] = sides.map((_, which) => fastestMs(spent.map((both) => both[which]!)));
    const ratios = { ratio: round3(ratio), ratioOfFastest: round3(largest! / smallest!) };
    if (values.json) console.log(JSON.stringify({ rounds, results, ...ratios, loads: loadavg() }));
    else print(results, ratios, rounds);
    return 0;
  } finally {
    for (const side of sides) await side.close();
  }
}

process.exitCode = await main();
