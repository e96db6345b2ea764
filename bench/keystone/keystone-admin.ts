import { randomBytes } from "node:crypto";

export interface CloudUser {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly password: string;
}

type Json = Record<string, unknown>;

/** What an administrator of the system does in a Keystone, as far as the bench needs it, and undoes. */
export class KeystoneAdmin {
  readonly #url: string;
  readonly #token: string;
  readonly #roles: ReadonlyMap<string, string>;
  readonly #domains: string[] = [];

  private constructor(url: string, token: string, roles: ReadonlyMap<string, string>) {
    this.#url = url;
    this.#token = token;
    this.#roles = roles;
  }

  static async signIn(url: string, name: string, password: string): Promise<KeystoneAdmin> {
    const user = { name, domain: { id: "default" }, password };
    const token = await issueToken(url, user, { system: { all: true } });
    const roles = new Map<string, string>();
    const keystone = new KeystoneAdmin(url, token, roles);
    const { roles: listed } = await keystone.#call("GET", "/roles");
    for (const role of listed as { name: string; id: string }[]) roles.set(role.name, role.id);
    return keystone;
  }

  async createDomain(name: string): Promise<string> {
    const { domain } = await this.#call("POST", "/domains", { domain: { name } });
    const { id } = domain as { id: string };
    this.#domains.push(id);
    return id;
  }

  async createProject(name: string, domainId: string): Promise<string> {
    const { project } = await this.#call("POST", "/projects", { project: { name, domain_id: domainId } });
    return (project as { id: string }).id;
  }

  async createUser(name: string, domainId: string): Promise<CloudUser> {
    const password = randomBytes(18).toString("base64url");
    const { user } = await this.#call("POST", "/users", { user: { name, domain_id: domainId, password } });
    return { id: (user as { id: string }).id, name, domainId, password };
  }

  async createApplicationCredential(
    user: CloudUser,
    projectId: string,
  ): Promise<{ id: string; secret: string }> {
    const token = await this.issue(user, { project: { id: projectId } });
    const path = `/users/${user.id}/application_credentials`;
    const answer = await this.#call("POST", path, { application_credential: { name: "bench" } }, token);
    return answer["application_credential"] as { id: string; secret: string };
  }

  async grantOnProject(role: string, projectId: string, user: CloudUser): Promise<void> {
    await this.#call("PUT", `/projects/${projectId}/users/${user.id}/roles/${this.#role(role)}`);
  }

  async takeFromProject(role: string, projectId: string, user: CloudUser): Promise<void> {
    await this.#call("DELETE", `/projects/${projectId}/users/${user.id}/roles/${this.#role(role)}`);
  }

  async grantOnSystem(role: string, user: CloudUser): Promise<void> {
    await this.#call("PUT", `/system/users/${user.id}/roles/${this.#role(role)}`);
  }

  async takeFromSystem(role: string, user: CloudUser): Promise<void> {
    await this.#call("DELETE", `/system/users/${user.id}/roles/${this.#role(role)}`);
  }

  async disable(kind: "user" | "project" | "domain", id: string): Promise<void> {
    await this.#call("PATCH", `/${kind}s/${id}`, { [kind]: { enabled: false } });
  }

  /** A token of the user's; unscoped unless told otherwise. */
  issue(user: CloudUser, scope: Json | "unscoped" = "unscoped"): Promise<string> {
    const { name, domainId, password } = user;
    return issueToken(this.#url, { name, domain: { id: domainId }, password }, scope);
  }

  async revoke(token: string): Promise<void> {
    await this.#call("DELETE", "/auth/tokens", undefined, this.#token, { "x-subject-token": token });
  }

  /** Deletes the domains that were made, with all that is in them. */
  async takeAllAway(): Promise<void> {
    for (const domain of this.#domains) {
      await this.disable("domain", domain);
      await this.#call("DELETE", `/domains/${domain}`);
    }
  }

  #role(name: string): string {
    const id = this.#roles.get(name);
    if (id === undefined) throw new Error(`this Keystone has no role ${name}`);
    return id;
  }

  async #call(
    method: string,
    path: string,
    body?: Json,
    token = this.#token,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Json> {
    const answer = await fetch(this.#url + path, {
      method,
      headers: { "content-type": "application/json", "x-auth-token": token, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return text === "" ? {} : (JSON.parse(text) as Json);
  }
}

async function issueToken(url: string, user: Json, scope: Json | "unscoped"): Promise<string> {
  const answer = await fetch(`${url}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } }, scope } }),
  });
  const token = answer.headers.get("x-subject-token");
  if (token === null) throw new Error(`Keystone answered the sign-in with ${answer.status}`);
  return token;
}
