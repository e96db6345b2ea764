import type { AddressInfo } from "node:net";
import cookie from "@fastify/cookie";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { identityFreshMs, type Grant } from "../../model/identity.ts";
import type { Store } from "../../store/store.ts";
import { pageRequest, problemIn, startApi, TestClock } from "../../../test/api-host.ts";
import { cookieOf, openSession, ToldIdentities } from "../../../test/api-sign-in.ts";
import { controlPlane, fillWorld, tokenText, worldEnd } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { countSessions, rowsOf } from "../../../test/session-rows.ts";
import { AuditNotes } from "./audit-notes.ts";
import type { ApiParts } from "./api-parts.ts";
import type { EventsPageJson, SessionJson } from "./contract.ts";
import { answerFailure } from "./problem.ts";
import { Refusals } from "./refusals.ts";
import { SignIn } from "./sign-in.ts";
import { TenantDirectory } from "./tenant-directory.ts";

const secret = new Uint8Array(32).fill(1);
const onProject = (projectId: string, role: "reader" | "admin" = "reader"): Grant => ({
  kind: "project",
  controlPlane,
  projectId,
  role,
});

let database: TestStore;
let store: Store;
let service: ToldIdentities;
let app: FastifyInstance;
let door: FastifyInstance;
const clock = new TestClock();

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
  await fillWorld(store);
});

afterAll(() => database.close());

beforeEach(async () => {
  clock.now = worldEnd;
  service = new ToldIdentities();
  service.words.set("t-ada", { user: "u-ada", grants: [onProject("p-prod"), onProject("p-south")] });
  const parts = { clock: clock.read, secret, identityProviders: [service] };
  app = await startApi(store, { ...parts, limits: { refusalsPerMinute: 20 } });
  door = await openDoor(parts);
  return async () => {
    await app.close();
    await door.close();
  };
});

/** The least that a sign-in page needs: whoever brings a credential is given a session. */
async function openDoor(parts: Pick<ApiParts, "clock" | "secret" | "identityProviders">) {
  const server = Fastify();
  server.setErrorHandler(answerFailure);
  await server.register(cookie);
  const audit = new AuditNotes({ append: async () => {} }, parts.clock);
  const refusals = new Refusals(20, parts.clock, audit);
  const directory = new TenantDirectory(store.topology, parts.clock);
  const signIn = new SignIn({ ...parts, store, openDemo: false, audit, refusals }, directory);
  server.decorateRequest("principal", undefined);
  server.post("/", async (request: FastifyRequest, reply) => {
    const { user = "u-ada", credential } = request.body as { user?: string; credential: string };
    const person = { through: "keystone", subject: `keystone/${user}`, name: user };
    return (await signIn.openSession(request, reply, { ...person, credential })).label;
  });
  return server;
}

async function signIn(credential = "t-ada", user = "u-ada"): Promise<string> {
  const answer = await door.inject({ method: "POST", url: "/", payload: { credential, user } });
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return cookieOf(answer);
}

function read(headers: Record<string, string>, server = app) {
  return server.inject({ url: "/api/v1/events?limit=100", headers });
}

async function count(headers: Record<string, string>): Promise<number> {
  return (await read(headers)).json<EventsPageJson>().events.length;
}

