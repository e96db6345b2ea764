import { identityArms, runIdentityArm } from "./identity-arms.ts";
import type { IdentityData, IdentityRecord } from "./identity-data.ts";
import { loadIdentity } from "./identity-data.ts";
import type { IdentityResult, IdentityTally } from "./identity-judge.ts";
import { contextProject, countOf, givenBy, nameJoin, scoreIdentity } from "./identity-judge.ts";
import type { IdentityProof } from "./identity-proof.ts";
import { countNames } from "./identity-proof.ts";

interface ArmOutcome {
  readonly result: IdentityResult;
  readonly proof: IdentityProof;
}

/** Runs every arm over a folder of identity data and prints what came of it; the number of wrong answers. */
export async function benchIdentity(
  dir: string,
  print: { readonly json: boolean; readonly all: boolean },
): Promise<number> {
  const data = await loadIdentity(dir);
  const baselines = [scoreIdentity("baseline: context project", data, contextProject)];
  if (data.inventory !== undefined)
    baselines.push(scoreIdentity("baseline: name join", data, nameJoin(data.inventory)));
  const outcomes: ArmOutcome[] = [];
  for (const arm of identityArms) {
    const withInventory = arm !== "stream only";
    if (withInventory && data.inventory === undefined) continue;
    const events = await runIdentityArm(data, arm);
    const missing = data.records.filter(({ key }) => !events.has(key)).length;
    if (missing > 0) console.error(`${arm}: ${missing} records are in no event`);
    const result = scoreIdentity(arm, data, ({ key }) => givenBy(events.get(key)));
    outcomes.push({ result, proof: countNames(data, result, withInventory) });
  }
  if (print.json) printJson(data, baselines, outcomes);
  else printTables(data, baselines, outcomes, print.all);
  return outcomes.reduce(
    (sum, { result }) => sum + countOf(result, "wrong tenant") + countOf(result, "false owner"),
    0,
  );
}

function printJson(
  { records, regions }: IdentityData,
  baselines: readonly IdentityResult[],
  outcomes: readonly ArmOutcome[],
): void {
  const plain = (result: IdentityResult) => ({
    name: result.name,
    byClass: Object.fromEntries(result.byClass),
  });
  console.log(
    JSON.stringify({
      records: records.length,
      regions,
      results: [
        ...baselines.map(plain),
        ...outcomes.map(({ result, proof }) => ({
          ...plain(result),
          names: { ...proof, remaining: proof.remaining.map(({ seq }) => seq) },
        })),
      ],
    }),
  );
}

/** The classes in the order in which people ask for them; what else the truth names comes behind. */
const classOrder = ["direct", "indirect", "name", "platform"];

function printTables(
  data: IdentityData,
  baselines: readonly IdentityResult[],
  outcomes: readonly ArmOutcome[],
  all: boolean,
): void {
  console.log(
    `${data.records.length} records, ${data.regions.length} control planes, ${data.tenants.size} tenants`,
  );
  if (data.inventory !== undefined) {
    console.log(
      `${data.inventory.length} rows of inventory, which carry no time: taken as of the stream's beginning`,
    );
  }
  console.log(
    "\n| answer by | class | records | right | wrong tenant | abstained | false owner | right of the class |",
  );
  console.log("|---|---|---:|---:|---:|---:|---:|---:|");
  const results = [...baselines, ...outcomes.map(({ result }) => result)];
  for (const { name, byClass } of results) {
    for (const kind of sortClasses(byClass)) printRow(name, kind, byClass.get(kind)!);
  }
  for (const { result, proof } of outcomes) printProof(result, proof, all);
  if (all) printAbstained(data.records, outcomes);
}

function sortClasses(byClass: ReadonlyMap<string, IdentityTally>): readonly string[] {
  const known = classOrder.filter((kind) => byClass.has(kind));
  return [...known, ...[...byClass.keys()].filter((kind) => !classOrder.includes(kind)).toSorted()];
}

function printRow(name: string, kind: string, tally: IdentityTally): void {
  const records = Object.values(tally).reduce((sum, count) => sum + count, 0);
  const unjudged = tally["owner, not judged"] + tally["nobody, not judged"];
  if (unjudged === records) {
    console.log(
      `| ${name} | ${kind} (not judged) | ${records} | | | | | ${tally["owner, not judged"]} got an owner |`,
    );
    return;
  }
  const right = tally.right + tally["platform right"];
  const cells = [records, right, tally["wrong tenant"], tally.abstained, tally["false owner"]];
  console.log(`| ${name} | ${kind} | ${cells.join(" | ")} | ${percent(right, records - unjudged)} |`);
}

function printProof({ name }: IdentityResult, proof: IdentityProof, all: boolean): void {
  const { abstained, unseen, undetermined, remaining } = proof;
  console.log(
    `\n${name}: ${abstained} name-only records were given to nobody. ${unseen} of them name nothing that stands in any ` +
      `record with an id, in a row, or in a request of an account that works in one tenant; ${undetermined} only what ` +
      `stands there with several tenants', with nobody's, or as an image's name. ${remaining.length} remain.`,
  );
  for (const { seq, message } of remaining.slice(0, all ? 200 : 5))
    console.log(`  ${seq}: ${message.slice(0, 160)}`);
}

function printAbstained(records: readonly IdentityRecord[], outcomes: readonly ArmOutcome[]): void {
  const digits = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|\d+/g;
  for (const { result } of outcomes) {
    const shapes = new Map<string, number>();
    for (const record of records) {
      const verdict = result.verdicts.get(record.seq);
      if (verdict !== "abstained" && verdict !== "wrong tenant" && verdict !== "false owner") continue;
      const shape = `${verdict} | ${record.class} | ${record.source} | ${record.message.replaceAll(digits, "#").slice(0, 110)}`;
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
    }
    console.log(`\n${result.name}, by shape:`);
    for (const [shape, count] of [...shapes].toSorted(([, a], [, b]) => b - a).slice(0, 100)) {
      console.log(`${String(count).padStart(6)}  ${shape}`);
    }
  }
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(2)} %`;
}
