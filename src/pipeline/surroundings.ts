import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import type { HeldFact, TopologyView } from "../resolve/resolver.ts";
import type { Surroundings, TopologyReader } from "../store/topology-reader.ts";

/** How many hops around a page the resolver can walk. */
const hopsMax = 4;

/** The entities that can lead from a draft to its owner. */
export function neighbourKeys(draft: EventDraft): readonly string[] {
  const { operation, subject, stated, related } = draft;
  const requests = [operation?.requestId, operation?.globalRequestId].filter((id) => id !== undefined);
  return [
    entityKey(subject),
    ...(stated === undefined ? [] : [entityKey(stated.owner)]),
    ...related.map((item) => entityKey(item.ref)),
    ...requests.map((id) => `request:${id}`),
  ];
}

/** Kinds that are a place where tenants' resources stand, serve one, or may be the name or address of one. */
const placeKinds = new Set([
  "host",
  "aggregate",
  "backend",
  "service",
  "agent",
  "hypervisor",
  "resource",
  "hostname",
  "name",
  "ip",
  "mac",
  "path",
]);

/** Of the subject and what it is called by, the places whose residents the draft may concern; routine reports concern nobody. */
function placesOf({ kind, subject, related }: EventDraft): readonly string[] {
  if (kind === "activity") return [];
  const aliases = related.filter(({ role }) => role.startsWith("alias")).map(({ ref }) => ref);
  return [subject, ...aliases].filter((ref) => placeKinds.has(ref.kind)).map(entityKey);
}

/** Loads the topology around one page of drafts. */
export async function loadSurroundings(
  topology: TopologyReader,
  controlPlane: string,
  drafts: readonly EventDraft[],
  furtherKeys: readonly string[] = [],
): Promise<Surroundings> {
  const keys = new Set([...drafts.flatMap(neighbourKeys), ...furtherKeys]);
  const places = new Set(drafts.flatMap(placesOf));
  return topology.surroundings(controlPlane, { keys: [...keys], places }, hopsMax);
}

/** The view over what was loaded and what the page's own records state. */
export function viewOf(
  buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView,
  controlPlane: string,
  { facts, crowded, cut }: Surroundings,
  stated: readonly KnownFact[] = [],
): TopologyView {
  const view = buildView(controlPlane, [...facts, ...stated]);
  return crowded.size + cut.size === 0 ? view : new UncrowdedView(view, crowded, cut);
}

/**
 * A view that gives nothing of what more things stand to than were loaded: the few that are at hand by chance would
 * prove whatever the page's other records happened to be about. Of what stands on a place it gives what was taken.
 */
class UncrowdedView implements TopologyView {
  readonly controlPlane: string;
  readonly #view: TopologyView;
  /** By relation, because most are asked of entities of which none is crowded at all. */
  readonly #crowded: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #cut: Surroundings["cut"];

  constructor(view: TopologyView, crowded: Surroundings["crowded"], cut: Surroundings["cut"]) {
    this.controlPlane = view.controlPlane;
    this.#view = view;
    this.#crowded = byRelation(crowded);
    this.#cut = cut;
  }

  targets(from: EntityRef, relation: Relation, at: Instant): readonly HeldFact[] {
    return this.#hides(from, relation) ? [] : this.#view.targets(from, relation, at);
  }

  origins(to: EntityRef, relation: Relation, at: Instant): readonly HeldFact[] {
    return this.#hides(to, relation) ? [] : this.#taken(to, relation, this.#view.origins(to, relation, at));
  }

  everTargets(from: EntityRef, relation: Relation): readonly HeldFact[] {
    return this.#hides(from, relation) ? [] : this.#view.everTargets(from, relation);
  }

  everOrigins(to: EntityRef, relation: Relation): readonly HeldFact[] {
    return this.#hides(to, relation) ? [] : this.#taken(to, relation, this.#view.everOrigins(to, relation));
  }

  isCut(to: EntityRef, relation: Relation): boolean {
    return this.#cut.has(`${entityKey(to)}|${relation}`);
  }

  /** What is at hand by chance beyond what was taken would make the answer depend on the page. */
  #taken(to: EntityRef, relation: Relation, held: readonly HeldFact[]): readonly HeldFact[] {
    if (this.#cut.size === 0) return held;
    const taken = this.#cut.get(`${entityKey(to)}|${relation}`);
    return taken === undefined ? held : held.filter(({ fact }) => taken.has(entityKey(fact.from)));
  }

  /** Of an account all is hidden once where one of its groups works cannot be told. */
  #hides(entity: EntityRef, relation: Relation): boolean {
    const crowded = (one: EntityRef, what: Relation): boolean =>
      this.#crowded.get(what)?.has(entityKey(one)) === true;
    if (crowded(entity, relation)) return true;
    // Who spoke of an id without its kind spoke of whatever bears it; of a name it counts only beside all its bearers.
    if (relation === "used_by")
      return crowded({ kind: "resource", id: entity.id }, relation) || crowded(entity, "named");
    if (relation !== "works_in" && relation !== "member_of") return false;
    if (!this.#crowded.has("works_in")) return false;
    if (crowded(entity, "works_in")) return true;
    const groups = this.#view.everTargets(entity, "member_of");
    return groups.some(({ fact }) => crowded(fact.to, "works_in"));
  }
}

/** The keys of entities by the relation in `KEY|relation`. */
function byRelation(crowded: Surroundings["crowded"]): ReadonlyMap<string, ReadonlySet<string>> {
  const keys = new Map<string, Set<string>>();
  for (const one of crowded) {
    const bar = one.lastIndexOf("|");
    const relation = one.slice(bar + 1);
    keys.set(relation, (keys.get(relation) ?? new Set()).add(one.slice(0, bar)));
  }
  return keys;
}
