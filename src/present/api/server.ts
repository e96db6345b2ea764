import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import cookie from "@fastify/cookie";
import rateLimit from "@fastify/rate-limit";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { alertRoutes } from "./alert-routes.ts";
import { AllowedMethods } from "./allowed-methods.ts";
import type { ApiContext } from "./api-context.ts";
import { AuditNotes, inBackground } from "./audit-notes.ts";
import { auditRoute } from "./audit-route.ts";
import { apiLimits, type ApiParts } from "./api-parts.ts";
import { blastRoute } from "./blast-route.ts";
import { compareRoute } from "./compare-route.ts";
import { apiPrefix, healthSchema } from "./contract.ts";
import { serveErrorPage } from "./error-page.ts";
import { editionsRoute } from "./editions-route.ts";
import { estateRoutes } from "./estate-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { eventsRoute } from "./events-route.ts";
import { identityRoutes } from "./identity-routes.ts";
import { histogramRoute } from "./histogram-route.ts";
import { incidentFigures } from "./incident-figures.ts";
import { incidentImports } from "./incident-imports.ts";
import { incidentRoutes } from "./incident-routes.ts";
import { incidentWriting } from "./incident-writing.ts";
import { ingestRoute } from "./ingest-route.ts";
import { liveRoute } from "./live-route.ts";
import { describeApi } from "./openapi-document.ts";
import { MakerConfirmations } from "./maker-confirmations.ts";
import { maintenanceRoutes } from "./maintenance-routes.ts";
import { operationRoutes } from "./operation-routes.ts";
import { membersRoute } from "./members-route.ts";
import { metricsRoute } from "./metrics-route.ts";
import { notificationRoutes } from "./notification-routes.ts";
import { noticeTemplatesRoute } from "./notice-templates-route.ts";
import { answerFailure, notFound } from "./problem.ts";
import { quarantineRoute } from "./quarantine-route.ts";
import { compileValidator } from "./query-validator.ts";
import { serveReference } from "./reference-page.ts";
import { Refusals, tooMany } from "./refusals.ts";
import { resourceRoute } from "./resource-route.ts";
import { rulingRoutes } from "./ruling-routes.ts";
import { addSecurityHeaders, setSecurityHeaders } from "./security-headers.ts";
import { sessionRoutes, signInRoute } from "./session-routes.ts";
import { exportRoute } from "./export-route.ts";
import { retentionRoutes } from "./retention-routes.ts";
import { carriesCredentials, SignIn } from "./sign-in.ts";
import { TenantDirectory } from "./tenant-directory.ts";
import { tenantsRoute } from "./tenants-route.ts";
import { tokensRoute } from "./tokens-route.ts";
import { isPageVisit, sendIndexPage, serveMissingPages, serveWebPages } from "./web-pages.ts";
import { verdictRoutes } from "./verdict-routes.ts";
import { whatElseRoute } from "./what-else-route.ts";

export type { ApiParts } from "./api-parts.ts";

/** Session requests are a few short strings. */
const bodyBytesMax = 4 * 1024;
const closeGraceMs = 30_000;
const tidyEveryMs = 60_000;

/** Builds the HTTP API and the pages; the caller listens, and closes. */
export async function buildApi(parts: ApiParts): Promise<FastifyInstance> {
  const directory = new TenantDirectory(parts.store.topology, parts.clock, parts.tenantSettings);
  const closing = new AbortController();
  const limits = { ...apiLimits, ...parts.limits };
  const audit = new AuditNotes(parts.store.audit, parts.clock);
  const refusals = new Refusals(limits.refusalsPerMinute, parts.clock, audit);
  const signIn = new SignIn({ ...parts, audit, refusals }, directory);
  const context: ApiContext = {
    ...parts,
    limits,
    directory,
    signIn,
    audit,
    refusals,
    closing: closing.signal,
  };
  const app = createServer(parts);
  noteWhatFollows(app, context);
  // Live streams end first, or closing would wait for their clients to leave.
  app.addHook("preClose", async () => closing.abort());
  const allowed = new AllowedMethods();
  app.addHook("onRoute", (route) => allowed.add(route.url, route.method));
  addSecurityHeaders(app);
  app.setErrorHandler(answerFailure);
  app.setNotFoundHandler((request, reply) => {
    if (parts.webRoot !== undefined && isPageVisit(request, parts.webRoot)) {
      return sendIndexPage(reply, parts.webRoot);
    }
    const methods = allowed.at(request.url.split("?", 1)[0] ?? "");
    if (methods.length === 0) throw notFound();
    void reply.header("allow", methods.join(", "));
    throw methodNotAllowed(request.method, methods);
  });
  await addPlugins(app, context);
  if (parts.webRoot === undefined) serveMissingPages(app);
  else await serveWebPages(app, parts.webRoot);
  return app;
}

function createServer({ log, trustedProxies = [] }: ApiParts): FastifyInstance {
  const app = Fastify({
    ...(trustedProxies.length === 0 ? {} : { trustProxy: [...trustedProxies] }),
    ...(log === false ? { logger: false } : { loggerInstance: log }),
    bodyLimit: bodyBytesMax,
    genReqId: () => randomUUID(),
    requestTimeout: closeGraceMs,
    routerOptions: { maxParamLength: 600 },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => {
      answerFailure(error, request, reply);
      setSecurityHeaders(reply);
    },
  });
  // Fastify takes plain text by itself, which a form of another site can send without asking.
  app.removeContentTypeParser("text/plain");
  app.setValidatorCompiler(compileValidator);
  // Answers are built field by field from checked values; the schemas document them and tests hold them to it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest("principal", undefined);
  app.decorateRequest("denied", false);
  return app;
}

