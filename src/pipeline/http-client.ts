import { setTimeout as sleep } from "node:timers/promises";
import { Agent, fetch, type Headers, type Response } from "undici";
import { IsochronError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { Addresses, ClockReading, HttpClient, HttpRequest, HttpResponse } from "../sources/source.ts";
import { askedMsMax, delayMsMax, jitteredDelayMs, retryAfterMs } from "./protection/retry-delay.ts";
import type { Judgement, SourceGuard } from "./protection/source-guard.ts";

export interface HttpClientOptions {
  /** Ends every request under way; its reason is thrown on. */
  readonly signal: AbortSignal;
  /** Asked before each attempt. */
  readonly guard: SourceGuard;
  /** Asked before each connection, and what it resolves a name to is what is connected to. */
  readonly addresses: Addresses;
  readonly warn?: (message: string, fields?: JsonObject) => void;
  /** From sending to the answer's head, connecting included; a large listing takes its service long to gather. */
  readonly answerTimeoutMs?: number;
  /** From sending to the last byte of the body, without waiting for room in memory. */
  readonly totalTimeoutMs?: number;
  readonly bodyBytesMax?: number;
  /** How many more attempts follow the first. */
  readonly retriesMax?: number;
  /** Waits between attempts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Gives a number from 0 up to 1, for the jitter. */
  readonly random?: () => number;
  /** The time of day, against which a date in `Retry-After` and the server's clock are read. */
  readonly wallNowMs?: () => number;
  /** Told how the clock of each server stands that says the time of its answer. */
  readonly noteClock?: (reading: ClockReading) => void;
}

const redirectsMax = 3;

type Limits = Required<Omit<HttpClientOptions, "warn" | "noteClock">> &
  Pick<HttpClientOptions, "warn" | "noteClock"> & { readonly dispatcher: Agent };

/** RFC 9110 dates an answer in whole seconds. */
const dateResolutionMs = 1000;

/**
 * HTTP over undici's fetch, for pulling sources, behind the connection's guard. 408, 429 and 5xx are tried again,
 * after `Retry-After` or with full jitter, and so are requests that got no answer; of a POST that does not say that it
 * may be repeated only 429 and 503, which were not carried out. The last answer is then given as it is. Redirects are
 * followed within the same origin only, because the headers hold a token. Throws `source-unavailable` when no answer
 * came in time or the source is left alone, `source-malformed` when the body is larger than `bodyBytesMax` (64 MiB) or
 * than the connection may hold, or a redirect leads elsewhere, and `address-refused` for an address that is not asked.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const limits: Limits = {
    answerTimeoutMs: 60_000,
    totalTimeoutMs: 300_000,
    bodyBytesMax: 64 * 1024 * 1024,
    retriesMax: 3,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
    random: Math.random,
    wallNowMs: Date.now,
    dispatcher: new Agent({ connect: { lookup: options.addresses.lookup } }),
    ...options,
  };
  return async (request) => {
    limits.addresses.check(request.url);
    limits.guard.noteFirstAttempt();
    return attempt(request, limits, 0);
  };
}

/** An outcome with the time to the answer's head. */
interface Outcome {
  readonly result: HttpResponse | IsochronError;
  readonly answerMs?: number;
}

/** One attempt, and those after it. */
async function attempt(request: HttpRequest, limits: Limits, made: number): Promise<HttpResponse> {
  const { guard } = limits;
  const target = targetOf(request.url);
  const { result } = await guard.request(target, () => tryOnce(request, limits), judge, limits.signal);
  const asked =
    result instanceof IsochronError
      ? undefined
      : retryAfterMs(result.headers["retry-after"], limits.wallNowMs());
  const isAgain = isTemporary(result, request);
  if (isAgain && asked !== undefined && asked > delayMsMax)
    guard.restFor(target, Math.min(askedMsMax, asked));
  if (!isAgain || made >= limits.retriesMax || !guard.mayRetry(target)) {
    if (result instanceof IsochronError) throw result;
    return result;
  }
  const ms = Math.round(Math.max(asked ?? 0, jitteredDelayMs(made, limits.random)));
  limits.warn?.("a request is tried again", {
    url: withoutQuery(request.url),
    because: result instanceof IsochronError ? result.problem : `answer ${result.status}`,
    wait_ms: ms,
  });
  await limits.wait(ms, limits.signal);
  return attempt(request, limits, made + 1);
}

/** Whether the same request may bring another outcome, and does no harm where it was carried out already. */
function isTemporary(result: HttpResponse | IsochronError, request: HttpRequest): boolean {
  if (result instanceof IsochronError) return isRepeatable(request);
  const { status } = result;
  if (status === 429 || status === 503) return true;
  // 501 and 505 say what the service will never do.
  return isRepeatable(request) && (status === 408 || (status >= 500 && status !== 501 && status !== 505));
}

function isRepeatable({ method, repeatable }: HttpRequest): boolean {
  return repeatable ?? method !== "POST";
}

function judge({ result, answerMs }: Outcome): Judgement {
  if (result instanceof IsochronError) return { verdict: "bad", slowDown: true, problem: result.problem };
  const { status } = result;
  const problem = `It answered ${status}.`;
  if (status === 401) return { verdict: "denied", slowDown: false };
  if (status === 408 || status === 429 || status >= 500) return { verdict: "bad", slowDown: true, problem };
  return { verdict: "good", slowDown: false, ...(answerMs === undefined ? {} : { answerMs }) };
}

/** What fails together: the origin and the first part of the path, behind which clouds keep services of their own. */
function targetOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}/${pathname.split("/")[1] ?? ""}`;
}

/** The answer, or why there is none; what is no fault of the network is thrown. */
async function tryOnce(request: HttpRequest, limits: Limits): Promise<Outcome> {
  limits.signal.throwIfAborted();
  const late = new AbortController();
  const sentAtMs = performance.now();
  const sentAtWallMs = limits.wallNowMs();
  const answerTimer = setTimeout(() => late.abort(new Late("no answer")), limits.answerTimeoutMs);
  const total = new Deadline(limits.totalTimeoutMs, () => late.abort(new Late("no complete answer")));
  const signal = AbortSignal.any([limits.signal, late.signal]);
  try {
    const answer = await follow(request, request.url, { ...limits, signal }, 0);
    clearTimeout(answerTimer);
    const answerMs = performance.now() - sentAtMs;
    const clock = readClock(answer.headers, sentAtWallMs + answerMs / 2, answerMs);
    if (clock !== undefined) limits.noteClock?.(clock);
    const body = await readBody(answer, limits, request, total);
    return { result: { status: answer.status, headers: Object.fromEntries(answer.headers), body }, answerMs };
  } catch (error) {
    if (limits.signal.aborted) throw error;
    const ours = refusalIn(error);
    if (ours !== undefined && ours.code !== "source-unavailable") throw ours;
    return { result: unavailable(request, late.signal.aborted ? late.signal.reason : error) };
  } finally {
    clearTimeout(answerTimer);
    total.stop();
  }
}

/** Our own failure, which may come wrapped by the client that asked us for an address. */
function refusalIn(error: unknown): IsochronError | undefined {
  if (error instanceof IsochronError) return error;
  return error instanceof Error && error.cause instanceof IsochronError ? error.cause : undefined;
}

/** What `Date` says of the server's clock; an answer out of a cache (`Age`) bears the time of another. */
function readClock(headers: Headers, middleMs: number, answerMs: number): ClockReading | undefined {
  const date = headers.get("date");
  // Anything else than the one form that RFC 9110 lets servers send might be in another zone.
  if (date === null || !date.endsWith(" GMT") || headers.has("age")) return undefined;
  const dateMs = Date.parse(date);
  if (Number.isNaN(dateMs)) return undefined;
  return { aheadMs: Math.round(dateMs - middleMs), errorMs: dateResolutionMs + Math.ceil(answerMs) };
}

/** A time-out that stands still while it is our turn. */
class Deadline {
  readonly #onEnd: () => void;
  #leftMs: number;
  #runsSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, onEnd: () => void) {
    this.#leftMs = ms;
    this.#onEnd = onEnd;
    this.#start();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async standStill<Result>(during: Promise<Result>): Promise<Result> {
    this.stop();
    this.#leftMs -= performance.now() - this.#runsSinceMs;
    try {
      return await during;
    } finally {
      this.#start();
    }
  }

  #start(): void {
    this.#runsSinceMs = performance.now();
    this.#timer = setTimeout(this.#onEnd, Math.max(0, this.#leftMs));
  }
}

/** Why a request was given up. */
class Late extends Error {}

async function follow(
  request: HttpRequest,
  url: string,
  using: Pick<Limits, "addresses" | "dispatcher" | "signal">,
  followed: number,
): Promise<Response> {
  using.addresses.check(url);
  const answer = await fetch(url, {
    method: request.method,
    ...(request.headers === undefined ? {} : { headers: request.headers }),
    ...(request.body === undefined ? {} : { body: request.body }),
    redirect: "manual",
    signal: using.signal,
    dispatcher: using.dispatcher,
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
  return follow(request, target.href, using, followed + 1);
}

async function readBody(
  answer: Response,
  { bodyBytesMax, guard, signal }: Limits,
  request: HttpRequest,
  total: Deadline,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > bodyBytesMax) {
      throw new IsochronError(
        "source-malformed",
        `The answer of ${withoutQuery(request.url)} is larger than ${bodyBytesMax} bytes.`,
        "Ask for smaller pages.",
      );
    }
    // While there is no room, nothing more is read, and the service waits with the rest.
    await total.standStill(guard.takeBytes(chunk.byteLength, signal));
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
