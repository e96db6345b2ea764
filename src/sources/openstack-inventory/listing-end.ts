import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Finding } from "../../model/source-health.ts";
import { isSuddenDrop, weighListing } from "../cursor/listing-diff.ts";
import type { RawRecord } from "../source.ts";
import type { ListingPlace } from "./inventory-cursor.ts";
import { writeRecord } from "./inventory-record.ts";
import type { Listing } from "./listings.ts";
import { idsMax, thingsDrop } from "./listings.ts";

/** What a listing that was read to its end leaves behind. */
export interface EndedListing {
  readonly place: Pick<ListingPlace, "known" | "missing" | "rows" | "drop">;
  /** One record for each item that is gone. */
  readonly gone: readonly RawRecord[];
  readonly findings: readonly Finding[];
}

/**
 * Compares a complete listing with the one before it: an item is gone once two in a row lack it, and none is where
 * suspiciously many are missing, unless that has stood for long. `read.rows` is null where the listing was narrowed, so that its length says nothing.
 */
export function endListing(
  listing: Listing,
  before: ListingPlace | undefined,
  seenAt: Instant,
  read: Pick<ListingPlace, "known" | "rows">,
): EndedListing {
  const place: EndedListing["place"] = { ...read, missing: {}, drop: null };
  if (before === undefined) return { place, gone: [], findings: [] };
  if (listing.reportsGone === undefined || isPartlyKnown(listing, before, read)) {
    return { place, gone: [], findings: suspectRows(listing, before, read.rows) };
  }
  const misses = new Map(
    Object.keys(before.known).map((id) => [id, before.missing[id] === undefined ? 0 : 1]),
  );
  const { once, gone, suspected, doubted, drop } = weighListing(
    misses,
    (id) => read.known[id] !== undefined,
    listing.reportsGone,
    { before: before.drop, nowMs: seenAt },
  );
  const kept = [...once, ...doubted];
  const known = { ...read.known, ...pick(before.known, kept) };
  const missing = Object.fromEntries(kept.map((id) => [id, before.missing[id] ?? before.seenAt]));
  return {
    place: { known, missing, rows: read.rows, drop },
    gone: gone.map((id) => recordGone(listing, id, before, goneBy(id, before, seenAt))),
    findings: suspected > 0 ? [sayDrop(listing, misses.size, misses.size - suspected)] : [],
  };
}

/** Of a listing that is too long only some ids are remembered, which proves nothing of the others. */
function isPartlyKnown(listing: Listing, before: ListingPlace, read: Pick<ListingPlace, "rows">): boolean {
  // What a cursor from before these were remembered knows is no more than what was on its way.
  const isShort =
    before.rows !== null && Object.keys(before.known).length < before.rows && !listing.countsPairs;
  const isLong = (before.rows ?? 0) > idsMax || (read.rows ?? 0) > idsMax;
  return listing.remembersAll !== undefined && (isLong || isShort);
}

/** Nothing is inferred from what such a listing lacks, so that its new length is what the next one is compared with. */
function suspectRows(
  listing: Listing,
  { rows: before }: ListingPlace,
  rows: number | null,
): readonly Finding[] {
  if (before === null || rows === null || !isSuddenDrop(before, rows, thingsDrop)) return [];
  return [sayDrop(listing, before, rows)];
}

function sayDrop({ service, path }: Listing, before: number, rows: number): Finding {
  const says =
    `${service} ${path} lists ${rows} of the ${before} items that it listed before; ` +
    "check what the credentials may see.";
  return { code: "sudden-drop", says };
}

function pick(known: ListingPlace["known"], ids: readonly string[]): ListingPlace["known"] {
  return Object.fromEntries(ids.map((id) => [id, known[id]!]));
}

/** What a drop took along was gone when the drop was first seen, not when it came to be believed. */
function goneBy(id: string, { drop, missing }: ListingPlace, seenAt: Instant): Instant {
  return drop !== null && (missing[id] ?? seenAt) < drop.sinceMs ? instant(drop.sinceMs) : seenAt;
}

function recordGone(listing: Listing, id: string, before: ListingPlace, seenAt: Instant): RawRecord {
  return writeRecord(
    {
      listing: listing.name,
      item: { id },
      gone: true,
      previous: before.known[id]!,
      seenAt,
      previousSeenAt: instant(before.missing[id] ?? before.seenAt),
    },
    `GET ${listing.path}: no longer has ${id}`,
  );
}
