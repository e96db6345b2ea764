import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Grant } from "../../model/identity.ts";
import { permissions, providerRoles } from "../../model/role.ts";
import { domainKey, opensTenant, projectKey, type TenantKey, type TenantRef } from "../../model/tenant.ts";
import type { KnownTenant } from "../../store/topology-reader.ts";
import { grantOf, principalOf } from "./principal.ts";
import { TenantList } from "./tenant-directory.ts";

const controlPlane = "region-1";
const domains = ["d-1", "d-2", "d-3"];
const projects = ["p-1", "p-2", "p-3", "p-4", "p-5", "p-6"];
const present = (projectId: string): string => domains[projects.indexOf(projectId) % domains.length]!;

const customers = [
  {
    id: "c-1",
    name: "One",
    members: [
      { controlPlane, domainId: "d-1" },
      { controlPlane, projectId: "p-2" },
    ],
  },
  {
    id: "c-2",
    name: "Two",
    members: [
      { controlPlane, projectId: "p-1" },
      { controlPlane, domainId: "d-2" },
    ],
  },
];
const known: KnownTenant[] = [
  ...domains.map((domainId) => ({ key: domainKey(controlPlane, domainId), controlPlane, domainId })),
  ...projects.map((projectId) => ({
    key: projectKey(controlPlane, projectId),
    controlPlane,
    projectId,
    domainId: present(projectId),
    name: `name of ${projectId}`,
  })),
];
const tenants = new TenantList(known, { customers });

const role = fc.constantFrom("reader" as const, "admin" as const);
const tenantGrant: fc.Arbitrary<Grant> = fc.oneof(
  fc.record({
    kind: fc.constant("project" as const),
    controlPlane: fc.constant(controlPlane),
    projectId: fc.constantFrom(...projects),
    role,
  }),
  fc.record({
    kind: fc.constant("domain" as const),
    controlPlane: fc.constant(controlPlane),
    domainId: fc.constantFrom(...domains),
    role,
  }),
  fc.record({
    kind: fc.constant("customer" as const),
    customerId: fc.constantFrom("c-1", "c-2", "gone"),
    role,
  }),
);
/** Whose an event was: a domain's own, or a project's while it was in whichever domain. */
const owner: fc.Arbitrary<TenantRef> = fc.record(
  {
    controlPlane: fc.constant(controlPlane),
    domainId: fc.constantFrom(...domains),
    projectId: fc.constantFrom(...projects),
  },
  { requiredKeys: ["controlPlane", "domainId"] },
);

function scopeOf(grants: readonly Grant[], among = tenants) {
  const { scope } = principalOf({ subject: "s", name: "ada", grants }, among, false);
  if (scope?.kind !== "tenant") throw new Error("not a tenant");
  return { keys: new Set(scope.keys), sensitive: new Set(scope.sensitiveKeys) };
}

function opensOne(grants: readonly Grant[], tenant: TenantRef, among = tenants): boolean {
  return grants.some((grant) => opensTenant(scopeOf([grant], among).keys, tenant));
}

/** What the wall lets through of the class security. */
function opensSensitive(grants: readonly Grant[], tenant: TenantRef, among = tenants): boolean {
  const { keys, sensitive } = scopeOf(grants, among);
  const own = [
    ...(tenant.projectId === undefined ? [] : [projectKey(controlPlane, tenant.projectId)]),
    domainKey(controlPlane, tenant.domainId!),
  ] satisfies TenantKey[];
  return opensTenant(keys, tenant) && own.some((key) => sensitive.has(key));
}

