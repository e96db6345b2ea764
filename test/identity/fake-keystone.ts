import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

type Json = Record<string, unknown>;

export type FakeScope =
  | { readonly project: string }
  | { readonly domain: string; readonly inherited?: true }
  | { readonly system: true };

interface FakeUser {
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  password: string;
  enabled: boolean;
  readonly groups: readonly string[];
}

interface FakeToken {
  readonly user: string;
  readonly scope: FakeScope | undefined;
  readonly expiresAt: number;
  readonly applicationCredential?: string;
}

interface Answer {
  readonly status: number;
  readonly body?: Json;
  readonly headers?: Record<string, string>;
}

/** As bootstrapped: each implies the next. */
const implied: Readonly<Record<string, string>> = { admin: "manager", manager: "member", member: "reader" };

/**
 * A Keystone on loopback, by the Identity API v3 and by what Keystone 22 (Zed) was seen to answer: `effective` leaves out
 * the system, disabled projects stay in role assignments, and a token that is no good is a 404 to whoever validates it.
 */
export class FakeKeystone {
  readonly domains = new Map<string, { readonly name: string; enabled: boolean }>();
  readonly projects = new Map<string, { readonly name: string; readonly domain: string; enabled: boolean }>();
  readonly users = new Map<string, FakeUser>();
  readonly applicationCredentials = new Map<
    string,
    {
      readonly user: string;
      readonly project: string;
      readonly secret: string;
      readonly accessRules?: object[];
    }
  >();
  assignments: {
    readonly who: string;
    readonly role: string;
    readonly on: FakeScope;
    readonly roleDomain?: string;
  }[] = [];
  readonly tokens = new Map<string, FakeToken>();
  /** `METHOD path` of each request, with its query. */
  readonly requests: string[] = [];
  /** In place of every answer. */
  mood: "well" | "silent" | "failing" | "garbled" | "redirecting" | "endless" = "well";
  /** Answered to a right password. */
  asksForFactor = false;
  tokenLifeMs = 3_600_000;
  nowMs: () => number = Date.now;
  readonly #server: Server;
  readonly #waiting: ServerResponse[] = [];

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<FakeKeystone> {
    const keystone = new FakeKeystone();
    keystone.domains.set("default", { name: "Default", enabled: true });
    keystone.addUser("isochron", "default", "service-password");
    keystone.assign("isochron@default", "reader", { system: true });
    await new Promise<void>((resolve) => keystone.#server.listen(0, "127.0.0.1", resolve));
    return keystone;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v3`;
  }

  async stop(): Promise<void> {
    for (const response of this.#waiting) response.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ids are the names with their domain, so that a test can be read. */
  addDomain(name: string): string {
    this.domains.set(`d-${name}`, { name, enabled: true });
    return `d-${name}`;
  }

  addProject(name: string, domain: string): string {
    const id = `p-${name}-${domain}`;
    this.projects.set(id, { name, domain, enabled: true });
    return id;
  }

  addUser(name: string, domain: string, password: string, groups: readonly string[] = []): string {
    const id = `${name}@${domain}`;
    this.users.set(id, { id, name, domain, password, enabled: true, groups });
    return id;
  }

  /** `roleDomain` makes it a role of that domain's own. */
  assign(who: string, role: string, on: FakeScope, roleDomain?: string): void {
    this.assignments.push({ who, role, on, ...(roleDomain === undefined ? {} : { roleDomain }) });
  }

  issue(user: string, scope?: FakeScope, applicationCredential?: string): string {
    const token = `gAAAA${randomBytes(24).toString("base64url")}`;
    const expiresAt = this.nowMs() + this.tokenLifeMs;
    const application = applicationCredential === undefined ? {} : { applicationCredential };
    this.tokens.set(token, { user, scope, expiresAt, ...application });
    return token;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    this.requests.push(`${request.method} ${request.url}`);
    switch (this.mood) {
      case "silent":
        this.#waiting.push(response);
        return;
      case "failing":
        response.writeHead(503).end("<html>Service Unavailable</html>");
        return;
      case "garbled":
        response.writeHead(200, { "x-subject-token": "garbled" }).end("<html>Log in to the hotel</html>");
        return;
      case "redirecting":
        response.writeHead(302, { location: "http://127.0.0.1:9/v3" }).end();
        return;
      case "endless":
        response.writeHead(200);
        this.#pour(response);
        return;
    }
    const body = chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString()) as Json);
    const { status, body: told, headers = {} } = this.#answer(request, body);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(told === undefined ? "" : JSON.stringify(told));
  }

  #pour(response: ServerResponse): void {
    response.write(" ".repeat(64 * 1024), (error) => {
      if (error === null || error === undefined) setImmediate(() => this.#pour(response));
    });
  }

  #answer(request: IncomingMessage, body: Json): Answer {
    const url = new URL(request.url ?? "/", this.url);
    const path = url.pathname.replace(/^\/v3/, "");
    if (request.method === "POST" && path === "/auth/tokens") return this.#signIn(body);
    const asker = this.#good(String(request.headers["x-auth-token"]));
    if (asker === undefined) return refusal(401);
    if (path === "/auth/tokens") {
      const subject = this.#good(String(request.headers["x-subject-token"]));
      return subject === undefined ? refusal(404) : { status: 200, body: { token: this.#describe(subject) } };
    }
    if (asker.scope === undefined || !("system" in asker.scope)) return refusal(403);
    if (path === "/role_assignments") return this.#listAssignments(url.searchParams);
    const [, kind, id = "", part] = path.split("/").map(decodeURIComponent);
    const user = this.users.get(id);
    const domain = this.domains.get(id);
    if (kind === "domains" && domain !== undefined)
      return { status: 200, body: { domain: { id, ...domain } } };
    if (kind !== "users" || user === undefined) return refusal(404);
    if (part === "groups")
      return { status: 200, body: { groups: user.groups.map((group) => ({ id: group })) } };
    return {
      status: 200,
      body: { projects: this.#projectsOf(user, url.searchParams.get("enabled") === "true") },
    };
  }

  #signIn(body: Json): Answer {
    const { identity, scope } = body["auth"] as { identity: Json; scope?: Json | "unscoped" };
    const [method] = identity["methods"] as string[];
    const known = this.#whoSignsIn(String(method), identity);
    if (known === undefined) return refusal(401);
    if (this.asksForFactor && method === "password" && known.user !== "isochron@default")
      return { ...refusal(401), headers: { "openstack-auth-receipt": "receipt" } };
    const asked = known.scope ?? (typeof scope === "object" ? readScope(scope) : undefined);
    const token = this.issue(known.user, asked, known.applicationCredential);
    const issued = this.#good(token);
    if (issued === undefined) return refusal(401);
    return { status: 201, headers: { "x-subject-token": token }, body: { token: this.#describe(issued) } };
  }

  #whoSignsIn(method: string, identity: Json): Omit<FakeToken, "expiresAt"> | undefined {
    const given = identity[method] as Json;
    if (method === "token") return this.#good(String(given["id"]));
    if (method === "application_credential") {
      const id = String(given["id"]);
      const credential = this.applicationCredentials.get(id);
      if (credential?.secret !== given["secret"] || credential === undefined) return undefined;
      return { user: credential.user, scope: { project: credential.project }, applicationCredential: id };
    }
    const { name, domain, password } = given["user"] as { name: string; domain: Json; password: string };
    const user = [...this.users.values()].find(
      (one) =>
        one.name === name &&
        (one.domain === domain["id"] || this.domains.get(one.domain)?.name === domain["name"]),
    );
    return user?.password === password ? { user: user.id, scope: undefined } : undefined;
  }

  /** What is left of a token once all that may end it was looked at. */
  #good(text: string): FakeToken | undefined {
    const token = this.tokens.get(text);
    const user = this.users.get(token?.user ?? "");
    if (token === undefined || user === undefined || !user.enabled) return undefined;
    if (token.expiresAt <= this.nowMs() || this.domains.get(user.domain)?.enabled !== true) return undefined;
    const { scope } = token;
    if (scope === undefined) return token;
    if ("project" in scope && !this.#isLive(scope.project)) return undefined;
    if ("domain" in scope && this.domains.get(scope.domain)?.enabled !== true) return undefined;
    return this.#rolesOn(user, scope).length > 0 ? token : undefined;
  }

  #isLive(projectId: string): boolean {
    const project = this.projects.get(projectId);
    return project?.enabled === true && this.domains.get(project.domain)?.enabled === true;
  }

  #describe({ user: id, scope, expiresAt, applicationCredential }: FakeToken): Json {
    const user = this.users.get(id);
    if (user === undefined) throw new Error(`no user ${id}`);
    const rules = this.applicationCredentials.get(applicationCredential ?? "")?.accessRules;
    return {
      methods: ["password"],
      user: { id, name: user.name, domain: this.#domain(user.domain), password_expires_at: null },
      audit_ids: ["audit"],
      issued_at: new Date(this.nowMs()).toISOString().replace("Z", "000Z"),
      expires_at: new Date(expiresAt).toISOString().replace("Z", "000Z"),
      ...(applicationCredential === undefined
        ? {}
        : { application_credential: { id: applicationCredential, restricted: true, access_rules: rules } }),
      ...(scope === undefined
        ? {}
        : { roles: this.#rolesOn(user, scope).map((name) => ({ id: `r-${name}`, name })) }),
      ...(scope === undefined ? {} : this.#describeScope(scope)),
    };
  }

  #describeScope(scope: FakeScope): Json {
    if ("system" in scope) return { system: { all: true } };
    if ("domain" in scope) return { domain: this.#domain(scope.domain) };
    const project = this.projects.get(scope.project);
    const domain = this.#domain(project?.domain ?? "");
    return { is_domain: false, project: { id: scope.project, name: project?.name ?? "", domain } };
  }

  #domain(id: string): Json {
    return { id, name: this.domains.get(id)?.name ?? "" };
  }

  /** Names of global roles, with those that they imply. */
  #rolesOn(user: FakeUser, scope: FakeScope): readonly string[] {
    const here = this.#effective(user).filter(({ on }) => JSON.stringify(on) === JSON.stringify(scope));
    const system = this.assignments.filter(
      ({ who, on }) => holds(user, who) && "system" in on && "system" in scope,
    );
    const names = [...here, ...system]
      .filter(({ roleDomain }) => roleDomain === undefined)
      .map(({ role }) => role);
    return [...new Set(names.flatMap(withImplied))];
  }

  /** Groups and inheritance followed; never the system. */
  #effective(user: FakeUser) {
    return this.assignments
      .filter(({ who, on }) => holds(user, who) && !("system" in on))
      .flatMap((assignment) => {
        const { on } = assignment;
        if (!("domain" in on) || on.inherited === undefined) return [assignment];
        const inside = [...this.projects].filter(([, project]) => project.domain === on.domain);
        return inside.map(([project]) => ({ ...assignment, on: { project }, isInherited: true }));
      });
  }

  #listAssignments(query: URLSearchParams): Answer {
    const user = this.users.get(query.get("user.id") ?? "");
    if (query.has("effective")) {
      const found = user === undefined ? [] : this.#effective(user);
      const expanded = found.flatMap((one) => withImplied(one.role).map((role) => ({ ...one, role })));
      return {
        status: 200,
        body: { role_assignments: expanded.map((one) => this.#describeAssignment(one)) },
      };
    }
    const onSystem = this.assignments.filter(({ on }) => "system" in on);
    return { status: 200, body: { role_assignments: onSystem.map((one) => this.#describeAssignment(one)) } };
  }

  #describeAssignment(
    assignment: FakeKeystone["assignments"][number] & { readonly isInherited?: true },
  ): Json {
    const { who, role, on, roleDomain, isInherited } = assignment;
    const { is_domain: _, ...scope } = this.#describeScope(on);
    const holder = this.users.has(who) ? { user: { id: who } } : { group: { id: who } };
    return {
      links: {},
      scope: { ...scope, ...(isInherited === true ? { "OS-INHERIT:inherited_to": "projects" } : {}) },
      role: {
        id: `r-${role}`,
        name: role,
        ...(roleDomain === undefined ? {} : { domain: this.#domain(roleDomain) }),
      },
      ...holder,
    };
  }

  #projectsOf(user: FakeUser, enabledOnly: boolean): readonly Json[] {
    const ids = new Set(this.#effective(user).flatMap(({ on }) => ("project" in on ? [on.project] : [])));
    return [...ids].flatMap((id) => {
      const project = this.projects.get(id);
      if (project === undefined || (enabledOnly && !project.enabled)) return [];
      return [{ id, name: project.name, domain_id: project.domain, enabled: project.enabled }];
    });
  }
}

function holds(user: FakeUser, who: string): boolean {
  return user.id === who || user.groups.includes(who);
}

function withImplied(role: string): readonly string[] {
  const next = implied[role];
  return next === undefined ? [role] : [role, ...withImplied(next)];
}

function readScope(scope: Json): FakeScope | undefined {
  const project = scope["project"] as { id: string } | undefined;
  const domain = scope["domain"] as { id: string } | undefined;
  if (project !== undefined) return { project: project.id };
  if (domain !== undefined) return { domain: domain.id };
  return { system: true };
}

function refusal(status: number): Answer {
  return { status, body: { error: { code: status, message: "Refused.", title: "Refused" } } };
}
