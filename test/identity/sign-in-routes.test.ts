import fc from "fast-check";
import type { FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { identityProvidersSchema, toIdentityProvider } from "../../src/config-identity.ts";
import type { SignInService } from "../../src/model/sign-in-service.ts";
import type { EventsPageJson, SessionJson } from "../../src/present/api/contract.ts";
import { openSignInServices } from "../../src/present/identity/open-sign-in-services.ts";
import type { AuditRecord, AuditStore } from "../../src/store/audit-store.ts";
import { pageRequest, problemIn, startApi } from "../api-host.ts";
import { controlPlane, fillWorld } from "../api-world.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { FakeKeystone } from "./fake-keystone.ts";
import { clientId, clientSecret, OpenIdProvider } from "./open-id-provider.ts";

vi.spyOn(console, "info").mockReturnValue();
vi.spyOn(console, "warn").mockReturnValue();

const password = "correct horse";
const publicUrl = "http://127.0.0.1:4400";

let database: TestStore;
let cloud: FakeKeystone;
let company: OpenIdProvider;
let services: readonly SignInService[];
let app: FastifyInstance;
const audited: AuditRecord[] = [];

beforeAll(async () => {
  database = await openTestStore();
  await fillWorld(database.store);
  const redirectUri = `${publicUrl}/api/v1/session/oidc/company/callback`;
  company = await OpenIdProvider.start({ redirectUri });
  company.people.set("ann", { preferred_username: "Ann", groups: ["ops"] });
});

afterAll(async () => {
  await company.stop();
  await database.close();
});

beforeEach(async () => {
  cloud = await FakeKeystone.start();
  for (const [project, domain] of [
    ["p-prod", "d-north"],
    ["p-south", "d-south"],
  ] as const) {
    cloud.domains.set(domain, { name: domain, enabled: true });
    cloud.projects.set(project, { name: "prod", domain, enabled: true });
    cloud.assign(cloud.addUser("ann", domain, password), "member", { project });
  }
  const settings = [
    {
      name: "keystone",
      kind: "keystone",
      title: "OpenStack",
      control_plane: controlPlane,
      auth_url: cloud.url,
      user_domain: "d-north",
      service: { user: "isochron", user_domain: "Default", password: "env:KEYSTONE" },
    },
    {
      name: "company",
      kind: "oidc",
      issuer: company.issuer,
      client_id: clientId,
      client_secret: "env:OIDC",
      public_url: publicUrl,
      grants: [{ claim: "groups", value: "ops", provider: "operator" }],
    },
  ];
  services = await openSignInServices(
    identityProvidersSchema.parse(settings).map(toIdentityProvider),
    (reference) => (reference === "env:OIDC" ? clientSecret : "service-password"),
  );
  audited.length = 0;
  const audit: AuditStore = Object.assign(Object.create(database.store.audit) as AuditStore, {
    append: async (records: readonly AuditRecord[]) => void audited.push(...records),
  });
  app = await startApi(
    { ...database.store, audit },
    {
      identityProviders: services,
      clock: () => Date.now() as never,
      limits: { refusalStepMs: 1, signInsPerName: 3 },
    },
  );
});

afterEach(async () => {
  await app.close();
  await cloud.stop();
});

function enter(body: object, address = "127.0.0.1") {
  return app.inject({ ...pageRequest("POST", "/session/keystone", undefined, body), remoteAddress: address });
}

function cookiesOf(answer: { headers: Record<string, unknown> }): readonly string[] {
  const found = answer.headers["set-cookie"] ?? [];
  return (Array.isArray(found) ? found : [found]) as string[];
}

async function projectsSeen(cookie: string): Promise<readonly string[]> {
  const answer = await app.inject({ url: "/api/v1/events?limit=100", headers: { cookie } });
  const { events } = answer.json<EventsPageJson>();
  return [...new Set(events.map(({ subject }) => subject.id))].toSorted();
}

const north = { user: "ann", user_domain_id: "d-north", password };
const south = { user: "ann", user_domain: "d-south", password };

describe("POST /session/keystone", () => {
  test("gives a session that sees its own tenant's events, in each of two domains with equal names", async () => {
    const [first, second] = await Promise.all([enter(north), enter(south)]);
    expect([first.statusCode, second.statusCode]).toEqual([200, 200]);
    expect(first.json<SessionJson>()).toMatchObject({ kind: "tenant", through: "keystone" });
    const [cookie = ""] = cookiesOf(first);
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(await projectsSeen(cookie)).toEqual(["srv-web-1"]);
    expect(await projectsSeen(cookiesOf(second)[0] ?? "")).toEqual(["srv-south-1"]);
  });

  test("refuses whatever is wrong with the same answer, without a cookie", async () => {
    const answers = await Promise.all([
      enter({ ...north, password: "wrong" }),
      enter({ ...north, user: "nobody" }),
      enter({ ...south, user_domain: "nowhere" }),
      enter({ token: "gAAAA" }),
      enter({ token: "two words" }),
      enter({ application_credential_id: "a", application_credential_secret: "b" }),
    ]);
    const told = answers.map((answer) => {
      const { "x-request-id": _, date: __, ...headers } = answer.headers;
      return JSON.stringify([answer.statusCode, headers, answer.body]);
    });
    expect(new Set(told).size).toBe(1);
    expect(problemIn(answers[0]!).code).toBe("not-signed-in");
    expect(cookiesOf(answers[0]!)).toEqual([]);
  });

  test("needs the header of these pages, a body that says one thing, and a Keystone that is configured", async () => {
    const bare = await app.inject({ method: "POST", url: "/api/v1/session/keystone", payload: north });
    expect(problemIn(bare).code).toBe("header-missing");
    for (const body of [
      {},
      { ...north, user_domain: "both" },
      { user: "ann", password },
      { ...north, project_id: "p-prod", system: true },
      { ...north, surprise: 1 },
    ])
      expect((await enter(body)).statusCode, JSON.stringify(body)).toBe(400);
    expect(problemIn(await enter({ ...north, provider: "company" })).code).toBe("not-found");
  });

  test("is put off for one user name that is tried often, from however many addresses", async () => {
    for (let index = 0; index < 3; index++)
      expect((await enter({ ...north, password: "wrong" }, `192.0.2.${index}`)).statusCode).toBe(401);
    expect((await enter(north, "192.0.2.9")).statusCode).toBe(429);
    expect((await enter(south, "192.0.2.9")).statusCode).toBe(200);
  });

  test("lets nobody in while Keystone cannot be asked", async () => {
    cloud.mood = "failing";
    expect(problemIn(await enter(north)).code).toBe("identity-unavailable");
  });

  test("is written down, done or refused, without passwords and tokens", async () => {
    await enter(north);
    await enter({ ...north, password: "wrong-and-secret" });
    expect(audited.map(({ action, outcome, object }) => [action, outcome, object])).toEqual([
      ["sign-in", "done", "session:keystone"],
      ["sign-in", "refused", "session:keystone"],
    ]);
    expect(audited[0]?.actor).toMatchObject({ id: "keystone/ann@d-north", name: "ann of d-north" });
    const text = JSON.stringify(audited);
    for (const secret of [password, "wrong-and-secret", ...cloud.tokens.keys()])
      expect(text).not.toContain(secret);
  });
});

test("anybody may know how one can sign in, and nothing else of it", async () => {
  const answer = await app.inject("/api/v1/session/providers");
  expect(answer.json()).toEqual({
    providers: [
      { name: "keystone", title: "OpenStack", kind: "keystone", user_domain: "d-north" },
      { name: "company", title: "company", kind: "oidc" },
    ],
  });
});

describe("signing in through an OpenID Provider", () => {
  async function depart(returnTo: string) {
    const answer = await app.inject(`/api/v1/session/oidc/company?return_to=${encodeURIComponent(returnTo)}`);
    expect(answer.statusCode).toBe(302);
    const [cookie = ""] = cookiesOf(answer);
    return { location: String(answer.headers.location), cookie };
  }

  const comeBack = (query: string, cookie = "") =>
    app.inject({ url: `/api/v1/session/oidc/company/callback?${query}`, headers: { cookie } });

  test("comes back to the view that was asked for, by a page of ours, with a session", async () => {
    const { location, cookie } = await depart("/t?from=2026&q=a%20b");
    expect(cookie).toMatch(
      /^isochron_departure=[\w-]+; Max-Age=600; Path=\/api\/v1\/session\/oidc\/; HttpOnly; SameSite=Lax$/,
    );
    const query = await company.visit(location, "ann");
    const back = await comeBack(query, cookie.split(";")[0]);
    expect(back.statusCode).toBe(200);
    expect(back.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(back.body).toContain('content="0;url=/t?from=2026&#38;q=a%20b"');
    const session = cookiesOf(back).find((line) => line.startsWith("isochron_session=")) ?? "";
    expect(session).toMatch(/SameSite=Strict/);
    const told = await app.inject({
      url: "/api/v1/session",
      headers: { cookie: session.split(";")[0] ?? "" },
    });
    expect(told.json<SessionJson>()).toMatchObject({ kind: "provider", name: "Ann", through: "company" });
    expect((await comeBack(query, cookie.split(";")[0])).headers.location).toBe("/?sign-in=refused");
  });

  test("is refused in another browser, with a forged cookie, and for another provider's departure", async () => {
    const { location, cookie } = await depart("/");
    const query = await company.visit(location, "ann");
    for (const carried of ["", "isochron_departure=AAAA", cookie.split(";")[0]!.slice(0, -2)]) {
      const back = await comeBack(query, carried);
      expect([back.statusCode, back.headers.location]).toEqual([303, "/?sign-in=refused"]);
      expect(cookiesOf(back).some((line) => line.startsWith("isochron_session="))).toBe(false);
    }
    expect((await app.inject("/api/v1/session/oidc/keystone")).statusCode).toBe(404);
  });

  test("puts nobody off by coming back without ever having left, as any page can have a browser do", async () => {
    const limits = { refusalsPerMinute: 2 };
    const strict = await startApi(database.store, { identityProviders: services, limits });
    const url = "/api/v1/session/oidc/company/callback?code=x&state=y";
    for (let attempt = 0; attempt < 4; attempt++)
      expect((await strict.inject(url)).headers.location).toBe("/?sign-in=refused");
    expect((await strict.inject("/api/v1/session/oidc/company")).statusCode).toBe(302);
    await strict.close();
  });

  test("survives any query that a browser can bring", async () => {
    const { cookie } = await depart("/");
    await fc.assert(
      fc.asyncProperty(fc.webQueryParameters(), async (query) => {
        const back = await comeBack(query, cookie.split(";")[0]);
        expect([303, 400]).toContain(back.statusCode);
      }),
      { numRuns: 60 },
    );
  });
});
