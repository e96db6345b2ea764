import { z } from "zod";
import type { ConfigProblem } from "./config-file.ts";
import type { Grant } from "./model/identity.ts";
import { providerRoles, tenantRoles, type ProviderRole, type TenantRole } from "./model/role.ts";
import { secretReferencePattern, secretReferenceProblem } from "./model/secret-reference.ts";

const text = (what: string) => z.string({ error: what }).min(1, { error: what }).max(500, { error: what });
const secretReference = z
  .string({ error: "`env:NAME`, `file:PATH` or `credential:NAME`" })
  .regex(secretReferencePattern, {
    error: secretReferenceProblem,
  });
const address = (what: string) => z.url({ protocol: /^https?$/, error: what });
const controlPlane = z
  .string({ error: "a name such as region-1" })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: "1 to 63 letters, digits and . _ -" })
  .default("default");
const tenantId = z
  .string({ error: "an id, never a name" })
  .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: "an id, never a name: 1 to 64 letters, digits, _ and -" });
const providerRole = z.enum(providerRoles, { error: `one of ${providerRoles.join(", ")}` });
const tenantRole = z.enum(tenantRoles, { error: `one of ${tenantRoles.join(", ")}` });

/** What both kinds have. */
const common = {
  name: z
    .string({ error: "a short name that never changes, such as keystone" })
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, { error: "1 to 31 small letters, digits and -" })
    .refine((name) => name !== "token" && name !== "demo", { error: "another name: this one is ours" }),
  title: text("what people read on the button").max(60, { error: "at most 60 characters" }).optional(),
  ca_file: text("the path of a PEM file").optional(),
  timeout_seconds: z
    .number({ error: "a number of seconds from 1 to 30" })
    .min(1, { error: "a number of seconds from 1 to 30" })
    .max(30, { error: "a number of seconds from 1 to 30" })
    .default(10),
  plain_http: z.boolean({ error: "true or false" }).default(false),
};

const serviceSchema = z.strictObject(
  {
    application_credential_id: text("the id of an application credential").optional(),
    application_credential_secret: secretReference.optional(),
    user: text("the name of a user").optional(),
    user_domain: text("the name of a domain").optional(),
    user_domain_id: tenantId.optional(),
    password: secretReference.optional(),
    project_id: tenantId.optional(),
  },
  { error: "application_credential_id and _secret, or user, user_domain and password" },
);

const keystoneSchema = z.strictObject({
  ...common,
  kind: z.literal("keystone"),
  control_plane: controlPlane,
  auth_url: address("an address such as https://keystone.example.org/v3"),
  service: serviceSchema,
  user_domain: text("the name of a domain").optional(),
  project_roles: z.record(z.string(), tenantRole, { error: "role: reader or admin" }).optional(),
  domain_roles: z.record(z.string(), tenantRole, { error: "role: reader or admin" }).optional(),
  provider_roles: z
    .record(z.string(), providerRole, { error: `role: one of ${providerRoles.join(", ")}` })
    .optional(),
  provider_projects: z.array(tenantId, { error: "a list of project ids" }).default([]),
  provider_domains: z.array(tenantId, { error: "a list of domain ids" }).default([]),
});

const ruleSchema = z.strictObject(
  {
    claim: text("the name of a claim, or a path such as realm_access.roles"),
    value: text("one value of the claim").optional(),
    provider: providerRole.optional(),
    each: z.enum(["project", "domain"], { error: "project or domain" }).optional(),
    project: tenantId.optional(),
    domain: tenantId.optional(),
    customer: text("the id of a customer").optional(),
    control_plane: controlPlane,
    role: tenantRole.default("reader"),
  },
  { error: "claim, and value with what it gives, or each" },
);

const oidcSchema = z.strictObject({
  ...common,
  kind: z.literal("oidc"),
  issuer: address("the issuer's address, exactly as it names itself"),
  client_id: text("the client id that is registered at the provider"),
  client_secret: secretReference.optional(),
  public_url: address("the address that browsers reach Isochron at, such as https://isochron.example.org"),
  scopes: z.array(text("a scope"), { error: "a list of scopes" }).default(["openid", "profile"]),
  name_claim: text("the name of a claim").default("preferred_username"),
  grants: z.array(ruleSchema, { error: "a list of claim rules" }).default([]),
});

export const identityProvidersSchema = z.array(
  z.discriminatedUnion("kind", [keystoneSchema, oidcSchema], { error: "kind: keystone or oidc" }),
  { error: "a list of identity providers" },
);

/** An identity provider as the file gives it. */
export type IdentityProviderSetting = z.infer<typeof identityProvidersSchema>[number];
type KeystoneSetting = z.infer<typeof keystoneSchema>;
type OidcSetting = z.infer<typeof oidcSchema>;
type RuleSetting = z.infer<typeof ruleSchema>;

/** A configured identity provider; secrets and the CA's file are references still. */
export type IdentityProviderConfig = KeystoneConfig | OidcConfig;

interface CommonConfig {
  readonly name: string;
  readonly title: string;
  readonly caFile?: string;
  readonly timeoutMs: number;
}

