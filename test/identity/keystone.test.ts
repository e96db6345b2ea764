import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IsochronError } from "../../src/errors.ts";
import type { Identity } from "../../src/model/identity.ts";
import { identityProvidersSchema, toIdentityProvider } from "../../src/config-identity.ts";
import type { KeystoneCredential, KeystoneSignIn } from "../../src/model/sign-in-service.ts";
import { openSignInServices } from "../../src/present/identity/open-sign-in-services.ts";
import { FakeKeystone } from "./fake-keystone.ts";

let cloud: FakeKeystone;
beforeEach(async () => {
  cloud = await FakeKeystone.start();
});
afterEach(() => cloud.stop());

const password = "correct horse";

/** As the configuration file would give it. */
async function connect(settings: object = {}, reveal = () => "service-password"): Promise<KeystoneSignIn> {
  const setting = {
    name: "keystone",
    kind: "keystone",
    control_plane: "region-1",
    auth_url: cloud.url,
    service: { user: "isochron", user_domain: "Default", password: "env:KEYSTONE_PASSWORD" },
    timeout_seconds: 1,
    ...settings,
  };
  const configs = identityProvidersSchema.parse([setting]).map(toIdentityProvider);
  const [service] = await openSignInServices(configs, reveal);
  if (service?.kind !== "keystone") throw new Error("no Keystone was opened");
  return service;
}

function withPassword(user: string, domain: string, more: object = {}): KeystoneCredential {
  return { kind: "password", user, domain: { id: domain }, password, ...more };
}

function project(projectId: string, role: "reader" | "admin" = "reader") {
  return { kind: "project", controlPlane: "region-1", projectId, role } as const;
}

async function grantsOf(
  keystone: KeystoneSignIn,
  credential: KeystoneCredential,
): Promise<Identity["grants"]> {
  return (await keystone.signIn(credential)).identity.grants;
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => "nothing failed",
    (reason: unknown) => reason,
  );
  return error instanceof IsochronError ? error.code : String(error);
}

