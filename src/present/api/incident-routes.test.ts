import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer, get, problemIn, startApi } from "../../../test/api-host.ts";
import {
  appendEvents,
  dev,
  draftOf,
  fillWorld,
  host,
  prod,
  south,
  tokenText,
  web,
  worldEnd,
  worldStart,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { takeEventAway } from "../../../test/gone-event.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import { tenantKey } from "../../model/tenant.ts";
import type { EventsPageJson } from "./contract.ts";
import {
  dossierSchema,
  incidentEditionSchema,
  incidentHistorySchema,
  incidentImportedSchema,
  incidentKpisSchema,
  incidentRedactionSchema,
  incidentSchema,
  incidentsSchema,
  openedIncidentSchema,
  type DossierJson,
  type IncidentJson,
  type IncidentsJson,
} from "./incident-contract.ts";
import { hashToken } from "./sign-in.ts";

let db: TestStore;
let app: FastifyInstance;
/** Ids of events, by a word that each was made with. */
const ids = new Map<string, string>();

beforeAll(async () => {
  db = await openTestStore();
  await fillWorld(db.store);
  const secret = {
    ...draftOf("e-secret", host, instant(worldStart + 1_000)),
    visibility: "security" as const,
    summary: "a break-in at the vault",
  };
  await appendEvents(db.store, [
    { draft: secret, attribution: { status: "provider", evidence: [] }, dependsOn: [], editions: [] },
  ]);
  for (const role of ["operator", "auditor", "admin"] as const)
    await db.store.tokens.create({
      name: role,
      hash: hashToken(tokenText(role))!,
      scope: { kind: "provider", role },
    });
  app = await startApi(db.store);
  const page = (await get(app, "/events?limit=500", "admin")).json<EventsPageJson>();
  for (const { id, key } of page.events) ids.set((key ?? "").replace("canary-key-", ""), id);
});
afterAll(async () => {
  await app.close();
  await db.close();
});

const post = (url: string, as: string, payload: object) =>
  app.inject({ method: "POST", url: `/api/v1${url}`, headers: bearer(as), payload });

async function open(payload: object = {}, as = "operator"): Promise<IncidentJson> {
  const answer = await post("/incidents", as, { title: "Reboots of canary-host-7", ...payload });
  expect([answer.statusCode, answer.body]).toEqual([201, expect.anything()]);
  return openedIncidentSchema.strict().parse(answer.json()).incident;
}

async function write(incident: IncidentJson, changes: readonly object[], as = "operator") {
  return post(`/incidents/${incident.id}/entries`, as, { expected_version: incident.version, changes });
}

async function written(incident: IncidentJson, changes: readonly object[], as = "operator") {
  const answer = await write(incident, changes, as);
  expect([answer.statusCode, answer.body]).toEqual([200, expect.anything()]);
  return incidentSchema.strict().parse(answer.json());
}

async function dossierOf(id: string, as = "operator"): Promise<DossierJson> {
  return dossierSchema.strict().parse((await get(app, `/incidents/${id}`, as)).json());
}

const minutes = (count: number): string => formatInstant(instant(worldStart + count * 60_000));

/** All that an incident needs to be published, with tenants that are told. */
async function whole(tell: readonly string[] = [], pinned = "e-prod-3"): Promise<IncidentJson> {
  const incident = await open({ events: [ids.get("e-shared"), ids.get(pinned)], from: minutes(0) });
  return written(incident, [
    { kind: "window", from: minutes(0), to: minutes(90) },
    { kind: "thing", thing: { id: "api", name: "Compute service" } },
    ...(["event", "detection", "decision", "resolution"] as const).map((time, index) => ({
      kind: "time",
      thing: "api",
      time,
      at: minutes(index * 10),
      why: "the ticket",
    })),
    { kind: "section", section: "summary", audience: "provider", text: "The host canary-host-7 failed." },
    {
      kind: "section",
      section: "summary",
      audience: "tenant",
      text: "# Servers were away\nSome servers were rebooted.",
    },
    { kind: "section", section: "summary", audience: "public", text: "Some servers were rebooted." },
    { kind: "tell", tenants: tell },
  ]);
}

async function publish(incident: IncidentJson): Promise<IncidentJson> {
  const reviewed = await written(incident, [{ kind: "state", state: "reviewed" }], "admin");
  return written(reviewed, [{ kind: "state", state: "published" }]);
}

test("an incident opened from a selection pins what it holds, in the order of time", async () => {
  const selection = { from: minutes(0), to: minutes(7), resource: web };
  const incident = await open({ selection });
  expect(incident).toMatchObject({ origin: "selection", from: minutes(0), state: "draft" });
  const { pins } = await dossierOf(incident.id);
  expect(pins.map(({ occurred_at: at }) => at)).toEqual([0, 2, 4, 6].map(minutes));
});

test("a rule's key opens one incident, however often it fires", async () => {
  const first = await post("/incidents", "operator", { title: "By a rule", rule: "rule/1" });
  const second = await post("/incidents", "operator", { title: "By a rule again", rule: "rule/1" });
  expect([first.statusCode, second.statusCode]).toEqual([201, 200]);
  expect(second.json()).toMatchObject({
    fresh: false,
    incident: { id: first.json().incident.id, origin: "rule" },
  });
});

test("only who decides writes, all of the provider's people read, and to everybody else there is nothing", async () => {
  const incident = await open();
  const missing = (await get(app, "/nothing-here", "admin")).json<{ detail: string }>().detail;
  const note = { expected_version: incident.version, changes: [{ kind: "note", text: "x" }] };
  const path = `/incidents/${incident.id}`;
  for (const as of ["auditor", "north", "prod", "south"])
    for (const answer of [
      await post("/incidents", as, { nonsense: true }),
      await post(`${path}/entries`, as, note),
    ])
      expect([as, answer.statusCode, problemIn(answer).detail]).toEqual([as, 404, missing]);
  expect((await get(app, path, "auditor")).statusCode).toBe(200);
  for (const as of ["north", "prod", "south"])
    for (const url of [
      path,
      `${path}/history`,
      `${path}/export`,
      `${path}/redaction?audience=public`,
      "/incidents/kpis?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z",
    ]) {
      const answer = await get(app, url, as);
      expect([as, url, answer.statusCode, problemIn(answer).detail]).toEqual([as, url, 404, missing]);
    }
  expect(incidentsSchema.parse((await get(app, "/incidents", "prod")).json())).toEqual({
    incidents: [],
    editions: [],
  });
});

test("what is written is told with who wrote it, and an older version is refused", async () => {
  const incident = await open();
  const after = await written(incident, [
    { kind: "note", text: "first\nsecond line" },
    { kind: "decision", text: "evacuate", decided_at: minutes(5) },
  ]);
  expect(after.log.map(({ kind, change }) => [kind, change["text"]])).toEqual([
    ["note", "first\nsecond line"],
    ["decision", "evacuate"],
  ]);
  const late = await write(incident, [{ kind: "note", text: "late" }]);
  expect(problemIn(late)).toMatchObject({ code: "incident-changed", status: 409 });
  const history = incidentHistorySchema.parse(
    (await get(app, `/incidents/${incident.id}/history`, "auditor")).json(),
  );
  expect(history.entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
  expect(history.entries.at(-1)?.by).toMatch(/^operator \(/);
});

test("nobody pins what it may not see, and a pin of it is withheld from whoever may not", async () => {
  const secret = ids.get("e-secret")!;
  const incident = await open();
  const refusals = await Promise.all(
    [secret, "evt_nothing"].map((event) => write(incident, [{ kind: "pin", event }])),
  );
  expect(new Set(refusals.map((answer) => answer.body)).size).toBe(1);
  expect(problemIn(refusals[0]!)).toMatchObject({ code: "incident-invalid", status: 422 });
  await written(incident, [{ kind: "pin", event: secret }], "admin");
  expect((await dossierOf(incident.id, "admin")).pins).toMatchObject([{ state: "visible" }]);
  const answer = await get(app, `/incidents/${incident.id}`, "operator");
  expect(dossierSchema.parse(answer.json()).pins).toMatchObject([{ event: secret, state: "withheld" }]);
  expect(answer.body).not.toContain("vault");
});

test("a draft is not published, nor what was changed after its review", async () => {
  const incident = await whole();
  expect(problemIn(await write(incident, [{ kind: "state", state: "published" }]))).toMatchObject({
    code: "incident-invalid",
  });
  const reviewed = await written(incident, [{ kind: "state", state: "reviewed" }]);
  expect(reviewed.reviewed).toMatchObject({ by_another: false });
  const edited = await written(reviewed, [{ kind: "note", text: "one more" }]);
  expect(edited).toMatchObject({ state: "draft", reviewed: null });
});

test("what is published is frozen with the hash of its provider's document, whatever happens to its events", async () => {
  const published = await publish(await whole([], "e-prod-9"));
  expect(published.published).toMatchObject({ intact: true });
  expect(published.reviewed).toMatchObject({ by_another: true });
  const path = `/incidents/${published.id}/export?format=json`;
  const before = (await get(app, path, "operator")).json<Record<string, unknown>>();
  const { status: _status, ...frozen } = before;
  const { text } = (await db.store.incidents.frozen({ kind: "provider" }, published.id))!;
  expect(JSON.parse(text)).toEqual(frozen);
  expect(createHash("sha256").update(text).digest("hex")).toBe(published.published?.hash);
  expect(problemIn(await write(published, [{ kind: "title", title: "Other" }]))).toMatchObject({
    code: "incident-published",
    status: 409,
  });
  await takeEventAway(db, ids.get("e-prod-9")!);
  const { status: _, ...after } = (await get(app, path, "operator")).json<Record<string, unknown>>();
  expect(after).toEqual(frozen);
});

test("a tenant is told its own part under an id of its own, and the domain's readers with it", async () => {
  const published = await publish(await whole([tenantKey(prod), tenantKey(south)]));
  const listed = async (as: string) =>
    incidentsSchema.parse((await get(app, "/incidents", as)).json<IncidentsJson>()).editions;
  const [own] = await listed("prod");
  const [theirs] = await listed("south");
  expect(own?.title).toBe("Servers were away");
  expect(new Set([own?.id, theirs?.id, published.id]).size).toBe(3);
  expect((await listed("north")).map(({ id }) => id)).toContain(own?.id);
  const answer = await get(app, `/incidents/${own?.id}`, "prod");
  const edition = incidentEditionSchema.strict().parse(answer.json());
  expect(createHash("sha256").update(edition.markdown).digest("hex")).toBe(edition.hash);
  expect(edition.markdown).toContain("srv-web-1 was rebooted");
  for (const word of ["canary", published.id, south.projectId, dev.projectId, "srv-south-1", "operator ("])
    expect(answer.body).not.toContain(word);
  for (const [id, as] of [
    [own?.id, "south"],
    [theirs?.id, "prod"],
    [theirs?.id, "north"],
    [published.id, "prod"],
  ])
    expect([as, (await get(app, `/incidents/${id}`, as!)).statusCode]).toEqual([as, 404]);
});

test("an amendment reaches those whom it is for, in the next edition, and names nobody", async () => {
  const published = await publish(await whole([tenantKey(dev)]));
  const leaking = { kind: "amendment", text: "It was canary-host-7.", audience: "tenant" };
  expect(problemIn(await write(published, [leaking]))).toMatchObject({ code: "incident-invalid" });
  const inner = await written(published, [{ ...leaking, audience: "provider" }]);
  const id = db.store.incidents.editionId(published.id, tenantKey(dev));
  const scope = { kind: "provider" } as const;
  expect(await db.store.incidents.edition(scope, id)).toHaveLength(1);
  const after = await written(inner, [
    { kind: "amendment", text: "# The disk was replaced", audience: "tenant" },
  ]);
  const [latest, first] = await db.store.incidents.edition(scope, id);
  expect(latest?.markdown.startsWith(first!.markdown.trimEnd())).toBe(true);
  expect(latest?.markdown).toContain("The disk was replaced");
  expect(latest?.markdown).not.toContain("canary-host-7");
  expect(after.published).toEqual(published.published);
});

test("documents are made for each audience, as files, and each is in the audit", async () => {
  const incident = await whole([tenantKey(prod)]);
  const documents = [
    ["md", "provider", "text/markdown"],
    ["html", "public", "text/html"],
    ["json", `tenant:${tenantKey(prod)}`, "application/json"],
  ] as const;
  for (const [format, audience, type] of documents) {
    const query = new URLSearchParams({ format, audience });
    const answer = await get(app, `/incidents/${incident.id}/export?${query}`, "operator");
    expect([format, answer.statusCode]).toEqual([format, 200]);
    expect(answer.headers["content-type"]).toContain(type);
    expect(answer.headers["content-disposition"]).toBe(`attachment; filename="${incident.id}.${format}"`);
    expect(answer.body.includes("canary-host-7")).toBe(audience === "provider");
  }
  const { entries } = await db.store.audit.list({ action: "export", object: `incident:${incident.id}` }, 10);
  expect(entries).toHaveLength(3);
  const diff = await get(app, `/incidents/${incident.id}/redaction?audience=public`, "auditor");
  const { fields } = incidentRedactionSchema.strict().parse(diff.json());
  expect(new Set(fields.map(({ outcome }) => outcome))).toEqual(new Set(["shown", "replaced", "withheld"]));
  const unknown = await get(
    app,
    `/incidents/${incident.id}/export?audience=tenant:project/none/none`,
    "operator",
  );
  expect(unknown.statusCode).toBe(400);
});

test("each step is in the audit by ids alone, and figures count what was measured", async () => {
  const incident = await publish(await whole());
  const { entries } = await db.store.audit.list(
    { action: "incident", object: `incident:${incident.id}` },
    10,
  );
  expect(entries.map(({ details }) => details["state"])).toEqual(["published", "reviewed", "draft", "draft"]);
  expect(JSON.stringify(entries.map(({ details }) => details))).not.toContain("canary");
  const range = `from=${formatInstant(worldStart)}&to=${formatInstant(worldEnd)}`;
  const answer = await get(app, `/incidents/kpis?${range}&period=week&state=published`, "auditor");
  const { periods } = incidentKpisSchema.strict().parse(answer.json());
  expect(periods[0]?.lengths.detect.median_ms).toBe(600_000);
});

test("a selection that cannot be, a window that ends before it begins and an unknown tenant are refused", async () => {
  const incident = await open();
  for (const [changes, code] of [
    [[{ kind: "window", from: minutes(5), to: minutes(1) }], "incident-invalid"],
    [[{ kind: "tell", tenants: ["project/none/none"] }], "tenant-unknown"],
    [[{ kind: "unpin", event: "evt_x", why: "wrong" }], "incident-invalid"],
    [[{ kind: "time", thing: "none", time: "event", at: minutes(1), why: "x" }], "incident-invalid"],
    [
      [
        { kind: "state", state: "published" },
        { kind: "note", text: "x" },
      ],
      "incident-invalid",
    ],
    [[{ kind: "state", state: "published", hash: "0".repeat(64) }], "body-invalid"],
  ] as const) {
    expect([changes, problemIn(await write(incident, changes)).code]).toEqual([changes, code]);
  }
  const many = { selection: { from: minutes(0), to: minutes(-1) }, title: "x" };
  expect((await post("/incidents", "operator", many)).statusCode).toBe(422);
});

test("a timeline that people wrote becomes an incident, and what cannot be used is told", async () => {
  const text = [
    "# Queue overloaded",
    "",
    "- 10:06 The maintenance began",
    "- 10:30 The queue is full",
    "- 12:00",
  ].join("\n");
  const document = { name: "notes.md", format: "markdown", text };
  const bare = (await post("/incidents/import", "operator", { ...document, dry_run: true })).json();
  expect(incidentImportedSchema.strict().parse(bare)).toMatchObject({ used: 0 });
  expect(bare.incident).toBeUndefined();
  const dated = { ...document, date: "2026-11-20", time_zone: "Europe/Paris" };
  const answer = await post("/incidents/import", "operator", dated);
  expect(answer.statusCode).toBe(201);
  const { incident, lines, used, without_time: untimed, set_aside: aside } = answer.json();
  expect(lines).toBe(used + untimed + aside.length);
  expect(incident).toMatchObject({ origin: "import", title: "Queue overloaded", state: "draft" });
  expect(incident.rows[0]).toMatchObject({ document: "notes.md", at: "2026-11-20T09:06:00.000Z" });
  const again = await post("/incidents/import", "operator", { ...dated, incident: incident.id, title: "x" });
  expect(again.json().incident).toMatchObject({ id: incident.id, title: "Queue overloaded" });
  expect(again.json().incident.rows).toEqual(incident.rows);
  expect((await post("/incidents/import", "auditor", dated)).statusCode).toBe(404);
});