export interface KeystoneConfig extends CommonConfig {
  readonly kind: "keystone";
  readonly controlPlane: string;
  readonly authUrl: string;
  readonly userDomain?: string;
  readonly service:
    | { readonly kind: "application-credential"; readonly id: string; readonly secret: string }
    | {
        readonly kind: "password";
        readonly user: string;
        readonly userDomain: { readonly id: string } | { readonly name: string };
        readonly password: string;
        readonly projectId?: string;
      };
  readonly projectRoles: ReadonlyMap<string, TenantRole>;
  readonly domainRoles: ReadonlyMap<string, TenantRole>;
  readonly providerRoles: ReadonlyMap<string, ProviderRole>;
  readonly providerProjects: ReadonlySet<string>;
  readonly providerDomains: ReadonlySet<string>;
}

export interface OidcConfig extends CommonConfig {
  readonly kind: "oidc";
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly nameClaim: string;
  readonly rules: readonly {
    readonly claim: string;
    readonly value?: string;
    readonly grant?: Grant;
    readonly each?: (id: string) => Grant;
  }[];
}

const tenantRolesUsual = { reader: "reader", member: "reader", admin: "admin", manager: "admin" } as const;
const providerRolesUsual = { admin: "admin", member: "operator", reader: "auditor" } as const;

/** Settings of one identity provider, for the documentation. */
export const identityProviderSettings = [
  {
    name: "name",
    fallback: "required",
    meaning: "Names it in sessions, in the audit and in addresses; for ever.",
  },
  { name: "kind", fallback: "required", meaning: "`keystone` or `oidc`." },
  { name: "title", fallback: "the name", meaning: "What people read on the sign-in page." },
  {
    name: "ca_file",
    fallback: "the system's authorities",
    meaning: "PEM of the only authorities to believe.",
  },
  { name: "timeout_seconds", fallback: "`10`", meaning: "How long one answer of it is waited for." },
  {
    name: "plain_http",
    fallback: "`false`",
    meaning:
      "True allows an `http://` address of another machine: passwords and tokens then go over the wire in clear.",
  },
  { name: "control_plane", fallback: "`default`", meaning: "Keystone: the cloud whose ids it speaks of." },
  { name: "auth_url", fallback: "required", meaning: "Keystone: its address, with `/v3`." },
  {
    name: "service",
    fallback: "required",
    meaning:
      "Keystone: Isochron's own credential, which asks about others. `user`, `user_domain` (or `user_domain_id`) and `password`, on the system, or on a project with `project_id`; or `application_credential_id` and `application_credential_secret`.",
  },
  { name: "user_domain", fallback: "none", meaning: "Keystone: domain that the sign-in page proposes." },
  {
    name: "project_roles",
    fallback: "`reader`, `member`: `reader`; `admin`, `manager`: `admin`",
    meaning: "Keystone: what its roles on a project are here.",
  },
  {
    name: "domain_roles",
    fallback: "as `project_roles`",
    meaning: "Keystone: what its roles on a domain are here.",
  },
  {
    name: "provider_roles",
    fallback: "`admin`: `admin`; `member`: `operator`; `reader`: `auditor`",
    meaning: "Keystone: what its roles on the system are here. The first of admin, operator, auditor counts.",
  },
  {
    name: "provider_projects",
    fallback: "none",
    meaning:
      "Keystone: ids of projects on which roles count as roles on the system. Never of a project that a tenant administers.",
  },
  { name: "provider_domains", fallback: "none", meaning: "Keystone: the same for ids of domains." },
  { name: "issuer", fallback: "required", meaning: "OpenID Connect: the issuer, which is discovered." },
  { name: "client_id", fallback: "required", meaning: "OpenID Connect: as registered at the provider." },
  {
    name: "client_secret",
    fallback: "none: a public client",
    meaning: "OpenID Connect: `env:NAME`, `file:PATH` or `credential:NAME`.",
  },
  {
    name: "public_url",
    fallback: "required",
    meaning:
      "OpenID Connect: where browsers reach Isochron. Register `<public_url>/api/v1/session/oidc/<name>/callback` at the provider.",
  },
  {
    name: "scopes",
    fallback: "`openid`, `profile`",
    meaning: "OpenID Connect: what is asked for; with `offline_access` most providers give a refresh token.",
  },
  {
    name: "name_claim",
    fallback: "`preferred_username`",
    meaning: "OpenID Connect: the claim that people are named by.",
  },
  {
    name: "grants",
    fallback: "none: people sign in and see nothing",
    meaning:
      "OpenID Connect: `claim` with a `value` and one of `provider`, `project`, `domain`, `customer`; or `claim` with `each: project` or `each: domain` where its values are ids. `control_plane` and `role` (`reader`) say the rest. `email` counts only with `email_verified`; give nothing by a claim that people may change themselves.",
  },
] as const;

