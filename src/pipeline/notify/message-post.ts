import { Agent, fetch, type Response } from "undici";
import { IsochronError } from "../../errors.ts";
import type { Addresses } from "../../sources/source.ts";
import { CircuitBreaker, type Verdict } from "../protection/circuit-breaker.ts";

const answerTimeoutMs = 10_000;
const excerptBytesMax = 1_024;
const targetsMax = 512;
const isSuccess = (status: number): boolean => status >= 200 && status < 300;

export interface MessagePost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** *Resting*: nothing was sent, because the target has failed too often of late. */
export type PostAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly retryAfter?: string;
      readonly excerpt: string;
    }
  | { readonly kind: "unanswered"; readonly problem: string }
  | { readonly kind: "resting"; readonly retryInMs: number };

export interface PosterOptions {
  /** Asked before each connection; what it resolves a name to is what is connected to. */
  readonly addresses: Addresses;
  /** Never goes back. */
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Aborts after so many milliseconds. */
  readonly deadline?: (ms: number) => AbortSignal;
}

/**
 * Posts to targets that others chose: no redirect is followed, ten seconds are waited, and of the answer a kilobyte is
 * read. Each target has a breaker of its own. Whatever goes wrong is an answer.
 */
export class Poster {
  readonly #options: Required<PosterOptions>;
  readonly #dispatcher: Agent;
  readonly #breakers = new Map<string, CircuitBreaker>();

  constructor(options: PosterOptions) {
    this.#options = { deadline: (ms) => AbortSignal.timeout(ms), ...options };
    this.#dispatcher = new Agent({
      connect: { lookup: options.addresses.lookup, timeout: answerTimeoutMs },
      keepAliveTimeout: 10_000,
    });
  }

  async post(post: MessagePost, signal: AbortSignal): Promise<PostAnswer> {
    const breaker = this.#breakerOf(new URL(post.url).origin);
    const permit = breaker.admit();
    if ("reason" in permit) return { kind: "resting", retryInMs: permit.retryInMs };
    let verdict: Verdict = "unknown";
    try {
      const answer = await this.#send(post, signal);
      verdict = verdictOf(answer);
      return answer;
    } finally {
      breaker.settle(permit, verdict);
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #send({ url, headers, body }: MessagePost, signal: AbortSignal): Promise<PostAnswer> {
    const late = this.#options.deadline(answerTimeoutMs);
    try {
      this.#options.addresses.check(url);
      const answer = await fetch(url, {
        method: "POST",
        headers,
        body,
        redirect: "manual",
        signal: AbortSignal.any([signal, late]),
        dispatcher: this.#dispatcher,
      });
      const retryAfter = answer.headers.get("retry-after");
      // What was answered stands, whether the rest of it comes or not.
      const excerpt = await readExcerpt(answer).catch(() => "");
      return {
        kind: "answered",
        status: answer.status,
        excerpt,
        ...(retryAfter === null ? {} : { retryAfter }),
      };
    } catch (error) {
      if (signal.aborted) throw error;
      return { kind: "unanswered", problem: late.aborted ? "No answer came in time." : problemOf(error) };
    }
  }

  #breakerOf(origin: string): CircuitBreaker {
    const known = this.#breakers.get(origin);
    if (known !== undefined) return known;
    const breaker = new CircuitBreaker(this.#options);
    const [oldest] = this.#breakers.keys();
    if (this.#breakers.size >= targetsMax && oldest !== undefined) this.#breakers.delete(oldest);
    this.#breakers.set(origin, breaker);
    return breaker;
  }
}

function verdictOf(answer: PostAnswer): Verdict {
  if (answer.kind !== "answered") return "bad";
  const { status } = answer;
  return status === 408 || status === 429 || status >= 500 ? "bad" : "good";
}

async function readExcerpt(answer: Response): Promise<string> {
  if (isSuccess(answer.status)) {
    await answer.body?.cancel();
    return "";
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= excerptBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, excerptBytesMax).toString("utf8");
}

/** Words of ours; those of the network without its addresses. */
function problemOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof IsochronError) return cause.problem;
  const code = (cause as NodeJS.ErrnoException).code;
  if (cause instanceof Error && typeof code === "string") return `The target could not be reached (${code}).`;
  if (error instanceof TypeError) return "The target could not be reached.";
  throw error;
}
