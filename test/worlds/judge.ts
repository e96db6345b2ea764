import { entityKey } from "../../src/model/entity.ts";
import type { Attribution } from "../../src/model/event.ts";
import type { KnownFact } from "../../src/model/topology.ts";
import { createResolver } from "../../src/resolve/graph-resolver.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import { providerDomain, staffProject } from "./estate.ts";
import type { World } from "./play.ts";
import type { TrueRecord } from "./record.ts";

/** What the resolver made of one record. */
export type Verdict = "right" | "waiting" | "wrong tenant" | "false owner";

export const resolver = createResolver({ providerDomains: new Set([providerDomain]) });

/** The answers to all records of a world by these facts, in the records' order. Both planes' facts lie together. */
export function answerAll(world: World, facts: readonly KnownFact[]): readonly Attribution[] {
  const answers = new Map<TrueRecord, Attribution>();
  for (const plane of new Set(world.records.map((record) => record.plane))) {
    const own = world.records.filter((record) => record.plane === plane);
    const drafts = own.map(({ draft }) => draft);
    const resolved = resolver(drafts, "world", buildTopologyView(plane, facts));
    for (const [index, record] of own.entries()) answers.set(record, resolved[index]!.attribution);
  }
  return world.records.map((record) => answers.get(record)!);
}

export function judge({ owner }: TrueRecord, answer: Attribution): Verdict {
  const isProviders = owner === undefined || owner === staffProject;
  if (answer.status === "owned") {
    if (isProviders) return "false owner";
    return answer.tenant.projectId === owner ? "right" : "wrong tenant";
  }
  if (!isProviders) return "waiting";
  return answer.status === "provider" || answer.status === "shared" ? "right" : "waiting";
}

/** What is false in an answer; undefined where nothing is. */
export function findFalsehood(record: TrueRecord, answer: Attribution): string | undefined {
  const verdict = judge(record, answer);
  if (verdict === "wrong tenant" || verdict === "false owner") return `${verdict}: ${tell(record, answer)}`;
  if (answer.status !== "shared" || record.standing === undefined) return undefined;
  const strangers = answer.affected.filter(({ tenant, resources }) =>
    resources.some((ref) => !ownsNow(record, tenant.projectId ?? "", entityKey(ref))),
  );
  return strangers.length === 0 ? undefined : `a stranger is affected: ${tell(record, answer)}`;
}

/** Whose things stood where they did may be missed; that somebody else's are called a tenant's may not be. */
function ownsNow({ owners }: TrueRecord, project: string, key: string): boolean {
  return owners?.get(key) === project;
}

/** What is missing in an answer to a record that is determined by all facts; undefined where nothing is. */
export function findOmission(record: TrueRecord, answer: Attribution): string | undefined {
  if (!record.determined) return undefined;
  if (judge(record, answer) !== "right") return `left waiting: ${tell(record, answer)}`;
  if (record.standing === undefined) return undefined;
  const affected = answer.status === "shared" ? answer.affected : [];
  const told = affected.map(({ tenant, resources }) => [
    tenant.projectId,
    resources.map(entityKey).toSorted(),
  ]);
  const standing = [...record.standing].map(([project, keys]) => [project, [...keys].toSorted()]);
  return JSON.stringify(told.toSorted()) === JSON.stringify(standing.toSorted())
    ? undefined
    : `affected should be ${JSON.stringify(standing)}: ${tell(record, answer)}`;
}

function tell({ plane, draft, owner }: TrueRecord, answer: Attribution): string {
  const { subject, related, occurredAt } = draft;
  const record = `${plane} ${entityKey(subject)} at ${occurredAt / 1000} ${JSON.stringify(related)}`;
  const { evidence, ...rest } = answer;
  const steps = evidence.map(({ rule, verdict, says }) => `${rule} ${verdict}: ${says}`);
  return `${record} is ${owner ?? "the provider's"}, answered ${JSON.stringify(rest)}\n${steps.join("\n")}`;
}

/** The first thing that the resolver gets wrong in a world, by any of what is promised; undefined where nothing. */
export function findFault(world: World): string | undefined {
  const all = world.statements.map(({ fact }) => fact);
  const told = world.statements.filter(({ lost }) => !lost).map(({ fact }) => fact);
  // Of what was lost, every other thing.
  const some = world.statements.filter(({ lost }, index) => !lost || index % 2 === 0).map(({ fact }) => fact);
  for (const [name, facts] of Object.entries({ all, told, some })) {
    const answers = answerAll(world, facts);
    for (const [index, record] of world.records.entries()) {
      const answer = answers[index]!;
      const fault =
        findFalsehood(record, answer) ?? (name === "all" ? findOmission(record, answer) : undefined);
      if (fault !== undefined) return `by ${name} facts, ${fault}`;
    }
  }
  return undefined;
}
