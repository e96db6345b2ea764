import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { controlPlane, draft, edition, event, fact, minute, page, project } from "../../test/drafts.ts";
import { parseEntityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import { tenantKey } from "../model/tenant.ts";
import { buildTopologyView } from "../resolve/topology-view.ts";
import type { StorableEvent } from "../store/event-store.ts";
import { findAlerts, type AlertAnswer } from "./alerts.ts";

let db: TestStore;
const provider: Scope = { kind: "provider" };
const [acme, globex] = [project("acme"), project("globex")];
const tenant = (of: typeof acme): Scope => ({ kind: "tenant", label: "t", keys: [tenantKey(of)] });

function alertDraft(name: string, at: number, subject: string, fields: Partial<EventDraft> = {}): EventDraft {
  return draft(name, at, {
    type: "alert.host_down.firing",
    kind: "symptom",
    category: "monitoring",
    severity: "critical",
    subject: parseEntityKey(subject),
    summary: "Host down",
    details: { labels: { alertname: "HostDown" } },
    ...fields,
  });
}

const recovered = { type: "alert.host_down.resolved", kind: "recovery", severity: "info" } as const;

async function tell(
  connection: string,
  plane: string,
  events: readonly StorableEvent[],
  facts: ReturnType<typeof fact>[] = [],
) {
  await db.store.events.connect({ name: connection, source: "cloudevents", controlPlane: plane, config: {} });
  await db.store.events.append({ ...page(events, { facts }), connection, controlPlane: plane });
}

const parts = () => ({ ...db.store, buildView: buildTopologyView, now: () => minute(120) });
const ask = (scope: Scope, from = 0, to = 120) =>
  findAlerts(parts(), scope, { from: minute(from), to: minute(to), limit: 100 });
const told = ({ groups }: AlertAnswer) =>
  groups.flatMap(({ alerts }) =>
    alerts.map(({ thing, state, members }) => [`${thing.kind}:${thing.id}`, state, members.length] as const),
  );

beforeAll(async () => {
  db = await openTestStore();
  const servers = ["s0", "s1", "s2"];
  await tell(
    "am",
    controlPlane,
    [
      // Its host is known under its name.
      event(alertDraft("a1", 10, "hostname:cmp-1")),
      event(alertDraft("n1", 20, "host:cmp-9")),
      event(alertDraft("n2", 25, "host:cmp-9", recovered)),
      ...servers.map((id, nth) => {
        const own = alertDraft(`own-${id}`, 11 + nth, `server:${id}`);
        const shown = {
          type: "alert.firing",
          summary: `Server ${id}: a monitoring alert began`,
          details: {},
        };
        return event(own, acme, { editions: [edition(own, acme, shown)] });
      }),
    ],
    [
      fact("host:cmp-1", "known_as", "hostname:cmp-1", 0),
      ...servers.map((id) => fact(`server:${id}`, "runs_on", "host:cmp-1", 0)),
    ],
  );
  await tell("zbx", controlPlane, [
    event(
      alertDraft("z1", 12, "host:cmp-1", {
        type: "zabbix.problem.started",
        summary: "cmp-1 is unreachable",
        details: { trigger_id: "9" },
      }),
    ),
  ]);
  await tell("far", "other", [event(alertDraft("f1", 11, "host:cmp-1"))]);
  await tell("nova", controlPlane, [
    event(draft("kernel", 5, { subject: parseEntityKey("host:cmp-1"), summary: "Host cmp-1: new kernel" })),
  ]);
});
afterAll(() => db.close());

test("what is stored is judged: duplicates by what bore a name then, a storm by its host, other clouds apart", async () => {
  const answer = await ask(provider);
  const [storm, far, old] = answer.groups;
  expect(storm).toMatchObject({
    on: { kind: "host", id: "cmp-1" },
    state: "firing",
    severity: "critical",
    cause: { event: { summary: "Host cmp-1: new kernel" }, beforeMs: 5 * 60_000 },
  });
  expect(storm!.alerts.map(({ thing, members }) => [thing.id, members.length])).toEqual([
    ["cmp-1", 2],
    ["s0", 1],
    ["s1", 1],
    ["s2", 1],
  ]);
  expect(far!.alerts).toMatchObject([{ controlPlane: "other", members: [{ state: "firing" }] }]);
  expect(old!.alerts).toMatchObject([{ thing: { id: "cmp-9" }, state: "resolved" }]);
  expect(answer.checked).toMatchObject({ events: 8, truncated: false });
});

test("states are as of the window's end, and what was over before it is not listed", async () => {
  expect(told(await ask(provider, 0, 22))).toContainEqual(["host:cmp-9", "firing", 1]);
  expect(told(await ask(provider, 30))).not.toContainEqual(["host:cmp-9", "resolved", 1]);
});

test("planned work makes what stands on it expected for the provider, until it is cancelled; a tenant hears nothing of it", async () => {
  const before = await ask(tenant(acme));
  const work = await db.store.maintenance.plan({
    title: "New firmware",
    from: minute(0),
    to: minute(60),
    controlPlane,
    on: [{ kind: "host", id: "cmp-1" }],
    by: "someone",
    why: "due",
  });
  const answer = await ask(provider);
  expect(told(answer)).toContainEqual(["server:s0", "expected", 1]);
  expect(answer.windows).toMatchObject([{ id: work.id }]);
  const own = await ask(tenant(acme));
  expect(own).toEqual(before);
  expect(JSON.stringify(own)).not.toMatch(/firmware|cmp-1|zbx|known_as/);
  await db.store.maintenance.cancel(work.id, "someone", minute(61));
  expect(told(await ask(provider))).toContainEqual(["server:s0", "firing", 1]);
});

test("a tenant's alerts are made of its own editions alone", async () => {
  expect(told(await ask(tenant(acme)))).toEqual([
    ["server:s0", "firing", 1],
    ["server:s1", "firing", 1],
    ["server:s2", "firing", 1],
  ]);
  // That they stood on one host is the provider's to know.
  const own = await ask(tenant(acme));
  expect(own.groups.map(({ alerts, on, cause }) => [alerts.length, on, cause])).toEqual([
    [1, undefined, undefined],
    [1, undefined, undefined],
    [1, undefined, undefined],
  ]);
  const nothing = await ask(tenant(globex));
  expect([nothing.groups, nothing.windows, nothing.splits]).toEqual([[], [], []]);
});

test("a split takes a monitor's alert out for everybody who reads the provider's, and is undone without a trace", async () => {
  const before = told(await ask(provider));
  const zabbix = (await ask(provider)).groups[0]!.alerts[0]!.members.find(
    ({ episode }) => episode.monitor === "zbx",
  );
  const { split } = await db.store.alertSplits.split({
    series: zabbix!.episode.series,
    by: "someone",
    why: "another problem",
    at: minute(70),
  });
  expect(told(await ask(provider)).filter(([thing]) => thing === "host:cmp-1")).toHaveLength(3);
  await db.store.alertSplits.undo(split.id, "someone", minute(71));
  expect(told(await ask(provider))).toEqual(before);
});

test("an alert whose monitor's connection is silent is unknown", async () => {
  await db.store.events.connect({
    name: "am",
    source: "cloudevents",
    controlPlane,
    config: {},
    expectWithinMs: 1,
  });
  await db.sql("UPDATE isochron.connection SET last_heard_at = $1 WHERE name = 'am'", [
    new Date(minute(40)).toISOString(),
  ]);
  const { connections } = await db.store.reader.coverage(provider);
  expect(connections.find(({ connection }) => connection === "am")?.state).toBe("silent");
  const answer = await ask(provider);
  expect(told(answer)).toContainEqual(["server:s0", "unknown", 1]);
  // The second monitor still tells of the host.
  expect(told(answer)).toContainEqual(["host:cmp-1", "firing", 2]);
  expect(told(await ask(provider, 0, 30))).toContainEqual(["server:s0", "firing", 1]);
  await db.store.events.connect({
    name: "am",
    source: "cloudevents",
    controlPlane,
    config: {},
    expectWithinMs: null,
  });
});

test("each member of a folded storm is an alert of its own", async () => {
  const disk = { details: { labels: { alertname: "DiskFull" } }, type: "alert.disk_full.firing" };
  await tell(
    "bulk",
    "bulk-cloud",
    Array.from({ length: 12 }, (_, nth) =>
      event(alertDraft(`m${nth}`, 90, `server:b${nth}`, disk), undefined, { storm: true }),
    ),
  );
  const { events } = await db.store.reader.timeline(
    provider,
    { connections: ["bulk"] },
    { limit: 20, order: "newest" },
  );
  expect(events).toHaveLength(1);
  const answer = await ask(provider, 85, 100);
  const own = answer.groups
    .flatMap(({ alerts }) => alerts)
    .filter((one) => one.controlPlane === "bulk-cloud");
  expect(own.map(({ thing }) => thing.id).toSorted()).toEqual(
    Array.from({ length: 12 }, (_, nth) => `b${nth}`).toSorted(),
  );
});

test("a window in years without events has no alerts", async () => {
  const far = { from: instant(0), to: instant(1), limit: 5 };
  expect((await findAlerts(parts(), provider, far)).groups).toEqual([]);
});
