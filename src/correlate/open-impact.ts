import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { Correlatable } from "./correlatable.ts";
import { describeGap, isShared } from "./score.ts";

/** A recovery counts once the thing has stayed well for so long; before that it is a lull. */
const relapseMs = 15 * 60_000;

/** A change this long before the first symptom on the same thing is taken to stand at its head. */
const headMs = 10 * 60_000;

/**
 * Candidates whose weight must not fade with time: trouble of shared infrastructure that is still open at
 * `at`, and the last change directly before it. An impact closes with a recovery on the same thing. A
 * single server's trouble opens nothing for others. Gives, by event id, the reason in words.
 */
export function findOpenImpacts(events: readonly Correlatable[], at: Instant): ReadonlyMap<string, string> {
  const bySubject = new Map<string, Correlatable[]>();
  for (const event of events) {
    for (const key of impactKeys(event)) bySubject.set(key, [...(bySubject.get(key) ?? []), event]);
  }
  const reasons = new Map<string, string>();
  for (const own of bySubject.values()) {
    const ordered = own.toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1));
    const closed = ordered.findLastIndex((event) => event.kind === "recovery" && !relapses(event, ordered));
    const open = ordered.slice(closed + 1);
    const opening = open.findIndex((event) => event.kind === "symptom" && event.severity !== "info");
    const symptom = open[opening];
    if (symptom === undefined) continue;
    const change = ordered
      .slice(0, closed + 1 + opening)
      .findLast((event) => event.kind === "change" && symptom.occurredAt - event.occurredAt <= headMs);
    if (change === undefined)
      reasons.set(symptom.id, `still open after ${describeGap(at - symptom.occurredAt)}`);
    else reasons.set(change.id, "opened an impact that is still open");
  }
  return reasons;
}

function relapses(recovery: Correlatable, events: readonly Correlatable[]): boolean {
  return events.some((event) => {
    const later = event.occurredAt - recovery.occurredAt;
    return event.kind === "symptom" && event.severity !== "info" && later > 0 && later <= relapseMs;
  });
}

/** The shared things that an event is about; a tenant's own resource is not one. */
function impactKeys(event: Correlatable): readonly string[] {
  if (!isShared(event.subject) && event.subject.kind !== "aggregate") return [];
  const places = [event.subject, ...event.related.map((item) => item.ref)].filter(isShared);
  return [...new Set(places.map(entityKey))];
}
