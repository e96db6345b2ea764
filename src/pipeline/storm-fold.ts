import type { EventDraft, EventKind } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import { tenantKey } from "../model/tenant.ts";
import type { EventOutcome, StorableEvent } from "../store/event-store.ts";

/** How many events of one type, kind, severity and owner a minute of a connection holds before the rest of them is a storm. */
export const stormThresholdUsual = 200;

/** What changed, and what people did, always stands by itself: it is what is looked for amid a storm. */
const foldedKinds: ReadonlySet<EventKind> = new Set(["symptom", "recovery", "activity"]);

/**
 * A connection whose minute holds so many thresholds is in a storm of many types: each type may then show only a part of
 * what it may show alone, so that the rare one is still seen amid the many.
 */
const thresholdsPerMinute = 2;
const shareInStorm = 1 / 100;

/** Minutes of types that are counted at once; beyond it the one that was begun first is forgotten, and may begin anew. */
const countersMax = 20_000;

/** Tells which events of a page are part of a storm. */
export interface StormGate {
  /** The page's events, those of a storm marked as such. Each call is to be settled once. */
  admit(connection: string, events: readonly StorableEvent[]): Admitted;
}

export interface Admitted {
  readonly events: readonly StorableEvent[];
  /** Takes back the count of what was not new: of everything, where the page was not stored (no outcomes). */
  settle(outcomes?: ReadonlyMap<EventDraft, EventOutcome>): void;
}

/**
 * Counts the events of this process by connection, type, kind, severity, owner and the minute in which they occurred; those
 * beyond the connection's threshold (0: never) are of a storm, and fewer of each type stand by themselves where the
 * connection's whole minute is full. Several processes each count for themselves: that moves
 * the moment at which folding begins, never a count.
 */
export function createStormGate(thresholdOf: (connection: string) => number): StormGate {
  const counts = new Map<string, number>();
  const add = (name: string, number: number): number => {
    const count = (counts.get(name) ?? 0) + number;
    if (count <= 0) counts.delete(name);
    else counts.set(name, count);
    if (counts.size > countersMax) {
      const [oldest] = counts.keys();
      if (oldest !== undefined) counts.delete(oldest);
    }
    return count;
  };
  return {
    admit(connection, events) {
      const threshold = thresholdOf(connection);
      if (threshold === 0) return { events, settle: () => undefined };
      const inStorm = Math.ceil(threshold * shareInStorm);
      const counted: { readonly names: readonly string[]; readonly draft: EventDraft }[] = [];
      const marked = events.map((event) => {
        const { draft } = event;
        if (!foldedKinds.has(draft.kind) || draft.twin !== undefined) return event;
        const minute = minuteOf(draft.occurredAt);
        const whole = JSON.stringify([connection, minute]);
        const own = JSON.stringify([
          connection,
          minute,
          draft.type,
          draft.kind,
          draft.severity,
          ownerOf(event),
        ]);
        counted.push({ names: [whole, own], draft });
        const isStorm = add(whole, 1) > threshold * thresholdsPerMinute;
        return add(own, 1) > (isStorm ? inStorm : threshold) ? { ...event, storm: true as const } : event;
      });
      return {
        events: marked,
        settle: (outcomes) => {
          for (const { names, draft } of counted) {
            if (outcomes?.get(draft) !== "created") for (const name of names) add(name, -1);
          }
        },
      };
    },
  };
}

/** Folds are of one owner, so that a single event of each of many owners is no storm. */
function ownerOf({ attribution }: StorableEvent): string {
  return attribution.status === "owned" ? tenantKey(attribution.tenant) : "";
}

function minuteOf(at: Instant): number {
  return Math.floor(at / 60_000);
}
