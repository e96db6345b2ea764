import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer, get, getJson, startApi } from "../../../test/api-host.ts";
import {
  appendEvents,
  controlPlane,
  draftOf,
  fillWorld,
  host,
  prod,
  web,
  worldEnd,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { edition } from "../../../test/drafts.ts";
import type { EventDraft } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import { findAlerts } from "../../pipeline/alerts.ts";
import { buildTopologyView } from "../../resolve/topology-view.ts";
import { alertGroupSchema, alertsSchema, type AlertsJson } from "./alert-contract.ts";
import { maintenanceSchema, workWindowSchema, type WorkWindowJson } from "./maintenance-contract.ts";

let database: TestStore;
let app: FastifyInstance;

const at = instant(worldEnd - 10 * 60_000);
const alarm = (key: string, subject: typeof web): EventDraft => ({
  ...draftOf(key, subject, at),
  type: "alert.host_down.firing",
  kind: "symptom",
  category: "monitoring",
  severity: "critical",
  summary: "Host down",
  details: { labels: { alertname: "HostDown" } },
});

beforeAll(async () => {
  database = await openTestStore();
  const { store } = database;
  await fillWorld(store);
  const own = alarm("own-alert", web);
  const shown = {
    type: "alert.firing",
    summary: "Server: a monitoring alert began",
    details: {},
    related: [],
  };
  await appendEvents(store, [
    {
      draft: alarm("host-alert", host),
      attribution: { status: "provider", evidence: [] },
      dependsOn: [],
      editions: [],
    },
    {
      draft: own,
      attribution: { status: "owned", tenant: prod, evidence: [] },
      dependsOn: [],
      editions: [edition(own, prod, shown)],
    },
  ]);
  app = await startApi(store, {
    alerts: (scope, query) =>
      findAlerts({ ...store, buildView: buildTopologyView, now: () => worldEnd }, scope, query),
  });
});
afterAll(async () => {
  await app.close();
  await database.close();
});

const send = (method: "POST" | "DELETE", path: string, as: string, payload?: object) =>
  app.inject({
    method,
    url: `/api/v1${path}`,
    headers: bearer(as),
    ...(payload === undefined ? {} : { payload }),
  });
const work = {
  title: "New firmware",
  from: "2026-11-20T11:00:00Z",
  to: "2026-11-20T13:00:00Z",
  on: [{ kind: "host", id: host.id }],
  why: "due",
};
const audited = async (action: "maintenance" | "feedback") =>
  (await database.store.audit.list({ action }, 10)).entries.map(({ object, personal, details }) => [
    object,
    personal["why"]?.value,
    details,
  ]);

test("alerts are told by states, as the contract has it, and one group with its events", async () => {
  const listed = (await get(app, "/alerts?state=firing", "provider")).json<AlertsJson>();
  expect(alertsSchema.parse(listed)).toEqual(listed);
  expect(new Set(listed.groups.map(({ state }) => state))).toEqual(new Set(["firing"]));
  const down = listed.groups.find(({ alerts }) => alerts[0]!.thing.id === host.id);
  expect(down).toMatchObject({ severity: "critical" });
  const group = (await get(app, `/alerts/${down!.id}`, "provider")).json();
  expect(alertGroupSchema.parse(group)).toEqual(group);
  expect(JSON.stringify(group)).toContain('"events":[');
  expect((await getJson<AlertsJson>(app, "/alerts?state=expected", "provider")).groups).toEqual([]);
  expect((await get(app, "/alerts?from=2026-01-01T00:00:00Z", "provider")).statusCode).toBe(400);
  expect((await get(app, "/alerts?state=loud", "provider")).statusCode).toBe(400);
});

test("a group of the provider's is not there for a tenant, and a tenant's own says nothing of hosts or monitors", async () => {
  const provider = await getJson<AlertsJson>(app, "/alerts", "provider");
  const own = await getJson<AlertsJson>(app, "/alerts", "prod");
  expect(own.groups.flatMap(({ alerts }) => alerts.map(({ thing }) => thing.id))).toContain(web.id);
  expect(JSON.stringify(own)).not.toMatch(/canary-|"monitor"|"series"|control_plane":"region-1","problem/);
  const ofHost = provider.groups.find(({ alerts }) => alerts[0]!.thing.id === host.id)!;
  const [denied, none] = await Promise.all([
    get(app, `/alerts/${ofHost.id}`, "prod"),
    get(app, `/alerts/alg_${"a".repeat(26)}`, "prod"),
  ]);
  expect([denied.statusCode, denied.body]).toEqual([404, none.body]);
});

test("work is planned, makes expected, and is cancelled, each with its entry in the audit trail", async () => {
  const made = await send("POST", "/maintenance", "provider", work);
  expect(made.statusCode).toBe(201);
  const window = workWindowSchema.parse(made.json());
  expect(window).toMatchObject({ control_plane: controlPlane, told: { by: "planned", why: "due" } });
  const listed = (await get(app, "/maintenance", "provider")).json();
  expect(maintenanceSchema.parse(listed).windows.map(({ id }) => id)).toEqual([window.id]);
  const expected = await getJson<AlertsJson>(app, "/alerts?state=expected", "provider");
  expect(expected.windows.map(({ id }: WorkWindowJson) => id)).toEqual([window.id]);
  expect(expected.groups[0]!.alerts[0]!.members[0]!.expected).toContain("planned work “New firmware”");
  const cancelled = await send("DELETE", `/maintenance/${window.id}?why=no+time`, "provider");
  expect(cancelled.json()).toMatchObject({ cancelled_at: expect.any(String) });
  expect((await send("DELETE", `/maintenance/${window.id}`, "provider")).statusCode).toBe(404);
  expect(await audited("maintenance")).toEqual([
    [`maintenance:${window.id}`, "no time", { planned: false }],
    [`maintenance:${window.id}`, "due", expect.objectContaining({ planned: true, things: 1 })],
  ]);
});

test("work that makes no sense is refused, and tenants are answered as if there were nothing", async () => {
  for (const wrong of [
    { ...work, to: work.from },
    { ...work, on: [] },
    { ...work, why: " " },
    { ...work, control_plane: "nowhere" },
    { ...work, control_plane: "isochron" },
  ])
    expect((await send("POST", "/maintenance", "provider", wrong)).statusCode).toBe(400);
  for (const [method, path, body] of [
    ["POST", "/maintenance", work],
    ["DELETE", `/maintenance/mnt_${"0".repeat(26)}`, undefined],
    ["POST", "/alerts/splits", { event: "evt", why: "w" }],
    ["POST", `/alerts/splits/spl_${"0".repeat(26)}/undoing`, { why: "w" }],
  ] as const)
    expect((await send(method, path, "north", body)).statusCode).toBe(404);
  expect((await get(app, "/maintenance", "north")).statusCode).toBe(404);
});

test("an alert is split by one of its events, once, and joined again, each with its entry in the audit trail", async () => {
  const { groups } = await getJson<AlertsJson>(app, "/alerts", "provider");
  const member = groups.find(({ alerts }) => alerts[0]!.thing.id === host.id)!.alerts[0]!.members[0]!;
  const order = { event: member.first_event, why: "another problem" };
  const made = (await send("POST", "/alerts/splits", "provider", order)).json<{
    id: string;
    series: string;
  }>();
  expect(made.series).toBe(member.series);
  expect((await send("POST", "/alerts/splits", "provider", order)).json()).toMatchObject({ id: made.id });
  const shown = await getJson<AlertsJson>(app, "/alerts", "provider");
  expect(JSON.stringify(shown)).toContain(`"split":"${made.id}"`);
  const undone = await send("POST", `/alerts/splits/${made.id}/undoing`, "provider", { why: "the same" });
  expect(undone.json()).toEqual({ id: made.id });
  expect(await audited("feedback")).toEqual([
    [`alert_split:${made.id}`, "the same", { alerts: "joined" }],
    [`alert_split:${made.id}`, "another problem", { alerts: "split", event: member.first_event }],
  ]);
  const page = await getJson<{ events: { id: string; kind: string }[] }>(
    app,
    "/events?kind=change",
    "provider",
  );
  const change = page.events[0]!.id;
  expect((await send("POST", "/alerts/splits", "provider", { event: change, why: "w" })).statusCode).toBe(
    400,
  );
});
