import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../src/config.ts";
import { createLog } from "../src/log.ts";
import { openIsochron } from "../src/main.ts";
import type { StoredEvent } from "../src/model/event.ts";
import { readDataLines } from "./data-file.ts";
import { readEvents } from "./stored-events.ts";
import type { BareMessage, LabTruth } from "./lab-truth.ts";
import { labClasses, labNameJoin, loadLabTruth, readBareMessage } from "./lab-truth.ts";

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

/** Each message is judged by itself, so that none may be folded into a storm of its kind. */
const unfolded = {
  name: "openstack-notifications",
  source: "openstack-notifications",
  storm_threshold: 0,
  config: { url: "env:UNUSED" },
};

/** Runs one arm in a store of its own and gives every event by each message id that it stands for. */
async function runArm(dir: string, arm: Arm): Promise<ReadonlyMap<string, StoredEvent>> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const configFile = join(folder, "isochron.yaml");
  await writeFile(configFile, JSON.stringify({ connections: [unfolded] }));
  const config = loadConfig({
    env: {},
    flags: { config: configFile, data: join(folder, "data"), log_level: "error" },
  });
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
    return await readEvents(isochron, ["openstack-notifications"]);
  } finally {
    await isochron.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface ArmResult {
  readonly name: string;
  readonly total: Tally;
  readonly byType: ReadonlyMap<string, Tally>;
  readonly byClass: ReadonlyMap<string, Tally>;
}

function score(
  name: string,
  truth: LabTruth,
  messages: readonly BareMessage[],
  answer: (message: BareMessage) => Answer,
): ArmResult {
  const total = emptyTally();
  const byType = new Map<string, Tally>();
  const byClass = new Map<string, Tally>();
  for (const message of messages) {
    const verdict = judge(truth, message, answer(message));
    const rows = [
      [byType, message.eventType],
      [byClass, truth.classOf(message)],
    ] as const;
    for (const [tallies, key] of rows) {
      const row = tallies.get(key) ?? emptyTally();
      tallies.set(key, row);
      row[verdict] += 1;
    }
    total[verdict] += 1;
  }
  return { name, total, byType, byClass };
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
  printClasses(results);
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

function printClasses(results: readonly ArmResult[]): void {
  console.log(`\n| answer by | class | ${verdicts.join(" | ")} | right |`);
  console.log(`|---|---|${verdicts.map(() => "---:").join("|")}|---:|`);
  for (const { name, byClass } of results) {
    for (const kind of labClasses) {
      const tally = byClass.get(kind);
      if (tally === undefined) continue;
      const owned = tenantOwned(tally);
      const share = owned === 0 ? "" : percent(tally.right + tally["domain only"], owned);
      console.log(
        `| ${name} | ${kind} | ${verdicts.map((verdict) => tally[verdict]).join(" | ")} | ${share} |`,
      );
    }
  }
}

/** Runs every arm over a recording of a lab and prints what came of it; the number of wrong answers. */
export async function benchLab(
  dir: string,
  print: { readonly json: boolean; readonly all: boolean },
): Promise<number> {
  const truth = await loadLabTruth(dir);
  const lines = await readDataLines(join(dir, "notifications.jsonl.gz"));
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
  const byName = await labNameJoin(dir);
  if (byName !== undefined)
    results.push(
      score("baseline: name join", truth, messages, (message) => {
        const project = byName(message);
        return project === undefined ? undefined : { project };
      }),
    );
  for (const arm of arms) {
    if (arm !== "notifications only" && !existsSync(join(dir, "rest"))) continue;
    const events = await runArm(dir, arm);
    const missing = messages.filter((message) => !events.has(message.messageId)).length;
    if (missing > 0) console.error(`${arm}: ${missing} messages are in no event`);
    results.push(score(arm, truth, messages, (message) => answerOf(events.get(message.messageId))));
  }
  if (print.json) {
    const plain = results.map(({ name, total, byType, byClass }) => ({
      name,
      total,
      byClass: Object.fromEntries(byClass),
      byType: Object.fromEntries(byType),
    }));
    console.log(JSON.stringify({ messages: messages.length, results: plain }));
  } else {
    console.log(`${lines.length} lines, ${messages.length} distinct messages\n`);
    printResults(results, print.all);
  }
  return results
    .filter(({ name }) => !name.startsWith("baseline"))
    .reduce((sum, result) => sum + result.total["wrong tenant"] + result.total["false owner"], 0);
}
