import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askIsochron, RunningIsochron } from "../test/isochron-command.ts";
import { stormModes, stormPosts, type Post, type StormMode } from "./storm/alerts.ts";
import { installPackage } from "./storm/installed-package.ts";
import { cpuSecondsOf, databasePid, peakMibOf } from "./storm/process-cost.ts";
import { SteadySource, steadyIntervalMs } from "./storm/steady-source.ts";
import { readOptions } from "../test/command-options.ts";

/**
 * A storm of alerts against a whole `isochron serve`, installed: what was sent must be what is counted and shown as few
 * events, within a bound of memory, while another source is polled on time; and what an alert of a storm costs beside
 * one that stands by itself. Exits with 1 when a goal is missed.
 * Usage: `npm run bench:storm -- [--alerts N] [--unfolded N] [--mode distinct|flapping|cloudevents] [--memory MIB]`.
 * The memory is bound for V8's heap (`--max-old-space-size`, half of it); the process's peak (`VmHWM`) is
 * measured and held against the whole of it. The database is a process of its own and is not counted. Seconds and lags
 * are those of this machine with all that runs on it, so its load is printed; processor time hardly depends on it.
 */

/** Of the bound; the rest is for code, buffers and the young generation. */
const heapShare = 1 / 2;
const youngMib = 8;
const sendersAtOnce = 6;
const attemptsMax = 200;
const pageEvents = 2000;
const steadyWaitMs = 10_000;
const probeMs = 100;

const goals = { lagPolls: 2, shown: 1_000, alertsPerSecond: 100_000 / 60 } as const;

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
  /** Processor time of the server and of its database while the alerts were sent. */
  readonly serverCpu: number;
  readonly databaseCpu: number;
  readonly refusals: number;
  readonly peakMib: number;
  readonly polls: number;
  readonly worstLagPolls: number;
  /** How long the server took at most to answer a question that needs no database. */
  readonly worstAnswerMs: number;
}

interface Api {
  readonly url: string;
  readonly token: string;
}

async function measure(
  command: string,
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
    const created = await askIsochron([
      "token",
      "create",
      "--name",
      "bench",
      "--provider",
      "--role",
      "admin",
      ...place,
    ]);
    const heapMib = Math.floor(memoryMib * heapShare);
    const env = { NODE_OPTIONS: `--max-old-space-size=${heapMib} --max-semi-space-size=${youngMib}` };
    const serve = ["serve", "--port", "0", "--log-level", "warn", ...place];
    server = new RunningIsochron(serve, { env, command });
    const [, url = ""] = await server.printed(/listens on (http:\S+)/);
    const api = { url, token: created.trim() };
    await until(() => steady.polls >= 3);
    const cpuOf = [server.pid, await databasePid(folder)];
    const [cpuBefore, probe] = [await Promise.all(cpuOf.map(cpuSecondsOf)), startProbe(api)];
    const beganAt = Date.now();
    const sending = await sendAll(api, [...stormPosts(mode, count, lastMinute())]);
    const seconds = (Date.now() - beganAt) / 1000;
    const cpuAfter = await Promise.all(cpuOf.map(cpuSecondsOf));
    const [serverCpu = 0, databaseCpu = 0] = cpuAfter.map((after, index) => after - cpuBefore[index]!);
    await sleep(3 * steadyIntervalMs);
    const worstAnswerMs = await probe.stop();
    steady.settle();
    const peakMib = await peakMibOf(server.pid);
    const lag = await measureLag(api, steady, beganAt);
    const seen = await readBack(api, mode === "cloudevents" ? "storm-cloudevents" : "storm");
    const cost = { seconds, serverCpu, databaseCpu, worstAnswerMs };
    return { ...sending, ...seen, ...lag, ...cost, sent: count, peakMib };
  } finally {
    await server?.end("SIGTERM");
    await steady.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let look = 0; !isSo(); look++) {
    if (look > 600) throw new Error("The other source was not polled within a minute.");
    await sleep(100);
  }
}

