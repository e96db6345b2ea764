import type { Twin } from "../../model/event.ts";
import { compareText } from "./canonical.ts";

/** An occurrence of a twin group: which sides have reported it, and when each said that it was. */
interface Occurrence {
  readonly eventId: string;
  readonly occurredAt: number;
  readonly sides: Map<string, number>;
}

/** A delivery that takes part in a twin group. */
export interface TwinDelivery {
  readonly group: string;
  readonly side: string;
  readonly at: number;
  readonly eventId: string;
  readonly occurredAt: number;
}

/** The occurrences of the twin groups that a page touches, kept up while the page is planned. */
export class TwinLedger {
  readonly #groups = new Map<string, Map<string, Occurrence>>();

  constructor(deliveries: readonly TwinDelivery[]) {
    for (const delivery of deliveries) this.add(delivery);
  }

  add({ group, side, at, eventId, occurredAt }: TwinDelivery): void {
    const occurrences = this.#groups.get(group) ?? new Map<string, Occurrence>();
    this.#groups.set(group, occurrences);
    const occurrence = occurrences.get(eventId) ?? { eventId, occurredAt, sides: new Map() };
    occurrences.set(eventId, occurrence);
    if (!occurrence.sides.has(side)) occurrence.sides.set(side, at);
  }

  /** How many occurrences the group has. */
  count(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  /**
   * The occurrence that this report is the twin of: one that only the other side has reported, no further
   * away than allowed; the nearest in time first, then the oldest.
   */
  find(twin: Twin, at: number): { readonly eventId: string; readonly occurredAt: number } | undefined {
    const candidates = [...(this.#groups.get(twin.group)?.values() ?? [])]
      .filter(({ sides }) => !sides.has(twin.side))
      .map((occurrence) => ({ occurrence, apart: Math.min(...distances(occurrence, at)) }))
      .filter(({ apart }) => apart <= twin.within);
    candidates.sort(
      (a, b) =>
        a.apart - b.apart ||
        a.occurrence.occurredAt - b.occurrence.occurredAt ||
        compareText(a.occurrence.eventId, b.occurrence.eventId),
    );
    return candidates[0]?.occurrence;
  }
}

function distances(occurrence: Occurrence, at: number): number[] {
  return [...occurrence.sides.values()].map((other) => Math.abs(other - at));
}
