import { setTimeout as sleep } from "node:timers/promises";
import { IsochronError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../sources/source.ts";

export interface HttpClientOptions {
  /** Ends every request under way; its reason is thrown on. */
  readonly signal: AbortSignal;
  readonly warn?: (message: string, fields?: JsonObject) => void;
  /** From sending to the answer's head, connecting included; a large listing takes its service long to gather. */
  readonly answerTimeoutMs?: number;
  /** From sending to the last byte of the body. */
  readonly totalTimeoutMs?: number;
  readonly bodyBytesMax?: number;
  /** How many more attempts follow the first. */
  readonly retriesMax?: number;
  /** Waits between attempts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Gives a number from 0 up to 1, for the jitter. */
  readonly random?: () => number;
}

/** The first wait is at most this long, each further one at most twice the one before. */
const firstDelayMs = 500;

/** No wait is longer, not even one that the service asks for. */
const delayMsMax = 60_000;

const redirectsMax = 3;

type Limits = Required<Omit<HttpClientOptions, "warn">> & Pick<HttpClientOptions, "warn">;

/**
 * HTTP over the built-in fetch, for pulling sources. 429 and 503 are tried again, after `Retry-After` or with full
 * jitter, and so are reads that got no answer; the last answer is then given as it is. Redirects are followed within
 * the same origin only, because the headers hold a token. Throws `source-unavailable` when no answer came in time,
 * `source-malformed` when the body is larger than `bodyBytesMax` (64 MiB) or a redirect leads elsewhere.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const limits: Limits = {
    answerTimeoutMs: 60_000,
    totalTimeoutMs: 300_000,
    bodyBytesMax: 64 * 1024 * 1024,
    retriesMax: 3,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
    random: Math.random,
    ...options,
  };
  return (request) => attempt(request, limits, 0);
}

/** One attempt, and those after it. */
async function attempt(request: HttpRequest, limits: Limits, made: number): Promise<HttpResponse> {
  const outcome = await tryOnce(request, limits);
  const isLast = made >= limits.retriesMax;
  if (outcome instanceof IsochronError) {
    // A POST may have been carried out although its answer was lost.
    if (isLast || request.method === "POST" || outcome.code !== "source-unavailable") throw outcome;
  } else if (isLast || (outcome.status !== 429 && outcome.status !== 503)) {
    return outcome;
  }
  const ms = delayMs(outcome, limits, made);
  limits.warn?.("a request is tried again", {
    url: withoutQuery(request.url),
    because: outcome instanceof IsochronError ? outcome.problem : `answer ${outcome.status}`,
    wait_ms: ms,
  });
  await limits.wait(ms, limits.signal);
  return attempt(request, limits, made + 1);
}

function delayMs(outcome: HttpResponse | IsochronError, limits: Limits, made: number): number {
  const asked = outcome instanceof IsochronError ? undefined : retryAfterMs(outcome.headers["retry-after"]);
  const jittered = limits.random() * firstDelayMs * 2 ** made;
  return Math.round(Math.min(delayMsMax, asked ?? jittered));
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds or a date. */
function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** The answer, or why there is none; what is no fault of the network is thrown. */
async function tryOnce(request: HttpRequest, limits: Limits): Promise<HttpResponse | IsochronError> {
  limits.signal.throwIfAborted();
  const late = new AbortController();
  const answerTimer = setTimeout(() => late.abort(new Late("no answer")), limits.answerTimeoutMs);
  const totalTimer = setTimeout(() => late.abort(new Late("no complete answer")), limits.totalTimeoutMs);
  const signal = AbortSignal.any([limits.signal, late.signal]);
  try {
    const answer = await follow(request, request.url, signal, 0);
    clearTimeout(answerTimer);
    const body = await readBody(answer, limits.bodyBytesMax, request);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body };
  } catch (error) {
    if (limits.signal.aborted || (error instanceof IsochronError && error.code !== "source-unavailable"))
      throw error;
    return unavailable(request, late.signal.aborted ? late.signal.reason : error);
  } finally {
    clearTimeout(answerTimer);
    clearTimeout(totalTimer);
  }
}

/** Why a request was given up. */
class Late extends Error {}

async function follow(
  request: HttpRequest,
  url: string,
  signal: AbortSignal,
  followed: number,
): Promise<Response> {
  const answer = await fetch(url, {
    method: request.method,
    ...(request.headers === undefined ? {} : { headers: request.headers }),
    ...(request.body === undefined ? {} : { body: request.body }),
    redirect: "manual",
    signal,
  });
  const location = answer.headers.get("location");
  if (location === null || ![301, 302, 303, 307, 308].includes(answer.status)) return answer;
  const target = new URL(location, url);
  await answer.body?.cancel();
  if (target.origin !== new URL(url).origin || request.method === "POST" || followed >= redirectsMax) {
    throw new IsochronError(
      "source-malformed",
      `${withoutQuery(url)} redirects to ${withoutQuery(target.href)}, which is not followed.`,
      "Put the final address in the catalog or the configuration.",
    );
  }
  return follow(request, target.href, signal, followed + 1);
}

async function readBody(answer: Response, bytesMax: number, request: HttpRequest): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > bytesMax) {
      throw new IsochronError(
        "source-malformed",
        `The answer of ${withoutQuery(request.url)} is larger than ${bytesMax} bytes.`,
        "Ask for smaller pages.",
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function unavailable(request: HttpRequest, error: unknown): IsochronError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new IsochronError(
    "source-unavailable",
    `${withoutQuery(request.url)} could not be reached: ${why}.`,
    "Check the address, the network and the service.",
    { cause: error },
  );
}

/** Queries and credentials in an address stay out of logs. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
