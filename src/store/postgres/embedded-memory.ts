import { totalmem } from "node:os";

const mebibyte = 2 ** 20;
/** What a server keeps of its tables for itself: an eighth of the memory, so that it stays a guest on a laptop. */
const ownShare = 1 / 8;
const ownMegabytesMin = 128;
/** The topology of a million resources fits in it with its indexes. */
const ownMegabytesMax = 2_048;
/** What it may count on to be in memory, there or in the system's own cache. */
const cachedShare = 1 / 2;

/** How many bytes of memory this process may use, also where a container is given less than the machine has. */
export function usableMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
}

/**
 * Settings of a PostgreSQL on a machine with so many bytes of memory, as `name=value`. What it keeps is taken only once
 * it is used. Embedded stores lie on SSDs, where a page costs the same wherever it is: with the price of a disk's head the
 * planner would rather read whole tables.
 */
export function memorySettings(bytes: number): readonly string[] {
  const megabytes = bytes / mebibyte;
  const own = Math.round(Math.min(Math.max(megabytes * ownShare, ownMegabytesMin), ownMegabytesMax));
  const cached = Math.round(Math.max(megabytes * cachedShare, own));
  return [`shared_buffers=${own}MB`, `effective_cache_size=${cached}MB`, "random_page_cost=1.1"];
}
