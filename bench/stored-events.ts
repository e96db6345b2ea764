import type { StoredEvent } from "../src/model/event.ts";
import type { openIsochron } from "../src/main.ts";
import type { Keyset } from "../src/store/event-reader.ts";

/** Every event of the connections by each of its records' ids. */
export async function readEvents(
  isochron: Awaited<ReturnType<typeof openIsochron>>,
  connections: readonly string[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  const events = new Map<string, StoredEvent>();
  let after: Keyset | undefined;
  for (;;) {
    const page = await isochron.store.reader.timeline(
      { kind: "provider" },
      { connections },
      { limit: 1000, order: "oldest", ...(after === undefined ? {} : { after }) },
    );
    for (const visible of page.events) {
      if (visible.audience !== "provider") continue;
      for (const id of visible.event.sourceIds) events.set(id, visible.event);
      after = { occurredAt: visible.event.occurredAt, id: visible.event.id };
    }
    if (!page.more) return events;
  }
}
