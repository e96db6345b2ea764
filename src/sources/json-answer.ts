import { IsochronError } from "../errors.ts";
import type { Json } from "../model/json.ts";
import type { HttpResponse } from "./source.ts";

/** Far deeper than any API nests its answers, and far shallower than what breaks writing them out again. */
const depthMax = 64;

/**
 * The JSON in an answer of an API; numbers beyond 2^53 are given as the text that was sent. `from` names the request
 * for people, without its query. Throws `source-denied` for 401 and 403, `source-unavailable` for 408, 429 and 5xx,
 * `source-malformed` for every other status but 2xx, and for a body that is not JSON or was cut: a sign-in page
 * with status 200 is no empty list.
 */
export function readJsonAnswer(answer: HttpResponse, from: string): Json {
  checkStatus(answer, from);
  const text = new TextDecoder().decode(answer.body);
  const value = parse(text);
  if (value !== undefined && !isTooDeep(value)) return value;
  const page = /^\s*</.test(text)
    ? "an HTML or XML page"
    : text.trim() === ""
      ? "an empty body"
      : "no whole JSON";
  throw new IsochronError(
    "source-malformed",
    `${from} answered with ${page}.`,
    "Check that the address is the API's own, and that no proxy or sign-in page stands before it.",
  );
}

/**
 * Lets 2xx pass. Throws `source-denied` for 401 and 403, `source-unavailable` for 408, 429 and 5xx, and
 * `source-malformed` for everything else.
 */
export function checkStatus({ status, headers }: HttpResponse, from: string): void {
  if (status >= 200 && status < 300) return;
  if (status === 401 || status === 403) {
    throw new IsochronError(
      "source-denied",
      `${from} answered ${status}.`,
      "Check the connection's credentials and what they may read.",
    );
  }
  if (status === 408 || status === 429 || status >= 500) {
    const after = /^[\w :,+-]{1,40}$/.exec(headers["retry-after"] ?? "")?.[0];
    throw new IsochronError(
      "source-unavailable",
      `${from} answered ${status}${after === undefined ? "" : ` (Retry-After: ${after})`}.`,
      "Nothing was skipped; the next pass tries again.",
    );
  }
  throw new IsochronError(
    "source-malformed",
    `${from} answered ${status}.`,
    "Check the address, the API's version and the connection's settings.",
  );
}

function parse(text: string): Json | undefined {
  try {
    return (/\d{16}/.test(text) ? JSON.parse(text, keepExact) : JSON.parse(text)) as Json;
  } catch (error) {
    // The reviver recurses, so that what nests too deep for it ends here too.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function keepExact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  return Math.abs(value) > Number.MAX_SAFE_INTEGER ? context.source : value;
}

function isTooDeep(value: Json): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}