describe("a session that an identity service vouches for", () => {
  test("sees all that its holder was given in one answer, and is told what that is", async () => {
    const headers = { cookie: await signIn() };
    expect(await count(headers)).toBe(24 + 1 + 15 + 1);
    const one = await app.inject({ url: "/api/v1/events?limit=100&project=p-south", headers });
    expect(one.json<EventsPageJson>().events).toHaveLength(15 + 1);
    const session = (await app.inject({ url: "/api/v1/session", headers })).json<SessionJson>();
    expect(session).toMatchObject({
      kind: "tenant",
      name: "u-ada",
      through: "keystone",
      label: "project prod of northwind, project payroll of southridge",
      grants: [
        { scope: "project", control_plane: controlPlane, project_id: "p-prod", role: "reader" },
        { scope: "project", control_plane: controlPlane, project_id: "p-south", role: "reader" },
      ],
      permissions: [],
      tenants: [],
    });
  });

  test("rests on a word of the service that is less than a minute old", async () => {
    const headers = { cookie: await signIn() };
    await read(headers);
    const { asked } = service;
    clock.pass(identityFreshMs - 1);
    await read(headers);
    expect(service.asked).toBe(asked);
    clock.pass(1);
    await read(headers);
    expect(service.asked).toBe(asked + 1);
  });

  test("loses what its holder lost within the minute", async () => {
    const headers = { cookie: await signIn() };
    await read(headers);
    service.words.set("t-ada", { user: "u-ada", grants: [onProject("p-south")] });
    clock.pass(60_000);
    expect(await count(headers)).toBe(16);
    service.words.set("t-ada", { user: "u-ada", grants: [] });
    clock.pass(60_000);
    expect(await count(headers)).toBe(0);
  });

  test("ends for good when the service refuses its credential", async () => {
    const headers = { cookie: await signIn() };
    await read(headers);
    const word = service.words.get("t-ada")!;
    service.words.delete("t-ada");
    clock.pass(60_000);
    expect((await read(headers)).statusCode).toBe(401);
    service.words.set("t-ada", word);
    clock.pass(60_000);
    expect((await read(headers)).statusCode).toBe(401);
  });

  test("answers nothing while the service cannot be asked, and goes on when it can", async () => {
    const headers = { cookie: await signIn() };
    await read(headers);
    const word = service.words.get("t-ada")!;
    service.words.set("t-ada", "down");
    clock.pass(60_000);
    const answer = await read(headers);
    expect(problemIn(answer)).toMatchObject({ code: "identity-unavailable", status: 503 });
    expect(answer.headers["retry-after"]).toMatch(/^\d+$/);
    service.words.set("t-ada", word);
    expect(await count(headers)).toBe(41);
  });

  test("asks once for however many requests come at the same time", async () => {
    const headers = { cookie: await signIn() };
    await read(headers);
    clock.pass(60_000);
    const { asked } = service;
    const gate = Promise.withResolvers<void>();
    service.gate = gate.promise;
    const answers = Array.from({ length: 10 }, () => read(headers));
    gate.resolve();
    expect((await Promise.all(answers)).map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200));
    expect(service.asked).toBe(asked + 1);
  });

  test("is nobody's where the credential is by now another's, and opens under no other secret", async () => {
    const headers = { cookie: await signIn() };
    const elsewhere = await startApi(store, {
      clock: clock.read,
      secret: new Uint8Array(32).fill(2),
      identityProviders: [service],
    });
    const other = { cookie: await signIn() };
    expect((await read(other, elsewhere)).statusCode).toBe(401);
    await elsewhere.close();
    service.words.set("t-ada", { user: "u-bob", grants: [onProject("p-dev")] });
    clock.pass(60_000);
    expect((await read(headers)).statusCode).toBe(401);
  });

  test("keeps its credential where nobody reads it: sealed in the store, and not in the cookie", async () => {
    const cookie = await signIn();
    const stored = await rowsOf(database, "session");
    expect(stored).toContain("keystone/u-ada");
    expect(stored).not.toContain("t-ada");
    expect(stored).not.toContain(Buffer.from("t-ada").toString("hex"));
    expect(cookie).toMatch(/^isochron_session=ses_[A-Za-z0-9_-]{43}$/);
    expect(stored).not.toContain(cookie.split("=")[1]!);
  });

  test("goes on through a change of its rights", async () => {
    service.words.set("t-op", { user: "u-op", grants: [{ kind: "provider", role: "operator" }] });
    const cookie = await signIn("t-op", "u-op");
    const body = { control_plane: controlPlane, project_id: "p-prod" };
    const looked = await app.inject(pageRequest("POST", "/session/as", cookie, body));
    expect(await count({ cookie: cookieOf(looked) })).toBe(25);
    clock.pass(60_000);
    const back = await app.inject(pageRequest("DELETE", "/session/as", cookieOf(looked)));
    expect(back.json<SessionJson>()).toMatchObject({ kind: "provider", name: "u-op" });
    service.words.set("t-op", { user: "u-op", grants: [] });
    clock.pass(60_000);
    expect(await count({ cookie: cookieOf(back) })).toBe(0);
  });

  test("of one who looked as a tenant shows nothing of it once the role is gone", async () => {
    service.words.set("t-op", { user: "u-op", grants: [{ kind: "provider", role: "operator" }] });
    const cookie = await signIn("t-op", "u-op");
    const body = { control_plane: controlPlane, project_id: "p-prod" };
    const looked = await app.inject(pageRequest("POST", "/session/as", cookie, body));
    service.words.set("t-op", { user: "u-op", grants: [onProject("p-south")] });
    clock.pass(60_000);
    expect(await count({ cookie: cookieOf(looked) })).toBe(16);
  });

  test("takes the place of the one that the browser had, under a new secret", async () => {
    const own = await openSession(app, "north");
    const answer = await door.inject({
      method: "POST",
      url: "/",
      payload: { credential: "t-ada" },
      headers: { cookie: own },
    });
    expect(cookieOf(answer)).not.toBe(own);
    expect((await read({ cookie: own })).statusCode).toBe(401);
    expect((await read({ cookie: cookieOf(answer) })).statusCode).toBe(200);
  });

  test("is opened for nobody whom the service does not vouch for", async () => {
    const before = await countSessions(database);
    service.words.set("t-down", "down");
    for (const credential of ["t-unknown", "t-down"]) {
      const answer = await door.inject({ method: "POST", url: "/", payload: { credential } });
      expect(answer.statusCode).toBe(credential === "t-down" ? 503 : 401);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
    expect(await countSessions(database)).toBe(before);
  });
});

