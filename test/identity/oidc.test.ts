import { afterEach, describe, expect, test, vi } from "vitest";
import { identityProvidersSchema, toIdentityProvider } from "../../src/config-identity.ts";
import { IsochronError } from "../../src/errors.ts";
import type { OidcSignIn } from "../../src/model/sign-in-service.ts";
import { OpenIdConnect } from "../../src/present/identity/oidc.ts";
import { clientId, clientSecret, OpenIdProvider, type ProviderOptions } from "./open-id-provider.ts";

// The provider says on the console that its forms are for development.
vi.spyOn(console, "info").mockReturnValue();
vi.spyOn(console, "warn").mockReturnValue();

const publicUrl = "http://127.0.0.1:4400";
const redirectUri = `${publicUrl}/api/v1/session/oidc/company/callback`;
const opened: OpenIdProvider[] = [];
afterEach(async () => {
  for (const provider of opened.splice(0)) await provider.stop();
});

async function startProvider(options: Partial<ProviderOptions> = {}): Promise<OpenIdProvider> {
  const provider = await OpenIdProvider.start({ redirectUri, ...options });
  opened.push(provider);
  provider.people.set("ann", {
    preferred_username: "ann@example.org",
    groups: ["isochron-operators", "others"],
    projects: ["p-shop", "../etc", "p-bank"],
    realm: { roles: ["acme"] },
  });
  return provider;
}

interface Clock {
  nowMs: number;
}

function connect(
  provider: OpenIdProvider,
  settings: object = {},
  clock: Clock = { nowMs: Date.now() },
): OidcSignIn {
  const setting = {
    name: "company",
    kind: "oidc",
    issuer: provider.issuer,
    client_id: clientId,
    public_url: publicUrl,
    timeout_seconds: 5,
    grants: [
      { claim: "groups", value: "isochron-operators", provider: "operator" },
      { claim: "projects", each: "project", control_plane: "region-1" },
      { claim: "realm.roles", value: "acme", customer: "acme", role: "admin" },
    ],
    ...settings,
  };
  const [config] = identityProvidersSchema.parse([setting]).map(toIdentityProvider);
  if (config?.kind !== "oidc") throw new Error("no provider is configured");
  return new OpenIdConnect({ ...config, clientSecret: () => clientSecret }, () => clock.nowMs);
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => "nothing failed",
    (reason: unknown) => reason,
  );
  return error instanceof IsochronError ? error.code : String(error);
}

async function enter(service: OidcSignIn, provider: OpenIdProvider, person = "ann") {
  const { location, pending } = await service.begin();
  return service.finish(await provider.visit(location, person), pending);
}

const project = (projectId: string) => ({
  kind: "project",
  controlPlane: "region-1",
  projectId,
  role: "reader",
});

describe("what a sign-in at an OpenID Provider opens", () => {
  test("claims of the user info become grants by the configured rules; what is no id becomes none", async () => {
    const provider = await startProvider();
    const { identity } = await enter(connect(provider), provider);
    expect(identity).toMatchObject({ subject: "company/ann", name: "ann@example.org" });
    expect(identity.grants).toEqual([
      { kind: "provider", role: "operator" },
      project("p-shop"),
      project("p-bank"),
      { kind: "customer", customerId: "acme", role: "admin" },
    ]);
  });

  test("missing claims, and claims of another form, grant nothing", async () => {
    const provider = await startProvider();
    provider.people.set("bob", {
      groups: { "isochron-operators": true },
      realm: "acme",
      projects: [1, null],
    });
    provider.people.set("eve", {});
    const service = connect(provider);
    for (const person of ["bob", "eve"]) {
      const { identity } = await enter(service, provider, person);
      expect(identity.grants, person).toEqual([]);
      expect(identity.name).toBe(person);
    }
  });

  test("an e-mail address counts only where the provider has verified it", async () => {
    const provider = await startProvider();
    const email = "chief@example.org";
    const grants = [{ claim: "email", value: email, provider: "admin" }];
    const service = connect(provider, { grants, scopes: ["openid", "profile", "email"] });
    for (const [verified, expected] of [
      [{ email_verified: true }, [{ kind: "provider", role: "admin" }]],
      [{ email_verified: false }, []],
      [{ email_verified: "true" }, []],
      [{}, []],
    ] as const) {
      provider.people.set("eve", { email, ...verified });
      expect((await enter(service, provider, "eve")).identity.grants, JSON.stringify(verified)).toEqual(
        expected,
      );
    }
  });

  test("the departure asks for PKCE, state and nonce, each new", async () => {
    const service = connect(await startProvider());
    const [first, second] = await Promise.all([service.begin(), service.begin()]);
    const parameters = (location: string) => Object.fromEntries(new URL(location).searchParams);
    expect(parameters(first.location)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: redirectUri,
      scope: "openid profile",
    });
    for (const name of ["state", "nonce", "code_challenge"])
      expect(parameters(first.location)[name]).not.toBe(parameters(second.location)[name]);
  });
});

