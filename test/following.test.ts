import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Attribution, EventDraft, TenantEdition } from "../src/model/event.ts";
import type { Scope } from "../src/model/scope.ts";
import { domainKey, exceptKey, projectKey, type TenantKey, type TenantRef } from "../src/model/tenant.ts";
import type { FeedPosition } from "../src/store/event-reader.ts";
import type { StorableEvent } from "../src/store/event-store.ts";
import { openTestStore, type TestStore } from "./database.ts";
import { eventually } from "./eventually.ts";
import { connection, controlPlane, draft, edition, event, page, project, unresolved } from "./drafts.ts";

/** Whoever follows ends with what a fresh read gives, however events are attributed anew meanwhile. */

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterAll(() => db.close());

const tenants: readonly TenantRef[] = [
  project("p", "x"),
  project("p", "y"),
  project("q", "x"),
  project("q", "y"),
  { controlPlane, domainId: "x" },
];
const tenantScope = (...keys: TenantKey[]): Scope => ({ kind: "tenant", label: "t", keys });
const [p, q] = [projectKey(controlPlane, "p"), projectKey(controlPlane, "q")];
const [x, y] = [domainKey(controlPlane, "x"), domainKey(controlPlane, "y")];
const scopes: readonly Scope[] = [
  { kind: "provider" },
  tenantScope(p),
  tenantScope(q),
  tenantScope(x),
  tenantScope(y),
  tenantScope(x, q),
  tenantScope(x, exceptKey(p)),
];

/** Whose an event is: one tenant's by its place above, shared by the first two projects, or nobody's. */
type Owner = number | "shared" | "nobody";

type Step =
  | { readonly do: "append"; readonly owner: Owner; readonly storm: boolean; readonly secret: boolean }
  | { readonly do: "answer"; readonly which: number; readonly owner: Owner }
  | { readonly do: "read"; readonly followers: readonly number[]; readonly limit: number }
  | { readonly do: "resume"; readonly follower: number };

// A project that is moved between its domains, most of all: its own readers must not notice.
const owner = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1) },
  { weight: 2, arbitrary: fc.integer({ min: 2, max: tenants.length - 1 }) },
  { weight: 2, arbitrary: fc.constantFrom("shared" as const, "nobody" as const) },
);
const follower = fc.nat({ max: scopes.length - 1 });
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      owner,
      storm: fc.boolean(),
      secret: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("answer" as const), which: fc.nat(), owner }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      followers: fc.uniqueArray(follower, { minLength: 3 }),
      limit: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resume" as const), follower }) },
);

function attribute(of: EventDraft, whose: Owner): { attribution: Attribution; editions: TenantEdition[] } {
  if (whose === "nobody") return { attribution: unresolved, editions: [] };
  if (whose === "shared") {
    const affected = [tenants[0]!, tenants[2]!].map((tenant) => ({ tenant, resources: [] }));
    const editions = affected.map(({ tenant }) => edition(of, tenant, { notice: true }));
    return { attribution: { status: "shared", affected, evidence: [] }, editions };
  }
  const tenant = tenants[whose]!;
  return { attribution: { status: "owned", tenant, evidence: [] }, editions: [edition(of, tenant)] };
}

/** What one follower holds; `ever` is all that its scope's reads gave at any time. */
class Follower {
  readonly scope: Scope;
  readonly held = new Map<string, unknown>();
  readonly ever = new Set<string>();
  position: FeedPosition = {};

  constructor(scope: Scope) {
    this.scope = scope;
  }

  async begin(): Promise<void> {
    this.position = (await db.store.reader.feed(this.scope, undefined, 1)).position;
  }

  /** One page of the feed; false when there is nothing left. */
  async read(limit: number): Promise<boolean> {
    const told = await db.store.reader.feed(this.scope, this.position, limit);
    this.position = told.position;
    for (const id of told.retracted) this.held.delete(id);
    for (const { event: one } of told.events) this.held.set(one.id, one);
    const ids = [...told.retracted, ...told.events.map(({ event: one }) => one.id)];
    for (const id of ids) expect(this.ever).toContain(id);
    expect(new Set(ids).size).toBe(ids.length);
    return ids.length > 0;
  }

  /** As a browser that comes back: it knows the last event that it was sent, and nothing else. */
  async resume(): Promise<void> {
    const { event: last } = this.position;
    if (last === undefined) return;
    expect(await db.store.reader.standsInFeed(this.scope, last)).toBe(true);
    this.position = { event: last };
  }

  async fresh(): Promise<Map<string, unknown>> {
    const { events } = await db.store.reader.timeline(this.scope, {}, { limit: 500, order: "oldest" });
    return new Map(events.map(({ event: one }) => [one.id, one]));
  }
}

const appended: { readonly id: string; readonly of: EventDraft }[] = [];
let number = 0;

async function take(step: Step): Promise<void> {
  if (step.do === "append") {
    const name = `f-${number++}`;
    const of = draft(name, 1, {
      kind: "symptom",
      subject: { kind: "server", id: `s-${number % 3}` },
      visibility: step.secret ? "security" : "operational",
    });
    const { attribution, editions } = attribute(of, step.owner);
    const stored: StorableEvent = {
      ...event(of),
      attribution,
      editions,
      ...(step.storm ? { storm: true as const } : {}),
    };
    await db.store.events.append(page([stored]));
    const [row] = await db.sql<{ event_id: string }>(
      "SELECT event_id FROM isochron.delivery WHERE source_id = $1",
      [name],
    );
    appended.push({ id: row!.event_id, of });
  } else if (step.do === "answer") {
    const chosen = appended[step.which % Math.max(1, appended.length)];
    if (chosen === undefined) return;
    const answer = { ...attribute(chosen.of, step.owner), dependsOn: [] };
    await db.store.events.reattributed({ token: { marks: [] }, events: [] }, [
      { eventId: chosen.id, occurredAt: chosen.of.occurredAt, ...answer },
    ]);
  }
}

test("adds less retractions are what a fresh read gives, and nothing is told of that was never in scope", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 5, maxLength: 40 }), async (steps) => {
      appended.length = 0;
      await db.sql(`TRUNCATE isochron.event, isochron.tenant_event, isochron.delivery, isochron.retraction,
        isochron.storm_member, isochron.storm_member_edition, isochron.attribution_revision`);
      const followers = scopes.map((scope) => new Follower(scope));
      for (const one of followers) await one.begin();
      for (const step of steps) {
        await take(step);
        if (step.do === "read") for (const one of step.followers) await followers[one]!.read(step.limit);
        else if (step.do === "resume") await followers[step.follower]!.resume();
        else {
          for (const one of followers) for (const id of (await one.fresh()).keys()) one.ever.add(id);
        }
      }
      for (const one of followers) {
        // A transaction of another test's holds the feed back for as long as it is under way.
        const readAll = async () => {
          while (await one.read(2));
          return isDeepStrictEqual(one.held, await one.fresh());
        };
        await eventually("the follower has read all", readAll, { withinMs: 3_000 }).catch(async () =>
          expect(one.held).toEqual(await one.fresh()),
        );
      }
    }),
    { numRuns: 20 },
  );
}, 120_000);
