import type { FastifyInstance } from "fastify";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { duration, formatInstant, instant } from "../../model/instant.ts";
import type { Store } from "../../store/store.ts";
import type { WhatElseQuery } from "./api-parts.ts";
import type {
  EventJson,
  EventsPageJson,
  HistogramJson,
  OwnershipJson,
  ResourceJson,
  SourcesJson,
} from "./contract.ts";
import type { WhatElseJson } from "./what-else-contract.ts";
import type { QuarantineJson } from "./quarantine-contract.ts";
import { get, getJson, problemIn, startApi } from "../../../test/api-host.ts";
import {
  connection,
  controlPlane,
  fillWorld,
  host,
  web,
  worldEnd,
  worldStart,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

let database: TestStore;
let store: Store;
let app: FastifyInstance;

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  app = await startApi(store);
});

afterAll(async () => {
  await app.close();
  await database.close();
});

async function readAll(query: string, as: string): Promise<EventJson[]> {
  const events: EventJson[] = [];
  let cursor: string | null = "";
  for (let page = 0; cursor !== null && page < 100; page++) {
    const answer: EventsPageJson = await getJson(
      app,
      `/events?${query}${cursor === "" ? "" : `&cursor=${cursor}`}`,
      as,
    );
    events.push(...answer.events);
    cursor = answer.next_cursor;
  }
  return events;
}

describe("paging", () => {
  test("shows each event once, in order, whatever the page's size", async () => {
    for (const as of ["provider", "north", "prod"]) {
      for (const order of ["newest", "oldest"]) {
        const whole = (await readAll(`order=${order}&limit=2000`, as)).map((event) => event.id);
        expect(new Set(whole).size).toBe(whole.length);
        for (const limit of [1, 7, whole.length]) {
          expect((await readAll(`order=${order}&limit=${limit}`, as)).map((event) => event.id)).toEqual(
            whole,
          );
        }
      }
    }
  });

  test("the cursor of another tenant, filter or order, or an edited one, is refused with the same bytes", async () => {
    const { next_cursor: cursor } = await getJson<EventsPageJson>(
      app,
      "/events?limit=3&kind=change",
      "north",
    );
    const refused = [
      await get(app, `/events?limit=3&kind=change&cursor=${cursor}`, "prod"),
      await get(app, `/events?limit=3&kind=change&cursor=${cursor}`, "provider"),
      await get(app, `/events?limit=3&kind=symptom&cursor=${cursor}`, "north"),
      await get(app, `/events?limit=3&kind=change&order=oldest&cursor=${cursor}`, "north"),
      await get(app, `/events?limit=3&kind=change&cursor=${cursor}x`, "north"),
      await get(app, `/events?limit=3&kind=change&cursor=`, "north"),
    ];
    for (const answer of refused) expect(problemIn(answer).code).toBe("cursor-invalid");
    expect(new Set(refused.map((answer) => answer.body)).size).toBe(1);
  });

  test("a cursor holds for the same filter in another spelling, and for another page size", async () => {
    const first = await getJson<EventsPageJson>(app, "/events?limit=3&kind=change,symptom", "north");
    const next = await get(app, `/events?limit=4&kind=symptom,change&cursor=${first.next_cursor}`, "north");
    expect(next.statusCode).toBe(200);
  });
});

describe("filters", () => {
  const ids = async (query: string, as = "provider") =>
    (await getJson<EventsPageJson>(app, `/events?limit=2000&${query}`, as)).events.map(
      (event) => event.key ?? event.id,
    );

  test("each narrows to what it names", async () => {
    const all = await ids("");
    expect(all).toHaveLength(52);
    expect(await ids("project=p-dev")).toHaveLength(9);
    expect(await ids("kind=symptom")).toEqual(["canary-key-e-shared"]);
    expect(await ids("severity=error")).toEqual(["canary-key-e-shared"]);
    expect(await ids("type=host.*")).toEqual(["canary-key-e-shared"]);
    expect(await ids("type=host")).toEqual([]);
    expect(await ids("attribution=ambiguous,unresolved")).toHaveLength(2);
    expect(await ids(`source=${encodeURIComponent(connection)}`)).toHaveLength(52);
    expect(await ids("source=none")).toEqual([]);
    expect(await ids("resource=volume/vol-3")).toEqual(["canary-key-e-dev-3"]);
    expect(await ids("resource=request:req-e-dev-3")).toEqual(["canary-key-e-dev-3"]);
    expect(await ids("category=backup")).toEqual([]);
    expect(await ids(`to=${formatInstant(instant(worldStart + 1))}`)).toHaveLength(3);
  });

  test("text is taken literally", async () => {
    expect(await ids("q=E-DEV-3")).toEqual(["canary-key-e-dev-3"]);
    for (const sign of ["%25", "_", "e-dev-_", "%5C", ".*", "'", "e-dev-%25"])
      expect(await ids(`q=${sign}`)).toEqual([]);
  });

  test("a tenant is not let ask by what only the provider knows", async () => {
    for (const query of [`source=${encodeURIComponent(connection)}`, "attribution=owned"]) {
      expect(problemIn(await get(app, `/events?${query}`, "prod")).detail).toMatch(/is not known here\.$/);
    }
  });
});

