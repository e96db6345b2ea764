import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer, get, getJson, startApi } from "../../../test/api-host.ts";
import { connection, controlPlane, fillWorld, worldEnd, worldStart } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { instant } from "../../model/instant.ts";
import type { Hole } from "../../model/source-health.ts";
import { ownConnection } from "../../model/own-connection.ts";
import type { ApiParts } from "./api-parts.ts";
import type { EventsPageJson, HistogramJson, SourcesJson } from "./contract.ts";

const secret = "canary-queue had vanished";
const contract = {
  identity: "message id",
  version: "none",
  ordering: "unsorted",
  commit_delay_max_ms: 60_000,
  clock_error_max_ms: 5_000,
  retention_ms: null,
  delivery: "push",
  revisions: "never",
  blind_spots: "none",
} as const;

let worlds: readonly { readonly database: TestStore; readonly app: FastifyInstance }[];

function hole(fromMinute: number, toMinute: number, reason: Hole["reason"]): Hole {
  const at = (minute: number) => instant(worldStart + minute * 60_000);
  return { from: at(fromMinute), to: at(toMinute), reason, says: secret };
}

/** Beside what was correlated, which is not looked at here, stands how far it can be relied on. */
const nothingElse: ApiParts["whatElse"] = async () => ({
  target: { at: worldEnd },
  window: { from: worldStart, to: worldEnd },
  candidates: [],
  checked: { events: 0, nothingOn: [], truncated: false },
});

/** A world with holes of its own cloud and, where asked for, of another's. */
async function openWorld(withOther: boolean) {
  const database = await openTestStore();
  const { events } = database.store;
  await fillWorld(database.store);
  await events.noteHealth(connection, {
    holes: [hole(10, 20, "place-lost"), hole(15, 30, "outage")],
    findings: [{ code: "place-lost", says: secret }],
  });
  if (withOther) {
    await events.connect({ name: "other@region-2", source: "sql", controlPlane: "region-2", config: {} });
    await events.noteHealth("other@region-2", {
      completeTo: instant(worldStart - 1),
      holes: [hole(50, 60, "late-commit")],
      findings: [{ code: "late-commit", says: secret }],
    });
    await events.connect({ ...ownConnection, config: {} });
  }
  const contractOf = (source: string) => (source === "sql" ? undefined : contract);
  return { database, app: await startApi(database.store, { contractOf, whatElse: nothingElse }) };
}

beforeAll(async () => {
  worlds = [await openWorld(false), await openWorld(true)];
});

afterAll(async () => {
  for (const { database, app } of worlds) {
    await app.close();
    await database.close();
  }
});

const whatElse = `/what-else?at=${new Date(worldEnd).toISOString()}`;
const window = `from=${new Date(worldStart).toISOString()}&to=${new Date(worldEnd).toISOString()}`;

test("a tenant's coverage says when it was blind, not why, and nothing of another cloud's blindness", async () => {
  for (const path of [
    "/events?limit=3",
    `/histogram?${window}&bins=10`,
    "/resources/server/srv-web-1",
    whatElse,
  ]) {
    const [alone, beside] = await Promise.all(
      worlds.map(async ({ app }) => (await getJson<EventsPageJson>(app, path, "north")).coverage),
    );
    expect(alone).toEqual({
      complete_to: "2026-11-20T12:00:00.000Z",
      holes: [{ from: "2026-11-20T10:10:00.000Z", to: "2026-11-20T10:30:00.000Z" }],
      connections: [],
    });
    expect(beside).toEqual(alone);
  }
  for (const { app } of worlds) expect((await get(app, "/sources", "north")).body).not.toContain("canary");
});

test("what is decided here is listed among the connections, and counts as no source that could be behind", async () => {
  const [, { app }] = worlds as [unknown, (typeof worlds)[number]];
  const { coverage } = await getJson<HistogramJson>(app, `/histogram?${window}`, "provider");
  const { connections } = await getJson<SourcesJson>(app, "/sources", "provider");
  const names = connections.map((one) => one.connection);
  expect(names).toContain(ownConnection.name);
  expect(coverage.connections.map((one) => one.connection)).toEqual(
    names.filter((name) => name !== ownConnection.name),
  );
});

test("the provider's timeline names every hole's span, and its sources tell the reasons and the promises", async () => {
  const [, { app }] = worlds as [unknown, (typeof worlds)[number]];
  const { coverage } = await getJson<HistogramJson>(app, `/histogram?${window}`, "provider");
  expect(coverage.holes).toEqual([
    { from: "2026-11-20T10:10:00.000Z", to: "2026-11-20T10:30:00.000Z" },
    { from: "2026-11-20T10:50:00.000Z", to: "2026-11-20T11:00:00.000Z" },
  ]);
  const { connections } = await getJson<SourcesJson>(app, "/sources", "provider");
  const own = connections.find((one) => one.connection === connection);
  expect(own).toMatchObject({
    control_plane: controlPlane,
    state: "degraded",
    contract,
    holes: [
      { from: "2026-11-20T10:10:00.000Z", reason: "place-lost", says: secret },
      { from: "2026-11-20T10:15:00.000Z", reason: "outage" },
    ],
    findings: [
      {
        code: "place-lost",
        says: secret,
        means: expect.stringContaining("no longer knew the place"),
        count: 1,
      },
    ],
    reconciled: null,
    counts: { late: 0 },
  });
  expect(connections.find((one) => one.connection === "other@region-2")).toMatchObject({ contract: null });
});

test("metrics count holes, their length together, and each kind of finding", async () => {
  const [{ app }] = worlds as [(typeof worlds)[number]];
  const answer = await app.inject({ method: "GET", url: "/metrics", headers: bearer("provider") });
  const labels = `connection="${connection}",source="openstack-notifications",control_plane="${controlPlane}"`;
  for (const line of [
    `isochron_connection_holes{${labels}} 2`,
    `isochron_connection_hole_seconds{${labels}} 1200`,
    `isochron_connection_finding{${labels},code="place-lost"} 1`,
    `isochron_connection_finding{${labels},code="unsorted"} 0`,
    `isochron_connection_found_late_total{${labels}} 0`,
    `isochron_connection_state{${labels},state="silent"} 0`,
  ])
    expect(answer.body).toContain(`${line}\n`);
});
