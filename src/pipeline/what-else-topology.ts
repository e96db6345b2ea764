import type { Edge } from "../correlate/topology-paths.ts";
import { entityKey, type EntityRef } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import type { TopologyView } from "../resolve/resolver.ts";
import type { CorrelationReader, PointedAt } from "../store/correlation-reader.ts";

export interface WalkParts {
  readonly correlation: Pick<CorrelationReader, "facts" | "pointing">;
  readonly buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView;
}

/** What lies around the things asked about, as of a moment. */
export interface Around {
  /** What they stand on and hang together with, without themselves. */
  readonly near: readonly EntityRef[];
  /** What stands on the same hosts and backends. */
  readonly beside: readonly EntityRef[];
  readonly facts: readonly KnownFact[];
  /** Things that more stands on than was looked at. */
  readonly cut: readonly EntityRef[];
}

/** Relations along which harm, or a change's effect, can come. */
const carrying: readonly Relation[] = [
  "runs_on",
  "serves",
  "stored_on",
  "attached_to",
  "routed_by",
  "bound_to",
  "member_of",
  "guards",
  "on_network",
  "made_from",
  "copy_of",
  "sized_by",
  "owned_by",
  "part_of",
];

/** Of what merely stands beside, only how it is joined to the rest. */
const joining: readonly Relation[] = [
  "runs_on",
  "serves",
  "stored_on",
  "attached_to",
  "on_network",
  "routed_by",
];

/** What points at a thing of this kind and belongs to it; not the crowd that a hub has. */
const parts: Readonly<Record<string, readonly Relation[]>> = {
  server: ["attached_to"],
  host: ["serves", "runs_on"],
  backend: ["serves", "stored_on"],
  volume: ["copy_of"],
  port: ["bound_to", "guards"],
  router: ["routed_by"],
  network: ["on_network"],
  aggregate: ["member_of"],
};

/** Of what is stood upon, what serves it. */
const serving: Readonly<Record<string, readonly Relation[]>> = {
  host: ["serves"],
  backend: ["serves"],
  volume: ["copy_of"],
};
const standing: Readonly<Record<string, readonly Relation[]>> = { host: ["runs_on"], backend: ["stored_on"] };

/** Everything meets there: it is told, and not walked on from. */
const ends = new Set(["project", "domain", "user", "region", "flavor", "image", "component", "request"]);

const pointingMax = 60;
const nearMax = 120;
const besideMax = 150;
/** Of so many hosts and backends what stands on them is looked at. */
const placesMax = 20;

/**
 * Goes up from the things hop by hop along what held at `at`, and once down into what belongs to them; bounded throughout.
 * Each round asks at once all that it can know to ask.
 */
export async function walkAround(
  walk: WalkParts,
  controlPlane: string,
  starts: readonly EntityRef[],
  at: Instant,
): Promise<Around> {
  if (starts.length === 0) return { near: [], beside: [], facts: [], cut: [] };
  const seen = new Set(starts.map(entityKey));
  const visit = (refs: readonly EntityRef[]): readonly EntityRef[] =>
    refs.filter((ref) => !seen.has(entityKey(ref)) && seen.add(entityKey(ref)).size > 0);
  const pointing = (refs: readonly EntityRef[], by: Pointers, most: number) =>
    walk.correlation.pointing(controlPlane, pointedAt(refs, by), most);
  const tell = (refs: readonly EntityRef[], only: readonly Relation[] = carrying) =>
    walk.correlation.facts(controlPlane, refs, only);
  const onward = (facts: readonly KnownFact[]) =>
    visit(edgesAt(walk.buildView(controlPlane, facts), facts, at).map(({ to }) => to));
  const [own, theirs] = await Promise.all([tell(starts), pointing(starts, parts, pointingMax)]);
  const origins = visit(theirs.refs);
  const first = onward(own);
  const walked = first.filter(({ kind }) => !ends.has(kind)).slice(0, nearMax);
  const places = [...starts, ...walked]
    .filter(({ kind }) => standing[kind] !== undefined)
    .slice(0, placesMax);
  const [further, servants, crowd] = await Promise.all([
    tell([...origins, ...walked].slice(0, 2 * nearMax)),
    pointing(walked, serving, pointingMax),
    pointing(places, standing, besideMax),
  ]);
  const second = [...visit(servants.refs), ...onward(further)];
  const near = [...origins, ...first, ...second];
  const beside = visit(crowd.refs).slice(0, besideMax);
  const [last, joins] = await Promise.all([
    tell(second.filter(({ kind }) => !ends.has(kind)).slice(0, nearMax)),
    tell(beside, joining),
  ]);
  const cut = [...theirs.cut, ...servants.cut, ...crowd.cut, ...near.slice(nearMax, nearMax + 1)];
  return { near: near.slice(0, nearMax), beside, facts: [...own, ...further, ...last, ...joins], cut };
}

type Pointers = Readonly<Record<string, readonly Relation[]>>;

function pointedAt(refs: readonly EntityRef[], by: Pointers): readonly PointedAt[] {
  return refs.flatMap((ref) => (by[ref.kind] ?? []).map((relation) => ({ ref, relation })));
}

/** How things that were not walked to are joined to what was. */
export async function joinThings(
  walk: WalkParts,
  controlPlane: string,
  things: readonly EntityRef[],
): Promise<readonly KnownFact[]> {
  return walk.correlation.facts(controlPlane, things, joining);
}

/** The relations among `facts` that held at `at`. */
export function edgesAt(view: TopologyView, facts: readonly KnownFact[], at: Instant): readonly Edge[] {
  const origins = new Map<string, { readonly from: EntityRef; readonly relation: Relation }>();
  for (const fact of facts) {
    if (fact.relation === "named" || fact.relation === "concerns") continue;
    origins.set(`${entityKey(fact.from)}|${fact.relation}`, { from: fact.from, relation: fact.relation });
  }
  return [...origins.values()].flatMap(({ from, relation }) =>
    view.targets(from, relation, at).map((held) => ({ from, relation, to: held.fact.to })),
  );
}