describe("the histogram", () => {
  test("fits what is in scope, and its bins add up to the pages' events", async () => {
    for (const as of ["provider", "north", "prod"]) {
      const histogram = await getJson<HistogramJson>(app, "/histogram?bins=10", as);
      const sum = histogram.bins
        .flatMap((bin) => Object.values(bin.counts))
        .reduce((left, right) => left + right, 0);
      const events = await readAll("", as);
      expect(histogram.total).toBe(sum);
      expect(histogram.total).toBe(events.length);
      expect(histogram.bins.length).toBeLessThanOrEqual(10);
      expect(histogram.from).toBe(events.at(-1)!.occurred_at);
    }
  });

  test("counts within any window exactly what the pages show there", async () => {
    const minute = fc.integer({ min: -10, max: 80 });
    const spell = (minutes: number) => formatInstant(instant(worldStart + minutes * 60_000));
    await fc.assert(
      fc.asyncProperty(minute, minute, fc.integer({ min: 1, max: 50 }), async (one, other, bins) => {
        fc.pre(one !== other);
        const window = `from=${spell(Math.min(one, other))}&to=${spell(Math.max(one, other))}`;
        const histogram = await getJson<HistogramJson>(app, `/histogram?${window}&bins=${bins}`, "north");
        expect(histogram.total).toBe((await readAll(window, "north")).length);
      }),
      { numRuns: 30 },
    );
  });
});

describe("one event", () => {
  test("tells the provider everything, with the tenants' names", async () => {
    const [event] = await readAll("q=e-prod-3", "provider");
    expect(await getJson(app, `/events/${event!.id}`, "provider")).toEqual(event);
    expect(event).toMatchObject({
      connection,
      key: "canary-key-e-prod-3",
      source_ids: ["canary-source-id-e-prod-3"],
      actor: { user_name: "canary-operator", address: "203.0.113.77" },
      attribution: {
        status: "owned",
        control_plane: controlPlane,
        domain_name: "northwind",
        project_name: "prod",
      },
      changes: [{ field: "state", before: "canary-before", after: "active" }],
    });
  });

  test("tells the provider why it belongs to its tenant", async () => {
    const [event] = await readAll("q=e-prod-3", "provider");
    const ownership = await getJson<OwnershipJson>(app, `/events/${event!.id}/ownership`, "provider");
    expect(ownership.summary).toBe(
      "owned by project prod (domain northwind) because payload.tenant_id says so",
    );
    expect(ownership.attribution.evidence).toHaveLength(1);
  });

  test("tells a tenant why it is shown in one plain line", async () => {
    const [event] = await readAll("limit=1&kind=symptom", "prod");
    const ownership = await getJson<OwnershipJson>(app, `/events/${event!.id}/ownership`, "prod");
    expect(ownership).toMatchObject({ summary: "Shown because it concerns srv-web-1.", history: [] });
    expect(ownership.attribution).toMatchObject({ status: "affected", evidence: [], affected: [] });
  });
});

