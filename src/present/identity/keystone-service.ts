import type { z } from "zod";
import type { KeystoneCredential, KeystoneScope } from "../../model/sign-in-service.ts";
import { createExchange, readJson, type Exchange, type ExchangeAnswer } from "./exchange.ts";
import { factorAsked, refused, unavailable } from "./identity-failure.ts";
import type { KeystoneSettings, ServiceCredential } from "./keystone-settings.ts";

/** How long our own credential rests that Keystone has refused: some clouds lock accounts after a few failures. */
const refusalRestMs = 30_000;

const json = { "content-type": "application/json", accept: "application/json" };

/** Conversation with one Keystone, under its own credential of ours. Throws `identity-unavailable`. */
export class KeystoneService {
  readonly #settings: KeystoneSettings;
  readonly #exchange: Exchange;
  readonly #nowMs: () => number;
  #token: Promise<string> | undefined;
  #restsUntilMs = 0;

  constructor(settings: KeystoneSettings, nowMs: () => number) {
    this.#settings = settings;
    this.#nowMs = nowMs;
    const { name, ca, timeoutMs } = settings;
    this.#exchange = createExchange({ name, timeoutMs, ...(ca === undefined ? {} : { ca }) });
  }

  /** The token of somebody who signs in. Throws `not-signed-in` where Keystone refuses. */
  async issue(credential: KeystoneCredential): Promise<string> {
    const answer = await this.#post(identityOf(credential));
    const { status, headers } = answer;
    // A receipt is given to those whose first factor was right (`openstack-auth-receipt`).
    if (status === 401 && headers["openstack-auth-receipt"] !== undefined) throw factorAsked();
    if ([400, 401, 403, 413].includes(status)) throw refused(`Keystone answered ${status}`);
    return this.#tokenIn(answer, "the sign-in");
  }

  /**
   * Reads `path` as ourselves; undefined for 404. A refused token of ours is issued again once.
   */
  async get<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    subjectToken?: string,
  ): Promise<z.infer<Schema> | undefined> {
    const url = `${this.#settings.authUrl}${path}`;
    const subject = subjectToken === undefined ? {} : { "x-subject-token": subjectToken };
    const ask = (token: string): Promise<ExchangeAnswer> =>
      this.#exchange({
        method: "GET",
        url,
        headers: { accept: json.accept, "x-auth-token": token, ...subject },
      });
    const used = await this.#ownToken();
    let answer = await ask(used);
    if (answer.status === 401) answer = await ask(await this.#ownToken(used));
    if (answer.status === 404) return undefined;
    const place = path.split("?", 1)[0];
    if (answer.status !== 200)
      throw this.#unavailable(`${place} answered ${answer.status} to our own credential`);
    const parsed = schema.safeParse(readJson(this.#settings.name, url, answer));
    if (!parsed.success) throw this.#unavailable(`${place} answered with another form than Keystone's`);
    return parsed.data;
  }

  /** Our own token; `spent` is one that was refused. Those who meet it together share the renewal. */
  async #ownToken(spent?: string): Promise<string> {
    const known = this.#token;
    if (known !== undefined && (spent === undefined || (await known) !== spent)) return known;
    if (this.#token !== known && this.#token !== undefined) return this.#token;
    const issued = this.#issueOwn();
    this.#token = issued;
    issued.catch(() => {
      if (this.#token === issued) this.#token = undefined;
    });
    return issued;
  }

  async #issueOwn(): Promise<string> {
    if (this.#nowMs() < this.#restsUntilMs)
      throw this.#unavailable("it refused our own credential a moment ago");
    const answer = await this.#post(serviceIdentityOf(this.#settings.service()));
    if (![400, 401, 403].includes(answer.status)) return this.#tokenIn(answer, "our own sign-in");
    this.#restsUntilMs = this.#nowMs() + refusalRestMs;
    throw this.#unavailable(`it refused our own credential (${answer.status})`);
  }

  #post(auth: object): Promise<ExchangeAnswer> {
    // The catalogue is of no use here, and long.
    const url = `${this.#settings.authUrl}/auth/tokens?nocatalog`;
    return this.#exchange({ method: "POST", url, headers: json, body: JSON.stringify({ auth }) });
  }

  #tokenIn({ status, headers }: ExchangeAnswer, what: string): string {
    const token = headers["x-subject-token"];
    if ((status === 201 || status === 200) && token !== undefined) return token;
    throw this.#unavailable(
      `it answered ${what} with ${status}${token === undefined ? " and no token" : ""}`,
    );
  }

  #unavailable(why: string): ReturnType<typeof unavailable> {
    return unavailable(this.#settings.name, why);
  }
}

function identityOf(credential: KeystoneCredential): object {
  if (credential.kind === "application-credential") return applicationCredential(credential);
  if (credential.kind === "token") {
    return {
      identity: { methods: ["token"], token: { id: credential.token } },
      scope: scopeOf(credential.scope),
    };
  }
  const { user, domain, password } = credential;
  return { ...passwordIdentity(user, domain, password), scope: scopeOf(credential.scope) };
}

function serviceIdentityOf(credential: ServiceCredential): object {
  if (credential.kind === "application-credential") return applicationCredential(credential);
  const { user, userDomain, password, projectId } = credential;
  const scope = projectId === undefined ? ({ system: true } as const) : { projectId };
  return { ...passwordIdentity(user, userDomain, password), scope: scopeOf(scope) };
}

/** It has a scope of its own, and Keystone refuses another. */
function applicationCredential({ id, secret }: { readonly id: string; readonly secret: string }): object {
  return { identity: { methods: ["application_credential"], application_credential: { id, secret } } };
}

function passwordIdentity(name: string, domain: object, password: string): object {
  return { identity: { methods: ["password"], password: { user: { name, domain, password } } } };
}

/** Said in so many words, because a user may have a default project, which Keystone would take else. */
function scopeOf(scope: KeystoneScope | undefined): unknown {
  if (scope === undefined) return "unscoped";
  if ("projectId" in scope) return { project: { id: scope.projectId } };
  if ("domainId" in scope) return { domain: { id: scope.domainId } };
  return { system: { all: true } };
}
