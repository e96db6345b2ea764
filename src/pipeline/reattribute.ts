import type { StoredEvent } from "../model/event.ts";
import type { Reattribution } from "../store/event-store.ts";
import type { Stages } from "./ingest.ts";
import type { ResolvedDraft } from "../resolve/resolver.ts";
import type { RulingSet } from "../store/ruling-store.ts";
import { rulingsUnder } from "./rulings.ts";
import { withEditions } from "./editions.ts";
import { loadSurroundings, viewOf } from "./surroundings.ts";

/** How many events one round takes; a round is one transaction. */
const eventsPerRound = 500;

/** Far more rounds than any backlog needs; a store that never runs dry is a bug to be seen, not a loop to spin in. */
const roundsMax = 10_000;

/**
 * Answers again for every event whose owner may be told by facts that arrived after it. Each change is
 * kept as a revision. Gives of how many events the attribution, or what tenants are shown of them, changed.
 */
export async function reattribute(stages: Stages, signal?: AbortSignal): Promise<number> {
  let changed = 0;
  for (let round = 0; round < roundsMax; round++) {
    if (signal?.aborted === true) return changed;
    await stages.refreshTexts?.();
    const due = await stages.store.dueForAttribution(eventsPerRound);
    // Read for each round: answers under an outdated set would be due again for ever.
    const set = await stages.rulings?.book.current();
    const answers = await answer(stages, due.events, set);
    changed += await stages.store.reattributed(due, answers, set?.version);
    if (due.events.length === 0) return changed;
  }
  throw new Error(`re-attribution did not come to an end in ${roundsMax} rounds`);
}

async function answer(
  stages: Stages,
  events: readonly StoredEvent[],
  set: RulingSet | undefined,
): Promise<readonly Reattribution[]> {
  const answers: Reattribution[] = [];
  for (const [place, group] of groupByPlace(events)) {
    const resolved = await resolveStored(stages, place, group, set);
    for (const [index, event] of group.entries()) {
      const answered = { ...resolved[index]!, draft: event };
      const { attribution, dependsOn, editions } = withEditions(answered, stages.redact);
      answers.push({ eventId: event.id, occurredAt: event.occurredAt, attribution, dependsOn, editions });
    }
  }
  return answers;
}

/** Answers for stored events of one place as of now, under these rulings. */
export async function resolveStored(
  stages: Pick<Stages, "topology" | "buildView" | "resolve" | "rulings">,
  [controlPlane, connection]: readonly [controlPlane: string, connection: string],
  events: readonly StoredEvent[],
  set: RulingSet | undefined,
): Promise<readonly ResolvedDraft[]> {
  const ruled = rulingsUnder(stages.rulings, set, { name: connection, controlPlane });
  const further = ruled.ownerKeys(events);
  const known = await loadSurroundings(stages.topology, controlPlane, events, further);
  const view = viewOf(stages.buildView, controlPlane, known);
  return ruled.apply(stages.resolve(events, connection, view), view);
}

/** Events of one connection on one control plane share a view. */
export function groupByPlace(events: readonly StoredEvent[]): Map<readonly [string, string], StoredEvent[]> {
  const places = new Map<string, readonly [string, string]>();
  const groups = new Map<readonly [string, string], StoredEvent[]>();
  for (const event of events) {
    const name = JSON.stringify([event.controlPlane, event.connection]);
    const place = places.get(name) ?? ([event.controlPlane, event.connection] as const);
    places.set(name, place);
    groups.set(place, [...(groups.get(place) ?? []), event]);
  }
  return groups;
}
