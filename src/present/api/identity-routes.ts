import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { IdentityProvider } from "../../model/identity.ts";
import type {
  KeystoneCredential,
  KeystoneScope,
  KeystoneSignIn,
  OidcSignIn,
  SignedIn,
} from "../../model/sign-in-service.ts";
import type { ApiContext } from "./api-context.ts";
import { sessionSchema } from "./contract.ts";
import {
  keystoneSignInSchema,
  signInProvidersSchema,
  type KeystoneSignInJson,
  type SignInProvidersJson,
} from "./identity-contract.ts";
import { NameLimit } from "./name-limit.ts";
import {
  openDeparture,
  sealDeparture,
  departureCookieName,
  departureCookieOptions,
} from "./oidc-departure.ts";
import { notFound } from "./problem.ts";
import { returnPath } from "./return-path.ts";
import { describeSession } from "./session-json.ts";
import { checkCsrf } from "./sign-in.ts";

const noQuery = z.strictObject({});
const providerParams = z.object({ name: z.string().max(31) });

/** Signing a browser in through the configured identity providers. Whoever comes has not said yet who it is. */
export function identityRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const providers = context.identityProviders ?? [];
  return async (app) => {
    app.get(
      "/session/providers",
      {
        schema: {
          summary: "How one can sign in beside a token",
          security: [],
          querystring: noQuery,
          response: { 200: signInProvidersSchema },
        },
      },
      async () => ({ providers: providers.map(toProviderJson) }),
    );
    await app.register(keystoneRoute(context, providers.filter(isKeystone)));
    await app.register(oidcRoutes(context, providers.filter(isOidc)));
  };
}

