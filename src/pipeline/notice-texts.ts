import type { Instant } from "../model/instant.ts";
import type { NoticeSituation } from "../model/notice.ts";
import { shippedTexts } from "../normalise/notice-template.ts";
import type { NoticeTemplateStore } from "../store/notice-template-store.ts";

/** How long another process may go on with the text from before a change. */
const freshForMs = 5_000;

/** The texts of notices as they stand, read again when something was decided about them. */
export class NoticeTexts {
  readonly #store: NoticeTemplateStore;
  readonly #now: () => Instant;
  #texts: ReadonlyMap<NoticeSituation, string> = new Map();
  #count = -1;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(store: NoticeTemplateStore, now: () => Instant) {
    this.#store = store;
    this.#now = now;
  }

  readonly textOf = (situation: NoticeSituation): string =>
    this.#texts.get(situation) ?? shippedTexts[situation];

  /** To be awaited before notices are made. A look is one small read, at most every five seconds. */
  readonly refresh = async (): Promise<void> => {
    const now = this.#now();
    if (Math.abs(now - this.#lookedAt) < freshForMs) return;
    const count = await this.#store.count();
    if (count !== this.#count) {
      const current = await this.#store.current();
      this.#texts = new Map(current.flatMap(({ name, text }) => (text === null ? [] : [[name, text]])));
      this.#count = count;
    }
    this.#lookedAt = now;
  };

  /** The next page looks, however short ago the last one did. */
  expire(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }
}
