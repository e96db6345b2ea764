import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { parseSettings, secretReference } from "../http-settings.ts";
import type { PushRequest, PushSettings } from "../source.ts";

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
  tolerance_seconds: z
    .number()
    .int()
    .min(10)
    .max(86_400)
    .default(300)
    .describe("How far a signed time may lie from our clock; an older request is taken for a replay."),
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
  if (fitting === undefined) throw refused("The request is not signed with the secret of this connection.");
  if (!signsTime(request, fitting)) return;
  const distanceMs = Math.abs(
    request.receivedAt - Number(request.headers["webhook-timestamp"] || NaN) * 1000,
  );
  if (!(distanceMs <= tolerance * 1000)) {
    throw refused("The request was signed too long ago, or ahead of our clock.");
  }
}

/** GitLab's signing tokens are told from its secret tokens by their beginning. */
function signsTime(request: PushRequest, secret: string): boolean {
  return isGitlab(request) && secret.startsWith("whsec_");
}

function isGitlab(request: PushRequest): boolean {
  return request.headers["x-gitlab-event"] !== undefined;
}

function fitsSecret(request: PushRequest, secret: string): boolean {
  const { headers, body } = request;
  if (!isGitlab(request)) {
    const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
    return isSame(headers["x-hub-signature-256"], expected);
  }
  if (!signsTime(request, secret)) return isSame(headers["x-gitlab-token"], secret);
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = createHmac("sha256", key)
    .update(`${headers["webhook-id"] ?? ""}.${headers["webhook-timestamp"] ?? ""}.`)
    .update(body)
    .digest("base64");
  // While keys are rotated, a sender lists one signature for each.
  const given = (headers["webhook-signature"] ?? "").split(" ").slice(0, 10);
  return given.map((one) => isSame(one, `v1,${signed}`)).includes(true);
}

/** Compares in a time that tells nothing of where they differ. */
function isSame(given: string | undefined, expected: string): boolean {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(expected)];
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}

function refused(problem: string): IsochronError {
  return new IsochronError(
    "signature-invalid",
    problem,
    "Give the webhook and the connection's `secret` the same value, and check the sender's clock.",
  );
}
