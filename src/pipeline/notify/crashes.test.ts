import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, page, project } from "../../../test/drafts.ts";
import {
  disableRules,
  notifyWorld,
  Receiver,
  startRule,
  testRule,
  type NotifyWorld,
} from "../../../test/notify-world.ts";
import { instant } from "../../model/instant.ts";
import { projectKey } from "../../model/tenant.ts";
import type { NotificationStore } from "../../store/notification-store.ts";
import type { NotifyTools } from "./notify-tools.ts";
import { deliverDue, passAll } from "./notifier.ts";

/**
 * Events of two tenants and of nobody arrive while the passes and the deliveries die at every point: before a write, and
 * after it without hearing of it. In the end each matching event has been told to its own reader, under one id.
 */

let db: TestStore;
let receiver: Receiver;
let run = 0;

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  receiver = await new Receiver().open();
});
afterAll(async () => {
  await receiver.close();
  await db.close();
});

class Crash extends Error {}

const crashPoints = ["commit", "claim", "settle", "post"] as const;
const command = fc.oneof(
  fc.record({
    do: fc.constant("store" as const),
    owner: fc.constantFrom("a", "b", "nobody"),
    count: fc.integer({ min: 1, max: 7 }),
  }),
  fc.record({
    do: fc.constantFrom("pass" as const, "deliver" as const),
    dies: fc.option(
      fc.record({
        at: fc.constantFrom(...crashPoints),
        after: fc.boolean(),
        nth: fc.integer({ min: 0, max: 2 }),
      }),
    ),
  }),
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
type Dying = NonNullable<Extract<Command, { do: "pass" | "deliver" }>["dies"]>;

/** What breaks the promise, each in its own way. */
type Mutation = (tools: NotifyTools, world: NotifyWorld) => NotifyTools;

/** The same tools, which die once at the given point. */
function dying(tools: NotifyTools, dies: Dying | null): NotifyTools {
  let left = dies?.nth ?? 0;
  const at = async <T>(point: (typeof crashPoints)[number], work: () => Promise<T>): Promise<T> => {
    const isNow = dies?.at === point && left-- === 0;
    if (isNow && !dies.after) throw new Crash();
    const result = await work();
    if (isNow) throw new Crash();
    return result;
  };
  const { store, outletOf } = tools;
  const fragile: NotificationStore = {
    ...store,
    commit: (pass) => at("commit", () => store.commit(pass)),
    claim: (...given) => at("claim", () => store.claim(...given)),
    settle: (...given) => at("settle", () => store.settle(...given)),
  };
  return {
    ...tools,
    store: fragile,
    outletOf: (owner) => {
      const { poster, addresses } = outletOf(owner);
      return { addresses, poster: { post: (...given) => at("post", () => poster.post(...given)) } };
    },
  };
}

async function survive(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Crash)) throw error;
  });
}

async function play(commands: readonly Command[], mutate: Mutation): Promise<void> {
  run += 1;
  const world = notifyWorld(db.store);
  const owners = { a: `a${run}`, b: `b${run}` };
  const rules = await Promise.all([
    startRule(db.store, testRule(`p${run}`, `${receiver.url}/p${run}`)),
    ...Object.entries(owners).map(([name, id]) =>
      startRule(
        db.store,
        testRule(`${name}${run}`, `${receiver.url}/${name}${run}`, {
          owner: projectKey("default", id),
          reach: "operational",
        }),
      ),
    ),
  ]);
  const expected = new Map<string, Set<string>>(
    [`p${run}`, `a${run}`, `b${run}`].map((path) => [path, new Set()]),
  );
  receiver.received.length = 0;
  const signal = new AbortController().signal;
  const doing = (dies: Dying | null): NotifyTools => dying(mutate(world.tools, world), dies);
  let n = 0;
  for (const one of commands) {
    if (one.do === "store") {
      const names = Array.from({ length: one.count }, () => `run${run}-${(n += 1)}`);
      const tenant = one.owner === "nobody" ? undefined : project(`${one.owner}${run}`);
      await db.store.events.append(
        page(names.map((name) => event(draft(name, 55, { summary: name }), tenant))),
      );
      for (const name of names) {
        expected.get(`p${run}`)?.add(name);
        if (one.owner !== "nobody") expected.get(`${one.owner}${run}`)?.add(name);
      }
    } else if (one.do === "pass") await survive(passAll(doing(one.dies)));
    else await survive(deliverDue(doing(one.dies), signal));
  }
  for (let rounds = 0; rounds < 4; rounds += 1) {
    world.now = instant(world.now + 3_600_000);
    await passAll(doing(null));
    await deliverDue(doing(null), signal);
  }
  await disableRules(db);
  await world.close();
  expect(world.errors.filter((error) => !(error instanceof Crash))).toEqual([]);
  expect(rules).toHaveLength(3);
  check(expected);
}

