import type { Correlatable } from "../correlate/correlatable.ts";
import { indexStanding, type StandingIndex } from "../correlate/stands-on.ts";
import { entityKey } from "../model/entity.ts";
import { instant, type Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { KnownFact } from "../model/topology.ts";
import type { TopologyView } from "../resolve/resolver.ts";
import type { TopologyReader } from "../store/topology-reader.ts";
import { edgesAt } from "./what-else.ts";

export interface StandingParts {
  readonly topology: Pick<TopologyReader, "neighbourhood">;
  readonly buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView;
}

/** What stood on what in a control plane, as of a moment. */
export type Standing = (controlPlane: string | undefined, at: Instant) => StandingIndex;

const hops = 3;

/** So many things are looked up around; of more those of the newest events, and the answer says that it was cut. */
const keysMax = 2_000;

const nothing = indexStanding([]);

/**
 * The topology around the events, to be asked as of any moment. It is the provider's knowledge: a tenant's stands on
 * nothing. Between two change points the answer is the same, so that it is made once for each stretch.
 */
export async function loadStanding(
  { topology, buildView }: StandingParts,
  scope: Scope,
  events: readonly Correlatable[],
): Promise<{ readonly standing: Standing; readonly cut: boolean }> {
  if (scope.kind === "tenant") return { standing: () => nothing, cut: false };
  let cut = false;
  const planes = new Map<string, Standing>();
  for (const [plane, own] of Map.groupBy(events, ({ controlPlane }) => controlPlane)) {
    if (plane === undefined) continue;
    const keys = new Set(
      own.flatMap(({ subject, related }) => [subject, ...related.map(({ ref }) => ref)]).map(entityKey),
    );
    cut ||= keys.size > keysMax;
    const facts = await topology.neighbourhood(plane, [...keys].slice(0, keysMax), hops);
    planes.set(plane, standingOf(buildView(plane, facts), facts));
  }
  return { standing: (plane, at) => planes.get(plane ?? "")?.(plane, at) ?? nothing, cut };
}

function standingOf(view: TopologyView, facts: readonly KnownFact[]): Standing {
  const points = [...new Set(facts.flatMap(({ at, lastAt }) => [at, (lastAt ?? at) + 1]))].toSorted(
    (one, other) => one - other,
  );
  const made = new Map<number, StandingIndex>();
  return (_plane, at) => {
    const stretch = countUpTo(points, at);
    const known = made.get(stretch);
    if (known !== undefined) return known;
    const index = indexStanding(edgesAt(view, facts, instant(at)));
    made.set(stretch, index);
    return index;
  };
}

/** How many of the sorted numbers are no greater. */
function countUpTo(sorted: readonly number[], at: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
