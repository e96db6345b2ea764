export interface SharedAnswersOptions {
  /** How old a kept answer may be, counted from when its question was sent; 0 shares what is under way and keeps nothing. */
  readonly keptMs: number;
  readonly entriesMax: number;
  readonly nowMs: () => number;
}

interface Entry<Value> {
  readonly askedAtMs: number;
  readonly answer: Promise<Value>;
  settled: boolean;
}

/** Answers that several wait for at once, or that hold for a moment. Failures are not kept. */
export class SharedAnswers<Value> {
  readonly #options: SharedAnswersOptions;
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(options: SharedAnswersOptions) {
    this.#options = options;
  }

  get(key: string, ask: () => Promise<Value>): Promise<Value> {
    const { keptMs, entriesMax, nowMs } = this.#options;
    const known = this.#entries.get(key);
    const askedAtMs = nowMs();
    if (known !== undefined && (!known.settled || askedAtMs - known.askedAtMs < keptMs)) return known.answer;
    const entry: Entry<Value> = { askedAtMs, answer: ask(), settled: false };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const settle = (keeps: boolean): void => {
      entry.settled = true;
      if (!keeps && this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    // A failure says nothing of the next moment.
    entry.answer.then(
      () => settle(keptMs > 0),
      () => settle(false),
    );
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > entriesMax && oldest !== undefined) this.#entries.delete(oldest);
    return entry.answer;
  }
}