/** Asks again and again what the server can answer by itself: whoever waits for that waits for its event loop. */
function startProbe({ url }: Api): { stop(): Promise<number> } {
  const stopping = new AbortController();
  const probing = (async () => {
    let worstMs = 0;
    while (!stopping.signal.aborted) {
      const asked = performance.now();
      await (await fetch(`${url}/api/v1/health`)).text();
      worstMs = Math.max(worstMs, performance.now() - asked);
      await sleep(probeMs);
    }
    return worstMs;
  })();
  return {
    stop: () => {
      stopping.abort();
      return probing;
    },
  };
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

/** How late the alerts of the other source that began since then were stored after they began, in polls. */
async function measureLag(api: Api, steady: SteadySource, since: number) {
  const until = Date.now() + steadyWaitMs;
  for (;;) {
    const lags: number[] = [];
    let stored = 0;
    for await (const { occurred_at, recorded_at } of listAll(api, "/events?source=steady&")) {
      stored += 1;
      const began = Date.parse(occurred_at);
      if (began >= since) lags.push((Date.parse(recorded_at) - began) / steadyIntervalMs);
    }
    if (stored >= steady.begun) return { polls: steady.polls, worstLagPolls: Math.max(...lags) };
    if (Date.now() > until) return { polls: steady.polls, worstLagPolls: Number.POSITIVE_INFINITY };
    await sleep(200);
  }
}

function cpuPerTenThousand({ serverCpu, databaseCpu, sent }: Outcome): number {
  return ((serverCpu + databaseCpu) / sent) * 10_000;
}

function tellCpu(outcome: Outcome): string {
  const per = (seconds: number): string => ((seconds / outcome.sent) * 10_000).toFixed(2);
  return `${per(outcome.serverCpu)} + ${per(outcome.databaseCpu)} s`;
}

/** What was measured, and beside it whether the goal is met, where there is one. */
function judge(outcome: Outcome, unfolded: Outcome, memoryMib: number) {
  const rate = ({ sent, seconds }: Outcome) => sent / seconds;
  const { sent, accepted, counted, single, folds } = outcome;
  const { count, members } = outcome.unfolded;
  const lines: readonly (readonly [what: string, measured: string, met?: boolean])[] = [
    ["accepted of sent", `${accepted} of ${sent}, after ${outcome.refusals} refusals`, accepted === sent],
    [
      "Σ single events + counts of folds",
      `${counted}`,
      counted === sent && unfolded.counted === unfolded.sent,
    ],
    ["largest fold unfolded", `${members} members of ${count}`, members === count && count > 0],
    ["events shown", `${single + folds} (${single} single, ${folds} folds)`, single + folds <= goals.shown],
    [
      "alerts/s (a minute's worth of 100,000 is 1,667)",
      `${rate(outcome).toFixed(0)} in ${outcome.seconds.toFixed(1)} s`,
      rate(outcome) >= goals.alertsPerSecond,
    ],
    [
      "peak RSS of the server",
      `${outcome.peakMib.toFixed(0)} of ${memoryMib} MiB`,
      outcome.peakMib <= memoryMib,
    ],
    [
      "worst lag of the other source",
      `${outcome.worstLagPolls.toFixed(2)} polls`,
      outcome.worstLagPolls <= goals.lagPolls,
    ],
    ["worst answer to GET /health", `${outcome.worstAnswerMs.toFixed(0)} ms`],
    ["processor time of 10,000 (server + database)", tellCpu(outcome)],
    ["the same without folding", `${tellCpu(unfolded)} (${unfolded.sent} alerts)`],
    ["ratio", (cpuPerTenThousand(unfolded) / cpuPerTenThousand(outcome)).toFixed(2)],
    ["ratio in the database", databaseRatio(outcome, unfolded).toFixed(2)],
    ["alerts/s without folding", rate(unfolded).toFixed(0)],
  ];
  return lines;
}

function databaseRatio(outcome: Outcome, unfolded: Outcome): number {
  return unfolded.databaseCpu / unfolded.sent / (outcome.databaseCpu / outcome.sent);
}

function printOutcome(mode: StormMode, outcome: Outcome, unfolded: Outcome, memoryMib: number): boolean {
  const lines = judge(outcome, unfolded, memoryMib);
  const load = loadavg()
    .map((value) => value.toFixed(1))
    .join(" ");
  console.log(`\n${mode} (load average ${load})\n\n| what | measured | goal |\n|---|---|---|`);
  for (const [what, measured, met] of lines) {
    console.log(`| ${what} | ${measured} | ${met === undefined ? "" : met ? "met" : "MISSED"} |`);
  }
  return lines.every(([, , met]) => met !== false);
}

const usage = "npm run bench:storm -- [--alerts N] [--unfolded N] [--mode M,…] [--memory MIB]";

async function main(): Promise<number> {
  const values = readOptions(usage, {
    alerts: { type: "string", default: "100000" },
    unfolded: { type: "string", default: "10000" },
    mode: { type: "string", default: stormModes.join(",") },
    memory: { type: "string", default: "256" },
  });
  const [alerts, plain, memory] = [values.alerts, values.unfolded, values.memory].map(Number);
  const modes = values.mode
    .split(",")
    .filter((mode): mode is StormMode => stormModes.includes(mode as StormMode));
  if (
    ![alerts, plain, memory].every((value) => Number.isInteger(value) && value! > 0) ||
    modes.length === 0
  ) {
    console.error(`Usage: ${usage}`);
    return 2;
  }
  const folder = await mkdtemp(join(tmpdir(), "isochron-storm-package-"));
  try {
    const command = await installPackage(folder);
    let passed = true;
    for (const mode of modes) {
      const unfolded = await measure(command, mode, plain!, 0, memory!);
      const folded = await measure(command, mode, alerts!, 200, memory!);
      passed = printOutcome(mode, folded, unfolded, memory!) && passed;
    }
    return passed ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
