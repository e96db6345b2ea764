import { mkdtemp, readFile, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadConfig } from "../src/config.ts";
import { createLog } from "../src/log.ts";
import { openIsochron } from "../src/main.ts";
import type { StoredEvent } from "../src/model/event.ts";
import type { Keyset } from "../src/store/event-reader.ts";
import type { BareMessage, LabTruth } from "./lab-truth.ts";
import { loadLabTruth, readBareMessage, readJsonLines } from "./lab-truth.ts";

/**
 * How many records of a recording are attributed rightly, wrongly or not at all, against the driver's own
 * record of what it did. Usage: `npm run bench:attribution -- --data DIR [--json] [--all]`, where DIR has
 * `notifications.jsonl.gz`, `truth.jsonl.gz` and perhaps `rest/`.
 */

const arms = ["notifications only", "inventory first", "inventory after"] as const;
type Arm = (typeof arms)[number];

const verdicts = [
  "right",
  "wrong tenant",
  "false owner",
  "domain only",
  "abstained",
  "platform right",
  "not judged",
] as const;
type Verdict = (typeof verdicts)[number];

/** Counts by verdict. */
type Tally = Record<Verdict, number>;

function emptyTally(): Tally {
  return Object.fromEntries(verdicts.map((verdict) => [verdict, 0])) as Tally;
}

/** An answer, ours or a baseline's: a project, a whole domain, or nobody. */
type Answer = { readonly project: string } | { readonly domain: string } | undefined;

function judge(truth: LabTruth, message: BareMessage, answer: Answer): Verdict {
  const expected = truth.expect(message);
  if (expected.class === "unknown") return "not judged";
  const project = answer !== undefined && "project" in answer ? answer.project : undefined;
  const isTenant = project !== undefined && truth.tenants.has(project);
  if (expected.class === "platform") return isTenant ? "false owner" : "platform right";
  if (project === undefined) return answer === undefined ? "abstained" : "domain only";
  return expected.projects.has(project) ? "right" : "wrong tenant";
}

function answerOf(event: StoredEvent | undefined): Answer {
  if (event?.attribution.status !== "owned") return undefined;
  const { projectId, domainId } = event.attribution.tenant;
  if (projectId !== undefined) return { project: projectId };
  return domainId === undefined ? undefined : { domain: domainId };
}

/** Runs one arm in a store of its own and gives every event by each message id that it stands for. */
async function runArm(dir: string, arm: Arm): Promise<ReadonlyMap<string, StoredEvent>> {
  const data = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const config = loadConfig({ env: {}, flags: { data, log_level: "error" } });
  const isochron = await openIsochron(config, createLog({ level: "error", format: "json", colour: false }), {
    version: "bench",
  });
  try {
    const inventory = () => isochron.harvestOnce("openstack-inventory", { recorded: join(dir, "rest") });
    if (arm === "inventory first") await inventory();
    await isochron.importFile({
      source: "openstack-notifications",
      connection: "openstack-notifications",
      controlPlane: "default",
      path: join(dir, "notifications.jsonl.gz"),
    });
    if (arm === "inventory after") await inventory();
    return await readEvents(isochron);
  } finally {
    await isochron.close();
    await rm(data, { recursive: true, force: true });
  }
}

async function readEvents(
  isochron: Awaited<ReturnType<typeof openIsochron>>,
): Promise<ReadonlyMap<string, StoredEvent>> {
  const events = new Map<string, StoredEvent>();
  let after: Keyset | undefined;
  for (;;) {
    const filter = { connections: ["openstack-notifications"] };
    const page = await isochron.store.reader.timeline({ kind: "provider" }, filter, {
      limit: 1000,
      order: "oldest",
      ...(after === undefined ? {} : { after }),
    });
    for (const visible of page.events) {
      if (visible.audience !== "provider") continue;
      for (const id of visible.event.sourceIds) events.set(id, visible.event);
      after = { occurredAt: visible.event.occurredAt, id: visible.event.id };
    }
    if (!page.more) return events;
  }
}

