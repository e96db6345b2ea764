import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { asObject } from "../json-fields.ts";
import type { Decoders, RawRecord } from "../source.ts";

/** What the listing of stacks says of the stack that an event belongs to; `project` is its owner. */
export interface StackOrigin {
  readonly id: string;
  readonly name: string;
  readonly project?: string;
  readonly parent?: string;
}

/** An event of a stack. `type` is what the resource is, as `OS::Nova::Server`. */
export interface StackEventRecord {
  readonly part: "stack-event";
  readonly item: JsonObject;
  readonly stack: StackOrigin;
  readonly type?: string;
  readonly seenAt: Instant;
}

/** An object of Octavia's as it stands, with what the pass before remembered of it. */
export interface ObjectRecord {
  readonly part: "object";
  readonly listing: string;
  readonly item: JsonObject;
  readonly seenAt: Instant;
  /** Absent at first sight. */
  readonly previous?: JsonObject;
  /** When the pass before saw the listing; absent in the first pass. */
  readonly previousSeenAt?: Instant;
  /** True where two complete listings lacked it; `item` is what was remembered then, `seenAt` the first of the two. */
  readonly gone?: true;
  /** The load balancer, where the item itself does not name it. */
  readonly balancer?: string;
  /** The pool that a member was listed under. */
  readonly pool?: string;
}

export type EventsApiRecord = StackEventRecord | ObjectRecord;

/** Writes a record with all that reading it needs, so that a replay is exact. */
export function writeRecord(record: EventsApiRecord, position: string): RawRecord {
  return {
    bytes: new TextEncoder().encode(JSON.stringify(record)),
    position,
    receivedAt: record.seenAt,
    meta: { part: record.part },
  };
}

const envelope = z.discriminatedUnion("part", [
  z.object({
    part: z.literal("stack-event"),
    stack: z.object({
      id: z.string().min(1),
      name: z.string(),
      project: z.string().min(1).optional(),
      parent: z.string().min(1).optional(),
    }),
    type: z.string().optional(),
    seenAt: z.number().int(),
  }),
  z.object({
    part: z.literal("object"),
    listing: z.string(),
    seenAt: z.number().int(),
    previousSeenAt: z.number().int().optional(),
    gone: z.literal(true).optional(),
    balancer: z.string().min(1).optional(),
    pool: z.string().min(1).optional(),
  }),
]);

/** The inverse of {@link writeRecord}. Throws `record-invalid`. */
export function readRecord(raw: RawRecord, decode: Decoders): EventsApiRecord {
  const value = asObject(decode.json(decode.text(raw.bytes)));
  const item = asObject(value?.["item"]);
  const parsed = envelope.safeParse(value);
  if (item === undefined || !parsed.success) {
    throw new IsochronError(
      "record-invalid",
      "This is no record of a stack's event or of a load balancer's part.",
      "Read the API again.",
    );
  }
  const { data } = parsed;
  if (data.part === "stack-event") {
    const { id, name, project, parent } = data.stack;
    const stack = { id, name, ...(project && { project }), ...(parent && { parent }) };
    return {
      part: data.part,
      item,
      stack,
      ...(data.type !== undefined && { type: data.type }),
      seenAt: instant(data.seenAt),
    };
  }
  const { part, listing, seenAt, previousSeenAt, gone, balancer, pool } = data;
  const previous = asObject(value?.["previous"]);
  return {
    part,
    listing,
    item,
    seenAt: instant(seenAt),
    ...(previous && { previous }),
    ...(previousSeenAt !== undefined && { previousSeenAt: instant(previousSeenAt) }),
    ...(gone && { gone }),
    ...(balancer && { balancer }),
    ...(pool && { pool }),
  };
}
