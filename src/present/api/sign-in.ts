import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";
import { IsochronError } from "../../errors.ts";
import { identityFreshMs, type Identity, type IdentityProvider } from "../../model/identity.ts";
import { instant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { SessionRecord } from "../../store/session-store.ts";
import type { TokenRecord } from "../../store/token-store.ts";
import type { ApiParts } from "./api-parts.ts";
import type { AuditNotes } from "./audit-notes.ts";
import { ConfirmedIdentities } from "./confirmed-identities.ts";
import { csrfHeader } from "./contract.ts";
import { grantOf, principalOf, senderTo, type Holder, type Principal } from "./principal.ts";
import { notFound, notSignedIn } from "./problem.ts";
import type { Refusals } from "./refusals.ts";
import { openCredential, sealCredential } from "./sealed-credential.ts";
import {
  isLive,
  newSessionSecret,
  sessionHashOf,
  sessionLifeMs,
  setSessionCookie,
} from "./session-cookie.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

/** A Keystone token, as OpenStack's own services take it. */
export const keystoneTokenHeader = "x-auth-token";
/** Which identity provider it is of, where several are configured. */
export const identityProviderHeader = "x-isochron-identity-provider";

const tokenPattern = /^iso_[A-Za-z0-9_-]{43}$/;
const keystoneTokenCharsMax = 8_192;
const sessionsKnownMax = 10_000;
const keystoneTokensKnownMax = 2_000;
/** A use is noted this often; finer would write at every request. */
const useEveryMs = 60_000;

type SignInParts = Pick<
  ApiParts,
  "store" | "clock" | "secret" | "openDemo" | "viewer" | "identityProviders"
> & { readonly audit: AuditNotes; readonly refusals: Refusals };

/** A session to be opened. */
export interface NewSession {
  readonly through: string;
  readonly subject: string;
  readonly name: string;
  /** What {@link IdentityProvider.confirm} is asked with; whoever has none is let in by no identity provider. */
  readonly credential?: string;
  /** Where the session ends before its own life does. */
  readonly expiresAt?: Instant;
}

/** How a request is looked at: a stream that is open already must rest on a fresher word, and is no use of a session. */
export interface Look {
  readonly freshMs: number;
  readonly isUse: boolean;
}

/** Finds out who asks. Every refusal is the same `not-signed-in`. */
export class SignIn {
  readonly #parts: SignInParts;
  readonly #directory: TenantDirectory;
  readonly #ofSessions: ConfirmedIdentities;
  readonly #ofTokens: ConfirmedIdentities;

  constructor(parts: SignInParts, directory: TenantDirectory) {
    this.#parts = parts;
    this.#directory = directory;
    this.#ofSessions = new ConfirmedIdentities(parts.clock, sessionsKnownMax);
    this.#ofTokens = new ConfirmedIdentities(parts.clock, keystoneTokensKnownMax);
  }

  /**
   * The principal of the Authorization header, or else of `X-Auth-Token`, or else of the session cookie. Throws
   * `not-signed-in`, and `identity-unavailable` where the service that vouches for it cannot be asked.
   */
  async identify(
    request: FastifyRequest,
    look: Look = { freshMs: identityFreshMs, isUse: true },
  ): Promise<Principal> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#throughToken(await this.#authorize(authorization));
    const keystoneToken = request.headers[keystoneTokenHeader];
    if (keystoneToken !== undefined) return this.#throughKeystone(request, String(keystoneToken), look);
    const hash = sessionHashOf(request);
    if (hash !== undefined) return this.#throughSession(request, await this.#findSession(hash), look);
    const { viewer } = this.#parts;
    if (viewer === undefined) throw notSignedIn();
    return this.#principal({ subject: "viewer", name: "viewer", grants: [grantOf(viewer)] });
  }

  /** The token with this text while it is good; throws `not-signed-in` else. */
  async findToken(text: string): Promise<TokenRecord> {
    const hash = hashToken(text);
    const token = hash === undefined ? undefined : await this.#parts.store.tokens.find(hash);
    return this.#good(token);
  }

  /**
   * Opens a session, ends the one that the request came with, and sets the cookie of a new secret. The request counts as
   * the session's from then on. Throws as {@link identify} does where nobody vouches for it.
   */
  async openSession(request: FastifyRequest, reply: FastifyReply, session: NewSession): Promise<Principal> {
    const { through, subject, name, credential } = session;
    const { clock, store, audit } = this.#parts;
    const now = clock();
    const { secret, hash } = newSessionSecret();
    const expiresAt = instant(Math.min(session.expiresAt ?? Infinity, now + sessionLifeMs));
    const sealed =
      credential === undefined ? undefined : sealCredential(this.#parts.secret, hash, credential);
    const record: SessionRecord = {
      hash,
      through,
      subject,
      name,
      ...(sealed === undefined ? {} : { sealedCredential: sealed }),
      createdAt: now,
      usedAt: now,
      expiresAt,
    };
    const before = sessionHashOf(request);
    request.principal = await this.#throughSession(request, record);
    await store.sessions.create(record);
    await audit.done(request, "sign-in", { subject, name }, { object: `session:${through}` });
    if (before !== undefined) await store.sessions.end(before, now);
    setSessionCookie(request, reply, secret, expiresAt - now);
    return request.principal;
  }

  /** Goes on under a new secret with other rights; the old cookie is worth nothing from then on. */
  async changeSession(
    request: FastifyRequest,
    reply: FastifyReply,
    session: SessionRecord,
    rights: Pick<SessionRecord, "as" | "glass">,
  ): Promise<Principal> {
    const { clock, store } = this.#parts;
    const now = clock();
    const { secret, hash } = newSessionSecret();
    const { as: _as, glass: _glass, sealedCredential: _sealed, ...own } = session;
    const credential = this.#credentialOf(session);
    const record: SessionRecord = {
      ...own,
      ...(credential === undefined
        ? {}
        : { sealedCredential: sealCredential(this.#parts.secret, hash, credential) }),
      ...rights,
      hash,
      usedAt: now,
    };
    if (!(await store.sessions.replace(session.hash, record, now))) throw notSignedIn();
    this.#ofSessions.rename(keyOf(session.hash), keyOf(hash));
    request.principal = await this.#throughSession(request, record);
    setSessionCookie(request, reply, secret, session.expiresAt - now);
    return request.principal;
  }

  /** Ends it in every process. */
  async endSession(session: SessionRecord): Promise<void> {
    this.#ofSessions.forget(keyOf(session.hash));
    await this.#parts.store.sessions.end(session.hash, this.#parts.clock());
  }

  /** Tells the audit of broken glass that is whole again, and forgets sessions that were over a day ago. */
  async tidySessions(): Promise<void> {
    const { store, clock, audit } = this.#parts;
    await audit.glassMended(await store.sessions.takeMendedGlass(clock()));
    await store.sessions.sweep(instant(clock() - 86_400_000));
  }

  /**
   * Whether the one-click sign-in is offered to this request: only to this very machine, and only under a
   * loopback name, because a page elsewhere can have its own name resolve to 127.0.0.1.
   */
  mayOpenDemo(request: FastifyRequest): boolean {
    const { forwarded, origin, via } = request.headers;
    if (!this.#parts.openDemo) return false;
    if (forwarded !== undefined || via !== undefined || request.headers["x-forwarded-for"] !== undefined)
      return false;
    if (origin !== undefined && origin !== `${request.protocol}://${request.headers.host}`) return false;
    return isLoopbackAddress(request.socket.remoteAddress) && isLoopbackHost(request.headers.host);
  }

  /**
   * The token of a Bearer header, or the password of a Basic one: some senders of webhooks know no credentials but
   * those in an address. Basic opens nothing but a connection to post to, so that no browser keeps more than that.
   */
  async #authorize(authorization: string): Promise<TokenRecord> {
    const [scheme = "", credentials, ...rest] = authorization.split(" ");
    if (credentials === undefined || rest.length > 0) throw notSignedIn();
    if (scheme.toLowerCase() === "bearer") return this.findToken(credentials);
    if (scheme.toLowerCase() !== "basic") throw notSignedIn();
    const [, password = ""] = /^[^:]*:(.*)$/.exec(Buffer.from(credentials, "base64").toString()) ?? [];
    const token = await this.findToken(password);
    if (token.scope.kind !== "ingest") throw notSignedIn();
    return token;
  }

  #good(token: TokenRecord | undefined): TokenRecord {
    if (token === undefined || token.revokedAt !== undefined) throw notSignedIn();
    if (token.expiresAt !== undefined && token.expiresAt <= this.#parts.clock()) throw notSignedIn();
    return token;
  }

  async #throughToken({ id, name, scope }: TokenRecord): Promise<Principal> {
    if (scope.kind === "ingest") return senderTo(scope.connection, { subject: id, name });
    return this.#principal({ subject: id, name, grants: [grantOf(scope)] });
  }

  /** An address whose tokens were refused too often is put off before the service is asked. */
  async #throughKeystone(
    request: FastifyRequest,
    token: string,
    { freshMs, isUse }: Look,
  ): Promise<Principal> {
    const provider = this.#keystone(request);
    if (provider === undefined || token === "" || token.length > keystoneTokenCharsMax) throw notSignedIn();
    const key = `${provider.name} ${createHash("sha256").update(token).digest("base64url")}`;
    const ask = (): Promise<Identity> => provider.confirm(token);
    if (isUse && !this.#ofTokens.isKnown(key, freshMs)) this.#parts.refusals.check(request);
    const { subject, name, grants } = await this.#ofTokens.find(key, freshMs, ask);
    return this.#principal({ subject, name, grants });
  }

  #keystone(request: FastifyRequest): IdentityProvider | undefined {
    const named = request.headers[identityProviderHeader];
    const all = (this.#parts.identityProviders ?? []).filter(({ kind }) => kind === "keystone");
    if (named === undefined) return all.length === 1 ? all[0] : undefined;
    return all.find(({ name }) => name === named);
  }

  async #findSession(hash: Uint8Array): Promise<SessionRecord> {
    const session = await this.#parts.store.sessions.find(hash);
    if (session === undefined || !isLive(session, this.#parts.clock())) throw notSignedIn();
    return session;
  }

  async #throughSession(request: FastifyRequest, session: SessionRecord, look?: Look): Promise<Principal> {
    const { store, clock } = this.#parts;
    const holder = await this.#holderOf(request, session, look?.freshMs ?? identityFreshMs);
    const now = clock();
    if (look?.isUse === true && now - session.usedAt >= useEveryMs)
      await store.sessions.use(session.hash, now);
    return this.#principal(holder, session.glass !== undefined && now < session.glass.until);
  }

  /** What the session's own credential is good for at this moment; one that is refused for good ends with it. */
  async #holderOf(request: FastifyRequest, session: SessionRecord, freshMs: number): Promise<Holder> {
    const { through, subject, name } = session;
    if (through === "demo") {
      if (!this.mayOpenDemo(request)) throw notSignedIn();
      return { subject, name, grants: [{ kind: "provider", role: "admin" }], session };
    }
    try {
      if (through !== "token") return { ...(await this.#confirm(session, freshMs)), session };
      const { scope } = this.#good(await this.#parts.store.tokens.byId(subject));
      if (scope.kind === "ingest") throw notSignedIn();
      return { subject, name, grants: [grantOf(scope)], session };
    } catch (error) {
      if (error instanceof IsochronError && error.kind === "denied") await this.endSession(session);
      throw error;
    }
  }

  async #confirm(session: SessionRecord, freshMs: number): Promise<Identity> {
    const provider = (this.#parts.identityProviders ?? []).find(({ name }) => name === session.through);
    const credential = this.#credentialOf(session);
    if (provider === undefined || credential === undefined) throw notSignedIn();
    const ask = (): Promise<Identity> => provider.confirm(credential);
    const identity = await this.#ofSessions.find(keyOf(session.hash), freshMs, ask);
    if (identity.subject !== session.subject) throw notSignedIn();
    return identity;
  }

  #credentialOf({ hash, sealedCredential }: SessionRecord): string | undefined {
    return sealedCredential === undefined
      ? undefined
      : openCredential(this.#parts.secret, hash, sealedCredential);
  }

  async #principal(holder: Holder, glassBroken = false): Promise<Principal> {
    return principalOf(holder, await this.#directory.list(), glassBroken);
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString("base64url");
}

/** Whether the request brought anything that could have been refused. */
export function carriesCredentials(request: FastifyRequest): boolean {
  const { authorization, [keystoneTokenHeader]: keystoneToken } = request.headers;
  return authorization !== undefined || keystoneToken !== undefined || sessionHashOf(request) !== undefined;
}

/** SHA-256 of a well-formed token; undefined for what cannot be one. */
export function hashToken(token: string): Uint8Array | undefined {
  return tokenPattern.test(token) ? createHash("sha256").update(token).digest() : undefined;
}

/** The scope to read with. A principal that may only post is answered as one that has not signed in. */
export function readingScope(request: FastifyRequest): { principal: Principal; scope: Scope } {
  const { principal } = request;
  if (principal?.scope === undefined) throw notSignedIn();
  return { principal, scope: principal.scope };
}

/** Throws the one 404 unless the principal may post to the connection. */
export function checkMayPost(request: FastifyRequest, connection: string): void {
  const posts = request.principal?.posts ?? "nowhere";
  if (posts === "everywhere") return;
  if (posts !== "nowhere" && posts.connection === connection) return;
  request.denied = true;
  throw notFound();
}

/**
 * Throws `header-missing` for a request that another site's page could have had a browser make: without the header that
 * no form can send, or with a browser's own word that it comes from elsewhere.
 */
export function checkCsrf(request: FastifyRequest): void {
  if (request.headers[csrfHeader] === "1" && comesFromHere(request)) return;
  throw new IsochronError(
    "header-missing",
    "The request does not show that it was made by a page of this server.",
    "Send the header `X-Isochron-CSRF: 1`.",
  );
}

/** A browser tells the site where it knows one; behind a proxy that renames the host that is the better witness. */
function comesFromHere({ headers }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin" || site === "none";
  const { origin } = headers;
  if (origin === undefined) return true;
  const hosts = [headers.host, headers["x-forwarded-host"]];
  return URL.canParse(origin) && hosts.includes(new URL(origin).host);
}

function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}

function isLoopbackHost(host: string | undefined): boolean {
  const name = host?.replace(/:\d+$/, "").toLowerCase();
  return (
    name === "localhost" ||
    name === "[::1]" ||
    (name !== undefined && isIPv4(name) && name.startsWith("127."))
  );
}
