import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { connection, controlPlane, draft, fact, minute, page } from "../../test/drafts.ts";
import type { Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import { projectKey } from "../model/tenant.ts";
import { clean } from "../normalise/clean.ts";
import { createResolver } from "../resolve/graph-resolver.ts";
import { buildTopologyView } from "../resolve/topology-view.ts";
import type { StatedFact } from "../store/event-store.ts";
import type { TenantEvent } from "../store/event-reader.ts";
import type { Store } from "../store/store.ts";
import { withEditions } from "./editions.ts";
import type { Stages } from "./ingest.ts";
import { createNotices, type Notices } from "./notices.ts";
import { reattribute } from "./reattribute.ts";
import { loadSurroundings, viewOf } from "./surroundings.ts";

let database: TestStore;
let clock = minute(0);

interface Process {
  readonly stages: Stages;
  readonly notices: Notices;
}

/** The stages of one process over the store, as `main.ts` joins them. */
function startProcess(store: Store): Process {
  const notices = createNotices(store, clean, () => clock);
  const stages: Stages = {
    decoders: undefined as never,
    clean,
    resolve: createResolver({ providerDomains: new Set(["ops"]) }),
    buildView: buildTopologyView,
    redact: notices.redact,
    refreshTexts: notices.refreshTexts,
    store: store.events,
    topology: store.topology,
    now: () => clock,
  };
  return { stages, notices };
}

/** Stores the failure of a host, and what is known of the topology by then, as a page does. */
async function failHost(
  { stages }: Process,
  name: string,
  at: number,
  facts: readonly StatedFact[] = [],
  isStorm = false,
) {
  const failure = draft(name, at, {
    type: "compute.hypervisor.down",
    kind: "symptom",
    severity: "critical",
    subject: { kind: "host", id: "compute-7" },
    platform: true,
  });
  await stages.refreshTexts?.();
  await stages.store.append(page([], { facts }));
  const topologyMark = await stages.topology.mark();
  const known = await loadSurroundings(stages.topology, controlPlane, [failure]);
  const resolved = stages.resolve([failure], connection.name, viewOf(stages.buildView, controlPlane, known));
  const events = resolved.map((one) => ({
    ...withEditions(one, stages.redact),
    ...(isStorm && { storm: true as const }),
  }));
  await stages.store.append(page(events, { topologyMark }));
}

function standing(server: string, owner: string): readonly StatedFact[] {
  return [
    fact(`project:${owner}`, "part_of", `domain:of-${owner}`, 0),
    fact(`server:${server}`, "owned_by", `project:${owner}`, 0),
    fact(`server:${server}`, "runs_on", "host:compute-7", 0),
  ];
}

function scopeOf(owner: string): Scope {
  return { kind: "tenant", label: owner, keys: [projectKey(controlPlane, owner)] };
}

async function noticesOf(owner: string): Promise<readonly TenantEvent[]> {
  const { events } = await database.store.reader.timeline(scopeOf(owner), {}, { limit: 50, order: "oldest" });
  return events.map(({ event }) => event as TenantEvent);
}

beforeAll(async () => {
  database = await openTestStore();
  await database.store.events.connect(connection);
});

afterAll(() => database.close());

test("a neighbour that is found later changes nothing of a notice, and tells it to no follower again", async () => {
  const own = startProcess(database.store);
  await failHost(own, "failure-1", 5, standing("web", "a"));
  const before = await noticesOf("a");
  expect(before).toHaveLength(1);
  const { position } = await database.store.reader.feed(scopeOf("a"), undefined, 10);
  await own.stages.store.append(page([], { facts: standing("payroll", "b") }));
  expect(await reattribute(own.stages)).toBe(1);
  expect(await noticesOf("b")).toHaveLength(1);
  expect(await noticesOf("a")).toEqual(before);
  expect((await database.store.reader.feed(scopeOf("a"), position, 10)).events).toEqual([]);
});

test("a resource of the tenant's own that is found later is told, in the text that is in force by then", async () => {
  const own = startProcess(database.store);
  await own.notices.desk.edit("host-failure", {
    text: "We are looking after {part}; {count} of yours may be away",
    expectedVersion: 0,
    by: "tok_1",
    why: "Plainer words.",
  });
  await own.stages.store.append(page([], { facts: standing("database", "a") }));
  await reattribute(own.stages);
  const [notice] = await noticesOf("a");
  expect(notice!.summary).toMatch(/^We are looking after part-[0-9a-f]{8}; 2 of yours may be away$/);
  const [neighbours] = await noticesOf("b");
  expect(neighbours!.summary).toMatch(/^Platform trouble on /);
});

test("another process takes a changed text within seconds, and calls the place by the same alias", async () => {
  const elsewhere = await database.reopen();
  try {
    const other = startProcess(elsewhere);
    await failHost(other, "failure-2", 6);
    await startProcess(database.store).notices.desk.edit("host-failure", {
      text: "Trouble on {part}",
      expectedVersion: 1,
      by: "tok_1",
      why: "Shorter.",
    });
    await failHost(other, "failure-3", 7);
    clock = (clock + 5_000) as Instant;
    await failHost(other, "failure-4", 8);
    const [first, ...later] = await noticesOf("a");
    const alias = /part-[0-9a-f]{8}/.exec(first!.summary)![0];
    expect(later.map(({ summary }) => summary)).toEqual([
      `We are looking after ${alias}; 2 of yours may be away`,
      `We are looking after ${alias}; 2 of yours may be away`,
      `Trouble on ${alias}`,
    ]);
  } finally {
    await elsewhere.close();
  }
});

test("the two tenants of a host know it by different aliases, and a tenant finds all that was about it by its own", async () => {
  const aliasIn = (events: readonly TenantEvent[]) =>
    events[0]!.related.find(({ role }) => role === "place")!.ref;
  const [own, others] = [aliasIn(await noticesOf("a")), aliasIn(await noticesOf("b"))];
  expect(own).not.toEqual(others);
  const found = async (owner: string, resource: typeof own) =>
    (await database.store.reader.timeline(scopeOf(owner), { resource }, { limit: 50, order: "oldest" }))
      .events.length;
  expect(await found("a", own)).toBe(4);
  expect(await found("a", others)).toBe(0);
  expect(await found("b", own)).toBe(0);
});

test("the decisions about texts stand in no tenant's sight: its login may not read them", async () => {
  const rows = await database.sql<{ may: boolean }>(
    "SELECT has_table_privilege('isochron_tenant', 'isochron.notice_template', 'SELECT') AS may",
  );
  expect(rows).toEqual([{ may: false }]);
});

test("what a tenant calls its resource comes to its notices when it is told, to its followers too, and to nobody else's", async () => {
  const own = startProcess(database.store);
  const read = async (owner: string) => {
    const { position } = await database.store.reader.feed(scopeOf(owner), undefined, 50);
    return async () => (await database.store.reader.feed(scopeOf(owner), position, 50)).events;
  };
  await failHost(own, "failure-5", 9, [], true);
  await failHost(own, "failure-6", 9, [], true);
  const [toldA, toldB, before] = [await read("a"), await read("b"), await noticesOf("b")];
  const learn = async (name: string, at: number) => {
    await own.stages.store.append(
      page([], { facts: [fact("server:database", "named", `name:${name}`, at)] }),
    );
    return reattribute(own.stages);
  };
  expect(await learn("front", 5)).toBeGreaterThan(0);
  const affected = (events: readonly TenantEvent[]) =>
    events.map(({ related }) =>
      related.filter(({ role }) => role === "affected").map(({ ref, name }) => name ?? ref.id),
    );
  const notices = await noticesOf("a");
  expect(affected(notices)).toEqual([
    ["front", "web"],
    ["front", "web"],
    ["front", "web"],
    ["front", "web"],
    [],
  ]);
  const fold = notices.at(-1)!;
  expect(JSON.stringify(fold.details)).toContain("front");
  expect((await toldA()).map(({ event }) => event.id).toSorted()).toEqual(
    notices.map(({ id }) => id).toSorted(),
  );
  expect(await noticesOf("b")).toEqual(before);
  expect(await toldB()).toEqual([]);
  // A name from after the failures changes nothing of them.
  const later = await read("a");
  await learn("renamed", 20);
  expect(await later()).toEqual([]);
});
