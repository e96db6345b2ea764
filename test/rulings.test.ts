import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { EventDraft } from "../src/model/event.ts";
import { duration } from "../src/model/instant.ts";
import type { Stages } from "../src/pipeline/ingest.ts";
import { reattribute } from "../src/pipeline/reattribute.ts";
import { openRulingDesk } from "../src/pipeline/ruling-desk.ts";
import { openRulings } from "../src/pipeline/rulings.ts";
import { loadSurroundings, viewOf } from "../src/pipeline/surroundings.ts";
import type { DryRunJson, QuarantineJson, RulingJson } from "../src/present/api/quarantine-contract.ts";
import type { StatedFact } from "../src/store/event-store.ts";
import { bearer, get, getJson, pageRequest, startApi } from "./api-host.ts";
import { hashOf, tokenScopes, tokenText } from "./api-world.ts";
import { openTestStore, type TestStore } from "./database.ts";
import { connection, draft, fact, minute, page } from "./drafts.ts";
import { ruledStagesOver } from "./stages.ts";

const controlPlane = "region-1";
const place = { ...connection, name: "zabbix", source: "zabbix", controlPlane };

let db: TestStore;
let stages: Stages;
let app: FastifyInstance;
beforeAll(async () => {
  db = await openTestStore();
  stages = ruledStagesOver(db.store, minute(600));
  app = await startApi(db.store, {
    clock: stages.now,
    rulings: openRulingDesk(stages, db.store, async () => void (await reattribute(stages))),
  });
  for (const [name, scope] of Object.entries(tokenScopes)) {
    await db.store.tokens.create({ name, hash: hashOf(tokenText(name)), scope });
  }
});
afterAll(async () => {
  await app.close();
  await db.close();
});
beforeEach(async () => {
  await db.sql(`TRUNCATE isochron.event, isochron.tenant_event, isochron.delivery, isochron.reattribution_due,
    isochron.pending_attribution, isochron.attribution_revision, isochron.ruling, isochron.ruling_search,
    isochron.storm_member, isochron.storm_member_edition`);
  // Nobody may take what was known of the rulings before for what stands now.
  await db.sql("UPDATE isochron.ruling_set SET version = version + 1");
  await db.store.events.connect(place);
  await tell(
    [],
    [
      fact("project:p-prod", "part_of", "domain:d-north", 0),
      fact("project:p-prod", "named", "name:prod", 0),
      fact("project:p-south", "part_of", "domain:d-south", 0),
    ],
  );
});

/** Stores what a record of the connection tells, as `ingest` does. */
async function tell(
  drafts: readonly EventDraft[],
  facts: readonly StatedFact[] = [],
  storm = false,
): Promise<void> {
  const topologyMark = await stages.topology.mark();
  const ruled = await openRulings(stages.rulings, place);
  const known = await loadSurroundings(stages.topology, controlPlane, drafts, ruled.ownerKeys(drafts));
  const view = viewOf(stages.buildView, controlPlane, known);
  const events = ruled.apply(stages.resolve(drafts, place.name, view), view).map((one) => ({
    ...one,
    editions: stages.redact(one.draft, one.attribution, one.ownEntities),
    ...(storm ? { storm: true as const } : {}),
  }));
  const { version } = ruled;
  await stages.store.append(
    page(events, { connection: place.name, controlPlane, facts, topologyMark, rulingsVersion: version! }),
  );
  await reattribute(stages);
}

function alert(name: string, at: number, subject = { kind: "name", id: "web-1" }): EventDraft {
  const fields = { type: "alert.cpu.firing", kind: "symptom", category: "monitoring", subject } as const;
  return draft(name, at, { ...fields, summary: `canary ${name}` });
}

async function post<T>(path: string, payload: object, as = "provider"): Promise<{ status: number; body: T }> {
  const answer = await app.inject({ method: "POST", url: `/api/v1${path}`, payload, headers: bearer(as) });
  return { status: answer.statusCode, body: answer.json<T>() };
}

