import { entityKey } from "../../src/model/entity.ts";
import type { Attribution } from "../../src/model/event.ts";
import type { KnownFact } from "../../src/model/topology.ts";
import { createResolver } from "../../src/resolve/graph-resolver.ts";
import type { ResolvedDraft } from "../../src/resolve/resolver.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import { providerDomain, staffProject } from "./estate.ts";
import type { World } from "./play.ts";
import type { TrueRecord } from "./record.ts";

/** What the resolver made of one record. */
export type Verdict = "right" | "waiting" | "wrong tenant" | "false owner";

export const resolver = createResolver({ providerDomains: new Set([providerDomain]) });

/** The answers to all records of a world by these facts, in the records' order. */
export function answerAll(world: World, facts: readonly KnownFact[]): readonly Attribution[] {
  return resolveAll(world, facts).map(({ attribution }) => attribution);
}

/** Both planes' facts lie together. */
function resolveAll(world: World, facts: readonly KnownFact[]): readonly ResolvedDraft[] {
  const answers = new Map<TrueRecord, ResolvedDraft>();
  for (const plane of new Set(world.records.map((record) => record.plane))) {
    const own = world.records.filter((record) => record.plane === plane);
    const drafts = own.map(({ draft }) => draft);
    const resolved = resolver(drafts, "world", buildTopologyView(plane, facts));
    for (const [index, record] of own.entries()) answers.set(record, resolved[index]!);
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

/**
 * What is false in what a notice would call a tenant's resources: a name that it never had for them, or, where all is
 * known, another than the one that it had for them then.
 */
function findFalseName(
  record: TrueRecord,
  { attribution, names }: ResolvedDraft,
  isAllKnown: boolean,
): string | undefined {
  if (attribution.status !== "shared" || names === undefined) return undefined;
  for (const { tenant, resources } of attribution.affected) {
    for (const key of resources.map(entityKey)) {
      const told = names.get(key);
      const truth = record.names?.get(key);
      if (told === undefined || truth === undefined) continue;
      const isKnown = truth.calledBy.get(tenant.projectId ?? "")?.has(told) === true;
      if (!isKnown || (isAllKnown && told !== truth.nameThen))
        return `${key} was never called ${told} by its owner: ${tell(record, attribution)}`;
    }
  }
  return undefined;
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
    const answers = resolveAll(world, facts);
    for (const [index, record] of world.records.entries()) {
      const answer = answers[index]!;
      const { attribution } = answer;
      const isAllKnown = name === "all";
      const fault =
        findFalsehood(record, attribution) ??
        findFalseName(record, answer, isAllKnown) ??
        (isAllKnown ? findOmission(record, attribution) : undefined);
      if (fault !== undefined) return `by ${name} facts, ${fault}`;
    }
  }
  return undefined;
}
