import type { FastifyInstance } from "fastify";
import { IsochronError } from "../src/errors.ts";
import type { Grant, Identity, IdentityProvider } from "../src/model/identity.ts";
import { instant, type Instant } from "../src/model/instant.ts";
import type { TokenScope } from "../src/store/token-store.ts";
import type { Store } from "../src/store/store.ts";
import { pageRequest } from "./api-host.ts";
import { hashOf, tokenText } from "./api-world.ts";

/** Makes the token `tokenText(name)`, and gives its id. */
export async function makeToken(
  store: Pick<Store, "tokens">,
  name: string,
  scope: TokenScope,
): Promise<string> {
  return (await store.tokens.create({ name, hash: hashOf(tokenText(name)), scope })).id;
}

export function cookieOf(answer: { headers: Record<string, unknown> }): string {
  return String(answer.headers["set-cookie"]).split(";", 1)[0]!;
}

/** Signs a browser in with the named token; gives its cookie. */
export async function openSession(app: FastifyInstance, name: string): Promise<string> {
  const answer = await app.inject(pageRequest("POST", "/session", undefined, { token: tokenText(name) }));
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return cookieOf(answer);
}

/** An identity service whose word a test sets; it counts how often it is asked. */
export class ToldIdentities implements IdentityProvider {
  readonly name = "keystone";
  readonly title = "Keystone";
  readonly kind = "keystone";
  asked = 0;
  /** What each credential is good for; `down` where nobody can be asked. */
  readonly words = new Map<string, { readonly user: string; readonly grants: readonly Grant[] } | "down">();
  expiresAt: Instant = instant(Date.parse("2030-01-01T00:00:00Z"));
  /** Answers wait for it. */
  gate: Promise<void> = Promise.resolve();

  async confirm(credential: string): Promise<Identity> {
    this.asked++;
    const word = this.words.get(credential);
    await this.gate;
    if (word === "down") {
      throw new IsochronError("identity-unavailable", "Keystone does not answer.", "Try again later.");
    }
    if (word === undefined) throw new IsochronError("not-signed-in", "Keystone refuses it.", "Sign in.");
    const { user, grants } = word;
    return { subject: `keystone/${user}`, name: user, grants, expiresAt: this.expiresAt };
  }
}