describe("what a sign-in at Keystone opens", () => {
  test("a password opens all of the user's projects at once, through groups and inheritance, in one identity", async () => {
    const acme = cloud.addDomain("acme");
    const shop = cloud.addProject("shop", acme);
    const bank = cloud.addProject("bank", acme);
    const other = cloud.addProject("other", cloud.addDomain("globex"));
    const ann = cloud.addUser("ann", acme, password, ["g-bankers"]);
    cloud.assign(ann, "member", { project: shop });
    cloud.assign("g-bankers", "admin", { project: bank });
    cloud.assign(ann, "reader", { domain: "d-globex", inherited: true });
    const { identity } = await (await connect()).signIn(withPassword("ann", acme));
    expect(identity).toMatchObject({ subject: `keystone/${ann}`, name: "ann of acme" });
    expect(identity.grants).toEqual(
      expect.arrayContaining([project(shop), project(bank, "admin"), project(other)]),
    );
    expect(identity.grants).toHaveLength(3);
  });

  test("equal names of users and projects in two domains are two users and two projects", async () => {
    const keystone = await connect();
    for (const name of ["acme", "globex"]) {
      const domain = cloud.addDomain(name);
      const prod = cloud.addProject("prod", domain);
      cloud.assign(cloud.addUser("ann", domain, password), "member", { project: prod });
    }
    const first = await keystone.signIn(withPassword("ann", "d-acme"));
    const second = await keystone.signIn({
      ...withPassword("ann", ""),
      domain: { name: "globex" },
    } as KeystoneCredential);
    expect(first.identity.grants).toEqual([project("p-prod-d-acme")]);
    expect(second.identity.grants).toEqual([project("p-prod-d-globex")]);
    expect(first.identity.subject).not.toBe(second.identity.subject);
  });

  test("a scoped token opens its own scope and nothing else", async () => {
    const acme = cloud.addDomain("acme");
    const shop = cloud.addProject("shop", acme);
    const bank = cloud.addProject("bank", acme);
    const ann = cloud.addUser("ann", acme, password);
    cloud.assign(ann, "admin", { project: shop });
    cloud.assign(ann, "reader", { project: bank });
    cloud.assign(ann, "manager", { domain: acme });
    cloud.assign(ann, "member", { system: true });
    const keystone = await connect();
    const token = (scope?: Parameters<FakeKeystone["issue"]>[1]) =>
      ({ kind: "token", token: cloud.issue(ann, scope) }) as const;
    expect(await grantsOf(keystone, token({ project: shop }))).toEqual([project(shop, "admin")]);
    expect(await grantsOf(keystone, token({ project: bank }))).toEqual([project(bank)]);
    expect(await grantsOf(keystone, token({ domain: acme }))).toEqual([
      { kind: "domain", controlPlane: "region-1", domainId: acme, role: "admin" },
    ]);
    expect(await grantsOf(keystone, token({ system: true }))).toEqual([
      { kind: "provider", role: "operator" },
    ]);
    expect(await grantsOf(keystone, token())).toHaveLength(4);
  });

  test("a sign-in can be narrowed, and a token scoped anew, to what the user has a role on", async () => {
    const acme = cloud.addDomain("acme");
    const shop = cloud.addProject("shop", acme);
    const bank = cloud.addProject("bank", acme);
    const foreign = cloud.addProject("foreign", acme);
    const ann = cloud.addUser("ann", acme, password);
    cloud.assign(ann, "reader", { project: shop });
    cloud.assign(ann, "reader", { project: bank });
    const keystone = await connect();
    const narrow = withPassword("ann", acme, { scope: { projectId: bank } });
    expect(await grantsOf(keystone, narrow)).toEqual([project(bank)]);
    const token = cloud.issue(ann);
    expect(await grantsOf(keystone, { kind: "token", token, scope: { projectId: shop } })).toEqual([
      project(shop),
    ]);
    const denied = keystone.signIn({ kind: "token", token, scope: { projectId: foreign } });
    expect(await failureOf(denied)).toBe("not-signed-in");
    expect(await failureOf(keystone.signIn(withPassword("ann", acme, { scope: { system: true } })))).toBe(
      "not-signed-in",
    );
  });

  test("an application credential opens its project; one with access rules opens nothing", async () => {
    const acme = cloud.addDomain("acme");
    const shop = cloud.addProject("shop", acme);
    const ann = cloud.addUser("ann", acme, password);
    cloud.assign(ann, "member", { project: shop });
    cloud.assign(ann, "member", { project: cloud.addProject("bank", acme) });
    cloud.applicationCredentials.set("app", { user: ann, project: shop, secret: "s" });
    cloud.applicationCredentials.set("ruled", { user: ann, project: shop, secret: "s", accessRules: [{}] });
    const keystone = await connect();
    const sign = (id: string, secret: string) =>
      keystone.signIn({ kind: "application-credential", id, secret });
    expect((await sign("app", "s")).identity.grants).toEqual([project(shop)]);
    expect(await failureOf(sign("app", "wrong"))).toBe("not-signed-in");
    expect(await failureOf(sign("ruled", "s"))).toBe("not-signed-in");
  });

  test("admin on a project is never a provider, unless the provider named that very project", async () => {
    const acme = cloud.addDomain("acme");
    const shop = cloud.addProject("shop", acme);
    const ops = cloud.addProject("ops", "default");
    const ann = cloud.addUser("ann", acme, password);
    cloud.assign(ann, "admin", { project: shop });
    cloud.assign(ann, "admin", { domain: acme });
    const keystone = await connect({ provider_projects: [ops] });
    const kinds = async () => (await grantsOf(keystone, withPassword("ann", acme))).map(({ kind }) => kind);
    expect(await kinds()).not.toContain("provider");
    cloud.assign(ann, "admin", { project: ops });
    expect(await grantsOf(keystone, withPassword("ann", acme))).toContainEqual({
      kind: "provider",
      role: "admin",
    });
  });

  test("a role that a domain made for itself counts for nothing, whatever its name", async () => {
    const acme = cloud.addDomain("acme");
    const ann = cloud.addUser("ann", acme, password);
    cloud.assign(ann, "admin", { project: cloud.addProject("shop", acme) }, acme);
    cloud.assign(ann, "admin", { system: true }, acme);
    expect(
      (await grantsOf(await connect(), withPassword("ann", acme))).filter(({ role }) => role === "admin"),
    ).toEqual([]);
  });

  test.each([
    ["admin", "admin"],
    ["member", "operator"],
    ["reader", "auditor"],
  ])("%s on the system is %s here, also through a group", async (role, expected) => {
    const acme = cloud.addDomain("acme");
    cloud.addUser("ann", acme, password, ["g-ops"]);
    cloud.addUser("bob", acme, password);
    cloud.assign("g-ops", role, { system: true });
    const keystone = await connect();
    const grant = { kind: "provider", role: expected };
    expect(await grantsOf(keystone, withPassword("ann", acme))).toEqual([grant]);
    expect(await grantsOf(keystone, withPassword("ann", acme, { scope: { system: true } }))).toEqual([grant]);
    expect(await grantsOf(keystone, withPassword("bob", acme))).toEqual([]);
  });

  test("names of roles are what the configuration says", async () => {
    const acme = cloud.addDomain("acme");
    const shop = cloud.addProject("shop", acme);
    const ann = cloud.addUser("ann", acme, password);
    cloud.assign(ann, "tenant-boss", { project: shop });
    expect(await grantsOf(await connect(), withPassword("ann", acme))).toEqual([]);
    const keystone = await connect({ project_roles: { "tenant-boss": "admin" } });
    expect(await grantsOf(keystone, withPassword("ann", acme))).toEqual([project(shop, "admin")]);
  });
});

