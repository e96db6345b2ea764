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
const serving: Readonly<Record<string, readonly Relation[]>> = { host: ["serves"], backend: ["serves"] };
const standing: Readonly<Record<string, readonly Relation[]>> = { host: ["runs_on"], backend: ["stored_on"] };

/** Everything meets there: it is told, and not walked on from. */
const ends = new Set(["project", "domain", "user", "region", "flavor", "image", "component", "request"]);

const hopsMax = 3;
const pointingMax = 60;
const nearMax = 120;
const besideMax = 150;

/** Goes up from the things hop by hop along what held at `at`, and once down into what belongs to them; bounded throughout. */
export async function walkAround(
  walk: WalkParts,
  controlPlane: string,
  starts: readonly EntityRef[],
  at: Instant,
): Promise<Around> {
  const seen = new Set<string>();
  const cut: EntityRef[] = [];
  const facts: KnownFact[] = [];
  const visit = (refs: readonly EntityRef[]): readonly EntityRef[] =>
    refs.filter((ref) => !seen.has(entityKey(ref)) && seen.add(entityKey(ref)).size > 0);
  const pointing = async (
    refs: readonly EntityRef[],
    by: Readonly<Record<string, readonly Relation[]>>,
    most: number,
  ) => {
    const found = await walk.correlation.pointing(controlPlane, pointedAt(refs, by), most);
    cut.push(...found.cut);
    return visit(found.refs);
  };
  let frontier = visit(starts);
  const near: EntityRef[] = [];
  for (let hop = 0; hop < hopsMax && frontier.length > 0; hop += 1) {
    const origins = await pointing(frontier, hop === 0 ? parts : serving, pointingMax);
    const told = await walk.correlation.facts(controlPlane, [...frontier, ...origins], carrying);
    facts.push(...told);
    const reached = visit(edgesAt(walk.buildView(controlPlane, told), told, at).map(({ to }) => to));
    near.push(...origins, ...reached);
    if (near.length > nearMax) cut.push(...frontier.slice(0, 1));
    frontier = reached.filter(({ kind }) => !ends.has(kind)).slice(0, nearMax);
  }
  const places = [...starts, ...near].filter(({ kind }) => standing[kind] !== undefined);
  const beside = await pointing(places.slice(0, 20), standing, besideMax);
  facts.push(...(await walk.correlation.facts(controlPlane, beside, joining)));
  return { near: near.slice(0, nearMax), beside: beside.slice(0, besideMax), facts, cut };
}

function pointedAt(
  refs: readonly EntityRef[],
  by: Readonly<Record<string, readonly Relation[]>>,
): readonly PointedAt[] {
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
