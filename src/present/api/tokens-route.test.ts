import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { z } from "zod";
import type { AuditRecord } from "../../store/audit-store.ts";
import type { Store } from "../../store/store.ts";
import { bearer, get, getJson, problemIn, startApi, TestClock } from "../../../test/api-host.ts";
import { makeToken, openSession, ToldIdentities } from "../../../test/api-sign-in.ts";
import { controlPlane, fillWorld, worldEnd } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { rowsOf, sessionsEnded } from "../../../test/session-rows.ts";
import type { EventsPageJson, SessionJson } from "./contract.ts";
import type { newTokenSchema, tokensSchema } from "./token-contract.ts";

type NewToken = z.infer<typeof newTokenSchema>;
const customers = [
  {
    id: "northern",
    name: "Northern Lights",
    members: [
      { controlPlane, domainId: "d-north" },
      { controlPlane, projectId: "p-south" },
    ],
  },
  { id: "other", name: "Other", members: [{ controlPlane, projectId: "p-dev" }] },
];

let database: TestStore;
let store: Store;
let app: FastifyInstance;
const clock = new TestClock();
const written: AuditRecord[] = [];
const ids = new Map<string, string>();
const service = new ToldIdentities();

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  for (const [name, scope] of [
    ["domain admin", { kind: "domain", controlPlane, domainId: "d-north", role: "admin" }],
    ["domain reader", { kind: "domain", controlPlane, domainId: "d-north", role: "reader" }],
    ["project admin", { kind: "project", controlPlane, projectId: "p-prod", role: "admin" }],
    ["south admin", { kind: "project", controlPlane, projectId: "p-south", role: "admin" }],
    ["customer admin", { kind: "customer", customerId: "northern", role: "admin" }],
    ["operator", { kind: "provider", role: "operator" }],
  ] as const) {
    ids.set(name, await makeToken(store, name, scope));
  }
  const append = async (records: readonly AuditRecord[]) => void written.push(...records);
  app = await startApi(
    { ...store, audit: { ...store.audit, append } },
    { clock: clock.read, tenantSettings: { customers }, identityProviders: [service] },
  );
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const inProject = (id: string) => ({ scope: "project", control_plane: controlPlane, project_id: id });
const inDomain = (id: string) => ({ scope: "domain", control_plane: controlPlane, domain_id: id });

function make(as: string, body: object) {
  const payload = { name: "made here", ...body };
  return app.inject({ method: "POST", url: "/api/v1/tokens", payload, headers: bearer(as) });
}

function revoke(as: string, id: string) {
  return app.inject({ method: "DELETE", url: `/api/v1/tokens/${id}`, headers: bearer(as) });
}

async function listed(as: string): Promise<readonly string[]> {
  const { tokens } = await getJson<z.infer<typeof tokensSchema>>(app, "/tokens", as);
  return tokens.map(({ name }) => name);
}

