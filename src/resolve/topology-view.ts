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

/** One line of sights; what is never asked for is never sorted. */
type Line = FactLine | KnownFact[];

/** All that one entity points at along one relation: on one line, or each target on its own where they hold side by side. */
type Outward = Map<string, Line>;

class IndexedFacts implements TopologyView {
  readonly controlPlane: string;
  readonly #facts = new Map<Relation, KnownFact[]>();
  /** Each is made of a relation's facts when that is first asked for. */
  readonly #outward = new Map<Relation, Map<string, Outward>>();
  readonly #inward = new Map<Relation, Map<string, Map<string, EntityRef> | readonly EntityRef[]>>();
  #byId: ReadonlyMap<string, readonly EntityRef[]> | undefined;

  constructor(controlPlane: string, facts: readonly KnownFact[]) {
    this.controlPlane = controlPlane;
    for (const fact of facts) {
      if (fact.controlPlane === controlPlane)
        within(this.#facts, fact.relation, (): KnownFact[] => []).push(fact);
    }
  }

  targets(from: EntityRef, relation: Relation, at: Instant): readonly HeldFact[] {
    const read = (one: EntityRef): readonly HeldFact[] => {
      const outward = this.#outwardOf(relation).get(entityKey(one));
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

  /** Facts as they are given are all there are. */
  isCut(): boolean {
    return false;
  }

  everTargets(from: EntityRef, relation: Relation): readonly HeldFact[] {
    const read = (one: EntityRef): readonly HeldFact[] => {
      const outward = this.#outwardOf(relation).get(entityKey(one));
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
      const outwards = this.#outwardOf(relation);
      return this.#originRefs(target, relation).flatMap((from) =>
        read(outwards.get(entityKey(from))!, target),
      );
    });
  }

  #originRefs(target: string, relation: Relation): readonly EntityRef[] {
    const byTarget = this.#inwardOf(relation);
    const known = byTarget.get(target) ?? [];
    if (!(known instanceof Map)) return known;
    const sorted = [...known].toSorted(([a], [b]) => compareText(a, b)).map(([, ref]) => ref);
    byTarget.set(target, sorted);
    return sorted;
  }

  /**
   * The refs under which the thing is known: of one of unknown kind all that bear its id. A request that spoke of an id
   * without its kind spoke of the thing all the same.
   */
  #bearersOf(ref: EntityRef, relation: Relation): readonly EntityRef[] {
    if (ref.kind !== "resource") {
      const unkinded = { kind: "resource", id: ref.id };
      const known = relation === "used_by" && this.#outwardOf(relation).has(entityKey(unkinded));
      return known ? [ref, unkinded] : [ref];
    }
    const bearers = this.#bearersById().get(ref.id) ?? [];
    if (bearers.length < 2) return bearers;
    const kinded = bearers
      .filter(({ kind }) => kind !== "resource")
      .toSorted((a, b) => compareText(a.kind, b.kind));
    // What is said of the thing by its kind tells more than the same said of its id alone.
    return bearers.length === kinded.length ? kinded : [...kinded, { kind: "resource", id: ref.id }];
  }

  #outwardOf(relation: Relation): Map<string, Outward> {
    return within(this.#outward, relation, () => {
      const byFrom = new Map<string, Outward>();
      const isSingle = relations[relation] === "single";
      for (const fact of this.#facts.get(relation) ?? []) {
        const outward = within(byFrom, entityKey(fact.from), (): Outward => new Map());
        const line = within(outward, isSingle ? "" : entityKey(fact.to), (): Line => []);
        if (Array.isArray(line)) line.push(fact);
      }
      return byFrom;
    });
  }

  #inwardOf(relation: Relation): Map<string, Map<string, EntityRef> | readonly EntityRef[]> {
    return within(this.#inward, relation, () => {
      const byTo = new Map<string, Map<string, EntityRef>>();
      for (const { from, to } of this.#facts.get(relation) ?? [])
        within(byTo, entityKey(to), () => new Map<string, EntityRef>()).set(entityKey(from), from);
      return byTo;
    });
  }

  /** By id only: hardly anything bears another's id, so that a short list of each id's refs is soon looked through. */
  #bearersById(): ReadonlyMap<string, readonly EntityRef[]> {
    if (this.#byId !== undefined) return this.#byId;
    const byId = new Map<string, EntityRef[]>();
    const add = (ref: EntityRef): void => {
      const known = byId.get(ref.id);
      if (known === undefined) byId.set(ref.id, [ref]);
      else if (!known.some(({ kind }) => kind === ref.kind)) known.push(ref);
    };
    for (const facts of this.#facts.values()) {
      for (const { from, to } of facts) {
        add(from);
        add(to);
      }
    }
    this.#byId = byId;
    return byId;
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
