import { entityKey, type EntityRef } from "../../model/entity.ts";
import type { Instant } from "../../model/instant.ts";
import { relations, type KnownFact, type Relation } from "../../model/topology.ts";

/** A relation that held at the moment asked for. */
export interface HeldRelation {
  readonly relation: Relation;
  /** `to`: the resource points at the entity; `from`: the entity points at the resource. */
  readonly direction: "to" | "from";
  readonly entity: EntityRef;
  readonly fact: KnownFact;
  readonly validFrom: Instant;
  /** The next observation that ended it; absent while none is known. */
  readonly validUntil?: Instant;
}

/**
 * What held for a resource at a moment. `facts` are the change points that mention it and, for single
 * relations that point at it, those of the pointing entities too: only they tell that one has moved on.
 */
export function relationsAt(resource: EntityRef, facts: readonly KnownFact[], at: Instant): HeldRelation[] {
  const key = entityKey(resource);
  const held: HeldRelation[] = [];
  for (const run of groupRuns(facts).values()) {
    for (const { fact, until } of intervalsOf(run)) {
      if (fact.at > at || (until !== undefined && until <= at)) continue;
      const outward = entityKey(fact.from) === key;
      if (!outward && entityKey(fact.to) !== key) continue;
      held.push({
        relation: fact.relation,
        direction: outward ? "to" : "from",
        entity: outward ? fact.to : fact.from,
        fact,
        validFrom: fact.at,
        ...(until === undefined ? {} : { validUntil: until }),
      });
    }
  }
  return held.toSorted(compareRelations);
}

/** Every stretch in which the resource pointed along one of these relations, oldest first. */
export function intervalsOut(
  resource: EntityRef,
  wanted: readonly Relation[],
  facts: readonly KnownFact[],
): HeldRelation[] {
  const own = facts.filter(
    (fact) => wanted.includes(fact.relation) && entityKey(fact.from) === entityKey(resource),
  );
  return [...groupRuns(own).values()]
    .flatMap(intervalsOf)
    .map(({ fact, until }): HeldRelation => ({
      relation: fact.relation,
      direction: "to",
      entity: fact.to,
      fact,
      validFrom: fact.at,
      ...(until === undefined ? {} : { validUntil: until }),
    }))
    .toSorted((left, right) => left.validFrom - right.validFrom || compareRelations(left, right));
}

interface Interval {
  /** The observation that began it. */
  readonly fact: KnownFact;
  until?: Instant;
}

function intervalsOf(run: readonly KnownFact[]): Interval[] {
  const intervals: Interval[] = [];
  let open: Interval | undefined;
  for (const fact of run.toSorted(compareFacts)) {
    const same = open !== undefined && entityKey(open.fact.to) === entityKey(fact.to);
    if (fact.holds === same) continue;
    if (open !== undefined && (fact.holds || same)) open.until = fact.at;
    open = fact.holds ? { fact } : same ? undefined : open;
    if (fact.holds && open !== undefined) intervals.push(open);
  }
  return intervals;
}

/** Of two observations of one moment the denial comes first: a thing that moves leaves before it arrives. */
function compareFacts(left: KnownFact, right: KnownFact): number {
  if (left.at !== right.at) return left.at - right.at;
  if (left.holds !== right.holds) return left.holds ? 1 : -1;
  return entityKey(left.to) < entityKey(right.to) ? -1 : 1;
}

/**
 * The one target of an outward single relation at a moment. What was first seen later is taken to have held
 * before, as the resolver takes ownership; where one moment names two targets, neither is given.
 */
export function targetAt(
  resource: EntityRef,
  relation: Relation,
  facts: readonly KnownFact[],
  at: Instant,
): { readonly held: HeldRelation; readonly extended: boolean } | undefined {
  const own = facts.filter(
    (fact) => fact.relation === relation && entityKey(fact.from) === entityKey(resource),
  );
  const first = own.toSorted(compareFacts)[0];
  if (first === undefined) return undefined;
  const extended = at < first.at;
  const held = relationsAt(resource, own, extended ? first.at : at).find(
    ({ direction }) => direction === "to",
  );
  if (held === undefined) return undefined;
  const rival = own.some(
    (fact) => fact.holds && fact.at === held.validFrom && entityKey(fact.to) !== entityKey(held.entity),
  );
  return rival ? undefined : { held, extended };
}

/** Observations that follow one another: of one source entity for single relations, of one pair for plural ones. */
function groupRuns(facts: readonly KnownFact[]): Map<string, KnownFact[]> {
  const runs = new Map<string, KnownFact[]>();
  for (const fact of facts) {
    const pair = [fact.relation, entityKey(fact.from)];
    if (relations[fact.relation] === "plural") pair.push(entityKey(fact.to));
    const name = JSON.stringify(pair);
    const run = runs.get(name);
    if (run === undefined) runs.set(name, [fact]);
    else run.push(fact);
  }
  return runs;
}

function compareRelations(left: HeldRelation, right: HeldRelation): number {
  const spell = (held: HeldRelation) => `${held.relation} ${held.direction} ${entityKey(held.entity)}`;
  return spell(left) < spell(right) ? -1 : 1;
}
