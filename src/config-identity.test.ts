import { describe, expect, test } from "vitest";
import { identityProblems, identityProvidersSchema, toIdentityProvider } from "./config-identity.ts";

const where = (...path: (string | number)[]) => path.join(".");

const keystone = {
  name: "keystone",
  kind: "keystone",
  auth_url: "https://keystone.example.org/v3/",
  service: { user: "isochron", user_domain: "Default", password: "env:KEYSTONE_PASSWORD" },
};
const oidc = {
  name: "company",
  kind: "oidc",
  issuer: "https://login.example.org/realms/ops",
  client_id: "isochron",
  public_url: "https://isochron.example.org/",
};

function problemsOf(...given: readonly object[]): readonly string[] {
  return identityProblems(identityProvidersSchema.parse(given), where).map(
    ({ where: at, what }) => `${at} ${what}`,
  );
}

function messagesOf(...given: readonly object[]): readonly string[] {
  const { error } = identityProvidersSchema.safeParse(given);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`);
}

describe("identity providers in the configuration", () => {
  test("need little, and give defaults that make nobody a provider by a project", () => {
    expect(problemsOf(keystone, oidc)).toEqual([]);
    const [first, second] = identityProvidersSchema.parse([keystone, oidc]).map(toIdentityProvider);
    expect(first).toMatchObject({
      title: "keystone",
      authUrl: "https://keystone.example.org/v3",
      controlPlane: "default",
      timeoutMs: 10_000,
      projectRoles: new Map([
        ["reader", "reader"],
        ["member", "reader"],
        ["admin", "admin"],
        ["manager", "admin"],
      ]),
      providerRoles: new Map([
        ["admin", "admin"],
        ["member", "operator"],
        ["reader", "auditor"],
      ]),
      providerProjects: new Set(),
      providerDomains: new Set(),
    });
    expect(second).toMatchObject({
      redirectUri: "https://isochron.example.org/api/v1/session/oidc/company/callback",
      scopes: ["openid", "profile"],
      rules: [],
    });
  });

  test("send nothing in clear to another machine, unless that is said", () => {
    const plain = { ...keystone, auth_url: "http://controller:5000/v3" };
    expect(problemsOf(plain)).toEqual(["0.auth_url sends credentials in clear"]);
    expect(problemsOf({ ...plain, plain_http: true })).toEqual([]);
    expect(problemsOf({ ...keystone, auth_url: "http://127.0.0.1:5000/v3" })).toEqual([]);
    expect(problemsOf({ ...keystone, auth_url: "http://127.0.0.1.evil.example/v3" })).toHaveLength(1);
    expect(problemsOf({ ...oidc, issuer: "http://login.example.org" })).toEqual([
      "0.issuer sends credentials in clear",
    ]);
    expect(problemsOf({ ...oidc, public_url: "http://isochron.example.org", plain_http: true })).toHaveLength(
      1,
    );
  });

  test.each([
    [{ user: "isochron", password: "env:P" }],
    [{ user: "isochron", user_domain: "Default" }],
    [{ application_credential_id: "a" }],
    [{ application_credential_id: "a", application_credential_secret: "env:S", user: "b" }],
    [{}],
  ])("need a whole credential of our own: %j is none", (service) => {
    expect(problemsOf({ ...keystone, service })).toEqual(["0.service is no credential"]);
  });

  test.each([
    [{ claim: "groups" }],
    [{ claim: "groups", value: "ops" }],
    [{ claim: "groups", value: "ops", provider: "operator", customer: "acme" }],
    [{ claim: "groups", value: "ops", each: "project" }],
    [{ claim: "groups", provider: "operator" }],
  ])("need rules that give one thing: %j does not", (rule) => {
    expect(problemsOf({ ...oidc, grants: [rule] })).toEqual(["0.grants.0 gives nothing, or several things"]);
  });

  test("have names of their own, which no other way of signing in has", () => {
    expect(problemsOf(keystone, { ...oidc, name: "keystone" })).toEqual(['1.name "keystone" is there twice']);
    for (const name of ["token", "demo", "Key Stone", ""])
      expect(messagesOf({ ...keystone, name }), name).not.toEqual([]);
  });

  test("take secrets by reference only, and roles that there are", () => {
    const service = { ...keystone.service, password: "hunter2" };
    expect(messagesOf({ ...keystone, service }).join()).toMatch(/never the secret itself/);
    expect(messagesOf({ ...keystone, service }).join()).not.toContain("hunter2");
    expect(messagesOf({ ...keystone, provider_roles: { admin: "root" } }).join()).toMatch(
      /one of operator, auditor, admin/,
    );
    expect(messagesOf({ ...keystone, kind: "ldap" }).join()).toMatch(/kind: keystone or oidc/);
  });
});