/** All that is promised of what the receiver got. */
function check(expected: ReadonlyMap<string, ReadonlySet<string>>): void {
  const got = new Map<string, Map<string, Set<string>>>(
    [...expected.keys()].map((path) => [path, new Map()]),
  );
  for (const { path, headers, body } of receiver.received) {
    const told = got.get(path.split("/").at(-1) ?? "");
    const message = JSON.parse(body) as {
      readonly more: number;
      readonly events: readonly { readonly summary: string }[];
    };
    const id = String(headers["webhook-id"]);
    for (const { summary } of message.events) told?.set(summary, (told.get(summary) ?? new Set()).add(id));
  }
  for (const [path, wanted] of expected) {
    const told = got.get(path) ?? new Map<string, Set<string>>();
    expect(
      [...told.keys()].filter((name) => !wanted.has(name)),
      `${path}: of another's`,
    ).toEqual([]);
    // A fold spells out five and counts the others.
    const counted = foldedOf(path);
    expect(told.size + counted, `${path}: told`).toBe(wanted.size);
    for (const [name, ids] of told) expect(ids.size, `${path}: ${name} under one id`).toBe(1);
  }
}

function foldedOf(path: string): number {
  const byId = new Map<string, number>();
  for (const { path: at, headers, body } of receiver.received)
    if (at.endsWith(`/${path}`))
      byId.set(String(headers["webhook-id"]), (JSON.parse(body) as { more: number }).more);
  return [...byId.values()].reduce((sum, more) => sum + more, 0);
}

/** The target took a message, and nobody heard so: chance alone finds it too seldom. */
const unheardAnswer: Command[] = [
  { do: "store", owner: "a", count: 2 },
  { do: "pass", dies: null },
  { do: "deliver", dies: { at: "post", after: true, nth: 0 } },
];

const hunt = (mutate: Mutation, runs: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 2, maxLength: 10 }), (commands) =>
      play(commands, mutate),
    ),
    { numRuns: runs, endOnFailure: true, examples: [[unheardAnswer]] },
  );

test("whatever dies when, each matching event of the scope is told under one id, and none of another's", async () => {
  await expect(hunt((tools) => tools, 25)).resolves.toBeUndefined();
}, 120_000);

const mutations: Readonly<Record<string, Mutation>> = {
  "its place moves before the messages are written": (tools) => ({
    ...tools,
    store: {
      ...tools.store,
      commit: async (pass) => {
        const moved = await tools.store.commit({ ...pass, drafts: [] });
        if (moved === undefined || pass.drafts.length === 0) return moved;
        if (pass.drafts.length % 2 === 1) throw new Crash();
        return tools.store.commit({ ...pass, revision: pass.revision + 1 });
      },
    },
  }),
  "each try has an id of its own": (tools, world) => ({
    ...tools,
    outletOf: (owner) => {
      const { poster, addresses } = tools.outletOf(owner);
      const post: typeof poster.post = (one, signal) =>
        poster.post(
          { ...one, headers: { ...one.headers, "webhook-id": `${world.now}-${Math.random()}` } },
          signal,
        );
      return { addresses, poster: { post } };
    },
  }),
  "it reads with the provider's eyes": (tools) => ({
    ...tools,
    rightOf: async () => ({ scope: { kind: "provider" } }),
  }),
};

for (const [name, mutation] of Object.entries(mutations)) {
  test(`the hunt finds a rule of which ${name}`, async () => {
    await expect(hunt(mutation, 60)).rejects.toThrow(/Property failed/);
  }, 120_000);
}
