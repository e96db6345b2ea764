import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import type { ProviderRole, TenantRole } from "../../model/role.ts";
import { domainKey, opensTenant, projectKey } from "../../model/tenant.ts";
import type { TokenRecord, TokenScope } from "../../store/token-store.ts";
import type { ApiContext } from "./api-context.ts";
import { administeredKeys, grantOf, type Principal } from "./principal.ts";
import { checkOwnPage, deny } from "./provider-only.ts";
import { toGrantJson } from "./session-json.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";
import {
  createTokenSchema,
  mintToken,
  newTokenSchema,
  tokensSchema,
  type TokenJson,
} from "./token-contract.ts";

const noQuery = z.strictObject({});
const tokenParams = z.object({ id: z.string().regex(/^tok_[0-9a-f]{20}$/) });
const dayMs = 86_400_000;
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";

/** Which tokens somebody may see and end, and which of them make. */
interface Reach {
  readonly sees: (scope: TokenScope) => boolean;
  readonly makes: (scope: TokenScope) => boolean;
}

/** Tokens of the provider's administrators, and of each tenant's own. To everybody else there is nothing here. */
export function tokensRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store } = context;
  return async (app) => {
    app.addHook("onRequest", async (request) => void (await admitAdministrator(context, request)));
    app.get(
      "/tokens",
      {
        schema: {
          summary: "API tokens of one's own scope, never the tokens themselves (administrators)",
          querystring: noQuery,
          response: { 200: tokensSchema },
        },
      },
      async (request) => {
        const { sees } = await admitAdministrator(context, request);
        const tokens = await store.tokens.list();
        return { tokens: tokens.filter(({ scope }) => sees(scope)).map(toTokenJson) };
      },
    );
    await app.register(makeRoute(context));
    await app.register(revokeRoute(context));
  };
}

function makeRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store, clock, audit } = context;
  return async (app) => {
    app.post(
      "/tokens",
      {
        schema: {
          summary: "Make a token; it is shown this once (administrators)",
          description,
          querystring: noQuery,
          body: createTokenSchema,
          response: { 201: newTokenSchema },
        },
      },
      async (request, reply) => {
        const { principal, makes } = await admitAdministrator(context, request);
        const { name, expires_days: days } = request.body;
        const scope = readScope(request.body);
        if (!makes(scope)) throw deny(request);
        const { token, hash } = mintToken();
        // Whoever finds a token must not be able to make it last.
        const maker = await store.tokens.byId(principal.subject);
        const expiresAt = instant(Math.min(clock() + days * dayMs, maker?.expiresAt ?? Infinity));
        const made = await store.tokens.create({ name, hash, scope, expiresAt, madeBy: principal.subject });
        await audit.done(request, "token", principal, {
          object: `token:${made.id}`,
          details: { made: true, scope: spellScope(scope) },
        });
        return reply.code(201).send({ ...toTokenJson(made), token });
      },
    );
  };
}

function revokeRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store, audit } = context;
  return async (app) => {
    app.delete(
      "/tokens/:id",
      {
        schema: {
          summary: "End a token at once, and every session that was opened with it (administrators)",
          description,
          params: tokenParams,
          querystring: noQuery,
          response: { 204: z.undefined() },
        },
      },
      async (request, reply) => {
        const { principal, sees } = await admitAdministrator(context, request);
        const { id } = request.params;
        const known = await store.tokens.byId(id);
        if (known === undefined || !sees(known.scope) || !(await store.tokens.revoke(id)))
          throw deny(request);
        await audit.done(request, "token", principal, {
          object: `token:${id}`,
          details: { revoked: true, scope: spellScope(known.scope) },
        });
        return reply.code(204).send();
      },
    );
  };
}

/** Throws the one 404 for whoever administers nothing, or looks as somebody else. */
async function admitAdministrator({ directory }: ApiContext, request: FastifyRequest) {
  const { principal } = readingScope(request);
  const reach = reachOf(principal, await directory.list());
  if (reach === undefined) throw deny(request);
  checkOwnPage(request);
  return { principal, ...reach };
}

/**
 * A domain's administrator sees and ends the tokens of its projects and makes none for them: a project's token opens all
 * that is the project's, also from before it was the domain's.
 */
function reachOf({ grants, permissions, provider }: Principal, tenants: TenantList): Reach | undefined {
  if (permissions.has("administer")) return { sees: () => true, makes: () => true };
  if (provider) return undefined;
  const keys = new Set(administeredKeys(grants, tenants));
  const customers = new Set(
    grants.flatMap((grant) =>
      grant.kind === "customer" && grant.role === "admin" ? [grant.customerId] : [],
    ),
  );
  if (keys.size === 0 && customers.size === 0) return undefined;
  // A domain that projects are taken out of is not all the administrator's: its own token would open those too.
  const isWhole = ![...keys].some((key) => key.startsWith("!"));
  const makes = (scope: TokenScope): boolean => {
    if (scope.kind === "customer") return customers.has(scope.customerId);
    if (scope.kind === "project") return keys.has(projectKey(scope.controlPlane, scope.projectId));
    return scope.kind === "domain" && isWhole && keys.has(domainKey(scope.controlPlane, scope.domainId));
  };
  const sees = (scope: TokenScope): boolean =>
    makes(scope) || (scope.kind === "project" && opensTenant(keys, tenants.inDomain(scope)));
  return { sees, makes };
}

function readScope(body: z.infer<typeof createTokenSchema>): TokenScope {
  const { control_plane: controlPlane = "", role } = body;
  // The body's own check has seen that each scope has its ids, and a role of its own.
  const tenantRole = (role ?? "reader") as TenantRole;
  switch (body.scope) {
    case "provider":
      return { kind: "provider", role: (role ?? "operator") as ProviderRole };
    case "domain":
      return { kind: "domain", controlPlane, domainId: body.domain_id ?? "", role: tenantRole };
    case "project":
      return { kind: "project", controlPlane, projectId: body.project_id ?? "", role: tenantRole };
    case "customer":
      return { kind: "customer", customerId: body.customer_id ?? "", role: tenantRole };
    case "ingest":
      return { kind: "ingest", connection: body.connection ?? "" };
  }
}

/** In one word, with its role. */
function spellScope(scope: TokenScope): string {
  return Object.values(toScopeJson(scope)).filter(Boolean).join("/");
}

function toScopeJson(scope: TokenScope) {
  return scope.kind === "ingest"
    ? { scope: scope.kind, connection: scope.connection, role: null }
    : toGrantJson(grantOf(scope));
}

function toTokenJson(token: TokenRecord): TokenJson {
  const { id, name, scope, createdAt, expiresAt, revokedAt, usedOn, madeBy } = token;
  const time = (at: Instant | undefined): string | null => (at === undefined ? null : formatInstant(at));
  return {
    id,
    name,
    ...toScopeJson(scope),
    created_at: formatInstant(createdAt),
    expires_at: time(expiresAt),
    revoked_at: time(revokedAt),
    used_on: usedOn ?? null,
    made_by: madeBy ?? null,
  };
}
