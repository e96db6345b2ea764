import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "./database.ts";
import { connection, controlPlane, draft, fact, minute, page } from "./drafts.ts";
import { stagesOver } from "./stages.ts";
import type { EventDraft } from "../src/model/event.ts";
import type { KnownFact } from "../src/model/topology.ts";
import type { ResolvedPage, StatedFact } from "../src/store/event-store.ts";
import type { Stages } from "../src/pipeline/ingest.ts";
import { reattribute } from "../src/pipeline/reattribute.ts";
import { loadSurroundings, viewOf } from "../src/pipeline/surroundings.ts";

let db: TestStore;
let stages: Stages;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  stages = stagesOver(db.store);
});
afterAll(() => db.close());
beforeEach(() => empty());

const empty = () =>
  db.sql(`TRUNCATE isochron.event, isochron.tenant_event, isochron.delivery, isochron.topology_fact,
    isochron.storm_member, isochron.storm_member_edition,
    isochron.reattribution_due, isochron.pending_attribution, isochron.attribution_revision`);

type Told = EventDraft | StatedFact;
const isFact = (one: Told): one is StatedFact => "relation" in one;

/** Resolves a page as the pipeline does, and leaves it to the caller when to store it. */
async function resolvePage(told: readonly Told[], storm = false): Promise<ResolvedPage> {
  const drafts = told.filter((one): one is EventDraft => !isFact(one));
  const facts = told.filter(isFact);
  const topologyMark = await stages.topology.mark();
  const known = await loadSurroundings(stages.topology, controlPlane, drafts);
  const own = facts.map((one): KnownFact => ({
    ...one,
    controlPlane,
    connection: connection.name,
    recordedAt: one.at,
  }));
  const resolved = stages.resolve(
    drafts,
    connection.name,
    viewOf(stages.buildView, controlPlane, known, own),
  );
  const events = resolved.map((one) => ({
    ...one,
    editions: stages.redact(one.draft, one.attribution, one.ownEntities),
    ...(storm ? { storm: true as const } : {}),
  }));
  return page(events, { facts, topologyMark });
}

async function take(told: readonly Told[], storm = false): Promise<void> {
  await stages.store.append(await resolvePage(told, storm));
  await reattribute(stages);
}

const event = (name: string, at: number): EventDraft =>
  draft(name, at, { stated: { owner: { kind: "project", id: "p" }, path: "payload.tenant_id" } });
const ownersOf = async () => {
  const rows = await db.sql<{ key: string; domain: string | null }>(
    "SELECT key, owner_domain_id AS domain FROM isochron.event ORDER BY occurred_at",
  );
  return rows.map(({ key, domain }) => `${key}: ${domain ?? "unknown"}`);
};

describe("a project that is moved between domains", () => {
  const told: readonly Told[] = [
    event("before", 5),
    event("after", 15),
    fact("project:p", "part_of", "domain:old", 1, { sourceId: "f1" }),
    fact("project:p", "part_of", "domain:old", 4, { sourceId: "f2" }),
    fact("project:p", "part_of", "domain:new", 10, { sourceId: "f3" }),
    fact("project:p", "part_of", "domain:new", 20, { sourceId: "f4" }),
  ];

  test("keeps its past in the old domain and has its future in the new, in whatever order all of it is told", async () => {
    const digests = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...told], { minLength: told.length }),
        fc.boolean(),
        async (shuffled, overlapping) => {
          await empty();
          for (let n = 0; n < shuffled.length; n += overlapping ? 2 : 1) {
            // Two workers: the second page is resolved before the first one is stored.
            const some = shuffled.slice(n, n + (overlapping ? 2 : 1));
            const pages = [];
            for (const one of some) pages.push(await resolvePage([one]));
            for (const one of pages) {
              await stages.store.append(one);
              await reattribute(stages);
            }
          }
          expect(await ownersOf()).toEqual(["before: old", "after: new"]);
          digests.add(await db.store.digest());
        },
      ),
      { numRuns: 40 },
    );
    expect(digests.size).toBe(1);
  }, 120_000);

  test("takes the members of a storm along", async () => {
    await take([fact("project:p", "part_of", "domain:old", 1)]);
    await take(
      [event("a", 15), event("b", 15)].map((one) => ({ ...one, kind: "symptom" as const })),
      true,
    );
    const domains = () =>
      db.sql(
        "SELECT key, attribution -> 'tenant' ->> 'domainId' AS domain FROM isochron.storm_member ORDER BY key",
      );
    expect(await domains()).toEqual([
      { key: "a", domain: "old" },
      { key: "b", domain: "old" },
    ]);
    await take([fact("project:p", "part_of", "domain:new", 10)]);
    expect(await domains()).toEqual([
      { key: "a", domain: "new" },
      { key: "b", domain: "new" },
    ]);
  });

  test("is not missed by an answer that was found before it was moved", async () => {
    await take([fact("project:p", "part_of", "domain:old", 1)]);
    const late = await resolvePage([event("late", 15)]);
    await take([fact("project:p", "part_of", "domain:new", 10)]);
    await stages.store.append(late);
    await reattribute(stages);
    expect(await ownersOf()).toEqual(["late: new"]);
  });

  test("asks nothing of a project that was only seen again where it is", async () => {
    await take([event("a", 5), fact("project:p", "part_of", "domain:old", 3)]);
    await stages.store.append(page([], { facts: [fact("project:p", "part_of", "domain:old", 9)] }));
    await stages.store.append(page([], { facts: [fact("project:p", "part_of", "domain:old", 1)] }));
    expect((await stages.store.dueForAttribution(10)).events).toEqual([]);
  });
});

test("retention drops events and what waits, and leaves what is known of the topology", async () => {
  const week = 7 * 24 * 60;
  await take([
    fact("server:s", "runs_on", "host:a", 1),
    fact("project:p", "part_of", "domain:old", 1),
    draft("old", 5, { subject: { kind: "server", id: "s" } }),
    draft("new", 2 * week, { subject: { kind: "server", id: "s" } }),
  ]);
  const epoch = (await db.store.retention.take("test", 60_000))!;
  const policy = { days: { operational: 1 }, tenants: new Map() };
  await db.store.retention.expire(epoch, policy, minute(week), 100);
  await take([fact("server:s", "owned_by", "project:p", 2)]);
  expect(await ownersOf()).toEqual(["new: old"]);
});
