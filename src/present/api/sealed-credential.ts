import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const version = 1;
const ivBytes = 12;
const tagBytes = 16;
const headBytes = 1 + ivBytes + tagBytes;

/**
 * Seals what an identity service is asked with again, by AES-256-GCM under a key that HKDF-SHA-256 derives from the
 * server's secret: version (1 byte), nonce (12), tag (16), ciphertext. `owner` is bound in, so that what is copied into
 * another's row opens nothing.
 */
export function sealCredential(serverSecret: Uint8Array, owner: Uint8Array, credential: string): Uint8Array {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", keyOf(serverSecret), iv).setAAD(owner);
  const sealed = Buffer.concat([cipher.update(credential, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.of(version), iv, cipher.getAuthTag(), sealed]);
}

/** Undefined for what was not sealed with this secret for this owner. */
export function openCredential(
  serverSecret: Uint8Array,
  owner: Uint8Array,
  sealed: Uint8Array,
): string | undefined {
  if (sealed.length < headBytes || sealed[0] !== version) return undefined;
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv(
    "aes-256-gcm",
    keyOf(serverSecret),
    sealed.subarray(1, 1 + ivBytes),
    options,
  )
    .setAAD(owner)
    .setAuthTag(sealed.subarray(1 + ivBytes, headBytes));
  const text = decipher.update(sealed.subarray(headBytes));
  try {
    return Buffer.concat([text, decipher.final()]).toString("utf8");
  } catch (error) {
    if (error instanceof Error && /authenticate/.test(error.message)) return undefined;
    throw error;
  }
}

function keyOf(serverSecret: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", serverSecret, new Uint8Array(), "isochron/session-credential", 32));
}