describe("a token made over the API", () => {
  test("opens what it was made for, and is shown once", async () => {
    const answer = await make("domain admin", { ...inDomain("d-north"), role: "admin", expires_days: 7 });
    const made = answer.json<NewToken>();
    expect(made).toMatchObject({
      name: "made here",
      scope: "domain",
      domain_id: "d-north",
      role: "admin",
      expires_at: "2026-11-27T12:00:00.000Z",
      made_by: ids.get("domain admin"),
    });
    const headers = { authorization: `Bearer ${made.token}` };
    const read = await app.inject({ url: "/api/v1/events?limit=100", headers });
    expect(read.json<EventsPageJson>().events).toHaveLength(34);
    const list = await get(app, "/tokens", "domain admin");
    expect(list.body).toContain(made.id);
    expect(list.body).not.toContain(made.token);
    expect(await rowsOf(database, "api_token")).not.toContain(made.token);
  });

  test("is a reader's and good for ninety days where nothing else is told, and an operator's at the provider", async () => {
    const reader = (await make("project admin", inProject("p-prod"))).json<NewToken>();
    expect(reader).toMatchObject({ role: "reader", expires_at: "2027-02-18T12:00:00.000Z" });
    const operator = (await make("provider", { scope: "provider" })).json<NewToken>();
    expect(operator).toMatchObject({ scope: "provider", role: "operator" });
    expect(operator).not.toHaveProperty("control_plane");
    const sender = (await make("provider", { scope: "ingest", connection: "any" })).json<NewToken>();
    expect(sender).toMatchObject({ scope: "ingest", connection: "any", role: null });
    await revoke("provider", operator.id);
  });

  test("has the ids and a role of its scope, and no others", async () => {
    for (const body of [
      { scope: "project", project_id: "p-prod" },
      { ...inProject("p-prod"), domain_id: "d-north" },
      { ...inProject("p-prod"), role: "operator" },
      { scope: "provider", role: "reader" },
      { scope: "ingest", connection: "any", role: "admin" },
      { ...inProject("p-prod"), expires_days: 367 },
      { ...inProject("p-prod"), expires_days: 0 },
      { ...inProject("p-prod"), name: " " },
    ]) {
      expect(problemIn(await make("provider", body)).code).toBe("body-invalid");
    }
  });

  test("lasts no longer than the token that made it, also by a session of that one", async () => {
    const body = { ...inProject("p-prod"), role: "admin", expires_days: 2 };
    const brief = (await make("project admin", body)).json<NewToken>();
    const request = { method: "POST", url: "/api/v1/tokens" } as const;
    const payload = { name: "longer", ...inProject("p-prod"), role: "admin", expires_days: 366 };
    const csrf = { "x-isochron-csrf": "1" };
    const opened = await app.inject({
      method: "POST",
      url: "/api/v1/session",
      payload: { token: brief.token },
      headers: csrf,
    });
    const cookie = String(opened.headers["set-cookie"]).split(";", 1)[0]!;
    for (const headers of [{ authorization: `Bearer ${brief.token}` }, { cookie, ...csrf }]) {
      const made = (await app.inject({ ...request, payload, headers })).json<NewToken>();
      expect(made.expires_at).toBe(brief.expires_at);
      const shorter = { ...payload, expires_days: 1 };
      const soon = (await app.inject({ ...request, payload: shorter, headers })).json<NewToken>();
      expect(soon.expires_at).toBe("2026-11-21T12:00:00.000Z");
    }
  });

  test("ends with its revocation, and every session that was opened with it", async () => {
    const { id, token } = (await make("project admin", inProject("p-prod"))).json<NewToken>();
    const opened = await app.inject({
      method: "POST",
      url: "/api/v1/session",
      payload: { token },
      headers: { "x-isochron-csrf": "1" },
    });
    const cookie = String(opened.headers["set-cookie"]).split(";", 1)[0]!;
    expect(opened.json<SessionJson>()).toMatchObject({ name: "made here", through: "token" });
    expect((await revoke("project admin", id)).statusCode).toBe(204);
    for (const headers of [{ cookie }, { authorization: `Bearer ${token}` }]) {
      expect((await app.inject({ url: "/api/v1/events", headers })).statusCode).toBe(401);
    }
    expect(await sessionsEnded(database, id)).toEqual([true]);
  });
});

