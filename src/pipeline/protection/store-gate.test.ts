import { expect, test } from "vitest";
import { StoreGate, type Lane } from "./store-gate.ts";

/** Work that is over when the test says so. */
class HeldWork {
  readonly started: string[] = [];
  readonly #ends: (() => void)[] = [];
  readonly #gate: StoreGate;

  constructor(gate: StoreGate) {
    this.#gate = gate;
  }

  add(lane: Lane, connection: string): Promise<void> {
    return this.#gate.run(lane, connection, () => {
      this.started.push(`${lane} ${connection}`);
      return new Promise((end) => this.#ends.push(end));
    });
  }

  async endOne(): Promise<void> {
    await settled();
    this.#ends.shift()?.();
    await settled();
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("where both lanes wait, seven of ten places go to live pages and three to backfill", async () => {
  const work = new HeldWork(new StoreGate(1));
  for (let index = 0; index < 100; index++) {
    void work.add("backfill", `b${index}`);
    void work.add("live", `l${index}`);
  }
  for (let index = 0; index < 100; index++) await work.endOne();
  for (let from = 1; from + 10 <= 100; from += 10) {
    const lanes = work.started.slice(from, from + 10).map((name) => name.split(" ")[0]);
    expect(lanes.filter((lane) => lane === "live")).toHaveLength(7);
  }
});

test("a lane that waits alone gets every place", async () => {
  const work = new HeldWork(new StoreGate(1));
  for (let index = 0; index < 20; index++) void work.add("backfill", `b${index}`);
  for (let index = 0; index < 10; index++) await work.endOne();
  expect(work.started).toHaveLength(11);
});

test("one connection takes half of the places at most, so that another finds one at once", async () => {
  const work = new HeldWork(new StoreGate(3));
  for (let index = 0; index < 10; index++) void work.add("live", "storm");
  await settled();
  expect(work.started).toEqual(["live storm", "live storm"]);
  void work.add("backfill", "quiet");
  await settled();
  expect(work.started).toEqual(["live storm", "live storm", "backfill quiet"]);
});

test("work that fails gives its place back and is told to its caller alone", async () => {
  const gate = new StoreGate(1);
  const failing = gate.run("live", "a", () => Promise.reject(new Error("the disk is full")));
  const next = gate.run("live", "b", () => Promise.resolve("stored"));
  await expect(failing).rejects.toThrow("the disk is full");
  expect(await next).toBe("stored");
});
