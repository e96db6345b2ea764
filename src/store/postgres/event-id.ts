import { createHash, createHmac } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const idChars = 26;

/**
 * The id of an event: the same for the same occurrence in every store, so that a replay cannot
 * duplicate it and links survive a re-harvest. `evt_` and 130 bits in lower-case base32.
 */
export function eventId(connection: string, stream: string, key: string): string {
  return `evt_${spell(
    createHash("sha256")
      .update(JSON.stringify([connection, stream, key]))
      .digest(),
  )}`;
}

/** The id of a notice: unlike the event's own and other tenants', and only to be made with the store's secret. */
export function noticeId(secret: Uint8Array, id: string, tenantKey: string): string {
  return `evt_${spell(
    createHmac("sha256", secret)
      .update(JSON.stringify([id, tenantKey]))
      .digest(),
  )}`;
}

/** The id of a record set aside: the same when the same record is delivered again. */
export function setAsideId(connection: string, stream: string, position: string, bytes: Uint8Array): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([connection, stream, position]))
    .update(bytes);
  return `rec_${spell(hash.digest())}`;
}

function spell(bytes: Uint8Array): string {
  let text = "";
  let value = 0;
  let bits = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < idChars) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
    if (text.length === idChars) break;
  }
  return text;
}
