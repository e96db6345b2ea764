import { createHash } from "node:crypto";
import { canonicalJson } from "../../model/json.ts";

export { canonicalJson as canonical };

/** What a record says, as 32 bytes; a draft holds no time of arrival. */
export function contentHash(value: unknown): Buffer {
  return createHash("sha256").update(canonicalJson(value)).digest();
}

export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
