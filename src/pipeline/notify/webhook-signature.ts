import { createHmac } from "node:crypto";
import { IsochronError } from "../../errors.ts";
import type { Instant } from "../../model/instant.ts";

const prefix = "whsec_";

/**
 * The three headers of Standard Webhooks (standardwebhooks.com, specification 1.0): the id, which is the same at every
 * try, the time of this try in seconds, and an HMAC-SHA-256 over both and the body. Throws `config-invalid` for a secret
 * that is not spelled `whsec_` and base64.
 */
export function signWebhook(
  id: string,
  at: Instant,
  body: string,
  secret: string,
): Readonly<Record<string, string>> {
  const key = Buffer.from(secret.slice(prefix.length), "base64");
  if (!secret.startsWith(prefix) || key.byteLength < 16) {
    throw new IsochronError(
      "config-invalid",
      `A signing secret of a notification rule is not ${prefix} and 16 bytes or more in base64.`,
      "Make one with `openssl rand -base64 32` and put `whsec_` before it.",
    );
  }
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
