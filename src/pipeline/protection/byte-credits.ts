/** The part of the whole that one account may hold. */
const shareOfOne = 1 / 4;

/** *Share* when the account itself holds too much, *whole* when there is no room at all. */
export type NoRoom = "share" | "whole";

interface Waiting {
  readonly account: CreditAccount;
  readonly bytes: number;
  readonly growing: boolean;
  readonly go: () => void;
}

/**
 * Room for the bytes that all connections of this process hold between arriving and being committed. One account holds
 * at most a quarter. A quarter more is kept back for the eldest of those that wait while they hold something: it can
 * always go on, so that half-read pages never wait for each other.
 */
export class ByteCredits {
  readonly bytesMax: number;
  readonly shareBytesMax: number;
  #held = 0;
  readonly #accounts = new Map<string, CreditAccount>();
  /** Accounts that took by `grow`, in the order in which they began. */
  readonly #growers = new Set<CreditAccount>();
  readonly #waiting = new Set<Waiting>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
    this.shareBytesMax = Math.floor(bytesMax * shareOfOne);
  }

  get heldBytes(): number {
    return this.#held;
  }

  /** The account of that name; it costs nothing until it takes. */
  account(name: string): CreditAccount {
    const account = this.#accounts.get(name) ?? new CreditAccount(this);
    this.#accounts.set(name, account);
    return account;
  }

  /** For accounts only. */
  tryTake(account: CreditAccount, bytes: number): NoRoom | undefined {
    const room = this.#room(account, bytes, false);
    // Whoever waits was there first.
    if (room === undefined && this.#isAwaited()) return "whole";
    if (room === undefined) this.#take(account, bytes);
    return room;
  }

  /** For accounts only. */
  async take(
    account: CreditAccount,
    bytes: number,
    growing: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (growing) this.#growers.add(account);
    const goesFirst = growing && this.#isEldest(account);
    if (this.#room(account, bytes, growing) === undefined && (goesFirst || !this.#isAwaited())) {
      this.#take(account, bytes);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiting);
        if (account.heldBytes === 0) this.#growers.delete(account);
        this.#wake();
        reject(signal?.reason as Error);
      };
      const go = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const waiting: Waiting = { account, bytes, growing, go };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** For accounts only. */
  giveBack(account: CreditAccount, bytes: number): void {
    this.#held -= bytes;
    if (account.heldBytes === 0) this.#growers.delete(account);
    this.#wake();
  }

  #take(account: CreditAccount, bytes: number): void {
    this.#held += bytes;
    account.note(bytes);
  }

  #room(account: CreditAccount, bytes: number, growing: boolean): NoRoom | undefined {
    // What alone is larger than a share may still come, one at a time: it is in memory already.
    const shareFull = account.heldBytes > 0 && account.heldBytes + bytes > this.shareBytesMax;
    if (shareFull) return "share";
    const isEldest = growing && this.#isEldest(account);
    const max = isEldest ? this.bytesMax : this.bytesMax - this.shareBytesMax;
    return this.#held + bytes > max && this.#held > 0 ? "whole" : undefined;
  }

  #isEldest(account: CreditAccount): boolean {
    const [eldest] = this.#growers;
    return eldest === account;
  }

  /** Whether somebody waits for room that anybody could take. */
  #isAwaited(): boolean {
    for (const { account, bytes, growing } of this.#waiting) {
      if (this.#room(account, bytes, growing) === "whole") return true;
    }
    return false;
  }

  /** In the order of asking; who waits for its own share holds up nobody else. */
  #wake(): void {
    let blocked = false;
    for (const waiting of this.#waiting) {
      const { account, bytes, growing, go } = waiting;
      const room = this.#room(account, bytes, growing);
      const goesFirst = growing && this.#isEldest(account);
      if (room === undefined && (goesFirst || !blocked)) {
        this.#waiting.delete(waiting);
        this.#take(account, bytes);
        go();
      } else if (room !== "share") blocked = true;
    }
  }
}

/** What one connection holds of the credits. */
export class CreditAccount {
  readonly #credits: ByteCredits;
  #held = 0;

  constructor(credits: ByteCredits) {
    this.#credits = credits;
  }

  get heldBytes(): number {
    return this.#held;
  }

  get shareBytesMax(): number {
    return this.#credits.shareBytesMax;
  }

  /** Takes at once, or says why it cannot. */
  tryTake(bytes: number): NoRoom | undefined {
    return this.#credits.tryTake(this, bytes);
  }

  /** Waits for room for something whole; whoever takes must give back without taking more. */
  take(bytes: number, signal?: AbortSignal): Promise<void> {
    return this.#credits.take(this, bytes, false, signal);
  }

  /**
   * Waits for room for a further part of what is held already. The caller sees to it that it stays within
   * `shareBytesMax`: beyond that it would wait for itself.
   */
  grow(bytes: number, signal?: AbortSignal): Promise<void> {
    return this.#credits.take(this, bytes, true, signal);
  }

  giveBack(bytes: number): void {
    const given = Math.min(bytes, this.#held);
    this.#held -= given;
    this.#credits.giveBack(this, given);
  }

  giveBackAll(): void {
    this.giveBack(this.#held);
  }

  /** For the credits only. */
  note(bytes: number): void {
    this.#held += bytes;
  }
}
