import type { EventStore, ResolvedPage } from "../../store/event-store.ts";
import type { Lane, StoreGate } from "./store-gate.ts";

export interface StoreGuards {
  readonly gate: StoreGate;
  /** Called when a pass over a connection is over. */
  readonly onPassEnd: (connection: string) => void;
}

/**
 * The same store behind the gate: pages of what just happened go before pages of what is caught up with, and no
 * connection takes all of the places.
 */
export function guardStore(store: EventStore, { gate, onPassEnd }: StoreGuards): EventStore {
  // While a connection has a live lane, its main lane is far behind.
  const behind = new Set<string>();
  return {
    ...store,
    append: (page) => {
      if (page.lane === "live") behind.add(page.connection);
      return gate.run(laneOf(page, behind), page.connection, () => store.append(page));
    },
    endLane: async (connection, lane, epoch) => {
      await store.endLane(connection, lane, epoch);
      if (lane === "live") behind.delete(connection);
    },
    release: async (connection, epoch, restMs) => {
      onPassEnd(connection);
      // Whoever reads it next may be another process; a live lane that is still there shows itself with its first page.
      behind.delete(connection);
      await store.release(connection, epoch, restMs);
    },
  };
}

function laneOf({ lane, reconciling, connection }: ResolvedPage, behind: ReadonlySet<string>): Lane {
  if (reconciling === true) return "backfill";
  return lane === "main" && behind.has(connection) ? "backfill" : "live";
}