describe("a tenant's administrator", () => {
  test("makes tokens for the own tenant and nobody else's: those are the one 404", async () => {
    const missing = (await get(app, "/tokens", "domain reader")).body;
    const outcome = async (as: string, body: object) => {
      const answer = await make(as, body);
      if (answer.statusCode !== 201) expect(answer.body).toBe(missing);
      return answer.statusCode;
    };
    const customer = (id: string) => ({ scope: "customer", customer_id: id });
    expect(await outcome("domain admin", inDomain("d-north"))).toBe(201);
    expect(await outcome("project admin", inProject("p-prod"))).toBe(201);
    expect(await outcome("customer admin", customer("northern"))).toBe(201);
    expect(await outcome("customer admin", inProject("p-south"))).toBe(201);
    for (const [as, body] of [
      ["domain admin", inDomain("d-south")],
      ["domain admin", inProject("p-south")],
      ["domain admin", { scope: "provider" }],
      ["domain admin", { scope: "ingest", connection: "any" }],
      ["domain admin", customer("northern")],
      ["project admin", inDomain("d-north")],
      ["project admin", inProject("p-dev")],
      ["customer admin", customer("other")],
      // The customer's claim on the domain leaves out a project that is another customer's.
      ["customer admin", inDomain("d-north")],
      ["customer admin", inProject("p-dev")],
      // A project's token opens what it had in another domain too.
      ["domain admin", inProject("p-prod")],
    ] as const) {
      expect({ as, body, status: await outcome(as, body) }).toEqual({ as, body, status: 404 });
    }
  });

  test("sees and ends the tokens of the own tenant alone", async () => {
    const domain = await listed("domain admin");
    expect(domain).toEqual(
      expect.arrayContaining(["north", "prod", "domain admin", "domain reader", "project admin"]),
    );
    expect(domain).not.toEqual(expect.arrayContaining(["south"]));
    for (const other of ["south", "south admin", "provider", "ingest", "customer admin", "operator"]) {
      expect(domain).not.toContain(other);
    }
    expect(await listed("south admin")).toEqual(expect.arrayContaining(["south", "south admin"]));
    expect(
      (await listed("south admin")).filter((name) => !name.startsWith("south") && name !== "made here"),
    ).toEqual([]);
    expect((await listed("provider")).length).toBe((await store.tokens.list()).length);
  });

  test("is told the same of another's token and of none", async () => {
    const missing = await revoke("domain admin", "tok_00000000000000000000");
    expect(missing.statusCode).toBe(404);
    for (const name of ["south admin", "operator", "customer admin"]) {
      const answer = await revoke("domain admin", ids.get(name)!);
      expect(answer.body).toBe(missing.body);
      expect(await store.tokens.byId(ids.get(name)!)).not.toHaveProperty("revokedAt");
    }
  });

  test("is not what a provider becomes who looks through a tenant's eyes", async () => {
    const cookie = await openSession(app, "provider");
    const looked = await app.inject({
      method: "POST",
      url: "/api/v1/session/as",
      payload: { control_plane: controlPlane, project_id: "p-prod" },
      headers: { cookie, "x-isochron-csrf": "1" },
    });
    const eyes = String(looked.headers["set-cookie"]).split(";", 1)[0]!;
    const answer = await app.inject({ url: "/api/v1/tokens", headers: { cookie: eyes } });
    expect(answer.statusCode).toBe(404);
  });
});

test("an operator or auditor who administers a project as well makes and sees no tokens for it", async () => {
  const missing = (await get(app, "/tokens", "domain reader")).body;
  const project = { kind: "project", controlPlane, projectId: "p-prod", role: "admin" } as const;
  const headers = { "x-auth-token": "t-both" };
  const asked = { url: "/api/v1/tokens", headers };
  const body = { method: "POST", payload: { name: "x", ...inProject("p-prod") } } as const;
  for (const role of ["operator", "auditor"] as const) {
    service.words.set("t-both", { user: "u-both", grants: [{ kind: "provider", role }, project] });
    clock.pass(60_000);
    expect((await app.inject(asked)).body).toBe(missing);
    expect((await app.inject({ ...asked, ...body })).body).toBe(missing);
  }
  // With the project's role alone it is all there.
  service.words.set("t-both", { user: "u-both", grants: [project] });
  clock.pass(60_000);
  expect((await app.inject(asked)).statusCode).toBe(200);
  expect((await app.inject({ ...asked, ...body })).statusCode).toBe(201);
  clock.now = worldEnd;
});

test("making and ending a token is written down, and never the token", async () => {
  written.length = 0;
  const { id, token } = (await make("project admin", inProject("p-prod"))).json<NewToken>();
  await revoke("project admin", id);
  const actor = { id: ids.get("project admin"), name: "project admin", address: "127.0.0.1" };
  const scope = `project/${controlPlane}/p-prod/reader`;
  const one = { at: worldEnd, action: "token", outcome: "done", actor, object: `token:${id}` };
  expect(written).toEqual([
    { ...one, details: { made: true, scope } },
    { ...one, details: { revoked: true, scope } },
  ]);
  expect(JSON.stringify(written)).not.toContain(token);
});

test("in a browser's session a token is made from a page of ours alone", async () => {
  const cookie = await openSession(app, "project admin");
  const request = {
    method: "POST",
    url: "/api/v1/tokens",
    payload: { name: "x", ...inProject("p-prod") },
  } as const;
  expect(problemIn(await app.inject({ ...request, headers: { cookie } })).code).toBe("header-missing");
  const headers = { cookie, "x-isochron-csrf": "1" };
  expect((await app.inject({ ...request, headers })).statusCode).toBe(201);
});
