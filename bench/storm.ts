import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { askIsochron, RunningIsochron } from "../test/isochron-command.ts";
import { stormModes, stormPosts, type Post, type StormMode } from "./storm/alerts.ts";
import { SteadySource, steadyIntervalMs } from "./storm/steady-source.ts";

/**
 * A storm of alerts against a whole `isochron serve`: what was sent must be what is counted, within a bound of memory,
 * while another source is polled on time; and how much faster that is than the same alerts without folding.
 * Usage: `npm run bench:storm -- [--alerts N] [--unfolded N] [--mode distinct|flapping|cloudevents] [--memory MIB]`.
 * The memory is bound for V8's heap (`--max-old-space-size`, three eighths of it); the process's peak (`VmHWM`) is
 * measured and held against the whole of it. The database is a process of its own and is not counted.
 */

/** Of the bound; the rest is for code, buffers and the young generation. */
const heapShare = 3 / 8;
const youngMib = 4;
const sendersAtOnce = 6;
const attemptsMax = 200;
const pageEvents = 2000;
const steadyWaitMs = 10_000;

interface Outcome {
  readonly sent: number;
  readonly accepted: number;
  /** Single events and the counts of folds. */
  readonly counted: number;
  readonly single: number;
  readonly folds: number;
  /** Of the largest fold: what its members are, when each is asked for. */
  readonly unfolded: { readonly count: number; readonly members: number };
  readonly seconds: number;
  readonly refusals: number;
  readonly peakMib: number;
  readonly polls: number;
  readonly worstLagPolls: number;
}

interface Api {
  readonly url: string;
  readonly token: string;
}

