import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Store } from "../../store/store.ts";
import { bearer, get, pageRequest, problemIn, startApi, TestClock } from "../../../test/api-host.ts";
import { cookieOf, makeToken, openSession, ToldIdentities } from "../../../test/api-sign-in.ts";
import { controlPlane, fillWorld, hashOf, tokenText } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import type { AuditRecord } from "../../store/audit-store.ts";

let database: TestStore;
let store: Store;
let app: FastifyInstance;
let adminId: string;
const clock = new TestClock();
const written: AuditRecord[] = [];

beforeAll(async () => {
  database = await openTestStore();
  const append = async (records: readonly AuditRecord[]) => void written.push(...records);
  store = { ...database.store, audit: { ...database.store.audit, append } };
  await fillWorld(store);
  adminId = await makeToken(store, "chief", { kind: "provider", role: "admin" });
  app = await startApi(store, { clock: clock.read, limits: { refusalsPerMinute: 3 } });
});

beforeEach(() => {
  clock.pass(60_000);
  written.length = 0;
});

afterAll(async () => {
  await app.close();
  await database.close();
});

test("signing in and out, and looking as a tenant, are written down with who and from where", async () => {
  const cookie = await openSession(app, "chief");
  const body = { control_plane: controlPlane, project_id: "p-prod" };
  const looked = await app.inject(pageRequest("POST", "/session/as", cookie, body));
  await app.inject(pageRequest("DELETE", "/session", cookieOf(looked)));
  const actor = { id: adminId, name: "chief", address: "127.0.0.1" };
  const done = { at: clock.now, outcome: "done", actor };
  expect(written).toEqual([
    { ...done, action: "sign-in", object: "session:token" },
    { ...done, action: "look-as-tenant", object: `tenant:project/${controlPlane}/p-prod` },
    { ...done, action: "sign-out", object: "session:token" },
  ]);
});

test("a refused sign-in and a refused credential are written down, without what was tried", async () => {
  await app.inject(pageRequest("POST", "/session", undefined, { token: tokenText("guess") }));
  await get(app, "/events", "guess");
  const one = {
    at: clock.now,
    action: "sign-in",
    outcome: "refused",
    actor: { id: "unknown", address: "127.0.0.1" },
  };
  expect(written).toEqual([
    { ...one, object: "session:token" },
    { ...one, object: "session:credential" },
  ]);
  expect(JSON.stringify(written)).not.toContain(tokenText("guess"));
});

test("an address that guesses is put off for a minute, also with a token that would be good", async () => {
  const signIn = (name: string) =>
    app.inject(pageRequest("POST", "/session", undefined, { token: tokenText(name) }));
  for (let attempt = 0; attempt < 3; attempt++) expect((await signIn("guess")).statusCode).toBe(401);
  const put = await signIn("chief");
  expect(problemIn(put).code).toBe("rate-limited");
  expect(put.headers["retry-after"]).toBe("60");
  // Who is signed in already goes on, from whichever address others guess.
  expect((await get(app, "/events", "chief")).statusCode).toBe(200);
  clock.pass(60_000);
  expect((await signIn("chief")).statusCode).toBe(200);
});

test("requests that any page can have a browser make, without credentials, put nobody off", async () => {
  for (let attempt = 0; attempt < 5; attempt++) {
    const answer = await app.inject({ url: "/api/v1/events", headers: { cookie: "theme=dark" } });
    expect(problemIn(answer).code).toBe("not-signed-in");
  }
  expect(written).toEqual([]);
  const request = pageRequest("POST", "/session", undefined, { token: tokenText("chief") });
  expect((await app.inject(request)).statusCode).toBe(200);
  // A cookie that is none of ours any more was a credential once.
  const headers = { cookie: `isochron_session=ses_${"A".repeat(43)}` };
  for (let attempt = 0; attempt < 3; attempt++) await app.inject({ url: "/api/v1/events", headers });
  expect((await app.inject(request)).statusCode).toBe(429);
});

