import * as client from "openid-client";
import { IsochronError } from "../../errors.ts";
import { refused, unavailable } from "./identity-failure.ts";

/** Answers that speak of our own registration at the provider, not of the person. */
const ownFaults = new Set([
  "invalid_client",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
]);
const outages = new Set(["server_error", "temporarily_unavailable"]);
/** openid-client's codes for answers that are no answers. */
const unreadable = new Set([
  "OAUTH_RESPONSE_IS_NOT_CONFORM",
  "OAUTH_RESPONSE_IS_NOT_JSON",
  "OAUTH_PARSE_ERROR",
  "OAUTH_TIMEOUT",
  "OAUTH_ABORT",
  "OAUTH_HTTP_REQUEST_FORBIDDEN",
]);

/** What was asked of the provider when it failed. */
export type Asked = "discovery" | "tokens" | "user info";

/** `not-signed-in` or `identity-unavailable` for what openid-client throws; a bug stays what it is. */
export function asFailure(name: string, asked: Asked, error: unknown): unknown {
  const own = ownFailure(error);
  if (own !== undefined) return own;
  if (error instanceof client.ResponseBodyError || error instanceof client.AuthorizationResponseError) {
    const { error: word } = error;
    if (ownFaults.has(word)) return unavailable(name, `it refuses this client (${word})`);
    if (outages.has(word) || ("status" in error && error.status >= 500)) return unavailable(name, word);
    return refused(word);
  }
  if (error instanceof client.WWWAuthenticateChallengeError) {
    // For tokens it is this client that has to show who it is, for the user info the person's own token.
    return asked === "user info"
      ? refused("the access token is refused")
      : unavailable(name, "it refuses this client");
  }
  if (!(error instanceof client.ClientError)) return error;
  const { code = "unknown" } = error;
  return asked === "discovery" || unreadable.has(code)
    ? unavailable(name, `${error.message} (${code})`)
    : refused(code);
}

/** Our own failure below the library's, which wraps whatever its requests throw. */
function ownFailure(error: unknown): IsochronError | undefined {
  if (error instanceof IsochronError) return error;
  return error instanceof Error && error.cause !== undefined ? ownFailure(error.cause) : undefined;
}
