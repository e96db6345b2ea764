import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OidcServer, { type Configuration } from "oidc-provider";

export const clientId = "isochron";
export const clientSecret = "a-secret-of-the-client-0123456789";

export interface ProviderOptions {
  readonly redirectUri: string;
  readonly refreshes?: boolean;
  readonly rotates?: boolean;
  readonly accessTokenSeconds?: number;
  /** Whether claims stand in the ID token too, where most are left to the user info. */
  readonly tellsInIdToken?: boolean;
}

type Claims = Record<string, unknown>;

/** A real OpenID Provider on loopback, with people who sign in with any password. */
export class OpenIdProvider {
  /** Claims by the name that is typed; who is missing is unknown to it. */
  readonly people = new Map<string, Claims>();
  readonly #server: Server;
  #provider: OidcServer | undefined;
  /** Refuses whatever is asked of it. */
  isDown = false;

  private constructor() {
    this.#server = createServer((request, response) => {
      if (this.isDown) response.writeHead(503).end();
      else void this.#provider?.callback()(request, response);
    });
  }

  static async start(options: ProviderOptions): Promise<OpenIdProvider> {
    const started = new OpenIdProvider();
    await new Promise<void>((resolve) => started.#server.listen(0, "127.0.0.1", resolve));
    started.#provider = new OidcServer(started.issuer, configurationOf(options, started.people));
    return started;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ends all that was given to a person, as an administrator of the provider would. */
  async endGrantsOf(credential: string): Promise<void> {
    const { refresh } = JSON.parse(credential) as { refresh: string };
    const found = await this.#provider?.RefreshToken.find(refresh);
    await found?.destroy();
  }

  /** Signs a person in as a browser would; gives the query that the browser comes back with. */
  async visit(location: string, person: string): Promise<string> {
    const jar = new Map<string, string>();
    let next = new URL(location);
    let form: URLSearchParams | undefined;
    for (let step = 0; step < 12; step++) {
      const answer = await fetch(next, {
        redirect: "manual",
        method: form === undefined ? "GET" : "POST",
        headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") },
        ...(form === undefined ? {} : { body: form }),
      });
      for (const line of answer.headers.getSetCookie()) {
        const [pair = ""] = line.split(";");
        const [name = "", ...value] = pair.split("=");
        jar.set(name, value.join("="));
      }
      const page = await answer.text();
      const to = answer.headers.get("location");
      form = undefined;
      if (to !== null) {
        next = new URL(to, next);
        if (next.origin !== this.issuer) return next.search.slice(1);
        continue;
      }
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
      if (prompt === undefined) throw new Error(`${next.pathname}: ${answer.status} ${page.slice(0, 300)}`);
      form = new URLSearchParams(prompt === "login" ? { prompt, login: person, password: "x" } : { prompt });
    }
    throw new Error("the sign-in does not end");
  }
}

function configurationOf(options: ProviderOptions, people: ReadonlyMap<string, Claims>): Configuration {
  const { redirectUri, refreshes = false, rotates = false, accessTokenSeconds = 600 } = options;
  const { tellsInIdToken = false } = options;
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    claims: {
      openid: ["sub"],
      profile: ["preferred_username", "groups", "projects", "realm"],
      email: ["email", "email_verified"],
    },
    conformIdTokenClaims: !tellsInIdToken,
    cookies: { keys: ["a key of the tests"] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => {
      const claims = people.get(id);
      return claims === undefined ? undefined : { accountId: id, claims: () => ({ sub: id, ...claims }) };
    },
    issueRefreshToken: () => refreshes,
    rotateRefreshToken: () => rotates,
    ttl: {
      AccessToken: accessTokenSeconds,
      IdToken: 300,
      RefreshToken: 3_600,
      Session: 600,
      Grant: 3_600,
      Interaction: 600,
    },
  };
}