async function measure(
  mode: StormMode,
  count: number,
  threshold: number,
  memoryMib: number,
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-storm-"));
  const steady = await SteadySource.start();
  let server: RunningIsochron | undefined;
  try {
    const config = join(folder, "isochron.json");
    await writeFile(config, JSON.stringify(configOf(steady.url, threshold)));
    const place = ["--data", join(folder, "data"), "--config", config];
    const created = await askIsochron(["token", "create", "--name", "bench", "--provider", ...place]);
    const heapMib = Math.floor(memoryMib * heapShare);
    const env = { NODE_OPTIONS: `--max-old-space-size=${heapMib} --max-semi-space-size=${youngMib}` };
    server = new RunningIsochron(["serve", "--port", "0", "--log-level", "warn", ...place], { env });
    const [, url = ""] = await server.printed(/listens on (http:\S+)/);
    const api = { url, token: created.trim() };
    await sleep(3 * steadyIntervalMs);
    const began = performance.now();
    const sending = await sendAll(api, [...stormPosts(mode, count, lastMinute())]);
    const seconds = (performance.now() - began) / 1000;
    await sleep(3 * steadyIntervalMs);
    steady.settle();
    const lag = await measureLag(api, steady);
    const seen = await readBack(api, mode === "cloudevents" ? "storm-cloudevents" : "storm");
    const peakMib = await peakOf(server.pid);
    return { ...sending, ...seen, ...lag, sent: count, seconds, peakMib };
  } finally {
    await server?.end("SIGTERM");
    await steady.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A minute that is over, so that every alert lies in it. */
function lastMinute(): number {
  return Math.floor(Date.now() / 60_000) * 60_000 - 60_000;
}

function configOf(steadyUrl: string, threshold: number) {
  const fold = { storm_threshold: threshold };
  return {
    connections: [
      { name: "storm", source: "alertmanager", ...fold },
      { name: "storm-cloudevents", source: "cloudevents", ...fold },
      {
        name: "steady",
        source: "alertmanager-pull",
        interval_seconds: steadyIntervalMs / 1000,
        config: { url: steadyUrl },
      },
    ],
  };
}

async function sendAll(api: Api, posts: Post[]): Promise<{ accepted: number; refusals: number }> {
  let [accepted, refusals] = [0, 0];
  const sender = async (): Promise<void> => {
    for (let post = posts.shift(); post !== undefined; post = posts.shift()) {
      refusals += await send(api, post);
      accepted += post.events;
    }
  };
  await Promise.all(Array.from({ length: sendersAtOnce }, sender));
  return { accepted, refusals };
}

/** Posts until it is taken, waiting as long as the answer asks for. Gives how often it was refused. */
async function send({ url, token }: Api, post: Post): Promise<number> {
  for (let refused = 0; refused < attemptsMax; refused++) {
    const answer = await fetch(`${url}/api/v1/ingest/${post.connection}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": post.contentType },
      body: post.body,
    });
    const text = await answer.text();
    if (answer.status === 200) return refused;
    if (answer.status !== 429 && answer.status !== 503) throw new Error(`${answer.status}: ${text}`);
    await sleep(Number(answer.headers.get("retry-after") ?? "1") * 1000);
  }
  throw new Error(`A post was refused ${attemptsMax} times.`);
}

interface EventJson {
  readonly id: string;
  readonly occurred_at: string;
  readonly recorded_at: string;
  readonly details: { readonly storm?: { readonly count: number } };
}

async function* listAll(api: Api, path: string): AsyncGenerator<EventJson> {
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await fetch(`${api.url}/api/v1${path}limit=${pageEvents}&order=oldest${more}`, {
      headers: { authorization: `Bearer ${api.token}` },
    });
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
    const page = (await answer.json()) as { events: EventJson[]; next_cursor: string | null };
    yield* page.events;
    cursor = page.next_cursor;
  } while (cursor !== null);
}

async function readBack(api: Api, connection: string) {
  let [counted, single] = [0, 0];
  const folds: { id: string; count: number }[] = [];
  for await (const { id, details } of listAll(api, `/events?source=${connection}&`)) {
    counted += details.storm?.count ?? 1;
    if (details.storm === undefined) single += 1;
    else folds.push({ id, count: details.storm.count });
  }
  const [largest] = folds.toSorted((a, b) => b.count - a.count);
  const members = new Set<string>();
  if (largest !== undefined) {
    for await (const { id } of listAll(api, `/events/${largest.id}/members?`)) members.add(id);
  }
  return {
    counted,
    single,
    folds: folds.length,
    unfolded: { count: largest?.count ?? 0, members: members.size },
  };
}

/** How late the alerts of the other source were stored after they began, in polls. */
async function measureLag(api: Api, steady: SteadySource) {
  const until = Date.now() + steadyWaitMs;
  for (;;) {
    const lags: number[] = [];
    let stored = 0;
    for await (const { occurred_at, recorded_at } of listAll(api, "/events?source=steady&")) {
      stored += 1;
      const began = Date.parse(occurred_at);
      if (began > steady.firstPolledAt) lags.push((Date.parse(recorded_at) - began) / steadyIntervalMs);
    }
    if (stored >= steady.begun) return { polls: steady.polls, worstLagPolls: Math.max(...lags) };
    if (Date.now() > until) return { polls: steady.polls, worstLagPolls: Number.POSITIVE_INFINITY };
    await sleep(200);
  }
}

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

function printOutcome(mode: StormMode, outcome: Outcome, unfolded: Outcome, memoryMib: number): boolean {
  const rate = ({ sent, seconds }: Outcome) => sent / seconds;
  const { sent, accepted, counted, single, folds } = outcome;
  const passed = [
    accepted === sent && counted === sent && outcome.unfolded.members === outcome.unfolded.count,
    outcome.peakMib <= memoryMib,
    outcome.worstLagPolls <= 2,
    unfolded.counted === unfolded.sent,
  ];
  const lines: readonly (readonly [string, string])[] = [
    ["sent", String(sent)],
    ["accepted", `${accepted}, after ${outcome.refusals} refusals`],
    ["Σ single events + counts of folds", `${counted}${counted === sent ? " = sent" : " ≠ SENT"}`],
    ["events shown", `${single + folds} (${single} single, ${folds} folds)`],
    ["largest fold unfolded", `${outcome.unfolded.members} members of ${outcome.unfolded.count}`],
    ["seconds", outcome.seconds.toFixed(1)],
    ["alerts/s", rate(outcome).toFixed(0)],
    ["alerts/s without folding", `${rate(unfolded).toFixed(0)} (${unfolded.sent} alerts)`],
    ["ratio", (rate(outcome) / rate(unfolded)).toFixed(2)],
    ["peak RSS of the server", `${outcome.peakMib.toFixed(0)} MiB of ${memoryMib}`],
    ["worst lag of the other source", `${outcome.worstLagPolls.toFixed(2)} polls (of ${outcome.polls})`],
  ];
  console.log(`\n${mode}\n\n| what | measured |\n|---|---|`);
  for (const [what, value] of lines) console.log(`| ${what} | ${value} |`);
  return !passed.includes(false);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      alerts: { type: "string", default: "100000" },
      unfolded: { type: "string", default: "10000" },
      mode: { type: "string", default: stormModes.join(",") },
      memory: { type: "string", default: "256" },
    },
  });
  const [alerts, plain, memory] = [values.alerts, values.unfolded, values.memory].map(Number);
  const modes = values.mode
    .split(",")
    .filter((mode): mode is StormMode => stormModes.includes(mode as StormMode));
  if (
    ![alerts, plain, memory].every((value) => Number.isInteger(value) && value! > 0) ||
    modes.length === 0
  ) {
    console.error("Usage: npm run bench:storm -- [--alerts N] [--unfolded N] [--mode M,…] [--memory MIB]");
    return 2;
  }
  let passed = true;
  for (const mode of modes) {
    const unfolded = await measure(mode, plain!, 0, 4096);
    const folded = await measure(mode, alerts!, 200, memory!);
    passed = printOutcome(mode, folded, unfolded, memory!) && passed;
  }
  return passed ? 0 : 1;
}

process.exitCode = await main();
