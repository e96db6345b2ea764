import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, edition, minute, page, project, unresolved } from "../../../test/drafts.ts";
import type { Attribution, EventDraft } from "../../model/event.ts";
import { instant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { projectKey } from "../../model/tenant.ts";
import type { VisibleEvent } from "../event-reader.ts";
import type { Appended, StorableEvent } from "../event-store.ts";
import type { Store } from "../store.ts";

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
});
afterAll(() => db.close());

const provider: Scope = { kind: "provider" };
const tenantScope = (id: string): Scope => ({ kind: "tenant", label: id, keys: [projectKey("default", id)] });
const all = { limit: 1000, order: "oldest" } as const;

/** Whose an alert of these tests is: a project's, nobody's, or that of all tenants on a host. */
type Owner = "a" | "b" | "nobody" | "shared";

interface Alert {
  readonly name: string;
  readonly owner: Owner;
  /** Milliseconds after the first minute. */
  readonly atMs: number;
  readonly subject: string;
}

function alertDraft({ name, owner, atMs, subject }: Alert): EventDraft {
  return draft(name, 0, {
    occurredAt: instant(minute(0) + atMs),
    type: "alert.instance_down.firing",
    kind: "symptom",
    category: "monitoring",
    severity: "error",
    subject:
      owner === "shared"
        ? { kind: "host", id: `host-${subject}` }
        : { kind: "server", id: `${owner}-${subject}` },
    summary: `InstanceDown ${name} of ${owner}`,
  });
}

/** The alert as a member of a storm. */
function stormy(alert: Alert, owner: Owner = alert.owner): StorableEvent {
  const of = alertDraft(alert);
  const attributions: Record<Owner, Attribution> = {
    a: { status: "owned", tenant: project("a"), evidence: [] },
    b: { status: "owned", tenant: project("b"), evidence: [] },
    nobody: unresolved,
    shared: {
      status: "shared",
      affected: ["a", "b"].map((id) => ({
        tenant: project(id),
        resources: [{ kind: "server", id: `${id}-on-it` }],
      })),
      evidence: [],
    },
  };
  const tenants = owner === "shared" ? ["a", "b"] : owner === "nobody" ? [] : [owner];
  return {
    draft: of,
    attribution: attributions[owner],
    dependsOn: owner === "nobody" ? [`server:${alert.owner}-${alert.subject}`] : [],
    editions: tenants.map((id) =>
      edition(of, project(id), {
        notice: owner === "shared",
        summary: `told to ${id}`,
        ...(owner === "shared" ? { subject: { kind: "server", id: `${id}-on-it` } } : {}),
      }),
    ),
    storm: true,
  };
}

interface Shown {
  readonly id: string;
  readonly count: number;
  readonly subjects: number;
  readonly first: string;
  readonly last: string;
  readonly samples: readonly { readonly id: string; readonly occurred_at: string }[];
  readonly members: readonly VisibleEvent["event"][];
}

/** The folds in scope, each with its members read over several pages, and what the fold says of them. */
async function foldsOf(store: Store, scope: Scope): Promise<readonly Shown[]> {
  const { events } = await store.reader.timeline(scope, {}, all);
  return Promise.all(
    events
      .filter(({ event }) => event.details["storm"] !== undefined)
      .map(async ({ event }) => {
        const members: VisibleEvent["event"][] = [];
        let after: { occurredAt: Instant; id: string } | undefined;
        for (let read = 0; read < 1000; read++) {
          const request = { limit: 7, order: "oldest" as const, ...(after === undefined ? {} : { after }) };
          const found = await store.reader.members(scope, event.id, request);
          members.push(...found.events.map((visible) => visible.event));
          after = members.at(-1);
          if (!found.more) break;
        }
        return { ...(event.details["storm"] as unknown as Shown), id: event.id, members };
      }),
  );
}

/** What a fold says must be what its members say. */
function checkFold(fold: Shown): void {
  const times = fold.members.map(({ occurredAt }) => occurredAt);
  expect(fold.count).toBe(fold.members.length);
  expect(new Set(fold.members.map(({ id }) => id)).size).toBe(fold.count);
  expect([fold.first, fold.last].map(Date.parse)).toEqual([times[0], times.at(-1)]);
  expect(fold.subjects).toBe(
    new Set(fold.members.map(({ subject }) => `${subject.kind}:${subject.id}`)).size,
  );
  expect(fold.samples.map(({ id }) => id)).toEqual(fold.members.slice(0, 5).map(({ id }) => id));
}

async function clear(): Promise<void> {
  await db.sql("DELETE FROM isochron.storm_member_edition");
  for (const table of [
    "storm_member",
    "tenant_event",
    "event",
    "delivery",
    "event_revision",
    "attribution_revision",
  ])
    await db.sql(`DELETE FROM isochron.${table}`);
  await db.sql("DELETE FROM isochron.pending_attribution");
  await db.sql("UPDATE isochron.connection SET events = 0, repeated = 0");
}

