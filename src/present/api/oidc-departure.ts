import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { openCredential, sealCredential } from "./sealed-credential.ts";
import { isOverTls } from "./session-cookie.ts";

export const departureCookieName = "isochron_departure";
const departureSeconds = 10 * 60;

const departureSchema = z.object({ pending: z.string(), returnTo: z.string() });

/** What a browser carries to an OpenID Provider and back: sealed, for the one provider that it was sent to. */
export type Departure = z.infer<typeof departureSchema>;

export function sealDeparture(secret: Uint8Array, provider: string, departure: Departure): string {
  const sealed = sealCredential(secret, ownerOf(provider), JSON.stringify(departure));
  return Buffer.from(sealed).toString("base64url");
}

/** Undefined for what this server did not seal for a departure to this provider. */
export function openDeparture(
  secret: Uint8Array,
  provider: string,
  sealed: string | undefined,
): Departure | undefined {
  if (sealed === undefined) return undefined;
  const text = openCredential(secret, ownerOf(provider), Buffer.from(sealed, "base64url"));
  return text === undefined ? undefined : departureSchema.parse(JSON.parse(text));
}

/** Lax, because the browser comes back from another site; it opens nothing by itself. */
export function departureCookieOptions(request: FastifyRequest): CookieSerializeOptions {
  return {
    path: "/api/v1/session/oidc/",
    httpOnly: true,
    sameSite: "lax",
    secure: isOverTls(request),
    maxAge: departureSeconds,
  };
}

/** Never the hash of a session, so that neither can stand in for the other. */
function ownerOf(provider: string): Uint8Array {
  return Buffer.from(`departure to ${provider}`);
}