describe("a Keystone token in the request", () => {
  test("is asked about once a minute, and opens what its holder was given", async () => {
    const headers = { "x-auth-token": "t-ada" };
    expect(await count(headers)).toBe(41);
    clock.pass(identityFreshMs - 1);
    expect(await count(headers)).toBe(41);
    expect(service.asked).toBe(1);
    service.words.delete("t-ada");
    clock.pass(1);
    expect((await read(headers)).statusCode).toBe(401);
  });

  test("that is refused is asked about again after five seconds", async () => {
    const headers = { "x-auth-token": "t-soon" };
    expect((await read(headers)).statusCode).toBe(401);
    service.words.set("t-soon", { user: "u-soon", grants: [onProject("p-dev")] });
    clock.pass(4_999);
    expect((await read(headers)).statusCode).toBe(401);
    expect(service.asked).toBe(1);
    clock.pass(1);
    expect(await count(headers)).toBe(9);
  });

  test("is refused as every other credential is, byte for byte", async () => {
    const { body } = await read({});
    for (const token of ["t-unknown", "", " ", "x".repeat(9_000), "\u00e9"]) {
      const answer = await read({ "x-auth-token": token });
      expect(answer.body).toBe(body);
    }
    const named = await read({ "x-auth-token": "t-ada", "x-isochron-identity-provider": "another" });
    expect(named.body).toBe(body);
    expect(await count({ "x-auth-token": "t-ada", "x-isochron-identity-provider": "keystone" })).toBe(41);
  });

  test("gives way to an Authorization header, and is no use of a cookie", async () => {
    const answer = await read({ "x-auth-token": "t-ada", authorization: "Bearer nonsense" });
    expect(answer.statusCode).toBe(401);
    expect(service.asked).toBe(0);
  });

  test("of an address that was refused too often is not even asked about, unless it is known to be good", async () => {
    const known = { "x-auth-token": "t-ada" };
    await read(known);
    for (let attempt = 0; attempt < 20; attempt++) {
      expect((await read({ "x-auth-token": `guess-${attempt}` })).statusCode).toBe(401);
    }
    const { asked } = service;
    const put = await read({ "x-auth-token": "guess-more" });
    expect(problemIn(put).code).toBe("rate-limited");
    expect(service.asked).toBe(asked);
    expect((await read(known)).statusCode).toBe(200);
    clock.pass(60_000);
    expect((await read({ "x-auth-token": "guess-more" })).statusCode).toBe(401);
  });

  test("counts as its holder in limits, with whichever token they come", async () => {
    service.words.set("t-ada-2", service.words.get("t-ada")!);
    service.words.set("t-bob", { user: "u-bob", grants: [onProject("p-dev")] });
    const parts = { clock: clock.read, identityProviders: [service] };
    const strict = await startApi(store, { ...parts, limits: { requestsPerMinute: 2 } });
    const status = async (token: string) => (await read({ "x-auth-token": token }, strict)).statusCode;
    expect([await status("t-ada"), await status("t-ada-2"), await status("t-ada")]).toEqual([200, 200, 429]);
    expect(await status("t-bob")).toBe(200);
    await strict.close();
  });
});