interface ArmResult {
  readonly name: string;
  readonly total: Tally;
  readonly byType: ReadonlyMap<string, Tally>;
}

function score(
  name: string,
  truth: LabTruth,
  messages: readonly BareMessage[],
  answer: (message: BareMessage) => Answer,
): ArmResult {
  const total = emptyTally();
  const byType = new Map<string, Tally>();
  for (const message of messages) {
    const verdict = judge(truth, message, answer(message));
    const row = byType.get(message.eventType) ?? emptyTally();
    byType.set(message.eventType, row);
    row[verdict] += 1;
    total[verdict] += 1;
  }
  return { name, total, byType };
}

function tenantOwned(tally: Tally): number {
  return tally.right + tally["wrong tenant"] + tally["domain only"] + tally.abstained;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(2)} %`;
}

function printResults(results: readonly ArmResult[], all: boolean): void {
  console.log(`| answer by | ${verdicts.join(" | ")} | right of tenant-owned |`);
  console.log(`|---|${verdicts.map(() => "---:").join("|")}|---:|`);
  for (const { name, total } of results) {
    const cells = verdicts.map((verdict) => total[verdict]);
    // A domain is the right owner of what concerns an account and no single project.
    const right = total.right + total["domain only"];
    console.log(`| ${name} | ${cells.join(" | ")} | ${percent(right, tenantOwned(total))} |`);
  }
  const shown = results.find((result) => result.name === "notifications only")!;
  console.log(
    `\nPer event type (${shown.name}${all ? "" : "; types without anything but right are left out"}):\n`,
  );
  console.log(`| event type | ${verdicts.join(" | ")} |`);
  console.log(`|---|${verdicts.map(() => "---:").join("|")}|`);
  for (const [type, tally] of [...shown.byType].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const dull = verdicts.every(
      (verdict) => verdict === "right" || verdict === "platform right" || tally[verdict] === 0,
    );
    if (all || !dull) console.log(`| ${type} | ${verdicts.map((verdict) => tally[verdict]).join(" | ")} |`);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { data: { type: "string" }, json: { type: "boolean" }, all: { type: "boolean" } },
  });
  if (values.data === undefined) {
    console.error("Usage: npm run bench:attribution -- --data DIR [--json] [--all]");
    return 2;
  }
  const dir = values.data;
  const truth = await loadLabTruth(dir);
  const lines = readJsonLines<{ body: string }>(await readFile(join(dir, "notifications.jsonl.gz")));
  const seen = new Set<string>();
  // A redelivery is no second record.
  const messages = lines
    .map(readBareMessage)
    .filter((message) => !seen.has(message.messageId) && seen.add(message.messageId));
  const results = [
    score("baseline: context project", truth, messages, (message) =>
      message.contextProject === undefined ? undefined : { project: message.contextProject },
    ),
  ];
  for (const arm of arms) {
    if (arm !== "notifications only" && !existsSync(join(dir, "rest"))) continue;
    const events = await runArm(dir, arm);
    const missing = messages.filter((message) => !events.has(message.messageId)).length;
    if (missing > 0) console.error(`${arm}: ${missing} messages are in no event`);
    results.push(score(arm, truth, messages, (message) => answerOf(events.get(message.messageId))));
  }
  if (values.json === true) {
    const plain = results.map((result) => ({ ...result, byType: Object.fromEntries(result.byType) }));
    console.log(JSON.stringify({ messages: messages.length, results: plain }));
  } else {
    console.log(`${lines.length} lines, ${messages.length} distinct messages\n`);
    printResults(results, values.all === true);
  }
  const wrong = results
    .slice(1)
    .reduce((sum, result) => sum + result.total["wrong tenant"] + result.total["false owner"], 0);
  return wrong === 0 ? 0 : 1;
}

process.exitCode = await main();