describe("what ends a sign-in at Keystone", () => {
  let token: string;
  let keystone: KeystoneSignIn;
  beforeEach(async () => {
    const acme = cloud.addDomain("acme");
    const ann = cloud.addUser("ann", acme, password);
    cloud.assign(ann, "member", { project: cloud.addProject("shop", acme) });
    cloud.assign(ann, "member", { project: cloud.addProject("bank", cloud.addDomain("globex")) });
    keystone = await connect();
    ({ credential: token } = await keystone.signIn(withPassword("ann", acme)));
    // The word of the sign-in itself is given once, for the session that it opens.
    expect((await keystone.confirm(token)).grants).toHaveLength(2);
    expect((await keystone.confirm(token)).grants).toHaveLength(2);
  });

  test("a revoked token, a disabled user and a disabled domain of the user", async () => {
    const user = cloud.users.get("ann@d-acme");
    const domain = cloud.domains.get("d-acme");
    if (user === undefined || domain === undefined) throw new Error("the world is not there");
    user.enabled = false;
    expect(await failureOf(keystone.confirm(token))).toBe("not-signed-in");
    expect(await failureOf(keystone.signIn(withPassword("ann", "d-acme")))).toBe("not-signed-in");
    user.enabled = true;
    domain.enabled = false;
    expect(await failureOf(keystone.confirm(token))).toBe("not-signed-in");
    domain.enabled = true;
    expect(await failureOf(keystone.confirm(token))).toBe("nothing failed");
    cloud.tokens.delete(token);
    expect(await failureOf(keystone.confirm(token))).toBe("not-signed-in");
  });

  test("a disabled project, a disabled domain of a project and a role taken away are missing from the next answer", async () => {
    const shop = cloud.projects.get("p-shop-d-acme");
    const globex = cloud.domains.get("d-globex");
    if (shop === undefined || globex === undefined) throw new Error("the world is not there");
    shop.enabled = false;
    expect((await keystone.confirm(token)).grants).toEqual([project("p-bank-d-globex")]);
    shop.enabled = true;
    globex.enabled = false;
    const fresh = await connect();
    expect((await fresh.confirm(token)).grants).toEqual([project("p-shop-d-acme")]);
    cloud.assignments = cloud.assignments.filter(({ who }) => who !== "ann@d-acme");
    expect((await fresh.confirm(token)).grants).toEqual([]);
  });

  test("an expired token, what is no token, and another Keystone's token", async () => {
    const other = await FakeKeystone.start();
    other.addUser("ann", "default", password);
    const foreign = other.issue("ann@default");
    await other.stop();
    for (const text of [foreign, "", "two\nlines", "x".repeat(5_000), "gAAAA", "ünicode"])
      expect(await failureOf(keystone.confirm(text)), text).toBe("not-signed-in");
    cloud.nowMs = () => Date.now() + 3_600_001;
    expect(await failureOf(keystone.confirm(token))).toBe("not-signed-in");
  });

  test("a wrong password, an unknown user and an unknown domain are refused in the same words", async () => {
    const attempts = [
      withPassword("ann", "d-acme", { password: "wrong" }),
      withPassword("nobody", "d-acme"),
      withPassword("ann", "d-nowhere"),
    ];
    const words = new Set<string>();
    for (const attempt of attempts)
      await keystone
        .signIn(attempt)
        .catch((error: unknown) =>
          words.add(error instanceof IsochronError ? `${error.code} ${error.message}` : String(error)),
        );
    expect([...words]).toEqual([expect.stringMatching(/^not-signed-in /)]);
  });

  test("another factor is not asked for, and says so", async () => {
    cloud.asksForFactor = true;
    await expect(keystone.signIn(withPassword("ann", "d-acme"))).rejects.toThrow(/another factor/);
  });
});

