import * as client from "openid-client";
import { z } from "zod";
import type { Identity } from "../../model/identity.ts";
import { instant } from "../../model/instant.ts";
import type { OidcDeparture, OidcSignIn, SignedIn } from "../../model/sign-in-service.ts";
import { createExchange, fetchThrough, type Exchange } from "./exchange.ts";
import { FreshWord, hashOf } from "./fresh-word.ts";
import { refused } from "./identity-failure.ts";
import { grantsOfClaims, nameOf, usedClaims, type Claims } from "./oidc-claims.ts";
import { asFailure, type Asked } from "./oidc-failure.ts";
import type { OidcSettings } from "./oidc-settings.ts";
import { SharedAnswers } from "./shared-answers.ts";

const entriesMax = 10_000;
/** The provider's endpoints and rules seldom change. */
const discoveredKeptMs = 60 * 60 * 1000;
/** A person types a password and finds a phone in between. */
const departureKeptMs = 10 * 60 * 1000;
/** Where the provider does not say how long its refresh token lasts; a browser's session is no longer than that. */
const refreshableMs = 12 * 60 * 60 * 1000;

const pendingSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  begunAtMs: z.number(),
});

/** What a session is confirmed by: a refresh token, else an access token for the user info, else a moment. */
const heldSchema = z.object({
  sub: z.string(),
  /** What the ID token alone tells: what the user info has told it has to tell again. */
  claims: z.record(z.string(), z.unknown()),
  claimsUntilMs: z.number(),
  untilMs: z.number(),
  refresh: z.string().optional(),
  access: z.string().optional(),
});
type Held = z.infer<typeof heldSchema>;

/** What is held, and what holds of the person at this moment. */
interface Known {
  readonly held: Held;
  readonly claims: Claims;
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>;

/** OpenID Connect Core 1.0: authorization code with PKCE (RFC 7636), state, nonce and the issuer's check (RFC 9207). */
export class OpenIdConnect implements OidcSignIn {
  readonly kind = "oidc";
  readonly name: string;
  readonly title: string;
  readonly #settings: OidcSettings;
  readonly #nowMs: () => number;
  readonly #exchange: Exchange;
  readonly #fresh: FreshWord;
  readonly #underWay: SharedAnswers<Identity>;
  readonly #discovered: SharedAnswers<client.Configuration>;
  /**
   * What took the place of what was sealed at the sign-in, by its hash: some providers give a new refresh token each
   * time. Kept in this process only, so that another one is refused and the session ends there.
   */
  readonly #rotated = new Map<string, Held>();

  constructor(settings: OidcSettings, nowMs: () => number = Date.now) {
    this.#settings = settings;
    this.name = settings.name;
    this.title = settings.title;
    this.#nowMs = nowMs;
    const { name, ca, timeoutMs } = settings;
    this.#exchange = createExchange({ name, timeoutMs, ...(ca === undefined ? {} : { ca }) });
    this.#fresh = new FreshWord(nowMs);
    // A refresh token that is used twice at a time would end its whole family at some providers.
    this.#underWay = new SharedAnswers({ keptMs: 0, entriesMax, nowMs });
    this.#discovered = new SharedAnswers({ keptMs: discoveredKeptMs, entriesMax: 1, nowMs });
  }

  async begin(): Promise<OidcDeparture> {
    const { redirectUri, scopes } = this.#settings;
    const config = await this.#discover();
    const state = client.randomState();
    const nonce = client.randomNonce();
    const verifier = client.randomPKCECodeVerifier();
    const location = client.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: scopes.join(" "),
      state,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      // Without it providers leave `offline_access` out (OpenID Connect Core, section 11).
      ...(scopes.includes("offline_access") ? { prompt: "consent" } : {}),
    });
    const pending = { state, nonce, verifier, begunAtMs: this.#nowMs() };
    return { location: location.href, pending: JSON.stringify(pending) };
  }

  async finish(query: string, pending: string): Promise<SignedIn> {
    const begun = pendingSchema.parse(JSON.parse(pending));
    if (this.#nowMs() - begun.begunAtMs > departureKeptMs) throw refused("the sign-in took too long");
    const config = await this.#discover();
    const tokens = await this.#asked("tokens", () =>
      client.authorizationCodeGrant(config, new URL(`${this.#settings.redirectUri}?${query}`), {
        expectedState: begun.state,
        expectedNonce: begun.nonce,
        pkceCodeVerifier: begun.verifier,
        idTokenExpected: true,
      }),
    );
    const idToken = tokens.claims();
    if (idToken === undefined) throw refused("no ID token was given");
    const known = await this.#hold(config, tokens, idToken.sub);
    const credential = JSON.stringify(known.held);
    const identity = this.#identityOf(known);
    this.#fresh.keep(credential, identity);
    return { identity, credential };
  }

