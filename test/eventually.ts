import { setTimeout as pause } from "node:timers/promises";

/** Looks again and again until there is an answer; throws, naming `what`, once `withinMs` have passed. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  options: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<T> {
  const { withinMs = 30_000, everyMs = 25 } = options;
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await pause(everyMs);
  }
}