/** What no single field can be checked for. All of it is told at once. */
export function identityProblems(
  providers: readonly IdentityProviderSetting[],
  where: (...path: (string | number)[]) => string,
): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const note = (at: readonly (string | number)[], what: string, write: string): void =>
    void problems.push({ where: where(...at), what, write });
  const names = new Set<string>();
  for (const [index, provider] of providers.entries()) {
    if (names.has(provider.name))
      note([index, "name"], `"${provider.name}" is there twice`, "a name of its own for each");
    names.add(provider.name);
    const field = provider.kind === "keystone" ? "auth_url" : "issuer";
    const url = provider.kind === "keystone" ? provider.auth_url : provider.issuer;
    if (!isSafe(url, provider.plain_http))
      note([index, field], "sends credentials in clear", "an https:// address, or plain_http: true");
    if (provider.kind === "keystone") {
      if (toService(provider.service) === undefined)
        note(
          [index, "service"],
          "is no credential",
          "an application credential, or user, user_domain and password",
        );
      continue;
    }
    if (!isSafe(provider.public_url, false))
      note([index, "public_url"], "has browsers send a code in clear", "an https:// address");
    for (const [place, rule] of provider.grants.entries()) {
      if (toRule(rule) === undefined)
        note(
          [index, "grants", place],
          "gives nothing, or several things",
          "value with one of provider, project, domain, customer; or each",
        );
    }
  }
  return problems;
}

/** Nobody listens between two ends on this machine. */
function isSafe(url: string, plainHttp: boolean): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || plainHttp || /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

export function toIdentityProvider(setting: IdentityProviderSetting): IdentityProviderConfig {
  const { name, title = name, ca_file: caFile, timeout_seconds: seconds } = setting;
  const common = { name, title, timeoutMs: seconds * 1000, ...(caFile === undefined ? {} : { caFile }) };
  return setting.kind === "keystone" ? toKeystone(setting, common) : toOidc(setting, common);
}

function toKeystone(setting: KeystoneSetting, common: CommonConfig): KeystoneConfig {
  const { user_domain: userDomain, project_roles: projectRoles = tenantRolesUsual } = setting;
  const service = toService(setting.service);
  if (service === undefined) throw new Error("a service's credential was checked before");
  return {
    ...common,
    kind: "keystone",
    controlPlane: setting.control_plane,
    authUrl: setting.auth_url.replace(/\/+$/, ""),
    ...(userDomain === undefined ? {} : { userDomain }),
    service,
    projectRoles: new Map(Object.entries(projectRoles)),
    domainRoles: new Map(Object.entries(setting.domain_roles ?? projectRoles)),
    providerRoles: new Map(Object.entries(setting.provider_roles ?? providerRolesUsual)),
    providerProjects: new Set(setting.provider_projects),
    providerDomains: new Set(setting.provider_domains),
  };
}

function toService(service: z.infer<typeof serviceSchema>): KeystoneConfig["service"] | undefined {
  const { application_credential_id: id, application_credential_secret: secret } = service;
  const { user, user_domain: domain, user_domain_id: domainId, password, project_id: projectId } = service;
  if (id !== undefined && secret !== undefined)
    return user === undefined && password === undefined
      ? { kind: "application-credential", id, secret }
      : undefined;
  const userDomain =
    domainId !== undefined ? { id: domainId } : domain !== undefined ? { name: domain } : undefined;
  if (id !== undefined || secret !== undefined || user === undefined || password === undefined)
    return undefined;
  if (userDomain === undefined) return undefined;
  return { kind: "password", user, userDomain, password, ...(projectId === undefined ? {} : { projectId }) };
}

function toOidc(setting: OidcSetting, common: CommonConfig): OidcConfig {
  const { client_secret: clientSecret, public_url: publicUrl } = setting;
  return {
    ...common,
    kind: "oidc",
    issuer: setting.issuer,
    clientId: setting.client_id,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    redirectUri: `${publicUrl.replace(/\/+$/, "")}/api/v1/session/oidc/${common.name}/callback`,
    scopes: [...new Set(["openid", ...setting.scopes])],
    nameClaim: setting.name_claim,
    rules: setting.grants.flatMap((rule) => toRule(rule) ?? []),
  };
}

function toRule(rule: RuleSetting): OidcConfig["rules"][number] | undefined {
  const { claim, value, each, role, control_plane: plane } = rule;
  const grants = grantsOf(rule);
  if (each !== undefined) {
    if (value !== undefined || grants.length > 0) return undefined;
    return {
      claim,
      each: (id) =>
        each === "project"
          ? { kind: "project", controlPlane: plane, projectId: id, role }
          : { kind: "domain", controlPlane: plane, domainId: id, role },
    };
  }
  const [grant, ...others] = grants;
  return value === undefined || grant === undefined || others.length > 0
    ? undefined
    : { claim, value, grant };
}

function grantsOf({
  provider,
  project,
  domain,
  customer,
  control_plane: plane,
  role,
}: RuleSetting): readonly Grant[] {
  return [
    ...(provider === undefined ? [] : [{ kind: "provider", role: provider } as const]),
    ...(project === undefined
      ? []
      : [{ kind: "project", controlPlane: plane, projectId: project, role } as const]),
    ...(domain === undefined
      ? []
      : [{ kind: "domain", controlPlane: plane, domainId: domain, role } as const]),
    ...(customer === undefined ? [] : [{ kind: "customer", customerId: customer, role } as const]),
  ];
}
