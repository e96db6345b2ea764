import type { StoredEvent } from "../src/model/event.ts";
import type { IdentityData, IdentityRecord, InventoryRow } from "./identity-data.ts";

/** The project that a record is given to, or nobody. */
export type Given = string | undefined;

export const identityVerdicts = [
  "right",
  "wrong tenant",
  "abstained",
  "false owner",
  "platform right",
  "owner, not judged",
  "nobody, not judged",
] as const;
export type IdentityVerdict = (typeof identityVerdicts)[number];
export type IdentityTally = Record<IdentityVerdict, number>;

export interface IdentityResult {
  readonly name: string;
  readonly byClass: ReadonlyMap<string, IdentityTally>;
  readonly verdicts: ReadonlyMap<number, IdentityVerdict>;
}

/** An answer that names any other project than the owner is wrong, tenant or not; whatever is the operator's is no tenant's. */
export function judgeRecord(
  record: IdentityRecord,
  given: Given,
  tenants: ReadonlySet<string>,
): IdentityVerdict {
  if (record.owner === undefined) return given === undefined ? "nobody, not judged" : "owner, not judged";
  if (record.owner === "platform") {
    return given !== undefined && tenants.has(given) ? "false owner" : "platform right";
  }
  if (given === undefined) return "abstained";
  return given === record.owner ? "right" : "wrong tenant";
}

/** A whole domain is nobody's project: it counts as wrong where the record has a tenant. */
export function givenBy(event: StoredEvent | undefined): Given {
  if (event?.attribution.status !== "owned") return undefined;
  const { projectId, domainId } = event.attribution.tenant;
  return projectId ?? domainId;
}

export function scoreIdentity(
  name: string,
  { records, tenants }: IdentityData,
  answer: (record: IdentityRecord) => Given,
): IdentityResult {
  const byClass = new Map<string, IdentityTally>();
  const verdicts = new Map<number, IdentityVerdict>();
  for (const record of records) {
    const verdict = judgeRecord(record, answer(record), tenants);
    const tally = byClass.get(record.class) ?? emptyTally();
    byClass.set(record.class, tally);
    tally[verdict] += 1;
    verdicts.set(record.seq, verdict);
  }
  return { name, byClass, verdicts };
}

function emptyTally(): IdentityTally {
  return Object.fromEntries(identityVerdicts.map((verdict) => [verdict, 0])) as IdentityTally;
}

/** What everybody copies: whoever's project the request was made in owns what it is about. */
export function contextProject(record: IdentityRecord): Given {
  return record.projectId;
}

/** The first word of a record that is the name of something in the inventory, and the first thing of that name. */
export function nameJoin(inventory: readonly InventoryRow[]): (record: IdentityRecord) => Given {
  const owners = new Map<string, string>();
  for (const { name, projectId } of inventory) {
    if (name !== undefined && !owners.has(name)) owners.set(name, projectId);
  }
  return ({ message }) => {
    const words = message.split(/[\s,;|"'()[\]{}<>/?=]+|\.\.\./);
    return words.map((word) => owners.get(word)).find((owner) => owner !== undefined);
  };
}

/** How many of a verdict in all classes. */
export function countOf(result: IdentityResult, verdict: IdentityVerdict): number {
  return [...result.byClass.values()].reduce((sum, tally) => sum + tally[verdict], 0);
}