const toProd = { kind: "tenant", project_id: "p-prod" };
const aboutWeb = { control_plane: controlPlane, alias: { kind: "name", id: "web-1" } };

async function foresee(match: object, answer: object, revises?: string): Promise<DryRunJson> {
  const { status, body } = await post<DryRunJson>("/quarantine/dry-run", {
    match,
    answer,
    ...(revises === undefined ? {} : { revises }),
  });
  expect(status).toBe(200);
  return body;
}

async function rule(match: object, answer: object, confirm = false): Promise<RulingJson> {
  const { digest } = await foresee(match, answer);
  const order = { match, answer, why: "seen", digest, confirm };
  const { status, body } = await post<RulingJson>("/rulings", order);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body;
}

/** Whose each event (or member of a storm) is, by its key. */
async function owners(): Promise<Record<string, string>> {
  const rows = await db.sql<{ key: string; status: string; project: string | null }>(
    `SELECT key, attribution ->> 'status' AS status, attribution #>> '{tenant,projectId}' AS project
       FROM isochron.event WHERE connection = 'zabbix' AND NOT starts_with(key, 'storm/')
     UNION ALL
     SELECT key, attribution ->> 'status', attribution #>> '{tenant,projectId}' FROM isochron.storm_member ORDER BY key`,
  );
  return Object.fromEntries(rows.map(({ key, status, project }) => [key, project ?? status]));
}

