import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bearer, get, problemIn, startApi } from "../../../test/api-host.ts";
import {
  appendEvents,
  draftOf,
  fillWorld,
  host,
  prod,
  tokenText,
  worldStart,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import { tenantKey } from "../../model/tenant.ts";
import type { EventsPageJson } from "./contract.ts";
import {
  dossierSchema,
  incidentImportedSchema,
  incidentSchema,
  openedIncidentSchema,
  type IncidentJson,
} from "./incident-contract.ts";
import { hashToken } from "./sign-in.ts";

let db: TestStore;
let app: FastifyInstance;
/** Ids of events, by a word that each was made with. */
const ids = new Map<string, string>();
const secretAt = instant(worldStart + 1_234);

beforeAll(async () => {
  db = await openTestStore();
  await fillWorld(db.store);
  const secret = {
    ...draftOf("e-secret", host, secretAt),
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

const minutes = (count: number): string => formatInstant(instant(worldStart + count * 60_000));

function post(url: string, as: string, payload: object, to = app) {
  return to.inject({ method: "POST", url: `/api/v1${url}`, headers: bearer(as), payload });
}

async function open(changes: readonly object[], as = "operator"): Promise<IncidentJson> {
  const body = { title: "Trouble of a host", from: minutes(0), to: minutes(90) };
  const { incident } = openedIncidentSchema.parse((await post("/incidents", as, body)).json());
  return written(incident, changes, as);
}

async function written(
  { id, version }: IncidentJson,
  changes: readonly object[],
  as = "operator",
): Promise<IncidentJson> {
  const answer = await post(`/incidents/${id}/entries`, as, { expected_version: version, changes });
  expect([answer.statusCode, answer.body]).toEqual([200, expect.anything()]);
  return incidentSchema.parse(answer.json());
}

const ofHost = { kind: "thing", thing: { id: "host", name: "The host", ref: host } };

test("a document that leaves the house says no moment that only some of the provider's people may know", async () => {
  const incident = await open([ofHost, { kind: "pin", event: ids.get("e-secret") }], "admin");
  const path = `/incidents/${incident.id}`;
  const dossier = dossierSchema.parse((await get(app, path, "admin")).json());
  expect(dossier.times[0]?.inferred[0]?.at).toBe(formatInstant(secretAt));
  const audiences = ["public", `tenant:${tenantKey(prod)}`];
  for (const audience of audiences)
    for (const part of ["export?format=json&", "redaction?"])
      for (const as of ["admin", "operator"]) {
        const answer = await get(app, `${path}/${part}${new URLSearchParams({ audience })}`, as);
        expect(answer.statusCode).toBe(200);
        for (const word of ["10:00:01.234", "vault"])
          expect([audience, part, as, answer.body.includes(word)]).toEqual([audience, part, as, false]);
      }
});

test("nothing is frozen that its publisher has not read, also where somebody writes at that very moment", async () => {
  const reviewed = await written(await open([ofHost]), [{ kind: "state", state: "reviewed" }]);
  const { incidents } = db.store;
  const racing = await startApi({
    ...db.store,
    incidents: {
      ...incidents,
      find: async (scope, id) => {
        const read = await incidents.find(scope, id);
        await written(reviewed, [
          { kind: "note", text: "in between" },
          { kind: "state", state: "reviewed" },
        ]);
        return read;
      },
    },
  });
  try {
    const body = { expected_version: reviewed.version + 2, changes: [{ kind: "state", state: "published" }] };
    const answer = await post(`/incidents/${reviewed.id}/entries`, "operator", body, racing);
    expect(problemIn(answer)).toMatchObject({ code: "incident-changed", status: 409 });
    expect(await incidents.frozen({ kind: "provider" }, reviewed.id)).toBeUndefined();
  } finally {
    await racing.close();
  }
});

test("a second part of a document takes the place of the first one's rows only where that is said", async () => {
  const part = (text: string, more: object = {}) =>
    post("/incidents/import", "operator", {
      name: "notes.csv",
      format: "csv",
      text: `time,text\n2026-11-20T10:00Z,${text}\n`,
      ...more,
    });
  const { incident: opened } = incidentImportedSchema.parse((await part("one")).json());
  const into = { incident: opened!.id };
  expect(incidentImportedSchema.parse((await part("one", into)).json()).replaced).toBe(0);
  const dry = incidentImportedSchema.parse((await part("two", { ...into, dry_run: true })).json());
  expect(dry.replaced).toBe(1);
  const refused = await part("two", into);
  expect(problemIn(refused)).toMatchObject({ code: "incident-invalid", status: 422 });
  const { incident, replaced } = incidentImportedSchema.parse(
    (await part("two", { ...into, replace: true })).json(),
  );
  expect([replaced, incident?.rows.map(({ text }) => text)]).toEqual([1, ["two"]]);
});

test("a text for others names nothing of a withheld event either", async () => {
  const named = { ...ofHost, thing: { id: "web", name: "Web" } };
  const text = { kind: "section", section: "summary", audience: "public", text: "Known from req-e-secret." };
  const pinned = await open([named, { kind: "pin", event: ids.get("e-secret") }, text], "admin");
  const reviewed = await written(pinned, [{ kind: "state", state: "reviewed" }]);
  const body = { expected_version: reviewed.version, changes: [{ kind: "state", state: "published" }] };
  const answer = await post(`/incidents/${reviewed.id}/entries`, "operator", body);
  expect(problemIn(answer)).toMatchObject({ code: "incident-invalid" });
  expect(answer.body).toContain("req-e-secret");
});

test("figures of what is published are the same without its events, and those of drafts are measured", async () => {
  const times = ["event", "detection"].map((time, index) => ({
    kind: "time",
    thing: "host",
    time,
    at: minutes(index * 7),
    why: "the ticket",
  }));
  const draft = await open([ofHost, ...times]);
  const range = new URLSearchParams({ from: minutes(-1), to: minutes(90), period: "week" });
  const medians = async (state: string) =>
    (await get(app, `/incidents/kpis?${range}&state=${state}`, "operator"))
      .json()
      .periods.map((one: { lengths: { detect: { median_ms: number } } }) => one.lengths.detect.median_ms);
  expect(await medians("draft")).toContain(420_000);
  const reviewed = await written(draft, [{ kind: "state", state: "reviewed" }]);
  await written(reviewed, [{ kind: "state", state: "published" }]);
  expect(await medians("published")).toContain(420_000);
});

test("a title, a name or a reason of blanks alone is refused", async () => {
  const incident = await open([ofHost]);
  for (const change of [
    { kind: "title", title: "  " },
    { kind: "thing", thing: { id: "x", name: " " } },
    { kind: "time", thing: "host", time: "event", at: minutes(1), why: "\u00a0" },
  ]) {
    const body = { expected_version: incident.version, changes: [change] };
    const answer = await post(`/incidents/${incident.id}/entries`, "operator", body);
    expect([change, problemIn(answer).code]).toEqual([change, "body-invalid"]);
  }
});
