import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import { relations } from "../model/topology.ts";
import type { HeldFact, TopologyView } from "./resolver.ts";

/**
 * Relations that were true before we first saw them: whose something is, which domain a project is in.
 * Where a server ran before we first saw it there nobody knows, nor what a thing was called.
 */
const extendedBackwards = new Set<Relation>([
  "owned_by",
  "part_of",
  "named",
  "copy_of",
  "made_from",
  "serves",
]);

/** Builds the view over facts in any order; the same facts in another order give the same view. */
export function buildTopologyView(controlPlane: string, facts: readonly KnownFact[]): TopologyView {
  const byFrom = new Map<string, KnownFact[]>();
  const byTo = new Map<string, Map<string, EntityRef>>();
  for (const fact of facts) {
    if (fact.controlPlane !== controlPlane) continue;
    const out = `${entityKey(fact.from)}|${fact.relation}`;
    const into = `${entityKey(fact.to)}|${fact.relation}`;
    append(byFrom, out, fact);
    // A run's last sight counts as well: what was seen in between by somebody else has ended by then.
    if (fact.lastAt !== undefined && fact.lastAt > fact.at) append(byFrom, out, { ...fact, at: fact.lastAt });
    if (!byTo.has(into)) byTo.set(into, new Map());
    byTo.get(into)!.set(entityKey(fact.from), fact.from);
  }
  for (const list of byFrom.values()) list.sort(byTimeThenTarget);

  function targets(from: EntityRef, relation: Relation, at: Instant): readonly HeldFact[] {
    const list = byFrom.get(`${entityKey(from)}|${relation}`) ?? [];
    return relations[relation] === "single" ? singleTargets(list, relation, at) : pluralTargets(list, at);
  }

  return {
    controlPlane,
    targets,
    origins(to, relation, at) {
      const key = entityKey(to);
      const origins = [...(byTo.get(`${key}|${relation}`)?.values() ?? [])];
      return origins
        .flatMap((from) => targets(from, relation, at).filter((held) => entityKey(held.fact.to) === key))
        .toSorted((a, b) => compare(entityKey(a.fact.from), entityKey(b.fact.from)));
    },
  };
}

function append<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byTimeThenTarget(a: KnownFact, b: KnownFact): number {
  return (
    a.at - b.at ||
    compare(entityKey(a.to), entityKey(b.to)) ||
    Number(a.holds) - Number(b.holds) ||
    compare(a.connection, b.connection) ||
    compare(a.sourceId, b.sourceId)
  );
}

/** The latest observation not after `at`; several only where different ones bear the very same time. */
function singleTargets(list: readonly KnownFact[], relation: Relation, at: Instant): readonly HeldFact[] {
  const past = list.filter((fact) => fact.at <= at);
  const moment = past.at(-1)?.at;
  if (moment === undefined) {
    const first = list[0];
    if (first === undefined || !extendedBackwards.has(relation)) return [];
    return held(
      list.filter((fact) => fact.at === first.at),
      list,
      true,
    );
  }
  return held(
    past.filter((fact) => fact.at === moment),
    list,
    false,
  );
}

function held(
  current: readonly KnownFact[],
  list: readonly KnownFact[],
  extended: boolean,
): readonly HeldFact[] {
  const distinct = new Map(current.filter((fact) => fact.holds).map((fact) => [entityKey(fact.to), fact]));
  return [...distinct.values()].map((fact) => {
    const run = runOf(fact, list);
    const next = list.find((later) => later.at > fact.at && !sameStatement(later, fact));
    return { fact: run, validFrom: run.at, extended, ...(next === undefined ? {} : { validUntil: next.at }) };
  });
}

/** The first observation of the run of equal ones that `fact` belongs to. */
function runOf(fact: KnownFact, list: readonly KnownFact[]): KnownFact {
  let first = fact;
  let last = fact.lastAt ?? fact.at;
  const index = list.indexOf(fact);
  for (let i = index - 1; i >= 0 && sameStatement(list[i]!, fact); i--) {
    first = list[i]!;
    last = Math.max(last, first.lastAt ?? first.at) as Instant;
  }
  for (let i = index + 1; i < list.length && sameStatement(list[i]!, fact); i++) {
    last = Math.max(last, list[i]!.lastAt ?? list[i]!.at) as Instant;
  }
  return { ...first, lastAt: last };
}

function sameStatement(a: KnownFact, b: KnownFact): boolean {
  return a.holds === b.holds && entityKey(a.to) === entityKey(b.to);
}

function pluralTargets(list: readonly KnownFact[], at: Instant): readonly HeldFact[] {
  const byTarget = new Map<string, KnownFact[]>();
  for (const fact of list) append(byTarget, entityKey(fact.to), fact);
  return [...byTarget.values()].flatMap((own) => {
    const latest = own.findLast((fact) => fact.at <= at);
    return latest === undefined ? [] : held([latest], own, false);
  });
}
