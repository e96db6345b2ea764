import { setTimeout as pause } from "node:timers/promises";
import { patience } from "./patience.ts";
import type { SeededRandom } from "./seeded-random.ts";

interface Posted {
  readonly text: string;
  readonly at: number;
  acknowledged: boolean;
}

/** Posts CloudEvents and posts each again until it is told 2xx; remembers what it was told. */
export class EventSender {
  readonly #random: SeededRandom;
  readonly #token: string;
  readonly #address: () => string;
  readonly #posted: Posted[] = [];
  /** Events of a post, and the longest rest between two posts of a sender. */
  batchMax = 4;
  restMsMax = 400;
  readonly statuses = new Map<number | string, number>();
  #stopped = true;
  #running: Promise<void>[] = [];
  /** Answers are waited for no longer than this. */
  answerMsMax = 15_000 * patience;
  /** What came back after longer than the bound, or never. */
  hangs = 0;

  /** `address` gives where to post now, as a load balancer would. */
  constructor(random: SeededRandom, token: string, address: () => string) {
    this.#random = random;
    this.#token = token;
    this.#address = address;
  }

  start(senders = 2): void {
    this.#stopped = false;
    this.#running.push(...Array.from({ length: senders }, () => this.#send()));
  }

  /** Ends once everything that was begun is acknowledged. */
  async stop(withinMs: number): Promise<void> {
    this.#stopped = true;
    const until = performance.now() + withinMs;
    while (this.#posted.some((one) => !one.acknowledged) && performance.now() < until) await pause(50);
    this.#giveUp = true;
    await Promise.all(this.#running);
  }

  #giveUp = false;

  /** How many events were acknowledged so far. */
  get acknowledged(): number {
    return this.#posted.filter((one) => one.acknowledged).length;
  }

  /** What was acknowledged has to be there; the rest may be. */
  truth(): {
    readonly required: ReadonlyMap<string, number>;
    readonly possible: ReadonlyMap<string, number>;
  } {
    const of = (posted: readonly Posted[]) => new Map(posted.map(({ text, at }) => [text, at]));
    return {
      required: of(this.#posted.filter(({ acknowledged }) => acknowledged)),
      possible: of(this.#posted),
    };
  }

  async #send(): Promise<void> {
    while (!this.#stopped) {
      const events = Array.from({ length: this.#random.whole(1, this.batchMax) }, () => this.#next());
      await this.#deliver(events);
      await pause(this.#random.whole(0, this.restMsMax));
    }
  }

  #next(): Posted {
    const posted = { text: `W${this.#posted.length + 1}`, at: Date.now(), acknowledged: false };
    this.#posted.push(posted);
    return posted;
  }

  async #deliver(events: readonly Posted[]): Promise<void> {
    const body = JSON.stringify(
      events.map(({ text, at }) => ({
        specversion: "1.0",
        id: text,
        source: "/faults",
        type: "org.example.fault",
        time: new Date(at).toISOString(),
        isochronsummary: text,
        subject: `server/s${text}`,
      })),
    );
    while (!this.#giveUp) {
      const status = await this.#post(body);
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      if (typeof status === "number" && status >= 200 && status < 300) {
        for (const event of events) event.acknowledged = true;
        return;
      }
      await pause(this.#random.whole(100, 300));
    }
  }

  async #post(body: string): Promise<number | string> {
    const began = performance.now();
    try {
      const answer = await fetch(`${this.#address()}/api/v1/ingest/hook`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${this.#token}`,
          "content-type": "application/cloudevents-batch+json",
        },
        body,
        signal: AbortSignal.timeout(this.answerMsMax),
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (performance.now() - began >= this.answerMsMax) this.hangs += 1;
      return error.name === "TimeoutError" ? "no answer in time" : "unreachable";
    }
  }
}
