import { z } from "zod";

/** What items gave to remember, per item id; flat, since the cursor is kept small. */
const remembered = z.record(z.string(), z.array(z.union([z.string(), z.boolean(), z.null()])));

/** What is remembered of one listing between passes. */
const listingPlace = z.object({
  /** When the last complete reading began, in milliseconds since the epoch. */
  seenAt: z.number().int(),
  /** `changes-since` of the next reading, in milliseconds since the epoch. */
  since: z.number().int(),
  /** Per item id what has to be compared with the next pass. */
  known: remembered,
  /** Of what the last reading lacked: when it was listed last, in milliseconds since the epoch. */
  missing: z.record(z.string(), z.number().int()).default({}),
  /** Since when so many are missing that none is taken for gone, in milliseconds since the epoch. */
  drop: z.object({ sinceMs: z.number().int(), listings: z.number().int() }).nullable().default(null),
  /** How many items the last complete reading had; null where it was narrowed, or nobody counted. */
  rows: z.number().int().nullable().default(null),
});

/** A pass that is not over: a large cloud is handed over in several pages. */
const openPass = z.object({
  startedAt: z.number().int(),
  todo: z.array(z.string()),
  /** Listings that were read to their end, and those that were given up. */
  read: z.array(z.string()),
  failed: z.array(z.string()),
  /** The query of the next request of the first listing in `todo`; null at its beginning. */
  next: z.string().nullable(),
  pages: z.number().int(),
  /** When that listing's first request left; null at its beginning. */
  seenAt: z.number().int().nullable(),
  /** What that listing has given to remember so far. */
  known: remembered,
  /** How many items it has given so far. */
  rows: z.number().int().default(0),
});

export const inventoryCursor = z.object({
  /** When the last pass that ended had begun, in milliseconds since the epoch. */
  passedAt: z.number().int().nullable(),
  pass: openPass.nullable(),
  listings: z.record(z.string(), listingPlace),
  /** Where only what changed from a moment on is read again: that moment, in milliseconds since the epoch. */
  again: z.number().int().nullable().default(null),
});

export type InventoryCursor = z.infer<typeof inventoryCursor>;
export type OpenPass = NonNullable<InventoryCursor["pass"]>;
export type ListingPlace = z.infer<typeof listingPlace>;
