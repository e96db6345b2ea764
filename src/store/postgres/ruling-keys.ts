/** What an event depends on that a ruling concerns; the step that applies rulings spells the same. */
export function rulingKey(id: string): string {
  return `ruling:${id}`;
}

/** What an event waits for whose answer did not know of all rulings; an answer that does takes it away. */
export const unaskedKey = rulingKey("unasked");
