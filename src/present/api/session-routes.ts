import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { instant } from "../../model/instant.ts";
import { domainKey, projectKey } from "../../model/tenant.ts";
import type { AsTenant, SessionRecord } from "../../store/session-store.ts";
import type { ApiContext } from "./api-context.ts";
import { sessionSchema, signInSchema } from "./contract.ts";
import { notFound, notSignedIn } from "./problem.ts";
import { admit, checkOwnPage } from "./provider-only.ts";
import { breakGlassSchema } from "./session-contract.ts";
import { clearSessionCookie } from "./session-cookie.ts";
import { describeSession } from "./session-json.ts";
import { checkCsrf, type NewSession } from "./sign-in.ts";
import { asTenantSchema } from "./tenancy-contract.ts";

const noQuery = z.strictObject({});
const description = "Needs the header `X-Isochron-CSRF: 1`, which no form of another site can send.";
const answers = { 200: sessionSchema };
const glassMs = 3_600_000;

/** Signing a browser in with a token, or with the demo's one click. Whoever comes has not said yet who it is. */
export function signInRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { signIn, refusals } = context;
  return async (app) => {
    app.post(
      "/session",
      {
        onRequest: async (request) => checkCsrf(request),
        schema: {
          summary: "Sign a browser in",
          description,
          security: [],
          querystring: noQuery,
          body: signInSchema,
          response: answers,
        },
      },
      async (request, reply) => {
        const through = "demo" in request.body ? "demo" : "token";
        await refusals.guard(request, reply, through, async () => {
          const session = await admitNewcomer(context, request, request.body);
          await signIn.openSession(request, reply, session);
        });
        return describeSession(context, request);
      },
    );
  };
}

/** The session of whoever is signed in. */
export function sessionRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { signIn, audit } = context;
  return async (app) => {
    app.get(
      "/session",
      { schema: { summary: "Who is signed in", querystring: noQuery, response: answers } },
      async (request) => describeSession(context, request),
    );
    app.delete(
      "/session",
      {
        onRequest: async (request) => checkOwnPage(request),
        schema: { summary: "Sign out", description, querystring: noQuery, response: { 204: z.undefined() } },
      },
      async (request, reply) => {
        const { principal } = request;
        if (principal?.session !== undefined) {
          await signIn.endSession(principal.session);
          await audit.done(request, "sign-out", principal, {
            object: `session:${principal.session.through}`,
          });
        }
        clearSessionCookie(request, reply);
        return reply.code(204).send();
      },
    );
    await app.register(asTenantRoutes(context));
    await app.register(breakGlassRoutes(context));
  };
}

/** A provider's session looks through a tenant's eyes: every read runs with the tenant's own scope. */
function asTenantRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { signIn, audit } = context;
  return async (app) => {
    app.addHook("onRequest", async (request) => void sessionWith(request, "look-as-tenant"));
    app.post(
      "/session/as",
      {
        schema: {
          summary: "Look through a tenant's eyes (providers)",
          description,
          querystring: noQuery,
          body: asTenantSchema,
          response: answers,
        },
      },
      async (request, reply) => {
        const { principal, session } = sessionWith(request, "look-as-tenant");
        const as = await findTenant(context, request.body);
        await audit.done(request, "look-as-tenant", principal, { object: `tenant:${nameOf(as)}` });
        await signIn.changeSession(request, reply, session, { ...glassOf(session), as });
        return describeSession(context, request);
      },
    );
    app.delete(
      "/session/as",
      {
        schema: {
          summary: "Look as the provider again",
          description,
          querystring: noQuery,
          response: answers,
        },
      },
      async (request, reply) => {
        const { session } = sessionWith(request, "look-as-tenant");
        await signIn.changeSession(request, reply, session, glassOf(session));
        return describeSession(context, request);
      },
    );
  };
}

/** An operator sees what is withheld for an hour, for a reason that is written down before anything is shown. */
function breakGlassRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { signIn, audit, clock } = context;
  return async (app) => {
    app.addHook("onRequest", async (request) => void sessionWith(request, "break-glass"));
    app.post(
      "/session/break-glass",
      {
        schema: {
          summary: "See what is withheld, for an hour and a reason (operators)",
          description: `The reason is written down, and how much was read. ${description}`,
          querystring: noQuery,
          body: breakGlassSchema,
          response: answers,
        },
      },
      async (request, reply) => {
        const { principal, session } = sessionWith(request, "break-glass");
        const { why } = request.body;
        const until = instant(Math.min(clock() + glassMs, session.expiresAt));
        await audit.done(request, "break-glass", principal, { object: "session", why });
        // What was read for the reason before is told of by itself.
        const { session: mended = session } =
          session.glass === undefined ? principal : await signIn.changeSession(request, reply, session, {});
        await signIn.changeSession(request, reply, mended, { glass: { brokenAt: clock(), until, why } });
        return describeSession(context, request);
      },
    );
    app.delete(
      "/session/break-glass",
      {
        schema: {
          summary: "See no more than before (operators)",
          description,
          querystring: noQuery,
          response: answers,
        },
      },
      async (request, reply) => {
        const { session } = sessionWith(request, "break-glass");
        await signIn.changeSession(request, reply, session, {});
        await signIn.tidySessions();
        return describeSession(context, request);
      },
    );
  };
}

async function admitNewcomer(
  { signIn }: ApiContext,
  request: FastifyRequest,
  body: z.infer<typeof signInSchema>,
): Promise<NewSession> {
  if ("demo" in body) {
    if (!signIn.mayOpenDemo(request)) throw notSignedIn();
    return { through: "demo", subject: "demo", name: "demo" };
  }
  const { id, name, scope, expiresAt } = await signIn.findToken(body.token);
  // A token that may only post has nothing to look at.
  if (scope.kind === "ingest") throw notSignedIn();
  return { through: "token", subject: id, name, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** Throws the one 404 without the permission, and `not-signed-in` for whoever has it without a session. */
function sessionWith(request: FastifyRequest, permission: "look-as-tenant" | "break-glass") {
  const principal = admit(request, permission);
  if (principal.session === undefined) throw notSignedIn();
  return { principal, session: principal.session };
}

function glassOf({ glass }: SessionRecord): Pick<SessionRecord, "glass"> {
  return glass === undefined ? {} : { glass };
}

async function findTenant(
  { directory }: ApiContext,
  asked: z.infer<typeof asTenantSchema>,
): Promise<AsTenant> {
  const { control_plane: controlPlane = "", domain_id: domainId, project_id: projectId } = asked;
  const { customer_id: customerId } = asked;
  const tenants = await directory.list();
  if (customerId !== undefined && tenants.customer(customerId) !== undefined) return { customerId };
  if (projectId !== undefined && tenants.has(projectKey(controlPlane, projectId))) {
    return { controlPlane, projectId };
  }
  if (domainId !== undefined && tenants.has(domainKey(controlPlane, domainId)))
    return { controlPlane, domainId };
  throw notFound();
}

function nameOf(as: AsTenant): string {
  if ("customerId" in as) return `customer/${as.customerId}`;
  return "projectId" in as
    ? projectKey(as.controlPlane, as.projectId)
    : domainKey(as.controlPlane, as.domainId);
}