describe("several grants of tenants", () => {
  test("open together nothing that none of them opens by itself", () => {
    fc.assert(
      fc.property(fc.array(tenantGrant, { maxLength: 5 }), owner, (grants, tenant) => {
        const opened = opensTenant(scopeOf(grants).keys, tenant);
        expect(opened && !opensOne(grants, tenant)).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test("of projects and domains open together all that each of them opens", () => {
    const plain = tenantGrant.filter(({ kind }) => kind !== "customer");
    fc.assert(
      fc.property(fc.array(plain, { maxLength: 5 }), owner, (grants, tenant) => {
        expect(opensTenant(scopeOf(grants).keys, tenant)).toBe(opensOne(grants, tenant));
      }),
      { numRuns: 1_000 },
    );
  });

  test("open what is sensitive only where one of an administrator opens it", () => {
    fc.assert(
      fc.property(fc.array(tenantGrant, { maxLength: 5 }), owner, (grants, tenant) => {
        const admins = grants.filter((grant) => grant.role === "admin");
        expect(opensSensitive(grants, tenant) && !opensOne(admins, tenant)).toBe(false);
        const { keys, sensitive } = scopeOf(grants);
        for (const key of sensitive) if (key.startsWith("!")) expect(keys).toContain(key);
      }),
      { numRuns: 2_000 },
    );
  });

  test("open what is sensitive to administrators alone, whichever customers have what by name", () => {
    const ids = ["c-1", "c-2", "c-3"] as const;
    const whose = fc.array(fc.constantFrom(undefined, ...ids), {
      minLength: domains.length + projects.length,
      maxLength: domains.length + projects.length,
    });
    const members = [
      ...domains.map((domainId) => ({ controlPlane, domainId })),
      ...projects.map((projectId) => ({ controlPlane, projectId })),
    ];
    const ofCustomer = fc.record({
      kind: fc.constant("customer" as const),
      customerId: fc.constantFrom(...ids),
      role,
    });
    const grant = fc.oneof(tenantGrant, ofCustomer);
    fc.assert(
      fc.property(whose, fc.array(grant, { maxLength: 5 }), owner, (named, grants, tenant) => {
        const configured = ids.map((id) => ({
          id,
          name: id,
          members: members.filter((_, at) => named[at] === id),
        }));
        const among = new TenantList(known, { customers: configured });
        const admins = grants.filter((one) => one.role === "admin");
        expect(opensSensitive(grants, tenant, among) && !opensOne(admins, tenant, among)).toBe(false);
        const opened = opensTenant(scopeOf(grants, among).keys, tenant);
        expect(opened && !opensOne(grants, tenant, among)).toBe(false);
      }),
      { numRuns: 4_000 },
    );
  });

  test("an administrator sees what is sensitive in all of the own, and a reader in none", () => {
    fc.assert(
      fc.property(tenantGrant, owner, (grant, tenant) => {
        const { keys } = scopeOf([grant]);
        const expected = grant.role === "admin" && opensTenant(keys, tenant);
        expect(opensSensitive([grant], tenant)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test("a project that the one customer's grant takes out is there with the other customer's", () => {
    const grants = ["c-1", "c-2"].map(
      (customerId) => ({ kind: "customer", customerId, role: "reader" }) as const,
    );
    const p1 = { controlPlane, domainId: "d-1", projectId: "p-1" };
    expect(opensTenant(scopeOf(grants.slice(0, 1)).keys, p1)).toBe(false);
    expect(opensTenant(scopeOf(grants).keys, p1)).toBe(true);
  });

  test("are told in the label, the first three by name", () => {
    const label = (count: number) =>
      principalOf(
        {
          subject: "s",
          name: "ada",
          grants: projects
            .slice(0, count)
            .map((projectId) => ({ kind: "project", controlPlane, projectId, role: "reader" })),
        },
        tenants,
        false,
      ).label;
    expect(label(1)).toBe("project name of p-1");
    expect(label(2)).toBe("project name of p-1, project name of p-2");
    expect(label(5)).toBe("project name of p-1, project name of p-2, project name of p-3 and 2 more");
    expect(label(0)).toBe("ada");
  });

  test("bind a cursor to themselves in whatever order they are told", () => {
    fc.assert(
      fc.property(fc.array(tenantGrant, { maxLength: 5 }), (grants) => {
        const bindingOf = (told: readonly Grant[]) =>
          principalOf({ subject: "s", name: "ada", grants: told }, tenants, false).binding;
        expect(bindingOf(grants.toReversed())).toBe(bindingOf(grants));
      }),
    );
  });
});

describe("roles at the provider", () => {
  const as = (roles: readonly (typeof providerRoles)[number][], glassBroken = false) =>
    principalOf(
      {
        subject: "s",
        name: "ada",
        grants: roles.map((one) => ({ kind: "provider", role: one })),
      },
      tenants,
      glassBroken,
    );

  test("an operator sees no sensitive event and posts nothing until glass is broken, and then sees", () => {
    expect(as(["operator"]).scope).toEqual({ kind: "provider", security: "withheld" });
    expect(as(["operator"]).posts).toBe("nowhere");
    expect(as(["operator"], true).scope).toEqual({ kind: "provider" });
    expect(as(["operator"], true).posts).toBe("nowhere");
    expect(as(["auditor"]).scope).toEqual({ kind: "provider" });
    expect(as(["auditor"]).posts).toBe("nowhere");
    expect(as(["admin"]).posts).toBe("everywhere");
  });

  test("breaking glass gives nothing to whoever may not break it", () => {
    for (const one of providerRoles) {
      if (as([one]).permissions.has("break-glass")) continue;
      expect([...as([one], true).permissions]).toEqual([...as([one]).permissions]);
    }
  });

  test("several roles add up", () => {
    fc.assert(
      fc.property(fc.subarray([...providerRoles], { minLength: 1 }), (roles) => {
        const all = new Set(roles.flatMap((one) => [...as([one]).permissions]));
        expect(as(roles).permissions).toEqual(new Set(permissions.filter((one) => all.has(one))));
      }),
    );
  });

  test("outweigh what was given of tenants, and a tenant has none of them", () => {
    fc.assert(
      fc.property(fc.array(tenantGrant), fc.constantFrom(...providerRoles), (grants, one) => {
        const both = principalOf(
          { subject: "s", name: "ada", grants: [...grants, { kind: "provider", role: one }] },
          tenants,
          false,
        );
        expect(both.scope?.kind).toBe("provider");
        const tenant = principalOf({ subject: "s", name: "ada", grants }, tenants, true);
        expect(tenant).toMatchObject({ posts: "nowhere", provider: false, scope: { kind: "tenant" } });
        expect(tenant.permissions.size).toBe(0);
      }),
    );
  });
});

test("a token without a role has what it had before there were roles", () => {
  expect(grantOf({ kind: "provider" })).toEqual({ kind: "provider", role: "admin" });
  expect(grantOf({ kind: "customer", customerId: "c-1" })).toMatchObject({ role: "reader" });
});
