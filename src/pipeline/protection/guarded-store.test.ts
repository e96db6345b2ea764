import { expect, test } from "vitest";
import type { Appended, EventStore, ResolvedPage } from "../../store/event-store.ts";
import { guardStore } from "./guarded-store.ts";
import type { Lane, StoreGate } from "./store-gate.ts";

function storeOver() {
  const seen: string[] = [];
  const gate = {
    run: (lane: Lane, connection: string, work: () => Promise<unknown>) => {
      seen.push(`${lane} ${connection}`);
      return work();
    },
  } as unknown as StoreGate;
  const store = {
    append: () => Promise.resolve({} as Appended),
    endLane: () => Promise.resolve(),
    release: () => Promise.resolve(),
  } as unknown as EventStore;
  const guarded = guardStore(store, { gate, onPassEnd: (name) => seen.push(`end ${name}`) });
  const append = (page: Partial<ResolvedPage>) =>
    guarded.append({ connection: "nova", ...page } as ResolvedPage);
  return { seen, guarded, append };
}

test("the main lane is a backlog while a live lane stands beside it, and reading again always is", async () => {
  const { seen, guarded, append } = storeOver();
  await append({ lane: "main" });
  await append({ lane: "live" });
  await append({ lane: "main" });
  await append({ connection: "cinder", lane: "main" });
  await append({ connection: "webhook" });
  await append({ lane: "reconcile", reconciling: true });
  await guarded.endLane("nova", "live", 1);
  await append({ lane: "main" });
  expect(seen).toEqual([
    "live nova",
    "live nova",
    "backfill nova",
    "live cinder",
    "live webhook",
    "backfill nova",
    "live nova",
  ]);
});

test("a pass that ends early leaves nothing of its lanes behind for the next, which may read no live lane", async () => {
  const { seen, guarded, append } = storeOver();
  await append({ lane: "live" });
  await guarded.release("nova", 1);
  await append({ lane: "main" });
  expect(seen).toEqual(["live nova", "end nova", "live nova"]);
});

test("when a pass lets go of its lease, what it held is let go too", async () => {
  const { seen, guarded } = storeOver();
  await guarded.release("nova", 1);
  expect(seen).toEqual(["end nova"]);
});