  async confirm(credential: string): Promise<Identity> {
    const identity =
      this.#fresh.take(credential) ??
      (await this.#underWay.get(hashOf(credential), () => this.#askAgain(credential)));
    if (identity.expiresAt <= this.#nowMs()) throw refused();
    return identity;
  }

  async probe(): Promise<void> {
    await this.#discover();
  }

  async #askAgain(credential: string): Promise<Identity> {
    const key = hashOf(credential);
    const held = this.#rotated.get(key) ?? heldSchema.parse(JSON.parse(credential));
    const { refresh, access } = held;
    if (held.untilMs <= this.#nowMs()) throw refused();
    if (refresh === undefined && access === undefined)
      return this.#identityOf({ held, claims: this.#standing(held) });
    const config = await this.#discover();
    if (refresh === undefined) {
      const told = await this.#userInfo(config, access, held.sub);
      return this.#identityOf({ held, claims: { ...this.#standing(held), ...told } });
    }
    const tokens = await this.#asked("tokens", () => client.refreshTokenGrant(config, refresh));
    const idToken = tokens.claims();
    if (idToken !== undefined && idToken.sub !== held.sub)
      throw refused("another person's ID token was given");
    const renewed = await this.#hold(config, tokens, held.sub, held);
    if (renewed.held.refresh !== refresh) this.#remember(key, renewed.held);
    return this.#identityOf(renewed);
  }

  #remember(key: string, held: Held): void {
    this.#rotated.delete(key);
    this.#rotated.set(key, held);
    const [oldest] = this.#rotated.keys();
    if (this.#rotated.size > entriesMax && oldest !== undefined) this.#rotated.delete(oldest);
  }

  /** What the tokens tell and what can be asked with them later. */
  async #hold(config: client.Configuration, tokens: Tokens, sub: string, before?: Held): Promise<Known> {
    const nowMs = this.#nowMs();
    const refresh = tokens.refresh_token ?? before?.refresh;
    const hasUserInfo = config.serverMetadata().userinfo_endpoint !== undefined;
    const { expires_in: accessSeconds, refresh_expires_in: refreshSeconds } = tokens;
    const idToken = tokens.claims();
    // A new ID token takes the place of the old one: what it leaves out is true no more.
    const stated = {
      claims: idToken === undefined ? (before?.claims ?? {}) : usedClaims(idToken, this.#settings),
      claimsUntilMs: idToken === undefined ? (before?.claimsUntilMs ?? 0) : idToken.exp * 1000,
    };
    const lasting =
      typeof refreshSeconds === "number" && refreshSeconds > 0 ? refreshSeconds * 1000 : refreshableMs;
    const untilMs =
      refresh !== undefined
        ? nowMs + lasting
        : hasUserInfo && accessSeconds !== undefined
          ? nowMs + accessSeconds * 1000
          : stated.claimsUntilMs;
    const told = hasUserInfo ? await this.#userInfo(config, tokens.access_token, sub) : {};
    const ofIdTokenAlone = Object.entries(stated.claims).filter(([name]) => !Object.hasOwn(told, name));
    const held: Held = {
      sub,
      claims: Object.fromEntries(ofIdTokenAlone),
      claimsUntilMs: stated.claimsUntilMs,
      untilMs,
      ...(refresh === undefined ? {} : { refresh }),
      ...(hasUserInfo ? { access: tokens.access_token } : {}),
    };
    return { held, claims: { ...this.#standing(stated), ...told } };
  }

  /** What an ID token tells holds until it runs out. */
  #standing({ claims, claimsUntilMs }: Pick<Held, "claims" | "claimsUntilMs">): Claims {
    return this.#nowMs() < claimsUntilMs ? claims : {};
  }

  /** Fresher than an ID token, and many providers tell groups there alone. */
  async #userInfo(config: client.Configuration, access: string | undefined, sub: string): Promise<Claims> {
    if (access === undefined) return {};
    const told = await this.#asked("user info", () => client.fetchUserInfo(config, access, sub));
    return usedClaims(told, this.#settings);
  }

  #identityOf({ held: { sub, untilMs }, claims }: Known): Identity {
    const { rules, nameClaim } = this.#settings;
    return {
      subject: `${this.name}/${sub}`,
      name: nameOf(claims, nameClaim, sub),
      grants: grantsOfClaims(claims, rules),
      expiresAt: instant(Math.floor(untilMs)),
    };
  }

  #discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret, timeoutMs } = this.#settings;
    return this.#discovered.get("", () =>
      this.#asked("discovery", () =>
        client.discovery(
          new URL(issuer),
          clientId,
          undefined,
          clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret()),
          {
            [client.customFetch]: fetchThrough(this.#exchange),
            timeout: Math.ceil(timeoutMs / 1000),
            // The signature is checked although the token came over our own connection.
            execute: [
              client.enableNonRepudiationChecks,
              // Plain HTTP was allowed by the configuration, for this machine alone.
              ...(issuer.startsWith("http:") ? [client.allowInsecureRequests] : []),
            ],
          },
        ),
      ),
    );
  }

  async #asked<Answer>(asked: Asked, ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return await ask();
    } catch (error) {
      throw asFailure(this.name, asked, error);
    }
  }
}
