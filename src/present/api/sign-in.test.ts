import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { duration, instant } from "../../model/instant.ts";
import type { Store } from "../../store/store.ts";
import type { EventsPageJson, SessionJson } from "./contract.ts";
import type { TenantsJson } from "./tenancy-contract.ts";
import { bearer, get, getJson, pageRequest, problemIn, startApi, TestClock } from "../../../test/api-host.ts";
import { controlPlane, fillWorld, hashOf, tokenText, worldEnd } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";

let database: TestStore;
let store: Store;
let app: FastifyInstance;
const clock = new TestClock();
const loopback = { host: "127.0.0.1:4400" };

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
  app = await startApi(store, { clock: clock.read, openDemo: true });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

describe("bearer tokens", () => {
  test("no, malformed, unknown, expired and revoked tokens are refused with the same bytes", async () => {
    const late = { name: "late", hash: hashOf(tokenText("late")), expiresAt: worldEnd };
    await store.tokens.create({ ...late, scope: { kind: "provider" } });
    const gone = { name: "gone", hash: hashOf(tokenText("gone")) };
    const { id } = await store.tokens.create({ ...gone, scope: { kind: "provider" } });
    await store.tokens.revoke(id);
    const attempts = [
      {},
      { authorization: "" },
      { authorization: "Bearer" },
      { authorization: "Basic aXNvOg==" },
      { authorization: `Bearer ${tokenText("unknown")}` },
      { authorization: `Bearer  ${tokenText("provider")}` },
      { authorization: `Bearer ${tokenText("provider")}x` },
      bearer("late"),
      bearer("gone"),
      { cookie: "isochron_session=abc.def" },
      { cookie: "isochron_session=e30.e30" },
    ];
    const answers = [];
    for (const headers of attempts) answers.push(await app.inject({ url: "/api/v1/events", headers }));
    expect(answers.map((answer) => answer.statusCode)).toEqual(attempts.map(() => 401));
    expect(new Set(answers.map((answer) => answer.body)).size).toBe(1);
  });

  test("the token of a source may not read", async () => {
    for (const path of ["/events", "/sources", "/live", "/session"]) {
      expect((await get(app, path, "ingest")).statusCode).toBe(401);
    }
  });

  test("a domain's token reads its projects and the domain's own, a project's token the project", async () => {
    const count = async (as: string) => (await getJson<EventsPageJson>(app, "/events", as)).events.length;
    expect(await count("provider")).toBe(52);
    expect(await count("north")).toBe(24 + 9 + 1);
    expect(await count("prod")).toBe(24 + 1);
    expect(await count("south")).toBe(15 + 1);
  });

  test("tenants are told of themselves only", async () => {
    const names = async (as: string) =>
      (await getJson<TenantsJson>(app, "/tenants", as)).tenants.map(
        (tenant) => tenant.project_name ?? tenant.domain_name,
      );
    expect(await names("north")).toEqual(["northwind", "dev", "prod"]);
    expect(await names("prod")).toEqual(["prod"]);
    expect(await names("provider")).toEqual(["northwind", "dev", "prod", "southridge", "payroll"]);
  });
});