describe("a resource", () => {
  const at = (minutes: number) => `at=${formatInstant(instant(worldStart + minutes * 60_000))}`;
  const hostsOf = (resource: ResourceJson) =>
    resource.relations.filter(({ relation }) => relation === "runs_on").map(({ entity }) => entity.id);

  test("stands as it stood at the moment asked for", async () => {
    const before = await getJson<ResourceJson>(app, `/resources/server/${web.id}?${at(59)}`, "provider");
    const after = await getJson<ResourceJson>(app, `/resources/server/${web.id}?${at(60)}`, "provider");
    expect([hostsOf(before), hostsOf(after)]).toEqual([["canary-host-7"], ["canary-host-8"]]);
    expect(before.owner).toMatchObject({ status: "owned", project_name: "prod", domain_name: "northwind" });
    expect(before.events.every((event) => event.occurred_at <= before.at)).toBe(true);
    expect(before.known_since).toBe(formatInstant(worldStart));
  });

  test("a host shows who is on it now, not who has left", async () => {
    const before = await getJson<ResourceJson>(app, `/resources/host/${host.id}?${at(59)}`, "provider");
    const after = await getJson<ResourceJson>(app, `/resources/host/${host.id}?${at(60)}`, "provider");
    expect(hostsOf(before)).toEqual(["srv-south-1", "srv-web-1"]);
    expect(hostsOf(after)).toEqual(["srv-south-1"]);
  });

  test("is to a tenant what its own events tell, and nothing else", async () => {
    const resource = await getJson<ResourceJson>(app, `/resources/server/${web.id}`, "prod");
    expect(resource).toMatchObject({ relations: [], known_since: formatInstant(worldStart) });
    expect(resource.events).toHaveLength(25);
  });

  test("has for a tenant the owner that its own stretches name, and none outside of them", async () => {
    const path = `/resources/server/${web.id}`;
    for (const as of ["prod", "north"]) {
      const within = await getJson<ResourceJson>(app, `${path}?${at(59)}`, as);
      expect(within.ownership).toMatchObject([{ owner: { id: "p-prod" }, valid_until: null }]);
      expect(within.owner).toEqual({
        status: "owned",
        domain_id: "d-north",
        project_id: "p-prod",
        domain_name: "northwind",
        project_name: "prod",
        affected: [],
        evidence: [],
      });
      expect(await getJson<ResourceJson>(app, `${path}?${at(-1)}`, as)).toMatchObject({ owner: null });
    }
  });
});

describe("the estate", () => {
  test("sources tell the provider how far each connection is, and what was set aside", async () => {
    const sources = await getJson<SourcesJson>(app, "/sources", "provider");
    expect(sources.connections).toHaveLength(1);
    expect(sources.connections[0]).toMatchObject({
      connection,
      complete_to: formatInstant(worldEnd),
      lag_ms: 0,
    });
    expect(sources.set_aside[0]).toMatchObject({
      position: "line 99",
      code: "record-invalid",
      excerpt: '{"broken',
    });
    expect((await get(app, "/sources", "prod")).statusCode).toBe(404);
  });

  test("quarantine shows the provider what nobody owns yet, with an example", async () => {
    const quarantine = await getJson<QuarantineJson>(app, "/quarantine", "provider");
    expect(quarantine.total).toBe(2);
    expect(quarantine.groups.map((group) => group.status).toSorted()).toEqual(["ambiguous", "unresolved"]);
    for (const group of quarantine.groups) expect(group.example.attribution.status).toBe(group.status);
    expect(quarantine.groups.find(({ reason }) => reason === "several-owners")).toMatchObject({
      candidates: [{ tenant: { project_id: "p-prod" } }, { tenant: { project_id: "p-south" } }],
    });
    expect((await get(app, "/quarantine", "prod")).statusCode).toBe(404);
  });
});

describe("what else", () => {
  test("asks within the scope and ranks the answer; a tenant sees no path through what it cannot see", async () => {
    const asked: WhatElseQuery[] = [];
    const own = await startApi(store, {
      whatElse: async (scope, query) => {
        asked.push(query);
        const page = await store.reader.timeline(scope, {}, { limit: 2, order: "newest" });
        const at = worldEnd;
        return {
          target: { event: page.events[0]!, at },
          window: { from: instant(at - query.windowMs), to: at },
          candidates: page.events.map((event) => ({
            event,
            beforeMs: 60_000,
            score: 1.5,
            direction: "before",
            path: [{ from: web, relation: "runs_on", to: host }],
            addends: [{ name: "time", value: 1.5, says: "one minute before" }],
            reason: "one minute before",
            also: 0,
          })),
          checked: { events: 2, nothingOn: [web], truncated: false },
        };
      },
    });
    const query = "resource=server/srv-web-1&at=2026-11-20T12:00:00Z&window_minutes=30";
    const provider = await getJson<WhatElseJson>(own, `/what-else?${query}`, "provider");
    const tenant = await getJson<WhatElseJson>(own, `/what-else?${query}`, "prod");
    expect(asked[0]).toEqual({ resource: web, at: worldEnd, windowMs: duration(1_800_000), limit: 10 });
    expect(provider.candidates.map(({ rank, path }) => [rank, path.length])).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(tenant.candidates.map(({ path }) => path)).toEqual([[], []]);
    expect(tenant.coverage.connections).toEqual([]);
    await own.close();
  });
});