/** All that is asked with credentials, in the order of the API's document. */
const readingRoutes: readonly ((context: ApiContext) => FastifyPluginAsyncZod)[] = [
  sessionRoutes,
  tokensRoute,
  eventsRoute,
  eventRoutes,
  membersRoute,
  editionsRoute,
  histogramRoute,
  whatElseRoute,
  blastRoute,
  compareRoute,
  operationRoutes,
  alertRoutes,
  maintenanceRoutes,
  verdictRoutes,
  resourceRoute,
  estateRoutes,
  quarantineRoute,
  rulingRoutes,
  tenantsRoute,
  noticeTemplatesRoute,
  auditRoute,
  notificationRoutes,
  retentionRoutes,
  exportRoute,
  incidentRoutes,
  incidentWriting,
  incidentFigures,
  incidentImports,
  liveRoute,
];

async function addPlugins(app: FastifyInstance, context: ApiContext): Promise<void> {
  const { limits } = context;
  await app.register(cookie);
  await app.register(rateLimit, {
    global: false,
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request: FastifyRequest) => request.principal?.subject ?? `address ${request.ip}`,
    // Counts of what is left would tell one user of a shared token what the others do.
    addHeaders: { "x-ratelimit-limit": false, "x-ratelimit-remaining": false, "x-ratelimit-reset": false },
    addHeadersOnExceeding: {
      "x-ratelimit-limit": false,
      "x-ratelimit-remaining": false,
      "x-ratelimit-reset": false,
    },
    errorResponseBuilder: () => tooMany(),
  });
  await describeApi(app, context.version);
  const identify = identifyHook(context);

  await app.register(
    async (open) => {
      open.addHook("onRequest", app.rateLimit());
      await open.register(openRoutes(context, app));
      await open.register(signInRoute(context));
      await open.register(identityRoutes(context));
    },
    { prefix: apiPrefix },
  );
  await app.register(
    async (closed) => {
      closed.addHook("onRequest", identify);
      await closed.register(ingestRoute(context));
      await closed.register(async (reading) => {
        reading.addHook("onRequest", app.rateLimit());
        for (const routes of readingRoutes) await reading.register(routes(context));
      });
    },
    { prefix: apiPrefix },
  );
  await app.register(async (metrics) => {
    metrics.addHook("onRequest", identify);
    metrics.addHook("onRequest", app.rateLimit());
    await metrics.register(metricsRoute(context));
  });
  await serveReference(app);
  serveErrorPage(app);
}

/** Finds out who asks; an address that is refused too often is put off. */
function identifyHook({
  refusals,
  signIn,
}: ApiContext): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    try {
      request.principal = await signIn.identify(request);
    } catch (error) {
      // Without credentials nothing was tried, and any page can have a browser ask so.
      if (error instanceof IsochronError && error.kind === "denied" && carriesCredentials(request))
        await refusals.note(request, reply, "credential");
      throw error;
    }
  };
}

/** What is written down when the answer is out already, so that no answer takes longer for it. */
function noteWhatFollows(app: FastifyInstance, context: ApiContext): void {
  const { audit, clock, notifications, signIn, store, viewer } = context;
  const makers = notifications && new MakerConfirmations(notifications.store, clock);
  app.addHook("onResponse", async (request, reply) => {
    const { principal, denied, log } = request;
    if (principal === undefined) return;
    if (makers !== undefined) inBackground(makers.note(principal), log);
    if (denied) inBackground(audit.denied(request, principal), log);
    const { session, permissions } = principal;
    const isUnderGlass = session?.glass !== undefined && clock() < session.glass.until;
    const isRead = request.method === "GET" && reply.statusCode < 400;
    if (isRead && isUnderGlass && permissions.has("read-security"))
      inBackground(store.sessions.countGlassRead(session.hash), log);
  });
  // A command that asks its own store leaves sessions to the server.
  if (viewer !== undefined) return;
  const tidying = setInterval(() => inBackground(signIn.tidySessions(), app.log), tidyEveryMs);
  tidying.unref();
  app.addHook("onClose", async () => clearInterval(tidying));
}

/** What anyone may ask. */
function openRoutes(context: ApiContext, app: FastifyInstance): FastifyPluginAsyncZod {
  return async (open) => {
    open.get(
      "/health",
      {
        schema: {
          summary: "Whether the server can answer",
          security: [],
          querystring: z.strictObject({}),
          response: { 200: healthSchema },
        },
      },
      async (request) => {
        const status = await probe(context);
        return { status, version: context.version, demo: context.signIn.mayOpenDemo(request) } as const;
      },
    );
    open.get("/openapi.json", { schema: { hide: true, querystring: z.strictObject({}) } }, async () =>
      app.swagger(),
    );
  };
}

/** Degraded while the store cannot be reached; nothing else is told to strangers. */
async function probe({ store }: ApiContext): Promise<"ok" | "degraded"> {
  try {
    await store.topology.tenants();
    return "ok";
  } catch (error) {
    if (error instanceof IsochronError && error.kind === "unavailable") return "degraded";
    throw error;
  }
}

function methodNotAllowed(method: string, methods: readonly string[]): IsochronError {
  return new IsochronError(
    "method-not-allowed",
    `${method} is not answered at this address.`,
    `Use ${methods.join(", ")}.`,
  );
}

/** Answers bytes that are no HTTP request. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