describe("a Keystone that cannot be asked lets nobody in", () => {
  test.each(["silent", "failing", "garbled", "redirecting", "endless"] as const)(
    "while its answers are %s",
    async (mood) => {
      const ann = cloud.addUser("ann", cloud.addDomain("acme"), password);
      const keystone = await connect();
      const token = cloud.issue(ann);
      await keystone.confirm(token);
      cloud.mood = mood;
      expect(await failureOf(keystone.confirm(token))).toBe("identity-unavailable");
      expect(await failureOf(keystone.signIn(withPassword("ann", "d-acme")))).toBe("identity-unavailable");
      expect(await failureOf(keystone.probe())).toBe("identity-unavailable");
      cloud.mood = "well";
      expect(await failureOf(keystone.confirm(token))).toBe("nothing failed");
    },
  );

  test("gone, or asked with a credential that it refuses or that may ask nothing", async () => {
    const ann = cloud.addUser("ann", cloud.addDomain("acme"), password);
    const token = cloud.issue(ann);
    const wrong = await connect({}, () => "wrong");
    expect(await failureOf(wrong.confirm(token))).toBe("identity-unavailable");
    const before = cloud.requests.length;
    expect(await failureOf(wrong.confirm(token))).toBe("identity-unavailable");
    expect(cloud.requests.slice(before), "a locked account is not locked further").toEqual([]);
    const keystone = await connect();
    cloud.assignments = [];
    expect(await failureOf(keystone.probe())).toBe("identity-unavailable");
    const gone = await connect({ auth_url: "http://127.0.0.1:9/v3" });
    expect(await failureOf(gone.confirm(token))).toBe("identity-unavailable");
  });

  test("our own token is issued again when it has run out, once for all who wait", async () => {
    const acme = cloud.addDomain("acme");
    const users = Array.from({ length: 8 }, (_, index) => cloud.addUser(`u${index}`, acme, password));
    const keystone = await connect();
    const tokens = users.map((user) => cloud.issue(user));
    await Promise.all(tokens.map((token) => keystone.confirm(token)));
    for (const [text, token] of cloud.tokens)
      if (token.user === "isochron@default") cloud.tokens.delete(text);
    cloud.requests.length = 0;
    await Promise.all(tokens.map((token) => keystone.confirm(token)));
    expect(cloud.requests.filter((line) => line.startsWith("POST"))).toHaveLength(1);
  });

  test("neither passwords nor tokens are in what is thrown", async () => {
    const keystone = await connect();
    const secrets = [password, "service-password", "gAAAAsecret"];
    for (const mood of ["failing", "garbled", "redirecting", "silent"] as const) {
      cloud.mood = mood;
      const attempts = [
        () => keystone.confirm("gAAAAsecret"),
        () => keystone.signIn(withPassword("ann", "d-acme")),
      ];
      for (const attempt of attempts) {
        const error: unknown = await attempt().catch((reason: unknown) => reason);
        const told = error instanceof IsochronError ? `${error.stack}${JSON.stringify(error.cause)}` : "";
        expect(told).not.toBe("");
        for (const secret of secrets) expect(told).not.toContain(secret);
      }
    }
  });
});

test("whoever asks for one token at the same time shares one question", async () => {
  const token = cloud.issue(cloud.addUser("ann", cloud.addDomain("acme"), password));
  const keystone = await connect();
  await keystone.probe();
  cloud.requests.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => keystone.confirm(token)));
  expect(cloud.requests.filter((line) => line.startsWith("GET /v3/auth/tokens"))).toHaveLength(1);
});
