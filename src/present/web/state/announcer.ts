import { signal } from "@preact/signals";

/** One sentence at a time for screen readers, politely. */
export const announcement = signal("");

export function announce(sentence: string): void {
  announcement.value = sentence;
}
