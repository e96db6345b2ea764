import { createHmac, timingSafeEqual } from "node:crypto";
import { instant } from "../../model/instant.ts";
import type { Keyset } from "../../store/event-reader.ts";
import { cursorInvalid } from "./problem.ts";

/** Signs with a key of its own per purpose, so that what is signed for one use is worth nothing in another. */
export function signFor(purpose: string, secret: Uint8Array, text: string): Buffer {
  const key = createHmac("sha256", secret).update(`isochron/${purpose}`).digest();
  return createHmac("sha256", key).update(text).digest();
}

/** Equality that takes the same time wherever the difference is. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}

const version = 1;

/** A cursor: the place, and a signature over it, whose it is, and the query that it continues. */
export function writeCursor(place: Keyset, binding: string, secret: Uint8Array): string {
  const body = Buffer.from(JSON.stringify([version, place.occurredAt, place.id])).toString("base64url");
  return `${body}.${signFor("cursor", secret, `${body}\n${binding}`).toString("base64url")}`;
}

/** Throws `cursor-invalid`, always with the same text, for whatever `writeCursor` did not write for this binding. */
export function readCursor(cursor: string, binding: string, secret: Uint8Array): Keyset {
  const [body, signature, ...rest] = cursor.split(".");
  if (body === undefined || signature === undefined || rest.length > 0) throw cursorInvalid();
  const expected = signFor("cursor", secret, `${body}\n${binding}`);
  if (!sameBytes(expected, Buffer.from(signature, "base64url"))) throw cursorInvalid();
  // The spelling is compared too, because base64url has several for the same bytes.
  if (signature !== expected.toString("base64url")) throw cursorInvalid();
  const parts: unknown = JSON.parse(Buffer.from(body, "base64url").toString());
  if (!Array.isArray(parts) || parts[0] !== version) throw cursorInvalid();
  return { occurredAt: instant(Number(parts[1])), id: String(parts[2]) };
}
