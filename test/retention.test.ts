import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "./database.ts";
import { connection, draft, edition, event, minute, page, project } from "./drafts.ts";
import { instant, type Instant } from "../src/model/instant.ts";
import type { ErasureTarget, RetentionPolicy } from "../src/model/retention.ts";
import { keepEverything } from "../src/model/retention.ts";
import { projectKey } from "../src/model/tenant.ts";
import type { StorableEvent } from "../src/store/event-store.ts";
import { openErasureDesk } from "../src/pipeline/erasure-desk.ts";
import { runRetention } from "../src/pipeline/retention.ts";

const dayMs = 86_400_000;
const dayMinutes = 24 * 60;
const neverAborted = new AbortController().signal;

let db: TestStore;

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterAll(() => db.close());

async function empty(): Promise<void> {
  const tables = await db.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'isochron'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition AND relname NOT LIKE 'audit%'
        AND relname NOT IN ('claim_key', 'schema_migration', 'ruling_set', 'retention_state', 'topology_run', 'topology_tenant')`,
  );
  await db.sql(`TRUNCATE ${tables.map(({ name }) => `isochron.${name}`).join(", ")}`);
  await db.sql(
    "UPDATE isochron.retention_state SET lease_until = NULL, holder = NULL, after_at = '-infinity', after_id = ''",
  );
  await db.store.events.connect(connection);
}

const names = ["a", "b"] as const;
type Name = (typeof names)[number];

/** One record of a world: whose it is (both of a shared one), on which day it happened, whether it is one of a storm. */
interface Told {
  readonly n: number;
  readonly owner: Name | "both";
  readonly day: number;
  readonly storm: boolean;
}

type Step =
  | { readonly do: "harvest"; readonly records: readonly number[] }
  | { readonly do: "expire"; readonly day: number }
  | { readonly do: "hold" | "lift" | "erase"; readonly tenant: Name };

interface History {
  readonly told: readonly Told[];
  readonly days: Readonly<Record<Name, number | undefined>>;
  readonly provider: number | undefined;
  readonly steps: readonly Step[];
}

const owner = fc.constantFrom("a", "b", "both" as const);
const history: fc.Arbitrary<History> = fc.record({
  told: fc
    .array(fc.record({ owner, day: fc.nat(9), storm: fc.boolean() }), { minLength: 1, maxLength: 7 })
    .map((all) => all.map((one, n) => ({ ...one, storm: one.storm && one.owner !== "both", n }))),
  days: fc.record({
    a: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
    b: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  }),
  provider: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  steps: fc.array(
    fc.oneof(
      fc.record({ do: fc.constant("harvest" as const), records: fc.array(fc.nat(6), { maxLength: 7 }) }),
      fc.record({ do: fc.constant("expire" as const), day: fc.integer({ min: 5, max: 30 }) }),
      fc.record({ do: fc.constantFrom("hold", "lift", "erase"), tenant: fc.constantFrom(...names) }),
    ),
    { minLength: 2, maxLength: 9 },
  ) as fc.Arbitrary<readonly Step[]>,
});

const idOf = (name: Name): string => `project-number-${name}`;

function toEvent({ n, owner: whose, day, storm }: Told): StorableEvent {
  const at = day * dayMinutes + n;
  if (whose !== "both") {
    const fields = storm ? ({ type: "alert.firing", kind: "symptom" } as const) : {};
    const one = event(draft(`e${n}`, at, fields), project(idOf(whose)));
    return storm ? { ...one, storm: true } : one;
  }
  const of = draft(`e${n}`, at, { visibility: "provider", subject: { kind: "host", id: "h1" } });
  const tenants = names.map((name) => project(idOf(name)));
  return {
    draft: of,
    attribution: {
      status: "shared",
      affected: tenants.map((tenant) => ({ tenant, resources: [] })),
      evidence: [],
    },
    dependsOn: [],
    editions: tenants.map((tenant) => edition(of, tenant, { notice: true, visibility: "operational" })),
  };
}

function toPolicy({ days, provider }: History): RetentionPolicy {
  return {
    days: provider === undefined ? {} : { provider },
    tenants: new Map(
      names.flatMap((name) =>
        days[name] === undefined
          ? []
          : [[projectKey("default", idOf(name)), { operational: days[name] }] as const],
      ),
    ),
  };
}

/** Who sees what, by the rules as one would say them, with no thought of tables. `provider` sees events themselves. */
class Oracle {
  readonly seen = new Map<string, Set<string>>([
    ["provider", new Set()],
    ["a", new Set()],
    ["b", new Set()],
  ]);
  readonly #gone = new Set<string>();
  readonly #held = new Set<Name>();
  readonly #erased = new Set<Name>();
  readonly #waiting = new Set<Name>();
  readonly #history: History;

  constructor(given: History) {
    this.#history = given;
  }

  harvest({ n, owner: whose }: Told): void {
    if (this.#gone.has(`provider e${n}`) || (whose !== "both" && this.#erased.has(whose))) return;
    if (this.seen.get("provider")!.has(`e${n}`)) return;
    this.seen.get("provider")!.add(`e${n}`);
    for (const name of partsOf(whose)) if (!this.#erased.has(name)) this.seen.get(name)!.add(`e${n}`);
  }

  expire(day: number): void {
    for (const name of this.#waiting) this.erase(name);
    const { days, provider, told } = this.#history;
    const isPast = (kept: number | undefined, { day: on, n, storm }: Told): boolean => {
      const last = on * dayMinutes + n + (storm ? 1 : 0);
      return kept !== undefined && last < (day - kept) * dayMinutes;
    };
    for (const one of told) {
      const key = `e${one.n}`;
      const going = partsOf(one.owner).filter((name) => isPast(days[name], one) && !this.#held.has(name));
      const keeping = partsOf(one.owner).some(
        (name) => !going.includes(name) && this.seen.get(name)!.has(key),
      );
      const isHeld = partsOf(one.owner).some((name) => this.#held.has(name) && !this.#erased.has(name));
      const whole = one.owner !== "both" ? going.length > 0 : isPast(provider, one) && !keeping && !isHeld;
      for (const name of going) this.seen.get(name)!.delete(key);
      if (whole && this.seen.get("provider")!.delete(key)) this.#gone.add(`provider ${key}`);
    }
  }

  hold(name: Name): void {
    this.#held.add(name);
  }

  lift(name: Name): void {
    this.#held.delete(name);
  }

  /** What a hold keeps waits for the next pass after it was lifted; what is told meanwhile is refused all the same. */
  erase(name: Name): void {
    this.#erased.add(name);
    const own = this.#history.told.filter(({ owner: whose }) => partsOf(whose).includes(name));
    if (this.#held.has(name) && own.some(({ n }) => this.seen.get("provider")!.has(`e${n}`))) {
      this.#waiting.add(name);
      return;
    }
    this.#waiting.delete(name);
    this.seen.get(name)!.clear();
    for (const { n, owner: whose } of own) {
      const wasThere = this.seen.get("provider")!.has(`e${n}`);
      if (whose === name && this.seen.get("provider")!.delete(`e${n}`)) this.#gone.add(`provider e${n}`);
      if (whose === "both" && wasThere) this.#gone.add(`provider e${n}`);
    }
  }
}

function partsOf(whose: Told["owner"]): readonly Name[] {
  return whose === "both" ? names : [whose];
}

/** What the store shows, folds taken apart. */
async function readSeen(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { reader } = db.store;
  const provider = new Set<string>();
  const all = { limit: 100, order: "oldest" } as const;
  for (const { event: one } of (await reader.timeline({ kind: "provider" }, {}, all)).events) {
    const members = await reader.members({ kind: "provider" }, one.id, all);
    const shown = members.events.length === 0 ? [one] : members.events.map((member) => member.event);
    for (const { summary } of shown) provider.add(summary.split(" ")[1]!);
  }
  const seen = new Map([["provider", provider]]);
  for (const name of names) {
    const scope = { kind: "tenant", label: name, keys: [projectKey("default", idOf(name))] } as const;
    const own = new Set<string>();
    for (const { event: one } of (await reader.timeline(scope, {}, all)).events) {
      const members = await reader.members(scope, one.id, all);
      const shown = members.events.length === 0 ? [one] : members.events.map((member) => member.event);
      for (const { summary } of shown) own.add(summary.split(" ")[1]!);
    }
    seen.set(name, own);
  }
  return seen;
}

async function play(given: History): Promise<void> {
  await empty();
  const oracle = new Oracle(given);
  const { retention, audit } = db.store;
  let now: Instant = instant(minute(0) + 11 * dayMs);
  const tools = {
    retention,
    policy: toPolicy(given),
    now: () => now,
    holder: "test",
    audit,
    identityProviders: [],
    waits: true,
  };
  const desk = openErasureDesk(tools);
  const holds = new Map<Name, string>();
  for (const step of given.steps) {
    if (step.do === "harvest") {
      const records = [...new Set(step.records)].flatMap((n) => given.told[n] ?? []);
      await db.store.events.append(page(records.map(toEvent)));
      for (const one of records) oracle.harvest(one);
    } else if (step.do === "expire") {
      now = instant(Math.max(now, minute(0) + step.day * dayMs));
      await runRetention(tools, neverAborted);
      oracle.expire((now - minute(0)) / dayMs);
    } else {
      await act(step, desk, holds, oracle);
    }
    expect(await readSeen()).toEqual(oracle.seen);
  }
}

async function act(
  step: Extract<Step, { readonly tenant: Name }>,
  desk: ReturnType<typeof openErasureDesk>,
  holds: Map<Name, string>,
  oracle: Oracle,
): Promise<void> {
  const { tenant } = step;
  const target: ErasureTarget = {
    kind: "tenant",
    label: tenant,
    keys: [projectKey("default", idOf(tenant))],
  };
  if (step.do === "erase") {
    await desk.erase({ target, why: "w", by: "admin", actor: { id: "admin" } });
    oracle.erase(tenant);
  } else if (step.do === "hold" && !holds.has(tenant)) {
    holds.set(tenant, (await desk.placeHold({ target, why: "w", placedBy: "admin" })).id);
    oracle.hold(tenant);
  } else if (step.do === "lift" && holds.has(tenant)) {
    await desk.liftHold(holds.get(tenant)!, { by: "admin", why: "w" });
    holds.delete(tenant);
    oracle.lift(tenant);
  }
}

test(
  "in any order of harvests, passes, holds and erasures, what must be gone is gone and what must stay stays",
  { timeout: 240_000 },
  async () => {
    await fc.assert(fc.asyncProperty(history, play), { numRuns: 60 });
  },
);

test("a tenant that was erased before anything of it came is, to the store, one that never was", async () => {
  await empty();
  const others = [event(draft("b1", 1), project(idOf("b")))];
  await db.store.events.append(page(others));
  const never = await db.store.digest();
  await empty();
  const mine = [event(draft("a1", 1), project(idOf("a"))), event(draft("a2", 2), project(idOf("a")))];
  await db.store.events.append(page([...mine, ...others]));
  const tools = {
    retention: db.store.retention,
    policy: keepEverything,
    now: () => minute(99),
    holder: "test",
  };
  const desk = openErasureDesk({ ...tools, audit: db.store.audit, identityProviders: [], waits: true });
  const target: ErasureTarget = { kind: "tenant", label: "a", keys: [projectKey("default", idOf("a"))] };
  await desk.erase({ target, why: "w", by: "admin", actor: { id: "admin" } });
  expect(await db.store.digest()).toBe(never);
  await db.store.events.append(page([...mine, ...others]));
  expect(await db.store.digest()).toBe(never);
});

test("what was set aside of an erased tenant is not set aside again, and a pass ends an erasure that was broken off", async () => {
  await empty();
  await db.store.events.append(page([event(draft("a1", 1), project(idOf("a")))]));
  const target: ErasureTarget = { kind: "tenant", label: "a", keys: [projectKey("default", idOf("a"))] };
  const { retention } = db.store;
  const asked = await retention.requestErasure({ target, why: "w", by: "admin", at: minute(9) });
  const told: string[] = [];
  const tools = {
    retention,
    policy: keepEverything,
    now: () => minute(10),
    holder: "test",
    onErased: async ({ id }: { readonly id: string }) => void told.push(id),
  };
  await runRetention(tools, neverAborted);
  expect(told).toEqual([asked.id]);
  expect(await db.sql("SELECT FROM isochron.event")).toHaveLength(0);
  await runRetention(tools, neverAborted);
  expect(told).toEqual([asked.id]);
});

test("a person who is erased is gone from the audit too, under every name that a sign-in gave them", async () => {
  await empty();
  const { retention, audit } = db.store;
  const at = minute(5);
  const did = (id: string) =>
    ({
      at,
      action: "sign-in",
      outcome: "done",
      actor: { id, name: "Canary Person" },
      object: "session",
    }) as const;
  await audit.append([did("canary-user-1"), did("keystone/canary-user-1"), did("keystone/somebody")]);
  const tools = {
    retention,
    policy: keepEverything,
    now: () => minute(10),
    holder: "test",
    audit,
    waits: true,
  };
  const desk = openErasureDesk({ ...tools, identityProviders: ["keystone"] });
  const target: ErasureTarget = { kind: "user", userId: "canary-user-1", words: [] };
  await desk.erase({ target, why: "w", by: "admin", actor: { id: "admin" } });
  const left = await db.sql<{ value: string }>("SELECT value FROM isochron.audit_personal");
  const values = left.map(({ value }) => value);
  expect(values.filter((value) => value.includes("canary-user-1"))).toEqual([]);
  expect(values).toContain("keystone/somebody");
  expect(
    await db.sql("SELECT FROM isochron.audit_entry WHERE to_jsonb(audit_entry)::text ~* 'canary-user-1'"),
  ).toEqual([]);
  expect((await audit.verify()).ok).toBe(true);
});