function keystoneRoute(context: ApiContext, keystones: readonly KeystoneSignIn[]): FastifyPluginAsyncZod {
  const { limits, clock } = context;
  const names = new NameLimit(limits.signInsPerName, clock);
  return async (app) => {
    app.post(
      "/session/keystone",
      {
        onRequest: async (request) => checkCsrf(request),
        schema: {
          summary: "Sign a browser in through Keystone",
          description:
            "With a password, an application credential or a token. Needs the header `X-Isochron-CSRF: 1`, which no form of another site can send.",
          security: [],
          querystring: noQuery,
          body: keystoneSignInSchema,
          response: { 200: sessionSchema },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const asked = body.provider;
        const keystone =
          asked === undefined && keystones.length === 1
            ? keystones[0]
            : keystones.find(({ name }) => name === asked);
        if (keystone === undefined) throw notFound();
        await inEvenTime(limits.refusalStepMs, () =>
          openThrough(context, request, reply, keystone, () => {
            if ("user" in body) {
              names.take(JSON.stringify([keystone.name, body.user_domain, body.user_domain_id, body.user]));
            }
            return keystone.signIn(toCredential(body));
          }),
        );
        return describeSession(context, request);
      },
    );
  };
}

function oidcRoutes(context: ApiContext, services: readonly OidcSignIn[]): FastifyPluginAsyncZod {
  const { secret, refusals } = context;
  const find = (name: string): OidcSignIn => {
    const service = services.find((one) => one.name === name);
    if (service === undefined) throw notFound();
    return service;
  };
  return async (app) => {
    app.get(
      "/session/oidc/:name",
      {
        exposeHeadRoute: false,
        schema: {
          summary: "Go to an OpenID Provider to sign in",
          security: [],
          params: providerParams,
          querystring: z.strictObject({ return_to: z.string().max(2_000).optional() }),
        },
      },
      async (request, reply) => {
        const service = find(request.params.name);
        refusals.check(request, reply);
        const { location, pending } = await service.begin();
        const returnTo = returnPath(request.query.return_to);
        const sealed = sealDeparture(secret, service.name, { pending, returnTo });
        void reply.setCookie(departureCookieName, sealed, departureCookieOptions(request));
        return reply.redirect(location, 302);
      },
    );
    app.get(
      "/session/oidc/:name/callback",
      {
        exposeHeadRoute: false,
        schema: {
          summary: "Come back from an OpenID Provider",
          security: [],
          params: providerParams,
          querystring: z.looseObject({}),
        },
      },
      async (request, reply) => {
        const service = find(request.params.name);
        const departure = openDeparture(secret, service.name, request.cookies[departureCookieName]);
        // What was begun is over whatever comes of it, so that nothing can be tried twice with it.
        void reply.clearCookie(departureCookieName, departureCookieOptions(request));
        // Any page can have a browser come here: without a departure nothing is tried, and nobody is put off for it.
        if (departure === undefined) return reply.redirect("/?sign-in=refused", 303);
        try {
          await openThrough(context, request, reply, service, () =>
            service.finish(request.url.split("?").slice(1).join("?"), departure.pending),
          );
        } catch (error) {
          if (!(error instanceof IsochronError)) throw error;
          request.log.warn({ err: error, provider: service.name }, "a sign-in failed");
          return reply.redirect(`/?sign-in=${error.kind === "denied" ? "refused" : "unavailable"}`, 303);
        }
        return sendStep(reply, departure.returnTo);
      },
    );
  };
}

/** Opens the session of whoever `enter` lets in; what is refused is counted and written down. */
async function openThrough(
  { refusals, signIn }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { name: through }: IdentityProvider,
  enter: () => Promise<SignedIn>,
): Promise<void> {
  await refusals.guard(request, reply, through, async () => {
    const { identity, credential } = await enter();
    const { subject, name, expiresAt } = identity;
    await signIn.openSession(request, reply, { through, subject, name, credential, expiresAt });
  });
}

/**
 * The browser comes from another site, so that a cookie for this site alone would stay behind in a redirect: a page of
 * ours takes the last step itself.
 */
function sendStep(reply: FastifyReply, path: string): FastifyReply {
  const target = escapeHtml(path);
  return reply
    .type("text/html; charset=utf-8")
    .send(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Signed in · Isochron</title>` +
        `<meta http-equiv="refresh" content="0;url=${target}"></head>` +
        `<body><p>You are signed in. <a href="${target}">Go on</a></p></body></html>`,
    );
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}

/** Throws a refusal at a multiple of the step after the beginning, and only then. */
async function inEvenTime<Result>(stepMs: number, work: () => Promise<Result>): Promise<Result> {
  const begunAt = performance.now();
  try {
    return await work();
  } catch (error) {
    const tookMs = performance.now() - begunAt;
    if (error instanceof IsochronError && error.kind === "denied" && stepMs > 0)
      await sleep(stepMs * Math.ceil(tookMs / stepMs) - tookMs);
    throw error;
  }
}

function toCredential(body: KeystoneSignInJson): KeystoneCredential {
  if ("application_credential_id" in body) {
    const { application_credential_id: id, application_credential_secret: secret } = body;
    return { kind: "application-credential", id, secret };
  }
  const scope = toScope(body);
  const narrowed = scope === undefined ? {} : { scope };
  if ("token" in body) return { kind: "token", token: body.token, ...narrowed };
  const { user, user_domain: name = "", user_domain_id: id, password } = body;
  return { kind: "password", user, domain: id === undefined ? { name } : { id }, password, ...narrowed };
}

function toScope(body: {
  readonly project_id?: string | undefined;
  readonly domain_id?: string | undefined;
  readonly system?: true | undefined;
}): KeystoneScope | undefined {
  const { project_id: projectId, domain_id: domainId, system } = body;
  if (projectId !== undefined) return { projectId };
  if (domainId !== undefined) return { domainId };
  return system === undefined ? undefined : { system };
}

function toProviderJson(provider: IdentityProvider): SignInProvidersJson["providers"][number] {
  const { name, title, kind } = provider;
  const userDomain = isKeystone(provider) ? provider.userDomain : undefined;
  return { name, title, kind, ...(userDomain === undefined ? {} : { user_domain: userDomain }) };
}

function isKeystone(provider: IdentityProvider): provider is KeystoneSignIn {
  return provider.kind === "keystone" && "signIn" in provider;
}

function isOidc(provider: IdentityProvider): provider is OidcSignIn {
  return provider.kind === "oidc" && "begin" in provider;
}
