import { IsochronError } from "../../errors.ts";
import type { ByteCredits, NoRoom } from "./byte-credits.ts";

/** The room that one posted request takes until its answer is over. */
export interface PushCredit {
  /** Takes room for further bytes. Throws `rate-limited` or `overloaded`. */
  take(bytes: number): void;
  giveBack(): void;
}

/** Requests that were refused for want of room, by connection. */
export interface RefusedPushes {
  readonly connection: string;
  readonly share: number;
  readonly whole: number;
}

/** Room for posted bodies: what finds none is refused at once, so that it waits with its sender and not in memory. */
export class PushRoom {
  readonly #credits: ByteCredits;
  readonly #known: ReadonlySet<string>;
  readonly #refused = new Map<string, Record<NoRoom, number>>();

  /** `known` are the connections that are counted by name. */
  constructor(credits: ByteCredits, known: ReadonlySet<string>) {
    this.#credits = credits;
    this.#known = known;
  }

  /** Takes room for a body of that many bytes. Throws `rate-limited` or `overloaded`. */
  admit(connection: string, bytes: number): PushCredit {
    // Names that nobody configured share one account, so that they cost no memory.
    const name = this.#known.has(connection) ? connection : "";
    const account = this.#credits.account(`push ${name}`);
    let held = 0;
    const take = (more: number): void => {
      const full = account.tryTake(more);
      if (full !== undefined) throw this.#refuse(name, full);
      held += more;
    };
    take(bytes);
    return {
      take,
      giveBack: () => {
        account.giveBack(held);
        held = 0;
      },
    };
  }

  refused(): readonly RefusedPushes[] {
    return [...this.#refused].map(([connection, counts]) => ({ connection, ...counts }));
  }

  #refuse(name: string, full: NoRoom): IsochronError {
    const counts = this.#refused.get(name) ?? { share: 0, whole: 0 };
    counts[full] += 1;
    this.#refused.set(name, counts);
    const remedy = "Wait as `Retry-After` says, then send it again.";
    return full === "share"
      ? new IsochronError(
          "rate-limited",
          "Too much of this connection waits to be stored already, so nothing of this request was taken.",
          remedy,
        )
      : new IsochronError(
          "overloaded",
          "All the room for what waits to be stored is taken, so nothing of this request was taken.",
          remedy,
        );
  }
}
