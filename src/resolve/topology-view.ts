import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import { relations } from "../model/topology.ts";
import { compareText, FactLine } from "./fact-line.ts";
import type { HeldFact, TopologyView } from "./resolver.ts";

/**
 * Relations that were true before we first saw them: whose something is, which domain a project is in.
 * Where a server ran before we first saw it there nobody knows. A name is extended for people to read; who asks for a
 * name's bearers leaves those out that are only known by it from later.
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
  return new IndexedFacts(controlPlane, facts);
}

/** All targets of one relation of one entity: one line together, or one for each where they hold side by side. */
type Outward = Map<string, FactLine | KnownFact[]>;

class IndexedFacts implements TopologyView {
  readonly controlPlane: string;
  /** By relation, by origin, by target (single relations: all targets on one line, under the empty key). */
  readonly #outward = new Map<Relation, Map<string, Outward>>();
  /** By relation, by target: the origins by their keys. Sorted when first asked for. */
  readonly #inward = new Map<Relation, Map<string, Map<string, EntityRef> | readonly EntityRef[]>>();
  readonly #byId = new Map<string, Map<string, EntityRef>>();

  constructor(controlPlane: string, facts: readonly KnownFact[]) {
    this.controlPlane = controlPlane;
    for (const fact of facts) if (fact.controlPlane === controlPlane) this.#add(fact);
  }

  targets(from: EntityRef, relation: Relation, at: Instant): readonly HeldFact[] {
    const read = (one: EntityRef): readonly HeldFact[] => {
      const outward = this.#outward.get(relation)?.get(entityKey(one));
      if (outward === undefined) return [];
      if (relations[relation] === "single")
        return lineOf(outward, "").heldAt(at, extendedBackwards.has(relation));
      return targetsOf(outward).flatMap((target) => lineOf(outward, target).heldOneAt(at) ?? []);
    };
    return distinctTargets(this.#bearersOf(from, relation).map(read));
  }

  origins(to: EntityRef, relation: Relation, at: Instant): readonly HeldFact[] {
    return this.#originsBy(to, relation, (outward, target) => {
      if (relations[relation] === "plural") return lineOf(outward, target).heldOneAt(at) ?? [];
      const held = lineOf(outward, "").heldAt(at, extendedBackwards.has(relation));
      return held.filter(({ fact }) => entityKey(fact.to) === target);
    });
  }

  everTargets(from: EntityRef, relation: Relation): readonly HeldFact[] {
    const read = (one: EntityRef): readonly HeldFact[] => {
      const outward = this.#outward.get(relation)?.get(entityKey(one));
      if (outward === undefined) return [];
      return targetsOf(outward).flatMap((target) => lineOf(outward, target).everHeld());
    };
    return distinctTargets(this.#bearersOf(from, relation).map(read));
  }

  everOrigins(to: EntityRef, relation: Relation): readonly HeldFact[] {
    return this.#originsBy(to, relation, (outward, target) => {
      if (relations[relation] === "plural") return lineOf(outward, target).everHeld();
      return lineOf(outward, "")
        .everHeld()
        .filter(({ fact }) => entityKey(fact.to) === target);
    });
  }

  #originsBy(
    to: EntityRef,
    relation: Relation,
    read: (outward: Outward, target: string) => HeldFact | readonly HeldFact[],
  ): readonly HeldFact[] {
    return this.#bearersOf(to, relation).flatMap((one) => {
      const target = entityKey(one);
      const outwards = this.#outward.get(relation);
      return this.#originRefs(target, relation).flatMap((from) =>
        read(outwards!.get(entityKey(from))!, target),
      );
    });
  }

  #originRefs(target: string, relation: Relation): readonly EntityRef[] {
    const byTarget = this.#inward.get(relation);
    const known = byTarget?.get(target) ?? [];
    if (!(known instanceof Map)) return known;
    const sorted = [...known].toSorted(([a], [b]) => compareText(a, b)).map(([, ref]) => ref);
    byTarget?.set(target, sorted);
    return sorted;
  }

  /**
   * The refs under which the thing is known: of one of unknown kind all that bear its id. A request that spoke of an id
   * without its kind spoke of the thing all the same.
   */
  #bearersOf(ref: EntityRef, relation: Relation): readonly EntityRef[] {
    if (ref.kind !== "resource") {
      const unkinded = { kind: "resource", id: ref.id };
      const known = relation === "used_by" && this.#byId.get(ref.id)?.has(entityKey(unkinded)) === true;
      return known ? [ref, unkinded] : [ref];
    }
    const bearers = [...(this.#byId.get(ref.id) ?? [])];
    return bearers.toSorted(([a], [b]) => compareText(a, b)).map(([, one]) => one);
  }

  #add(fact: KnownFact): void {
    const from = entityKey(fact.from);
    const to = entityKey(fact.to);
    const byFrom = within(this.#outward, fact.relation, () => new Map<string, Outward>());
    const outward = within(byFrom, from, (): Outward => new Map());
    const line = within(outward, relations[fact.relation] === "single" ? "" : to, (): KnownFact[] => []);
    if (Array.isArray(line)) line.push(fact);
    const byTo = within(this.#inward, fact.relation, () => new Map<string, Map<string, EntityRef>>());
    const origins = within(byTo, to, () => new Map<string, EntityRef>());
    if (origins instanceof Map) origins.set(from, fact.from);
    for (const ref of [fact.from, fact.to])
      within(this.#byId, ref.id, () => new Map<string, EntityRef>()).set(entityKey(ref), ref);
  }
}

function within<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** In an order that does not depend on how the facts arrived. */
function targetsOf(outward: Outward): readonly string[] {
  return outward.size < 2 ? [...outward.keys()] : [...outward.keys()].toSorted(compareText);
}

/** What is said of a thing under two of its refs is said once. */
function distinctTargets(lists: readonly (readonly HeldFact[])[]): readonly HeldFact[] {
  if (lists.length < 2) return lists[0] ?? [];
  const distinct = new Map<string, HeldFact>();
  for (const held of lists.flat()) {
    const key = entityKey(held.fact.to);
    if (!distinct.has(key)) distinct.set(key, held);
  }
  return [...distinct.values()];
}

/** Sorts a line when it is first asked for; most of a neighbourhood is never asked for. */
function lineOf(outward: Outward, target: string): FactLine {
  const known = outward.get(target) ?? [];
  if (known instanceof FactLine) return known;
  const line = new FactLine(known);
  outward.set(target, line);
  return line;
}