describe("cookie sessions", () => {
  test("a token opens a session that its cookie carries on, and signing out ends it for copies too", async () => {
    const opened = await app.inject(
      pageRequest("POST", "/session", undefined, { token: tokenText("north") }),
    );
    expect(opened.json<SessionJson>()).toMatchObject({
      kind: "tenant",
      label: "domain northwind",
      as_tenant: false,
    });
    const header = String(opened.headers["set-cookie"]);
    expect(header).toMatch(/; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    const cookie = header.split(";", 1)[0]!;
    expect((await readAs(cookie)).statusCode).toBe(200);
    const ended = await app.inject(pageRequest("DELETE", "/session", cookie));
    expect(ended.statusCode).toBe(204);
    expect(ended.headers["set-cookie"]).toMatch(/isochron_session=;/);
    expect((await readAs(cookie)).statusCode).toBe(401);
  });

  test("the cookie is for TLS only where the request came over TLS", async () => {
    const request = pageRequest("POST", "/session", undefined, { token: tokenText("north") });
    const headers = { ...request.headers, "x-forwarded-proto": "https" };
    const { "set-cookie": cookie } = (await app.inject({ ...request, headers })).headers;
    expect(cookie).toMatch(/; Secure/);
  });

  test("a session ends after twelve hours, after two without use, and at once when its token is revoked", async () => {
    const token = { name: "short", hash: hashOf(tokenText("short")), scope: { kind: "provider" } as const };
    const { id } = await store.tokens.create(token);
    const used = await openSession({ token: tokenText("short") });
    const idle = await openSession({ token: tokenText("short") });
    clock.pass(duration(2 * 3_600_000 - 1));
    expect((await readAs(used)).statusCode).toBe(200);
    clock.pass(1);
    expect((await readAs(idle)).statusCode).toBe(401);
    for (let hours = 3; hours < 12; hours++) {
      clock.now = instant(worldEnd + hours * 3_600_000);
      expect((await readAs(used)).statusCode).toBe(200);
    }
    clock.now = instant(worldEnd + 12 * 3_600_000);
    expect((await readAs(used)).statusCode).toBe(401);
    clock.now = worldEnd;
    const cookie = await openSession({ token: tokenText("short") });
    expect((await readAs(cookie)).statusCode).toBe(200);
    await store.tokens.revoke(id);
    expect((await readAs(cookie)).statusCode).toBe(401);
  });

  test("a session that was opened in one process is good in another of the same store, and ends in both", async () => {
    const other = await startApi(store, { clock: clock.read, secret: new Uint8Array(32).fill(2) });
    const request = pageRequest("POST", "/session", undefined, { token: tokenText("provider") });
    const cookie = cookieOf((await other.inject(request)).headers["set-cookie"]);
    expect((await readAs(cookie)).statusCode).toBe(200);
    expect((await app.inject(pageRequest("DELETE", "/session", cookie))).statusCode).toBe(204);
    const answer = await other.inject({ url: "/api/v1/events", headers: { cookie } });
    expect(answer.statusCode).toBe(401);
    await other.close();
  });

  test("the token of a source opens no session", async () => {
    const answer = await app.inject(
      pageRequest("POST", "/session", undefined, { token: tokenText("ingest") }),
    );
    expect(problemIn(answer).code).toBe("not-signed-in");
  });

  test("requests that change something need the header that no foreign form can send", async () => {
    const cookie = await openSession({ token: tokenText("provider") });
    for (const [method, path] of [
      ["DELETE", "/session"],
      ["POST", "/session/as"],
      ["DELETE", "/session/as"],
      ["POST", "/ingest/any"],
    ] as const) {
      const answer = await app.inject({ method, url: `/api/v1${path}`, headers: { cookie } });
      expect(problemIn(answer).code).toBe("header-missing");
    }
    expect((await readAs(cookie)).statusCode).toBe(200);
  });
});

describe("the demo's one click", () => {
  const click = (headers: Record<string, string>, remoteAddress = "127.0.0.1") => {
    const request = pageRequest("POST", "/session", undefined, { demo: true });
    return app.inject({ ...request, headers: { ...request.headers, ...headers }, remoteAddress });
  };

  test("signs a browser of this machine in as the provider", async () => {
    for (const host of ["127.0.0.1:4400", "localhost:4400", "[::1]:4400", "LOCALHOST"]) {
      const answer = await click({ host });
      expect(answer.json<SessionJson>()).toMatchObject({ kind: "provider", demo: true });
    }
  });

  test("is refused to other machines, under other names, through proxies and to foreign pages", async () => {
    const refused = [
      await click({ host: "attacker.example:4400" }),
      await click({ host: "127.0.0.1.attacker.example" }),
      await click({ host: "localhost.attacker.example" }),
      await click(loopback, "192.0.2.7"),
      await click({ ...loopback, "x-forwarded-for": "192.0.2.7" }),
      await click({ ...loopback, forwarded: "for=192.0.2.7" }),
      await click({ ...loopback, via: "1.1 proxy" }),
    ];
    for (const answer of refused) expect(problemIn(answer).code).toBe("not-signed-in");
    for (const origin of ["http://attacker.example", "null"]) {
      expect(problemIn(await click({ ...loopback, origin })).code).toBe("header-missing");
    }
  });

  test("its cookie is worth nothing from elsewhere, nor on a server that does not offer it", async () => {
    const cookie = cookieOf((await click(loopback)).headers["set-cookie"]);
    expect((await readAs(cookie, loopback)).statusCode).toBe(200);
    expect((await readAs(cookie, { host: "attacker.example" })).statusCode).toBe(401);
    const closed = await startApi(store, { clock: clock.read });
    const answer = await closed.inject({ url: "/api/v1/events", headers: { cookie, ...loopback } });
    expect(answer.statusCode).toBe(401);
    await closed.close();
  });
});

describe("looking through a tenant's eyes", () => {
  test("a provider's session reads exactly what the tenant's own token reads, and returns", async () => {
    const own = await openSession({ token: tokenText("provider") });
    const request = { control_plane: controlPlane, project_id: "p-prod" };
    const looked = await app.inject(pageRequest("POST", "/session/as", own, request));
    expect(looked.json<SessionJson>()).toMatchObject({
      kind: "tenant",
      label: "project prod of northwind",
      as_tenant: true,
      tenants: [],
    });
    const cookie = cookieOf(looked.headers["set-cookie"]);
    for (const path of [
      "/events?limit=5",
      "/sources",
      "/quarantine",
      "/histogram",
      "/tenants",
      "/resources/server/srv-web-1",
    ]) {
      const seen = await app.inject({ url: `/api/v1${path}`, headers: { cookie } });
      expect(seen.body).toBe((await get(app, path, "prod")).body);
    }
    const back = await app.inject(pageRequest("DELETE", "/session/as", cookie));
    expect(back.json<SessionJson>()).toMatchObject({ kind: "provider", as_tenant: false });
    expect(
      (await readAs(cookieOf(back.headers["set-cookie"]))).json<EventsPageJson>().events[0],
    ).toHaveProperty("connection");
  });

  test("as a tenant, a provider's session may not post records", async () => {
    const own = await openSession({ token: tokenText("provider") });
    const asked = { control_plane: controlPlane, domain_id: "d-south" };
    const looked = await app.inject(pageRequest("POST", "/session/as", own, asked));
    const cookie = cookieOf(looked.headers["set-cookie"]);
    expect(problemIn(await app.inject(pageRequest("POST", "/ingest/any", cookie, {}))).code).toBe(
      "not-found",
    );
  });

  test("tenants and bearers of tokens cannot look as anybody", async () => {
    const asked = { control_plane: controlPlane, project_id: "p-south" };
    const cookie = await openSession({ token: tokenText("prod") });
    expect(problemIn(await app.inject(pageRequest("POST", "/session/as", cookie, asked))).code).toBe(
      "not-found",
    );
    expect(problemIn(await app.inject(pageRequest("DELETE", "/session/as", cookie))).code).toBe("not-found");
    const request = pageRequest("POST", "/session/as", undefined, asked);
    const headers = { ...request.headers, ...bearer("provider") };
    expect(problemIn(await app.inject({ ...request, headers })).code).toBe("not-signed-in");
  });

  test("a tenant that is not known is the 404, and both kinds at once are a bad body", async () => {
    const cookie = await openSession({ token: tokenText("provider") });
    const ask = async (body: object) =>
      problemIn(await app.inject(pageRequest("POST", "/session/as", cookie, body))).code;
    expect(await ask({ control_plane: controlPlane, project_id: "none" })).toBe("not-found");
    expect(await ask({ control_plane: controlPlane, project_id: "p-prod", domain_id: "d-north" })).toBe(
      "body-invalid",
    );
    expect(await ask({ control_plane: controlPlane })).toBe("body-invalid");
  });
});

test("a viewer of its own store needs no token", async () => {
  const own = await startApi(store, { viewer: { kind: "project", controlPlane, projectId: "p-prod" } });
  const answer = await own.inject({ url: "/api/v1/events" });
  expect(answer.json<EventsPageJson>().events).toHaveLength(25);
  await own.close();
});

async function openSession(body: object): Promise<string> {
  const answer = await app.inject(pageRequest("POST", "/session", undefined, body));
  return cookieOf(answer.headers["set-cookie"]);
}

function cookieOf(header: string | string[] | undefined): string {
  return String(header).split(";", 1)[0]!;
}

function readAs(cookie: string, headers: Record<string, string> = {}) {
  return app.inject({ url: "/api/v1/events", headers: { cookie, ...headers } });
}