describe("a ruling", () => {
  test("does exactly what its dry run told, in events and in storms, and is undone by its withdrawal", async () => {
    const hidden = { ...alert("b", 2), visibility: "provider" } as const;
    await tell([alert("a", 1), hidden, alert("c", 3, { kind: "name", id: "web-2" })]);
    await tell([alert("m1", 5), alert("m2", 5), alert("m3", 5, { kind: "name", id: "web-2" })], [], true);
    await tell(
      [alert("known", 4, { kind: "server", id: "s" })],
      [fact("server:s", "owned_by", "project:p-south", 0)],
    );
    const waiting = await owners();
    const told = await foresee(aboutWeb, toProd);
    expect(told).toMatchObject({ matching: 4, leave: 4, stay: 0, second_tenant: 0, truncated: false });
    expect(told).toMatchObject({ not_shown: 1, by_tenant: [{ events: 4, not_shown: 1 }] });
    expect(told.summary).toBe(
      "4 leave: 4 → d-north/prod (1 of them not shown to it); 0 become visible to a second tenant",
    );
    expect(await owners()).toEqual(waiting);
    const made = await rule(aboutWeb, toProd);
    const by = expect.stringMatching(/^provider \(/);
    expect(made).toMatchObject({ state: "in-force", version: 1, events: 4, by });
    expect(made.answer).toMatchObject({ tenant: { domain_id: "d-north", project_name: "prod" } });
    const ruled = { ...waiting, a: "p-prod", b: "p-prod", m1: "p-prod", m2: "p-prod" };
    expect(await owners()).toEqual(ruled);
    // What comes later is ruled as well.
    await tell([alert("later", 9)]);
    expect(await owners()).toEqual({ ...ruled, later: "p-prod" });
    const undone = await post<RulingJson>(`/rulings/${made.id}/withdrawal`, {
      why: "wrong",
      expected_version: 1,
    });
    expect(undone.body).toMatchObject({ state: "withdrawn", version: 2, events: 0 });
    expect(await owners()).toEqual({ ...waiting, later: "unresolved" });
    expect(
      await db.sql("SELECT id FROM isochron.tenant_event WHERE tenant_key = 'project/region-1/p-prod'"),
    ).toEqual([]);
    // Every change is a revision: nobody's past is edited.
    const [event] = await db.sql<{ id: string }>("SELECT id FROM isochron.event WHERE key = 'a'");
    const history = await db.store.reader.attributionHistory({ kind: "provider" }, event!.id);
    expect(history.map(({ attribution }) => attribution.status)).toEqual(["unresolved", "owned"]);
  });

  test("that is revised is another version, and what it no longer is about waits again", async () => {
    await tell([alert("a", 1), alert("b", 2)]);
    const made = await rule(aboutWeb, toProd);
    const match = { ...aboutWeb, from: "2026-11-19T00:02:00Z" };
    const answer = { kind: "provider" };
    const { digest } = await foresee(match, answer, made.id);
    const order = { match, answer, why: "ours", digest, expected_version: 1 };
    expect((await post(`/rulings/${made.id}/versions`, { ...order, expected_version: 2 })).status).toBe(409);
    const { body } = await post<RulingJson>(`/rulings/${made.id}/versions`, order);
    expect(body).toMatchObject({ version: 2, events: 1, versions: [{ version: 2 }, { version: 1 }] });
    expect(await owners()).toEqual({ a: "unresolved", b: "provider" });
    expect((await post(`/rulings/${made.id}/versions`, order)).status).toBe(409);
  });

  test("about one event concerns that event alone, also as the member of a storm", async () => {
    await tell([alert("a", 1), alert("b", 1)]);
    await tell([alert("m1", 5), alert("m2", 5)], [], true);
    const ids = await db.sql<{ id: string }>(
      "SELECT id FROM isochron.event WHERE key = 'a' UNION ALL SELECT id FROM isochron.storm_member WHERE key = 'm2'",
    );
    for (const { id } of ids) await rule({ event_id: id, control_plane: controlPlane }, toProd);
    expect(await owners()).toEqual({ a: "p-prod", b: "unresolved", m1: "unresolved", m2: "p-prod" });
  });

  test("is contradicted by facts that come later: the event waits, with both as candidates", async () => {
    await tell([alert("a", 1, { kind: "server", id: "z" })]);
    await rule({ control_plane: controlPlane, subject: { kind: "server", id: "z" } }, toProd);
    expect(await owners()).toEqual({ a: "p-prod" });
    await tell([], [fact("server:z", "owned_by", "project:p-south", 0)]);
    expect(await owners()).toEqual({ a: "ambiguous" });
    const { groups } = await getJson<QuarantineJson>(
      app,
      "/quarantine?reason=ruling-contradicted",
      "provider",
    );
    expect(groups).toMatchObject([{ status: "ambiguous", count: 1, type: "alert.cpu.firing" }]);
    expect(
      groups[0]!.candidates.map(({ tenant, for: pro, against }) => [
        `${tenant.domain_id}/${tenant.project_id}`,
        pro.length,
        against.length,
      ]),
    ).toEqual([
      ["d-north/p-prod", 0, 1],
      ["d-south/p-south", 1, 0],
    ]);
  });
});

test("two reports of one occurrence are ruled about as the one event that they are, whichever comes first", async () => {
  const twin = (side: string) => ({ twin: { group: "g", side, within: duration(60_000) } });
  const first = { ...alert("first", 1), ...twin("a") };
  const owner = { kind: "project", id: "p-south" } as const;
  const second = { ...alert("second", 1), ...twin("b"), stated: { owner, path: "payload.tenant_id" } };
  await rule(aboutWeb, toProd);
  await tell([first]);
  expect(Object.values(await owners())).toEqual(["p-prod"]);
  await tell([second]);
  expect(Object.values(await owners())).toEqual(["ambiguous"]);
  await db.sql("TRUNCATE isochron.event, isochron.delivery, isochron.pending_attribution");
  await tell([second]);
  await tell([first]);
  expect(Object.values(await owners())).toEqual(["ambiguous"]);
});

test("a ruling about more events than one step of the search takes finds them all", async () => {
  await tell(Array.from({ length: 1_100 }, (_, n) => alert(`n${n}`, n / 100)));
  expect(await rule(aboutWeb, { kind: "provider" })).toMatchObject({ events: 1_100 });
  expect(new Set(Object.values(await owners()))).toEqual(new Set(["provider"]));
});

describe("a ruling that cannot stand", () => {
  const order = { why: "seen", digest: "x" };

  test.each([
    ["that narrows nothing", {}, { kind: "provider" }, 422, "ruling-invalid"],
    ["that narrows to a control plane alone", { control_plane: controlPlane }, toProd, 422, "ruling-invalid"],
    ["for a tenant without a control plane", { type: "alert.*" }, toProd, 422, "ruling-invalid"],
    [
      "for a tenant of another control plane",
      { type: "alert.*", control_plane: "other" },
      toProd,
      422,
      "tenant-unknown",
    ],
    ["whose dry run told something else", { type: "alert.*" }, { kind: "provider" }, 409, "ruling-changed"],
    [
      "with an answer of two kinds",
      { type: "a" },
      { kind: "provider", project_id: "p-prod" },
      400,
      "body-invalid",
    ],
  ])("is refused %s", async (_what, match, answer, status, code) => {
    expect(await post("/rulings", { match, answer, ...order })).toMatchObject({ status, body: { code } });
    expect(await db.sql("SELECT id FROM isochron.ruling")).toEqual([]);
  });

  test("is refused where what it would do has changed since the dry run, or another ruling was made", async () => {
    await tell([alert("a", 1)]);
    const first = await foresee(aboutWeb, toProd);
    await tell([alert("b", 2)]);
    const make = (digest: string) =>
      post("/rulings", { match: aboutWeb, answer: toProd, why: "seen", digest });
    expect(await make(first.digest)).toMatchObject({ status: 409, body: { code: "ruling-changed" } });
    const second = await foresee(aboutWeb, toProd);
    await rule({ type: "nothing.of.this" }, { kind: "provider" });
    expect(await make(second.digest)).toMatchObject({ status: 409, body: { code: "ruling-changed" } });
  });

  test("is refused without confirmation where a second tenant would see events, or an owner would lose proven ones", async () => {
    await tell([alert("a", 1)]);
    const made = await rule(aboutWeb, toProd);
    await post(`/rulings/${made.id}/withdrawal`, { why: "wrong", expected_version: 1 });
    const toSouth = { kind: "tenant", project_id: "p-south" };
    const told = await foresee(aboutWeb, toSouth);
    expect(told).toMatchObject({ leave: 1, second_tenant: 1, contradicted: 0 });
    const bare = { match: aboutWeb, answer: toSouth, why: "seen", digest: told.digest };
    expect(await post("/rulings", bare)).toMatchObject({ status: 409, body: { code: "ruling-exposes" } });
    expect((await post("/rulings", { ...bare, confirm: true })).status).toBe(201);
    await tell(
      [alert("known", 4, { kind: "server", id: "t" })],
      [fact("server:t", "owned_by", "project:p-south", 0)],
    );
    const subject = { control_plane: controlPlane, subject: { kind: "server", id: "t" } };
    const against = await foresee(subject, toProd);
    expect(against).toMatchObject({ matching: 0, contradicted: 1 });
    expect(
      await post("/rulings", { match: subject, answer: toProd, why: "seen", digest: against.digest }),
    ).toMatchObject({ status: 409, body: { code: "ruling-exposes" } });
  });
});

describe("nobody but the provider", () => {
  test("learns that there are rulings: every address answers as one that is not there", async () => {
    await tell([alert("a", 1)]);
    const { id } = await rule(aboutWeb, { kind: "provider" });
    for (const as of ["north", "prod", "south"]) {
      for (const path of ["/quarantine", "/rulings", `/rulings/${id}`, "/rulings/rul_none"]) {
        const [asked, missing] = [await get(app, path, as), await get(app, "/no-such-thing", as)];
        expect([asked.statusCode, asked.body]).toEqual([missing.statusCode, missing.body]);
      }
      for (const path of [
        "/quarantine/dry-run",
        "/rulings",
        `/rulings/${id}/versions`,
        `/rulings/${id}/withdrawal`,
      ]) {
        // Not even the body is looked at.
        const [asked, missing] = [
          await post(path, { any: 1 }, as),
          await post("/no-such-thing", { any: 1 }, as),
        ];
        expect(asked).toEqual(missing);
      }
    }
    expect((await post("/rulings", {}, "ingest")).status).toBe(401);
    expect((await get(app, "/rulings", "ingest")).statusCode).toBe(401);
  });

  test("reads a word of a decision, its events or its evidence, while the owner sees the event", async () => {
    await tell([alert("a", 1)]);
    const { id } = await rule(aboutWeb, toProd);
    for (const as of ["prod", "north"]) {
      const seen = await get(app, "/events", as);
      expect(seen.json<{ events: unknown[] }>().events).toHaveLength(1);
      for (const path of [
        "/events",
        "/sources",
        "/histogram",
        "/what-else?at=2026-11-19T10:00:00Z",
        "/tenants",
      ]) {
        const { body } = await get(app, path, as);
        for (const word of [id, "isochron", "ruling", "canary", "web-1", "seen", "operator"]) {
          expect({ path, holds: body.includes(word) ? word : "" }).toEqual({ path, holds: "" });
        }
      }
    }
    const { events } = await getJson<{ events: { type: string }[] }>(app, "/events?q=ruling", "provider");
    expect(events.map(({ type }) => type)).toEqual(["isochron.ruling.made"]);
  });

  test("decides through a browser without the header that its own page sends", async () => {
    const opened = await app.inject(
      pageRequest("POST", "/session", undefined, { token: tokenText("provider") }),
    );
    const cookie = String(opened.headers["set-cookie"]).split(";", 1)[0]!;
    const request = { method: "POST", url: "/api/v1/quarantine/dry-run" } as const;
    const payload = { match: { type: "alert.*" }, answer: { kind: "provider" } };
    const bare = await app.inject({ ...request, payload, headers: { cookie } });
    expect(bare.json()).toMatchObject({ code: "header-missing" });
    expect((await app.inject(pageRequest("POST", "/quarantine/dry-run", cookie, payload))).statusCode).toBe(
      200,
    );
  });
});

test("an event that is being answered while a ruling is made is asked about again", async () => {
  const drafts = [alert("a", 1)];
  const before = await openRulings(stages.rulings, place);
  const view = viewOf(
    stages.buildView,
    controlPlane,
    await loadSurroundings(stages.topology, controlPlane, drafts),
  );
  const [answered] = before.apply(stages.resolve(drafts, place.name, view), view);
  await rule(aboutWeb, toProd);
  const late = page([{ ...answered!, editions: [] }], { connection: place.name, controlPlane });
  await stages.store.append({ ...late, rulingsVersion: before.version! });
  await reattribute(stages);
  expect(await owners()).toEqual({ a: "p-prod" });
});

test("the quarantine counts every member of a storm, and tells oldest, newest and what is lacking", async () => {
  await tell([alert("a", 1), alert("b", 7)]);
  await tell([alert("m1", 5), alert("m2", 5), alert("m3", 5)], [], true);
  const quarantine = await getJson<QuarantineJson>(app, "/quarantine", "provider");
  expect(quarantine).toMatchObject({ total: 5, at_least: false, truncated: false });
  expect(quarantine.groups).toMatchObject([
    {
      status: "unresolved",
      type: "alert.cpu.firing",
      connection: "zabbix",
      control_plane: controlPlane,
      count: 5,
      oldest: "2026-11-19T00:01:00.000Z",
      newest: "2026-11-19T00:07:00.000Z",
      sampled: 3,
      candidates: [],
    },
  ]);
  expect(quarantine.groups[0]!.lacks.length).toBeGreaterThan(0);
});
