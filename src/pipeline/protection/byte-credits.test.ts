import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteCredits, type CreditAccount } from "./byte-credits.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

function watch(promise: Promise<void>): { done: boolean } {
  const state = { done: false };
  void promise.then(() => (state.done = true));
  return state;
}

describe("room for bytes", () => {
  test("one account holds a quarter at most, and the others find room", () => {
    const credits = new ByteCredits(4000);
    const storm = credits.account("storm");
    expect(storm.tryTake(1000)).toBeUndefined();
    expect(storm.tryTake(1)).toBe("share");
    expect(credits.account("quiet").tryTake(1000)).toBeUndefined();
  });

  test("a quarter is kept back, so that half-read pages never wait for each other", async () => {
    const credits = new ByteCredits(4000);
    const [eldest, ...others] = ["a", "b", "c"].map((name) => credits.account(name));
    await eldest!.grow(900);
    for (const other of others) await other.grow(900);
    for (const other of others) await other.grow(100);
    const waiting = others.map((other) => watch(other.grow(1000 - 1)));
    await eldest!.grow(100);
    expect(credits.heldBytes).toBe(3000);
    await settled();
    expect(waiting.map(({ done }) => done)).toEqual([false, false]);
  });

  test("what was given back goes to whoever waited longest, before who comes later", async () => {
    const credits = new ByteCredits(4000);
    const holders = ["a", "b", "c"].map((name) => credits.account(name));
    for (const holder of holders) holder.tryTake(900);
    const first = watch(credits.account("first").take(800));
    const second = watch(credits.account("second").take(600));
    // There would be room for it now, but then the first might wait for ever.
    expect(credits.account("late").tryTake(100)).toBe("whole");
    holders[0]!.giveBackAll();
    await settled();
    expect([first.done, second.done]).toEqual([true, false]);
    holders[1]!.giveBackAll();
    await settled();
    expect(second.done).toBe(true);
  });

  test("who waits for its own share holds up nobody else", async () => {
    const credits = new ByteCredits(4000);
    const storm = credits.account("storm");
    storm.tryTake(1000);
    const more = watch(storm.take(500));
    expect(credits.account("quiet").tryTake(1000)).toBeUndefined();
    storm.giveBack(600);
    await settled();
    expect(more.done).toBe(true);
  });

  test("whoever stops waiting holds nothing and holds up nobody", async () => {
    const credits = new ByteCredits(4000);
    for (const name of ["a", "b", "c"]) credits.account(name).tryTake(1000);
    await credits.account("eldest").grow(1);
    const ending = new AbortController();
    const waiting = credits.account("d").grow(10, ending.signal);
    ending.abort(new Error("shutting down"));
    await expect(waiting).rejects.toThrow("shutting down");
    credits.account("a").giveBackAll();
    expect(credits.account("e").tryTake(900)).toBeUndefined();
  });
});

interface Reader {
  readonly account: CreditAccount;
  readonly chunks: number[];
  waiting: boolean;
}

test("in every order of reading and committing the bound holds, and everybody comes to an end", async () => {
  const page = fc.array(fc.integer({ min: 1, max: 250 }), { minLength: 1, maxLength: 4 });
  const pages = fc.array(page, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(pages, fc.infiniteStream(fc.nat()), async (list, choices) => {
      const credits = new ByteCredits(4000);
      const readers: Reader[] = list.map((chunks, index) => ({
        account: credits.account(`c${index}`),
        chunks: chunks.map((bytes) => Math.min(bytes, 250)),
        waiting: false,
      }));
      let open = [...readers];
      for (let step = 0; open.length > 0; step++) {
        const ready = open.filter((reader) => !reader.waiting);
        // Somebody can always go on: were everybody waiting, nobody would ever commit.
        expect(ready.length).toBeGreaterThan(0);
        const reader = ready[choices.next().value! % ready.length]!;
        const bytes = reader.chunks.shift();
        if (bytes === undefined) {
          reader.account.giveBackAll();
          open = open.filter((one) => one !== reader);
        } else {
          reader.waiting = true;
          void reader.account.grow(bytes).then(() => (reader.waiting = false));
        }
        for (let turn = 0; turn < 4; turn++) await Promise.resolve();
        expect(credits.heldBytes).toBeLessThanOrEqual(4000);
        for (const one of readers) expect(one.account.heldBytes).toBeLessThanOrEqual(1000);
      }
      expect(credits.heldBytes).toBe(0);
    }),
  );
});