test("behind a trusted proxy each client is put off and told of by its own address", async () => {
  const limits = { refusalsPerMinute: 3 };
  const signIn = (server: FastifyInstance, name: string, from: string, forwarded: string) => {
    const request = pageRequest("POST", "/session", undefined, { token: tokenText(name) });
    const headers = { ...request.headers, "x-forwarded-for": forwarded };
    return server.inject({ ...request, headers, remoteAddress: from });
  };
  const proxied = await startApi(store, { clock: clock.read, limits, trustedProxies: ["10.1.0.0/16"] });
  for (let attempt = 0; attempt < 3; attempt++)
    await signIn(proxied, "guess", "10.1.2.3", "203.0.113.9, 192.0.2.1");
  expect((await signIn(proxied, "chief", "10.1.2.3", "192.0.2.1")).statusCode).toBe(429);
  expect((await signIn(proxied, "chief", "10.1.2.3", "192.0.2.2")).statusCode).toBe(200);
  expect(written.map(({ actor }) => actor.address)).toEqual([
    ...Array.from({ length: 3 }, () => "192.0.2.1"),
    "192.0.2.2",
  ]);
  // What anybody else writes into the header is not looked at.
  for (let attempt = 0; attempt < 3; attempt++)
    await signIn(proxied, "guess", "198.51.100.7", `192.0.2.${attempt}`);
  expect((await signIn(proxied, "chief", "198.51.100.7", "192.0.2.99")).statusCode).toBe(429);
  expect((await signIn(proxied, "chief", "10.1.2.3", "192.0.2.3")).statusCode).toBe(200);
  await proxied.close();
  // Without a word of the configuration nobody is trusted, not even this machine.
  for (let attempt = 0; attempt < 3; attempt++) await signIn(app, "guess", "127.0.0.1", `192.0.2.${attempt}`);
  expect((await signIn(app, "chief", "127.0.0.1", "192.0.2.50")).statusCode).toBe(429);
});

test("where a sign-in cannot be written down nobody is signed in", async () => {
  const append = async (): Promise<never> => {
    throw new Error("the disk is full");
  };
  const mute = await startApi({ ...store, audit: { ...store.audit, append } }, { clock: clock.read });
  const answer = await mute.inject(pageRequest("POST", "/session", undefined, { token: tokenText("chief") }));
  expect(answer.statusCode).toBe(500);
  expect(answer.headers["set-cookie"]).toBeUndefined();
  await mute.close();
});

test("a limit is of whoever asks: a token and its sessions have one, and nobody else's is touched", async () => {
  const strict = await startApi(store, { clock: clock.read, limits: { requestsPerMinute: 3 } });
  const cookie = await openSession(strict, "chief");
  const statuses: number[] = [];
  for (const headers of [bearer("chief"), { cookie }, bearer("chief"), { cookie }]) {
    statuses.push((await strict.inject({ url: "/api/v1/events?limit=1", headers })).statusCode);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect((await get(strict, "/events", "prod")).statusCode).toBe(200);
  await strict.close();
});

test("a request that no service can vouch for is no refusal of its address", async () => {
  const service = new ToldIdentities();
  service.words.set("t", "down");
  const parts = { clock: clock.read, identityProviders: [service] };
  const strict = await startApi(store, { ...parts, limits: { refusalsPerMinute: 1 } });
  for (let attempt = 0; attempt < 3; attempt++) {
    const answer = await strict.inject({ url: "/api/v1/events", headers: { "x-auth-token": "t" } });
    expect(problemIn(answer).code).toBe("identity-unavailable");
  }
  expect(written).toEqual([]);
  await strict.close();
});

test("a session is at most as old as its token", async () => {
  const hash = hashOf(tokenText("brief"));
  const expiresAt = clock.now;
  clock.pass(-90_000);
  await store.tokens.create({ name: "brief", hash, scope: { kind: "provider" }, expiresAt });
  const opened = await app.inject(pageRequest("POST", "/session", undefined, { token: tokenText("brief") }));
  expect(opened.headers["set-cookie"]).toContain("Max-Age=90;");
  clock.pass(90_000);
  const answer = await app.inject({ url: "/api/v1/events", headers: { cookie: cookieOf(opened) } });
  expect(answer.statusCode).toBe(401);
});
