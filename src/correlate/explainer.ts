import { entityKey } from "../model/entity.ts";
import { byTime } from "./candidate-group.ts";
import type { Correlatable } from "./correlatable.ts";
import type { ReachReader } from "./impact.ts";
import type { ImpactTrace } from "./impact-trace.ts";
import { traceImpacts } from "./impact-trace.ts";
import { isOfShared, thingsOf } from "./shared-thing.ts";
import type { Graph, TopologyPath } from "./topology-paths.ts";
import { walkGraph } from "./topology-paths.ts";
import type { WhatElseInput } from "./what-else-input.ts";

/** Tells which of many symptoms a candidate explains. */
export interface Explainer {
  /** Ids of the symptoms to be explained, the earliest first. */
  readonly symptoms: readonly string[];
  explainedBy(candidate: Correlatable): readonly string[];
}

/** Of a storm's symptoms so many are looked at. */
const symptomsMax = 60;

/** Ways weaker than this relate a neighbour, and explain nothing. */
const strengthMin = 0.3;

/** Over the symptoms asked about and those told beside them; with fewer than two there is nothing to share. */
export function createExplainer<E extends Correlatable>(
  { target, symptoms = [] }: WhatElseInput<E>,
  pool: readonly E[],
  graph: Graph,
  reachOf: ReachReader,
): Explainer {
  const wanted = [
    ...(target.event === undefined ? [] : [target.event]),
    ...(target.selection ?? []),
    ...symptoms,
  ];
  const distinct = [...new Map(wanted.map((one) => [one.id, one])).values()];
  const ordered = pickSymptoms(distinct, { target, graph });
  const many = ordered.length > 1;
  const all = [...new Map([...pool, ...wanted].map((one) => [one.id, one])).values()];
  const trace = many ? traceImpacts(all, reachOf) : undefined;
  const seen = many
    ? ordered.map((symptom) => ({ symptom, paths: walkGraph(thingsOf(symptom), graph) }))
    : [];
  return {
    symptoms: ordered.map(({ id }) => id),
    explainedBy(candidate) {
      if (!canExplain(candidate)) return [];
      const rooted = rootedIn(trace, candidate);
      return seen
        .filter(
          ({ symptom, paths }) =>
            symptom.id !== candidate.id &&
            symptom.occurredAt + symptom.precision >= candidate.occurredAt &&
            (rooted.has(symptom.id) || reaches(candidate, paths) || sharesRequest(candidate, symptom)),
        )
        .map(({ symptom }) => symptom.id);
    },
  };
}

/**
 * Those asked about, then those whose things theirs may be hurt with, then the nearest in time: a storm of strangers, or of
 * what was before, hides none of them. Told in the order of time.
 */
function pickSymptoms<E extends Correlatable>(
  distinct: readonly E[],
  { target, graph }: Pick<WhatElseInput<E>, "target"> & { readonly graph: Graph },
): readonly E[] {
  if (distinct.length <= symptomsMax) return distinct.toSorted(byTime);
  const asked = [...(target.event === undefined ? [] : [target.event]), ...(target.selection ?? [])];
  const ids = new Set(asked.map(({ id }) => id));
  const starts = [...(target.resource === undefined ? [] : [target.resource]), ...asked.flatMap(thingsOf)];
  const near = walkGraph(starts, graph);
  const classOf = (one: E) =>
    ids.has(one.id) ? 0 : thingsOf(one).some((ref) => near.has(entityKey(ref))) ? 1 : 2;
  return distinct
    .map((one) => ({ one, rank: classOf(one), gapMs: Math.abs(one.occurredAt - target.at) }))
    .toSorted((a, b) => a.rank - b.rank || a.gapMs - b.gapMs || byTime(a.one, b.one))
    .slice(0, symptomsMax)
    .map(({ one }) => one)
    .toSorted(byTime);
}

/** A recovery, a talk or another's symptom explains nobody else's. */
function canExplain(candidate: Correlatable): boolean {
  if (candidate.kind === "symptom") return isOfShared(candidate);
  return candidate.kind === "change" || candidate.kind === "activity";
}

/** What happens to one server names its host, and does nothing to the host's other servers. */
function reaches(candidate: Correlatable, paths: ReadonlyMap<string, TopologyPath>): boolean {
  const things = isOfShared(candidate) ? thingsOf(candidate) : [candidate.subject];
  return things.some((ref) => (paths.get(entityKey(ref))?.strength ?? 0) >= strengthMin);
}

function sharesRequest({ operation }: Correlatable, symptom: Correlatable): boolean {
  const own = [symptom.operation?.requestId, symptom.operation?.globalRequestId].filter(
    (id) => id !== undefined,
  );
  return own.some((id) => id === operation?.requestId || id === operation?.globalRequestId);
}

/** The symptoms of the impacts that the candidate stands foremost before, or opened by its own trouble. */
function rootedIn(trace: ImpactTrace | undefined, { id }: Correlatable): ReadonlySet<string> {
  const rooted = new Set<string>();
  for (const impact of trace?.impacts ?? []) {
    const foremost = impact.openers[0]?.event.id ?? impact.opening.id;
    if (foremost !== id) continue;
    for (const [member, strength] of impact.members) if (strength >= strengthMin) rooted.add(member);
  }
  return rooted;
}
