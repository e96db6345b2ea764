import type { FastifyReply, FastifyRequest } from "fastify";
import { IsochronError } from "../../errors.ts";
import type { Instant } from "../../model/instant.ts";
import type { AuditNotes } from "./audit-notes.ts";

const windowMs = 60_000;
const addressesMax = 10_000;

/** Sign-ins that were refused, by address: whoever guesses is put off, and told of in the audit. */
export class Refusals {
  readonly #max: number;
  readonly #clock: () => Instant;
  readonly #audit: AuditNotes;
  readonly #windows = new Map<string, { readonly since: Instant; count: number }>();

  constructor(max: number, clock: () => Instant, audit: AuditNotes) {
    this.#max = max;
    this.#clock = clock;
    this.#audit = audit;
  }

  /**
   * Runs what may refuse: a sign-in, or asking an identity service. Throws `rate-limited` before it does anything for an
   * address that was refused too often.
   */
  async guard<T>(
    request: FastifyRequest,
    reply: FastifyReply,
    through: string,
    action: () => Promise<T>,
  ): Promise<T> {
    this.check(request, reply);
    try {
      return await action();
    } catch (error) {
      if (error instanceof IsochronError && error.kind === "denied") await this.note(request, reply, through);
      throw error;
    }
  }

  /** Counts a refusal that was given. Throws `rate-limited` in its stead when there were too many. */
  async note(request: FastifyRequest, reply: FastifyReply, through: string): Promise<void> {
    const now = this.#clock();
    const known = this.#windowOf(request.ip, now);
    const window = known ?? { since: now, count: 0 };
    window.count++;
    if (known === undefined) {
      this.#windows.delete(request.ip);
      this.#windows.set(request.ip, window);
      const [oldest] = this.#windows.keys();
      if (this.#windows.size > addressesMax && oldest !== undefined) this.#windows.delete(oldest);
    }
    await this.#audit.refused(request, through);
    if (window.count > this.#max) throw putOff(reply, this.#waitMs(request.ip));
  }

  /** Throws `rate-limited` for an address that was refused too often. */
  check(request: FastifyRequest, reply?: FastifyReply): void {
    const waitMs = this.#waitMs(request.ip);
    if (waitMs > 0) throw putOff(reply, waitMs);
  }

  /** How long the address has to wait until anything of it is looked at again. */
  #waitMs(address: string): number {
    const now = this.#clock();
    const window = this.#windowOf(address, now);
    return window === undefined || window.count < this.#max ? 0 : window.since + windowMs - now;
  }

  #windowOf(address: string, now: Instant) {
    const window = this.#windows.get(address);
    return window !== undefined && now >= window.since && now < window.since + windowMs ? window : undefined;
  }
}

export function tooMany(): IsochronError {
  return new IsochronError(
    "rate-limited",
    "There were too many requests within a minute.",
    "Wait as `Retry-After` says.",
  );
}

function putOff(reply: FastifyReply | undefined, waitMs: number): IsochronError {
  void reply?.header("retry-after", String(Math.max(1, Math.ceil(waitMs / 1000))));
  return tooMany();
}