const owners = ["a", "b", "nobody", "shared"] as const;
const alertsArbitrary = fc
  .array(
    fc.record({
      owner: fc.constantFrom(...owners),
      atMs: fc.integer({ min: 0, max: 130_000 }),
      subject: fc.constantFrom("1", "2", "3", "4"),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((alerts) => alerts.map((alert, index): Alert => ({ ...alert, name: `alert-${index}` })));

/** Pages of any size in any order, some delivered again, handed alternately to two processes at once. */
const deliveryArbitrary = alertsArbitrary.chain((alerts) =>
  fc.record({
    alerts: fc.constant(alerts),
    order: fc.shuffledSubarray(alerts, { minLength: alerts.length, maxLength: alerts.length }),
    again: fc.subarray(alerts),
    pageSize: fc.integer({ min: 1, max: 15 }),
  }),
);

describe("a storm", () => {
  test("keeps exact counts and each member once, however it is split, redelivered and spread over two processes", async () => {
    await db.store.events.connect(connection);
    const other = await db.reopen();
    await fc.assert(
      fc.asyncProperty(deliveryArbitrary, async ({ alerts, order, again, pageSize }) => {
        await clear();
        const sent = [...order, ...again];
        const pages: Alert[][] = [];
        for (let at = 0; at < sent.length; at += pageSize) pages.push(sent.slice(at, at + pageSize));
        const outcomes: Appended[] = [];
        for (let at = 0; at < pages.length; at += 2) {
          const both = pages.slice(at, at + 2).map((part, index) => {
            const store = index === 0 ? db.store : other;
            return store.events.append(page(part.map((alert) => stormy(alert))));
          });
          outcomes.push(...(await Promise.all(both)));
        }
        const total = (name: "created" | "repeated") => outcomes.reduce((sum, one) => sum + one[name], 0);
        expect([total("created"), total("repeated")]).toEqual([alerts.length, again.length]);
        const folds = await foldsOf(db.store, provider);
        folds.forEach(checkFold);
        expect(folds.reduce((sum, fold) => sum + fold.count, 0)).toBe(alerts.length);
        for (const id of ["a", "b"] as const) {
          const shown = await foldsOf(db.store, tenantScope(id));
          shown.forEach(checkFold);
          const own = alerts.filter(({ owner }) => owner === id || owner === "shared").length;
          expect(shown.reduce((sum, fold) => sum + fold.count, 0)).toBe(own);
          expect(JSON.stringify(shown)).not.toMatch(id === "a" ? /told to b|b-|host-/ : /told to a|a-|host-/);
        }
        const digest = await db.store.digest();
        await clear();
        await db.store.events.append(page(alerts.map((alert) => stormy(alert))));
        expect(await db.store.digest()).toBe(digest);
      }),
      { numRuns: 25 },
    );
    await other.close();
  });

  test("follows its owners: members whose answer changes move to the fold of the new owner, and no count is off", async () => {
    await db.store.events.connect(connection);
    const moved = deliveryArbitrary.chain((delivery) =>
      fc.record({
        delivery: fc.constant(delivery),
        at: fc.array(fc.constantFrom(...owners), {
          minLength: 2 * delivery.alerts.length,
          maxLength: 2 * delivery.alerts.length,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(moved, async ({ delivery: { alerts, order, again, pageSize }, at }) => {
        await clear();
        const ownerAt = (alert: Alert, phase: number): Owner =>
          at[2 * alerts.indexOf(alert) + phase] ?? "nobody";
        for (let start = 0; start < order.length; start += pageSize) {
          const part = order.slice(start, start + pageSize);
          await db.store.events.append(page(part.map((alert) => stormy(alert, ownerAt(alert, 0)))));
        }
        for (const ownerOf of [(alert: Alert) => ownerAt(alert, 1), (alert: Alert) => alert.owner]) {
          await answer(order, ownerOf, pageSize);
          // What was sent before under another owner is known, wherever it is by now.
          const repeated = await db.store.events.append(page(again.map((alert) => stormy(alert, "nobody"))));
          expect(repeated).toMatchObject({ created: 0, repeated: again.length, revised: 0 });
          await checkOwners(alerts, ownerOf);
        }
        const digest = await db.store.digest();
        await clear();
        await db.store.events.append(page(alerts.map((alert) => stormy(alert))));
        expect(await db.store.digest()).toBe(digest);
      }),
      { numRuns: 25 },
    );
  });
});

/** Answers for all members as of now, page by page, as re-attribution does. */
async function answer(
  alerts: readonly Alert[],
  ownerOf: (alert: Alert) => Owner,
  pageSize: number,
): Promise<void> {
  const ids = new Map<string, VisibleEvent["event"]>();
  for (const fold of await foldsOf(db.store, provider)) {
    for (const member of fold.members) ids.set("key" in member ? member.key : "", member);
  }
  const answers = alerts.map((alert) => {
    const { attribution, editions } = stormy(alert, ownerOf(alert));
    const { id, occurredAt } = ids.get(alert.name)!;
    return { eventId: id, occurredAt, attribution, dependsOn: [], editions };
  });
  for (let at = 0; at < answers.length; at += pageSize) {
    await db.store.events.reattributed(
      { token: { marks: [] }, events: [] },
      answers.slice(at, at + pageSize),
    );
  }
}

async function checkOwners(alerts: readonly Alert[], ownerOf: (alert: Alert) => Owner): Promise<void> {
  const folds = await foldsOf(db.store, provider);
  folds.forEach(checkFold);
  expect(folds.flatMap(({ members }) => members.map(({ summary }) => summary)).sort()).toEqual(
    alerts.map((alert) => alertDraft(alert).summary).sort(),
  );
  for (const id of ["a", "b"] as const) {
    const shown = await foldsOf(db.store, tenantScope(id));
    shown.forEach(checkFold);
    expect(shown.reduce((sum, fold) => sum + fold.count, 0)).toBe(
      alerts.filter((alert) => [id, "shared"].includes(ownerOf(alert))).length,
    );
  }
}
