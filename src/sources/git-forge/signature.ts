import { createHmac } from "node:crypto";
import { z } from "zod";
import { baseUrl, parseSettings, secretReference } from "../http-settings.ts";
import type { PushRequest, PushSettings } from "../source.ts";
import {
  checkSignedTime,
  isSameSecret,
  isSignedWith,
  isSigningSecret,
  refuseSignature,
  toleranceSetting,
} from "../standard-webhooks.ts";

export const forgeConfig = z.strictObject({
  secret: secretReference
    .optional()
    .describe(
      "The webhook's secret: GitHub's secret, GitLab's secret token, or GitLab's signing token (`whsec_…`). " +
        "A request that does not fit it is refused.",
    ),
  previous_secret: secretReference
    .optional()
    .describe("The secret before it, which is still taken while a new one is rolled out."),
  tolerance_seconds: toleranceSetting.describe(
    "How far a signed time may lie from our clock; an older request is taken for a replay.",
  ),
  hook: z
    .strictObject({
      url: baseUrl.describe(
        "GitHub's address of the webhook itself, such as `https://api.github.com/repos/OWNER/NAME/hooks/1234`.",
      ),
      token: secretReference.describe(
        "A token that may read the webhook's deliveries, as `env:NAME` or `file:PATH`.",
      ),
    })
    .optional()
    .describe("Where a reconcile asks GitHub for the deliveries that it made; without it none is asked for."),
});

/**
 * Checks the request against the connection's secrets, where it has any. GitHub signs the body alone (an HMAC in
 * `X-Hub-Signature-256`); GitLab signs id, time and body after the Standard Webhooks specification where it has a
 * signing token, and else sends its secret token in plain. Throws `signature-invalid`.
 */
export function checkSignature(request: PushRequest, settings: PushSettings | undefined): void {
  const {
    secret,
    previous_secret: previous,
    tolerance_seconds: tolerance,
  } = parseSettings(forgeConfig, settings?.config ?? {});
  const references = [secret, previous].filter((reference) => reference !== undefined);
  if (settings === undefined || references.length === 0) return;
  const secrets = references.map((reference) => settings.secret(reference));
  const fitting = secrets.find((one) => fitsSecret(request, one));
  if (fitting === undefined) {
    throw refuseSignature("The request is not signed with the secret of this connection.");
  }
  if (signsTime(request, fitting)) checkSignedTime(request, tolerance);
}

/** GitLab's signing tokens are told from its secret tokens by their beginning. */
function signsTime(request: PushRequest, secret: string): boolean {
  return isGitlab(request) && isSigningSecret(secret);
}

function isGitlab(request: PushRequest): boolean {
  return request.headers["x-gitlab-event"] !== undefined;
}

function fitsSecret(request: PushRequest, secret: string): boolean {
  const { headers, body } = request;
  if (!isGitlab(request)) {
    const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
    return isSameSecret(headers["x-hub-signature-256"], expected);
  }
  return signsTime(request, secret)
    ? isSignedWith(request, secret)
    : isSameSecret(headers["x-gitlab-token"], secret);
}
