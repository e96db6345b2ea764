import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import type { FastifyRequest } from "fastify";
import { IsochronError } from "../../errors.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, projectKey, type TenantKey } from "../../model/tenant.ts";
import type { TokenRecord, TokenScope } from "../../store/token-store.ts";
import type { ApiParts } from "./api-parts.ts";
import { csrfHeader } from "./contract.ts";
import { notFound, notSignedIn } from "./problem.ts";
import { EndedSessions, readSession, sessionCookieName, type SessionClaims } from "./session-cookie.ts";
import type { TenantDirectory, TenantList } from "./tenant-directory.ts";

/** Who asks, and what they may see, as of this request. */
export interface Principal {
  /** The token's id, or `demo`; names the principal in limits and logs. */
  readonly id: string;
  /** What it may read; absent for those who may only post. */
  readonly scope?: Scope;
  /** Where it may post records. */
  readonly posts: "everywhere" | "nowhere" | { readonly connection: string };
  readonly label: string;
  /** What cursors are bound to: the grant, not its expansion, so that a new project ends no paging. */
  readonly binding: string;
  readonly session?: SessionClaims;
  /** True when the principal is a provider, whomever it looks as just now. */
  readonly provider: boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

const tokenPattern = /^iso_[A-Za-z0-9_-]{43}$/;

type SignInParts = Pick<ApiParts, "store" | "clock" | "secret" | "openDemo" | "viewer">;

/** Finds out who asks. Every refusal is the same `not-signed-in`. */
export class SignIn {
  readonly ended = new EndedSessions();
  readonly #parts: SignInParts;
  readonly #directory: TenantDirectory;

  constructor(parts: SignInParts, directory: TenantDirectory) {
    this.#parts = parts;
    this.#directory = directory;
  }

  /** The principal of the Authorization header, or else of the session cookie. */
  async identify(request: FastifyRequest): Promise<Principal> {
    const { authorization } = request.headers;
    if (authorization !== undefined) return this.#principalOf(await this.#authorize(authorization));
    const claims = this.#claimsOf(request);
    if (claims === undefined) {
      const { viewer } = this.#parts;
      if (viewer === undefined) throw notSignedIn();
      return this.#principalOf({ id: "viewer", scope: viewer });
    }
    if (claims.tokenHash === undefined) {
      if (!this.mayOpenDemo(request)) throw notSignedIn();
      return this.#throughSession({ id: "demo", scope: { kind: "provider" } }, claims);
    }
    const token = await this.findToken(Buffer.from(claims.tokenHash, "base64url"));
    return this.#throughSession(token, claims);
  }

  /** The token with this hash while it is good; throws `not-signed-in` else. */
  async findToken(hash: Uint8Array | undefined): Promise<TokenRecord> {
    const token = hash === undefined ? undefined : await this.#parts.store.tokens.find(hash);
    if (token === undefined || token.revokedAt !== undefined) throw notSignedIn();
    if (token.expiresAt !== undefined && token.expiresAt <= this.#parts.clock()) throw notSignedIn();
    return token;
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
    if (scheme.toLowerCase() === "bearer") return this.findToken(hashToken(credentials));
    if (scheme.toLowerCase() !== "basic") throw notSignedIn();
    const [, password = ""] = /^[^:]*:(.*)$/.exec(Buffer.from(credentials, "base64").toString()) ?? [];
    const token = await this.findToken(hashToken(password));
    if (token.scope.kind !== "ingest") throw notSignedIn();
    return token;
  }

  #claimsOf(request: FastifyRequest): SessionClaims | undefined {
    const cookie = request.cookies[sessionCookieName];
    if (cookie === undefined) return undefined;
    const claims = readSession(cookie, this.#parts.secret, this.#parts.clock());
    return claims === undefined || this.ended.has(claims) ? undefined : claims;
  }

  async #throughSession(
    token: Pick<TokenRecord, "id" | "scope">,
    session: SessionClaims,
  ): Promise<Principal> {
    const { as } = session;
    if (as === undefined || token.scope.kind !== "provider") {
      return { ...(await this.#principalOf(token)), session };
    }
    const scope: TokenScope =
      "projectId" in as
        ? { kind: "project", ...as }
        : "domainId" in as
          ? { kind: "domain", ...as }
          : { kind: "customer", ...as };
    return { ...(await this.#principalOf({ id: token.id, scope })), session, provider: true };
  }

  async #principalOf({ id, scope }: Pick<TokenRecord, "id" | "scope">): Promise<Principal> {
    if (scope.kind === "ingest") {
      const { connection } = scope;
      const label = `connection ${connection}`;
      return { id, posts: { connection }, label, binding: `ingest/${connection}`, provider: false };
    }
    if (scope.kind === "provider") {
      return { id, scope, posts: "everywhere", label: "provider", binding: "provider", provider: true };
    }
    const tenants = await this.#directory.list();
    const label = labelOf(scope, tenants);
    const [binding, keys] = grantOf(scope, tenants);
    return { id, scope: { kind: "tenant", label, keys }, posts: "nowhere", label, binding, provider: false };
  }
}

type TenantGrant = TokenScope & { kind: "project" | "domain" | "customer" };

/** What names the grant, and what it comes to at this moment. */
function grantOf(scope: TenantGrant, tenants: TenantList): readonly [string, readonly TenantKey[]] {
  if (scope.kind === "customer") {
    return [`customer/${scope.customerId}`, tenants.claimOfCustomer(scope.customerId)];
  }
  const { controlPlane } = scope;
  if (scope.kind === "domain") {
    const key = domainKey(controlPlane, scope.domainId);
    return [key, [key]];
  }
  const key = projectKey(controlPlane, scope.projectId);
  return [key, [key]];
}

function labelOf(scope: TenantGrant, tenants: TenantList): string {
  if (scope.kind === "customer") {
    return `customer ${tenants.customer(scope.customerId)?.name ?? scope.customerId}`;
  }
  if (scope.kind === "domain") {
    return `domain ${tenants.domainName(scope.controlPlane, scope.domainId) ?? scope.domainId}`;
  }
  const { project_name: project, domain_name: domain } = tenants.toJson(scope);
  // Every domain may have a project of this name.
  return `project ${project ?? scope.projectId}${domain === undefined ? "" : ` of ${domain}`}`;
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
  if (posts === "nowhere" || posts.connection !== connection) throw notFound();
}

/** Throws `header-missing` for a request that another site's form could have made. */
export function checkCsrf(request: FastifyRequest): void {
  if (request.headers[csrfHeader] === "1") return;
  throw new IsochronError(
    "header-missing",
    "The request does not show that it was made by a page of this server.",
    "Send the header `X-Isochron-CSRF: 1`.",
  );
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
