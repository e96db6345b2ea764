import { IsochronError } from "../../errors.ts";
import type { RawRecord } from "../source.ts";

/**
 * Cursor kind *push inbox with reconcile*: the sender posts, we answer once it is stored, and there is no place to keep.
 * What posts never reached us is found by asking the sender's API for a span (`WebhookSource.recall`) and giving what it
 * knows as records of the same identities: the store tells repeats from what is new by their keys alone.
 */
export interface RecalledPage<Next> {
  readonly records: readonly RawRecord[];
  /** What the following page is asked for with; undefined on the last one. */
  readonly next?: Next;
}

/** Asks page by page. Throws `source-malformed` for an API that does not come to an end. */
export async function* recallPages<Next>(
  first: Next,
  read: (next: Next) => Promise<RecalledPage<Next>>,
  pagesMax: number,
): AsyncIterable<readonly RawRecord[]> {
  let next = first;
  for (let count = 0; count < pagesMax; count += 1) {
    const page = await read(next);
    yield page.records;
    if (page.next === undefined) return;
    next = page.next;
  }
  throw new IsochronError(
    "source-malformed",
    `The sender's API goes on after ${pagesMax} pages.`,
    "Ask for a shorter span.",
  );
}
