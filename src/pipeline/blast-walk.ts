import type { SeenEdge } from "../correlate/blast.ts";
import { rulesOf } from "../correlate/blast-harm.ts";
import type { Described } from "../correlate/blast-report.ts";
import { entityKey, type EntityRef } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { TenantRef } from "../model/tenant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import type { HeldFact, TopologyView } from "../resolve/resolver.ts";
import type { TopologyReader, Way } from "../store/topology-reader.ts";

/** So many that point at one thing are followed, and so many things in all; beyond it the answer says so. */
const eachMax = 2_000;
const thingsMax = 4_000;

/** What a walk came upon. */
export interface Walked {
  /** What the walk began at. */
  readonly failed: readonly EntityRef[];
  /** What of that people are told has failed. */
  readonly told: readonly EntityRef[];
  readonly edges: readonly SeenEdge[];
  /** Keys of things that had been deleted by the moment. */
  readonly gone: ReadonlySet<string>;
  readonly described: ReadonlyMap<string, Described>;
  readonly truncated: boolean;
  readonly unknown: readonly string[];
}

interface WalkParts {
  readonly topology: Pick<TopologyReader, "adjoining">;
  readonly buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView;
}

/** What is told of each thing beside whom it harms. */
const describing: readonly Relation[] = ["owned_by", "named", "removed_from"];

/** Walks the harm's way hop by hop over what held at the moment: who had left by then, or came later, is not in it. */
export async function walkTopology(
  { topology, buildView }: WalkParts,
  controlPlane: string,
  failed: readonly EntityRef[],
  { at, hops }: { readonly at: Instant; readonly hops: number },
): Promise<Walked> {
  const edges: SeenEdge[] = [];
  const gone = new Set<string>();
  const described = new Map<string, Described>();
  const known = new Set(failed.map(entityKey));
  const starts = new Set(known);
  let truncated = false;
  let frontier = failed;
  for (let hop = 0; hop <= hops && frontier.length > 0; hop += 1) {
    const ways = frontier.flatMap((ref) => waysOf(ref, hop < hops));
    const { facts, cut } = await topology.adjoining(controlPlane, ways, at, eachMax);
    truncated ||= cut.size > 0;
    const view = buildView(controlPlane, facts);
    const next: EntityRef[] = [];
    for (const ref of frontier) {
      described.set(entityKey(ref), describe(view, ref, at));
      if (!starts.has(entityKey(ref)) && view.targets(ref, "removed_from", at).length > 0) {
        gone.add(entityKey(ref));
        continue;
      }
      if (hop === hops) continue;
      for (const { edge, other } of harmedBy(view, ref, at)) {
        edges.push(edge);
        if (known.has(entityKey(other))) continue;
        if (known.size >= thingsMax) {
          truncated = true;
          continue;
        }
        known.add(entityKey(other));
        next.push(other);
      }
    }
    frontier = next;
  }
  const taken = edges.filter(({ from, to }) => known.has(entityKey(from)) && known.has(entityKey(to)));
  return {
    failed,
    told: failed,
    edges: taken,
    gone,
    described: await addDomains({ topology, buildView }, controlPlane, described, at),
    truncated,
    unknown: tellUnknown(failed, taken, truncated),
  };
}

/** Which relations of a thing have to be read: what is told of it, and where the harm goes on. */
export function waysOf(entity: EntityRef, isFollowed: boolean): readonly Way[] {
  const told = describing.map((relation): Way => ({ entity, relation, side: "from" }));
  if (!isFollowed) return told;
  const harm = rulesOf(entity.kind).map((rule): Way => {
    const { relation, failing: side } = rule;
    return side === "to" && rule.from !== undefined
      ? { entity, relation, side, otherKind: rule.from }
      : { entity, relation, side };
  });
  return [
    ...told,
    ...new Map(harm.map((way) => [`${way.side} ${way.relation} ${way.otherKind ?? ""}`, way])).values(),
  ];
}

function* harmedBy(
  view: TopologyView,
  ref: EntityRef,
  at: Instant,
): Generator<{ readonly edge: SeenEdge; readonly other: EntityRef }> {
  const asked = new Set<string>();
  for (const { relation, failing } of rulesOf(ref.kind)) {
    if (asked.has(`${failing} ${relation}`)) continue;
    asked.add(`${failing} ${relation}`);
    const held = failing === "from" ? view.targets(ref, relation, at) : view.origins(ref, relation, at);
    for (const one of held) {
      const { from, to } = one.fact;
      yield {
        edge: { from, relation, to, lastSeenAt: lastSeen(one, at) },
        other: failing === "from" ? to : from,
      };
    }
  }
}

/** What was only seen later was not seen then; what is seen before and after was there all the time. */
function lastSeen({ fact, extended }: HeldFact, at: Instant): number | undefined {
  return extended ? undefined : Math.min(at, fact.lastAt ?? fact.at);
}

function describe(view: TopologyView, ref: EntityRef, at: Instant): Described {
  const name = view.targets(ref, "named", at)[0]?.fact.to.id;
  const owner = view.targets(ref, "owned_by", at)[0]?.fact.to;
  const tenant = owner === undefined ? undefined : tenantOf(view.controlPlane, owner);
  return { ...(name === undefined ? {} : { name }), ...(tenant === undefined ? {} : { tenant }) };
}

function tenantOf(controlPlane: string, { kind, id }: EntityRef): TenantRef | undefined {
  if (kind === "project") return { controlPlane, projectId: id };
  return kind === "domain" ? { controlPlane, domainId: id } : undefined;
}

/** In which domain each project was then. */
async function addDomains(
  { topology, buildView }: WalkParts,
  controlPlane: string,
  described: ReadonlyMap<string, Described>,
  at: Instant,
): Promise<ReadonlyMap<string, Described>> {
  const ids = new Set([...described.values()].flatMap(({ tenant }) => tenant?.projectId ?? []));
  if (ids.size === 0) return described;
  const ways = [...ids].map((id): Way => ({
    entity: { kind: "project", id },
    relation: "part_of",
    side: "from",
  }));
  const view = buildView(controlPlane, (await topology.adjoining(controlPlane, ways, at, 1)).facts);
  const domains = new Map(
    [...ids].map((id) => [id, view.targets({ kind: "project", id }, "part_of", at)[0]?.fact.to.id]),
  );
  return new Map(
    [...described].map(([key, one]) => {
      const domainId = domains.get(one.tenant?.projectId ?? "");
      return [key, domainId === undefined ? one : { ...one, tenant: { ...one.tenant!, domainId } }];
    }),
  );
}

function tellUnknown(
  failed: readonly EntityRef[],
  edges: readonly SeenEdge[],
  truncated: boolean,
): readonly string[] {
  const standing = new Set(edges.flatMap(({ from, to }) => [entityKey(from), entityKey(to)]));
  const alone = failed.filter((ref) => !standing.has(entityKey(ref)));
  return [
    ...alone.map(
      ({ kind, id }) =>
        `Nothing that depends on ${kind.replaceAll("_", " ")} ${id} is known as of then: that nothing did is not certain.`,
    ),
    ...(truncated ? ["More is reachable than was looked at: the counts are at least so many."] : []),
  ];
}