describe("what does not sign in", () => {
  test("another state, a missing state, another nonce, another verifier, a code that was used, and no code", async () => {
    const provider = await startProvider();
    const service = connect(provider);
    const first = await service.begin();
    const second = await service.begin();
    const query = await provider.visit(first.location, "ann");
    expect(await failureOf(service.finish(query, second.pending))).toBe("not-signed-in");
    const without = new URLSearchParams(query);
    without.delete("state");
    expect(await failureOf(service.finish(without.toString(), first.pending))).toBe("not-signed-in");
    const pending = JSON.parse(first.pending) as Record<string, unknown>;
    const mixed = (name: string) =>
      JSON.stringify({ ...pending, [name]: (JSON.parse(second.pending) as Record<string, unknown>)[name] });
    expect(await failureOf(service.finish(query, mixed("verifier")))).toBe("not-signed-in");
    const other = await provider.visit(second.location, "ann");
    const wrongNonce = JSON.stringify({ ...(JSON.parse(second.pending) as object), nonce: pending["nonce"] });
    expect(await failureOf(service.finish(other, wrongNonce))).toBe("not-signed-in");
    const third = await service.begin();
    const good = await provider.visit(third.location, "ann");
    expect(await failureOf(service.finish(good, third.pending))).toBe("nothing failed");
    expect(await failureOf(service.finish(good, third.pending))).toBe("not-signed-in");
    for (const empty of ["", "error=access_denied", "code=a&code=b", "state=%00", "iss=x"])
      expect(await failureOf(service.finish(empty, third.pending)), empty).toBe("not-signed-in");
  });

  test("an answer that another provider gave: its issuer is not the one that was asked", async () => {
    const honest = await startProvider();
    const hostile = await startProvider();
    const service = connect(honest);
    const { location, pending } = await service.begin();
    const query = new URLSearchParams(await honest.visit(location, "ann"));
    query.set("iss", hostile.issuer);
    expect(await failureOf(service.finish(query.toString(), pending))).toBe("not-signed-in");
    query.delete("iss");
    expect(await failureOf(service.finish(query.toString(), pending))).toBe("not-signed-in");
  });

  test("a person who comes back too late", async () => {
    const provider = await startProvider();
    const clock = { nowMs: Date.now() };
    const service = connect(provider, {}, clock);
    const { location, pending } = await service.begin();
    const query = await provider.visit(location, "ann");
    clock.nowMs += 600_001;
    expect(await failureOf(service.finish(query, pending))).toBe("not-signed-in");
  });

  test("anybody while the provider is down, does not know this client, or is not the issuer", async () => {
    const provider = await startProvider();
    const down = connect(provider);
    provider.isDown = true;
    expect(await failureOf(down.begin())).toBe("identity-unavailable");
    expect(await failureOf(down.probe())).toBe("identity-unavailable");
    provider.isDown = false;
    expect(await failureOf(down.begin())).toBe("nothing failed");
    const alias = connect(provider, { issuer: provider.issuer.replace("127.0.0.1", "localhost") });
    expect(await failureOf(alias.begin())).toBe("identity-unavailable");
    const { location, pending } = await down.begin();
    const query = await provider.visit(location, "ann");
    const stranger = new OpenIdConnect({
      name: "company",
      title: "",
      issuer: provider.issuer,
      clientId,
      clientSecret: () => "wrong",
      timeoutMs: 5_000,
      redirectUri,
      scopes: ["openid"],
      nameClaim: "sub",
      rules: [],
    });
    expect(await failureOf(stranger.finish(query, pending))).toBe("identity-unavailable");
  });
});

describe("a sign-in is confirmed", () => {
  test.each([true, false])(
    "by the refresh token while the provider lets it (rotation: %s)",
    async (rotates) => {
      const provider = await startProvider({ refreshes: true, rotates });
      const service = connect(provider);
      const { credential } = await enter(service, provider);
      // The word of the sign-in itself is given once, for the session that it opens.
      await service.confirm(credential);
      expect((await service.confirm(credential)).grants).toHaveLength(4);
      provider.people.set("ann", { groups: [] });
      const later = await service.confirm(credential);
      expect(later.grants.filter(({ kind }) => kind === "provider")).toEqual([]);
      const together = await Promise.all([service.confirm(credential), service.confirm(credential)]);
      expect(together).toHaveLength(2);
      if (rotates) return;
      await provider.endGrantsOf(credential);
      expect(await failureOf(service.confirm(credential))).toBe("not-signed-in");
    },
  );

  test.each([
    ["a refresh token", { refreshes: true }],
    ["a refresh token, with claims in the ID token too", { refreshes: true, tellsInIdToken: true }],
    ["an access token", {}],
    ["an access token, with claims in the ID token too", { tellsInIdToken: true }],
  ])("by %s: a claim that is told no more grants nothing", async (_, options) => {
    const provider = await startProvider(options);
    const service = connect(provider);
    const { identity, credential } = await enter(service, provider);
    expect(identity.grants).toHaveLength(4);
    await service.confirm(credential);
    // Many providers leave a claim out where it would be an empty list.
    provider.people.set("ann", { projects: ["p-bank"] });
    expect((await service.confirm(credential)).grants).toEqual([project("p-bank")]);
    provider.people.set("ann", {});
    expect((await service.confirm(credential)).grants).toEqual([]);
  });

  test("by the user info where there is no refresh token, until the access token runs out", async () => {
    const provider = await startProvider({ accessTokenSeconds: 120 });
    const clock = { nowMs: Date.now() };
    const service = connect(provider, {}, clock);
    const { credential } = await enter(service, provider);
    await service.confirm(credential);
    provider.people.set("ann", { groups: ["isochron-operators"] });
    expect((await service.confirm(credential)).name).toBeDefined();
    provider.isDown = true;
    expect(await failureOf(service.confirm(credential))).toBe("identity-unavailable");
    provider.isDown = false;
    provider.people.delete("ann");
    expect(await failureOf(service.confirm(credential))).toBe("not-signed-in");
    clock.nowMs += 121_000;
    expect(await failureOf(service.confirm(credential))).toBe("not-signed-in");
  });
});
