import { IsochronError } from "../../errors.ts";
import type { PullSource, Source, WebhookSource } from "../../sources/source.ts";
import type { SourceGuard } from "./source-guard.ts";

/**
 * The same source behind its guard: no page is read while it is left alone, a page's bytes are held until the next
 * page is asked for (which is after the commit), and credentials that were refused are not tried again at once.
 */
export function guardPull(source: PullSource, guard: SourceGuard): PullSource {
  return {
    ...source,
    fetch: (config, from, io) =>
      noteDenied(guard, () => {
        guard.endPage();
        guard.check();
        return source.fetch(config, from, io);
      }),
  };
}

/** The same for what a push source's sender is asked for. */
export function guardRecall(source: WebhookSource, guard: SourceGuard): WebhookSource {
  const { recall } = source;
  if (recall === undefined) return source;
  return {
    ...source,
    recall: (config, span, io) => {
      const pages = recall(config, span, io);
      return pages === undefined ? undefined : guardPages(pages, guard);
    },
  };
}

/** The same for any source; what only arrives is asked nothing. */
export function guardSource(source: Source, guard: SourceGuard): Source {
  if (source.delivery === "pull") return guardPull(source, guard);
  return source.delivery === "webhook" ? guardRecall(source, guard) : source;
}

async function* guardPages<Page>(pages: AsyncIterable<Page>, guard: SourceGuard): AsyncIterable<Page> {
  const iterator = pages[Symbol.asyncIterator]();
  try {
    for (;;) {
      guard.check();
      const step = await noteDenied(guard, () => iterator.next());
      if (step.done === true) return;
      yield step.value;
      guard.endPage();
    }
  } finally {
    guard.endPage();
    await iterator.return?.();
  }
}

async function noteDenied<Result>(guard: SourceGuard, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof IsochronError && error.code === "source-denied") guard.denied(error.problem);
    throw error;
  }
}
