import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Decoders, RawRecord } from "../source.ts";
import { asObject } from "./item.ts";

/** One item of a listing with all that reading it needs, so that `normalise` is pure and a replay is exact. */
export interface InventoryRecord {
  readonly listing: string;
  readonly item: JsonObject;
  /** When the request left that showed the item. */
  readonly seenAt: Instant;
  /** What the pass before remembered of the item; absent at first sight. */
  readonly previous?: readonly Json[];
  /** When the pass before saw the listing; absent in the first pass. */
  readonly previousSeenAt?: Instant;
  /** Work finished before this is no news. */
  readonly newSince?: Instant;
  /** True for an item that the pass before saw and this one did not; `item` then holds its id only. */
  readonly gone?: true;
  /** True where another listing of the same pass reports the item's state. */
  readonly reportedElsewhere?: true;
  /** The name of the server that an instance action belongs to. */
  readonly serverName?: string;
  /** True where that server has no host although none of its states explains it: it was never really placed. */
  readonly unplaced?: true;
}

/** Writes a record as canonical JSON: keys sorted, no spaces; the same item gives the same bytes. */
export function writeRecord(record: InventoryRecord, position: string): RawRecord {
  return {
    bytes: new TextEncoder().encode(canonicalJson(record as unknown as JsonObject)),
    position,
    receivedAt: record.seenAt,
    meta: { listing: record.listing },
  };
}

const envelope = z.object({
  listing: z.string(),
  seenAt: z.number(),
  previous: z.array(z.json()).optional(),
  previousSeenAt: z.number().optional(),
  newSince: z.number().optional(),
  gone: z.literal(true).optional(),
  reportedElsewhere: z.literal(true).optional(),
  serverName: z.string().optional(),
  unplaced: z.literal(true).optional(),
});

/** The inverse of {@link writeRecord}. Throws `record-invalid`. */
export function readRecord(raw: RawRecord, decode: Decoders): InventoryRecord {
  const value = asObject(decode.json(decode.text(raw.bytes)));
  const item = asObject(value?.["item"]);
  const parsed = envelope.safeParse(value);
  if (item === undefined || !parsed.success) {
    throw new IsochronError("record-invalid", "This is no inventory record.", "Read the listing again.");
  }
  const {
    seenAt,
    previousSeenAt,
    newSince,
    previous,
    gone,
    reportedElsewhere,
    serverName,
    unplaced,
    listing,
  } = parsed.data;
  return {
    listing,
    item,
    seenAt: instant(seenAt),
    ...(previous === undefined ? {} : { previous: previous as readonly Json[] }),
    ...(previousSeenAt === undefined ? {} : { previousSeenAt: instant(previousSeenAt) }),
    ...(newSince === undefined ? {} : { newSince: instant(newSince) }),
    ...(gone === undefined ? {} : { gone }),
    ...(reportedElsewhere === undefined ? {} : { reportedElsewhere }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(unplaced === undefined ? {} : { unplaced }),
  };
}

// Keys are written as text, never assigned, so that a `__proto__` key stays data.
function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(",")}]`;
  const object = asObject(value);
  if (object === undefined) return JSON.stringify(value ?? null);
  const members = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key])}`);
  return `{${members.join(",")}}`;
}
