import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { IsochronError } from "../errors.ts";
import { secretReference } from "./http-settings.ts";
import type { PushRequest, PushSettings } from "./source.ts";

/** How far a signed time may lie from our clock, in a connection's settings. */
export const toleranceSetting = z.number().int().min(10).max(86_400).default(300);

/** A secret as the specification spells it, or its reference. */
export const signingSecret = secretReference;

const prefix = "whsec_";

export function isSigningSecret(secret: string): boolean {
  return secret.startsWith(prefix);
}

/**
 * Whether the request is signed with the secret after the Standard Webhooks specification: an HMAC-SHA-256 over
 * `webhook-id`, `webhook-timestamp` and the bytes of the body, joined by dots.
 */
export function isSignedWith({ headers, body }: PushRequest, secret: string): boolean {
  const { "webhook-id": id, "webhook-timestamp": timestamp } = headers;
  if (!id || !timestamp) return false;
  const key = Buffer.from(secret.slice(prefix.length), "base64");
  const signed = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  // While keys are rotated, a sender lists one signature for each.
  const given = (headers["webhook-signature"] ?? "").split(" ").slice(0, 10);
  return given.map((one) => isSameSecret(one, `v1,${signed}`)).includes(true);
}

/** Compares in a time that tells nothing of where they differ. */
export function isSameSecret(given: string | undefined, expected: string): boolean {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(expected)];
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}

/** Throws `signature-invalid` for a request whose signed time is too far from our clock: a replay, or a wrong clock. */
export function checkSignedTime({ headers, receivedAt }: PushRequest, toleranceSeconds: number): void {
  const distanceMs = Math.abs(receivedAt - Number(headers["webhook-timestamp"] || NaN) * 1000);
  if (distanceMs <= toleranceSeconds * 1000) return;
  throw refuseSignature("The request was signed too long ago, or ahead of our clock.");
}

/**
 * Checks a request against the secrets of its connection (one, or the one before it too while keys are rotated); none
 * of them absent means that nothing is checked. Throws `signature-invalid`, and `config-invalid` for a secret that is
 * none.
 */
export function checkStandardWebhook(
  request: PushRequest,
  references: readonly (string | undefined)[],
  toleranceSeconds: number,
  settings: Pick<PushSettings, "secret"> | undefined,
): void {
  const named = references.filter((reference) => reference !== undefined);
  if (settings === undefined || named.length === 0) return;
  const secrets = named.map((reference) => settings.secret(reference));
  if (!secrets.every(isSigningSecret)) {
    throw new IsochronError(
      "config-invalid",
      `A signing secret of the connection does not begin with ${prefix}.`,
      "Give it as the Standard Webhooks specification spells it: `whsec_` and the key in base64.",
    );
  }
  const fits = secrets.map((secret) => isSignedWith(request, secret)).includes(true);
  if (!fits) throw refuseSignature("The request is not signed with the secret of this connection.");
  checkSignedTime(request, toleranceSeconds);
}

export function refuseSignature(problem: string): IsochronError {
  return new IsochronError(
    "signature-invalid",
    problem,
    "Give the webhook and the connection the same secret, and check the sender's clock.",
  );
}