describe("an open stream", () => {
  test.each(["cookie", "x-auth-token"])("of a %s ends when the credential is taken away", async (way) => {
    const limits = { liveRecheckMs: 1, liveHeartbeatMs: 20 };
    const parts = { clock: clock.read, secret, identityProviders: [service], limits };
    const server = await startApi(store, parts);
    await server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = server.server.address() as AddressInfo;
    const credential = way === "cookie" ? await signIn() : "t-ada";
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/live`, { headers: { [way]: credential } });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    await reader.read();
    // No more than the twenty seconds after which a stream is looked at again, and the word that it rests on is renewed.
    service.words.delete("t-ada");
    clock.pass(20_000);
    let last = await reader.read();
    while (!last.done) last = await reader.read();
    expect(last.done).toBe(true);
    expect(
      (await fetch(`http://127.0.0.1:${port}/api/v1/live`, { headers: { [way]: credential } })).status,
    ).toBe(401);
    await server.close();
  });

  test("is no use of its session, which runs out beside it", async () => {
    const uses: Uint8Array[] = [];
    const watched: Pick<Store, "sessions"> = {
      sessions: { ...store.sessions, use: async (hash) => void uses.push(hash) },
    };
    const limits = { liveRecheckMs: 1, liveHeartbeatMs: 1 };
    const server = await startApi({ ...store, ...watched }, { clock: clock.read, secret, limits });
    await server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = server.server.address() as AddressInfo;
    const own = await openSession(app, "north");
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/live`, { headers: { cookie: own } });
    const reader = answer.body!.getReader();
    for (let beats = 0; beats < 5; beats++) await reader.read();
    clock.pass(2 * 3_600_000);
    while (!(await reader.read()).done);
    expect(uses).toEqual([]);
    await server.close();
  });
});

test("over TLS the cookie is the host's alone, and one without that name is not looked at", async () => {
  const headers = { "x-forwarded-proto": "https" };
  const request = pageRequest("POST", "/session", undefined, { token: tokenText("north") });
  const opened = await app.inject({ ...request, headers: { ...request.headers, ...headers } });
  expect(opened.headers["set-cookie"]).toMatch(
    /^__Host-isochron_session=ses_[A-Za-z0-9_-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
  const cookie = cookieOf(opened);
  expect((await read({ ...headers, cookie })).statusCode).toBe(200);
  const plain = cookie.replace("__Host-", "");
  expect((await read({ ...headers, cookie: plain })).statusCode).toBe(401);
  expect((await read({ cookie })).statusCode).toBe(401);
});
