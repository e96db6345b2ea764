import { Agent, fetch, type Response } from "undici";
import { IsochronError } from "../../errors.ts";
import type { Addresses } from "../../sources/source.ts";
import { CircuitBreaker, type Verdict } from "../protection/circuit-breaker.ts";

const answerTimeoutMs = 10_000;
const excerptBytesMax = 1_024;
const targetsMax = 2_048;
/** So many messages at once, and then so many a second: what a chat takes, and too little to flood anybody with. */
export const paceBurst = 20;
const pacePerSecond = 2;
const isSuccess = (status: number): boolean => status >= 200 && status < 300;

export interface MessagePost {
  /** Whose message it is: what one sends to a target slows down nobody else who sends there. */
  readonly lane: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** *Resting*: nothing was sent, because the target has failed too often of late, or was sent as many as it is to take. */
export type PostAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly retryAfter?: string;
      readonly excerpt: string;
    }
  | { readonly kind: "unanswered"; readonly problem: string }
  | { readonly kind: "resting"; readonly retryInMs: number; readonly because: "failing" | "pace" };

export interface PosterOptions {
  /** Asked before each connection; what it resolves a name to is what is connected to. */
  readonly addresses: Addresses;
  /** Never goes back. */
  readonly nowMs: () => number;
  readonly random: () => number;
  /** False where whoever reads the answer is not to learn from it what names mean here; true where absent. */
  readonly tellsNames?: boolean;
  /** Aborts after so many milliseconds. */
  readonly deadline?: (ms: number) => AbortSignal;
}

interface Target {
  readonly breaker: CircuitBreaker;
  /** How many may be sent at once, as of `atMs`. */
  tokens: number;
  atMs: number;
}

/**
 * Posts to targets that others chose: no redirect is followed, ten seconds are waited, and of the answer a kilobyte is
 * read. Each sender's target has a breaker and a pace of its own. Whatever goes wrong is an answer.
 */
export class Poster {
  readonly #options: Required<PosterOptions>;
  readonly #dispatcher: Agent;
  readonly #targets = new Map<string, Target>();

  constructor(options: PosterOptions) {
    this.#options = { deadline: (ms) => AbortSignal.timeout(ms), tellsNames: true, ...options };
    this.#dispatcher = new Agent({
      connect: { lookup: options.addresses.lookup, timeout: answerTimeoutMs },
      keepAliveTimeout: 10_000,
    });
  }

  async post(post: MessagePost, signal: AbortSignal): Promise<PostAnswer> {
    const target = this.#targetOf(`${new URL(post.url).origin} ${post.lane}`);
    const { breaker } = target;
    const paceMs = this.#paceMs(target);
    if (paceMs > 0) return { kind: "resting", retryInMs: paceMs, because: "pace" };
    const permit = breaker.admit();
    if ("reason" in permit) return { kind: "resting", retryInMs: permit.retryInMs, because: "failing" };
    target.tokens -= 1;
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
      return {
        kind: "unanswered",
        problem: late.aborted ? "No answer came in time." : this.#problemOf(error),
      };
    }
  }

  #problemOf(error: unknown): string {
    const { problem, isOfName } = describeFailure(error);
    return isOfName && !this.#options.tellsNames
      ? "The name of the target leads to no public address."
      : problem;
  }

  /** Zero where one may be sent now. */
  #paceMs(target: Target): number {
    const now = this.#options.nowMs();
    target.tokens = Math.min(paceBurst, target.tokens + ((now - target.atMs) / 1_000) * pacePerSecond);
    target.atMs = now;
    return target.tokens >= 1 ? 0 : Math.ceil(((1 - target.tokens) / pacePerSecond) * 1_000);
  }

  #targetOf(name: string): Target {
    const known = this.#targets.get(name);
    if (known !== undefined) return known;
    const breaker = new CircuitBreaker(this.#options);
    const target = { breaker, tokens: paceBurst, atMs: this.#options.nowMs() };
    const [oldest] = this.#targets.keys();
    if (this.#targets.size >= targetsMax && oldest !== undefined) this.#targets.delete(oldest);
    this.#targets.set(name, target);
    return target;
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

/** Of a name's meaning: what the resolver answers. */
const nameCodes = ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "ENODATA"];

/** Words of ours; those of the network without its addresses. */
function describeFailure(error: unknown): { readonly problem: string; readonly isOfName: boolean } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof IsochronError)
    return { problem: cause.problem, isOfName: cause.code === "address-refused" };
  const code = (cause as NodeJS.ErrnoException).code;
  if (cause instanceof Error && typeof code === "string")
    return { problem: `The target could not be reached (${code}).`, isOfName: nameCodes.includes(code) };
  if (error instanceof TypeError) return { problem: "The target could not be reached.", isOfName: false };
  throw error;
}
