import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { formatInstant } from "../../model/instant.ts";
import { domainKey, projectKey } from "../../model/tenant.ts";
import type { ApiContext } from "./api-context.ts";
import type { Scene } from "./api-parts.ts";
import { sessionSchema, signInSchema, type SessionJson } from "./contract.ts";
import { notFound, notSignedIn } from "./problem.ts";
import {
  newSession,
  sessionCookieName,
  sessionTtlMs,
  writeSession,
  type AsTenant,
  type SessionClaims,
} from "./session-cookie.ts";
import { checkCsrf, hashToken, readingScope } from "./sign-in.ts";
import { asTenantSchema } from "./tenancy-contract.ts";
import { toCustomerJson } from "./tenant-directory.ts";
import { sightOf } from "./tenants-route.ts";

const noQuery = z.strictObject({});
const description = "Needs the header `X-Isochron-CSRF: 1`, which no form of another site can send.";
const answers = { 200: sessionSchema };

/** Signing in and out of a browser session. These routes find out themselves who asks. */
export function sessionRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { signIn, clock } = context;
  return async (app) => {
    app.addHook("onRequest", async (request) => {
      if (request.method !== "GET" && request.method !== "HEAD") checkCsrf(request);
    });
    app.get(
      "/session",
      { schema: { summary: "Who is signed in", querystring: noQuery, response: answers } },
      async (request) => {
        request.principal = await signIn.identify(request);
        return describeSession(context, request);
      },
    );
    app.post(
      "/session",
      {
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
        const claims = await openSession(context, request, request.body);
        return continueAs(context, request, reply, claims);
      },
    );
    app.delete(
      "/session",
      {
        schema: { summary: "Sign out", description, querystring: noQuery, response: { 204: z.undefined() } },
      },
      async (request, reply) => {
        const { session } = await signIn.identify(request);
        if (session !== undefined) signIn.ended.add(session, clock());
        void reply.clearCookie(sessionCookieName, cookieOptions(request));
        return reply.code(204).send();
      },
    );
    await app.register(asTenantRoutes(context));
  };
}

/** A provider's session looks through a tenant's eyes: every read runs with the tenant's own scope. */
function asTenantRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
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
        const session = await providerSession(context, request);
        const as = await findTenant(context, request.body);
        return continueAs(context, request, reply, { ...session, as });
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
        const { as: _as, ...own } = await providerSession(context, request);
        return continueAs(context, request, reply, own);
      },
    );
  };
}

async function openSession(
  { signIn, clock }: ApiContext,
  request: FastifyRequest,
  body: z.infer<typeof signInSchema>,
): Promise<SessionClaims> {
  if ("demo" in body) {
    if (!signIn.mayOpenDemo(request)) throw notSignedIn();
    return newSession(clock());
  }
  const hash = hashToken(body.token);
  const token = await signIn.findToken(hash);
  // A token that may only post has nothing to look at.
  if (hash === undefined || token.scope.kind === "ingest") throw notSignedIn();
  return newSession(clock(), hash);
}

async function providerSession({ signIn }: ApiContext, request: FastifyRequest): Promise<SessionClaims> {
  const { session, provider } = await signIn.identify(request);
  if (session === undefined) throw notSignedIn();
  if (!provider) throw notFound();
  return session;
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

/** Sets the session's cookie, and answers as the next request with it would be answered. */
async function continueAs(
  context: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  claims: SessionClaims,
): Promise<SessionJson> {
  const cookie = writeSession(claims, context.secret);
  request.cookies[sessionCookieName] = cookie;
  delete request.headers.authorization;
  request.principal = await context.signIn.identify(request);
  const maxAge = Math.floor(Math.min(claims.expiresAt - context.clock(), sessionTtlMs) / 1000);
  void reply.setCookie(sessionCookieName, cookie, { ...cookieOptions(request), maxAge });
  return describeSession(context, request);
}

async function describeSession(context: ApiContext, request: FastifyRequest): Promise<SessionJson> {
  const { principal, scope } = readingScope(request);
  const extent = await context.store.reader.extent(scope);
  const isProvider = scope.kind === "provider";
  const sight = await sightOf(context, scope);
  return {
    kind: scope.kind,
    label: principal.label,
    as_tenant: principal.provider && !isProvider,
    tenants: isProvider ? [...sight.list()] : [],
    customers: isProvider ? sight.customersSeen().map(toCustomerJson) : [],
    extent:
      extent === undefined ? null : { first: formatInstant(extent.first), last: formatInstant(extent.last) },
    demo: context.openDemo,
    scenes: isProvider ? (context.demo?.scenes ?? []).map(toSceneJson) : [],
  };
}

function toSceneJson({ title, from, to, event }: Scene): SessionJson["scenes"][number] {
  return { title, from: formatInstant(from), to: formatInstant(to), event };
}

/** `Secure` also where a proxy says that it speaks TLS: a false claim only makes the cookie stricter. */
function cookieOptions(request: FastifyRequest) {
  const secure = request.protocol === "https" || request.headers["x-forwarded-proto"] === "https";
  return { path: "/", httpOnly: true, sameSite: "strict", secure } as const;
}
