import { z } from "zod";

/** Who knew what when, of events and resources, and what is taken back: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });

const thing = z.object({ kind: z.string(), id: z.string(), name: z.string().optional() });

/** The data of a live stream's `retracted`: an event that is no longer to be seen, and nothing of why. */
export const retractionSchema = z.object({ id: z.string() });
export type RetractionJson = z.infer<typeof retractionSchema>;

export const sourceRecordSchema = z.object({ connection: z.string(), source_id: z.string() });

/** Who did it, beside the owner and never mixed with it. Provider only. */
export const doneBySchema = z.object({
  user_id: z.string().optional(),
  user_name: z.string().optional(),
  project_id: z.string().optional(),
  project_name: z.string().optional(),
  /** True where the actor's project is the owner; nothing was ever concluded from that. */
  is_owner: z.boolean(),
});

/** When we held an answer to be true: from `recorded_at` until `recorded_until`, or until now. */
export const recordedFields = {
  recorded_at: time,
  recorded_until: time.nullable(),
  /** The record whose words made this answer differ from the one before, where one record did. */
  arrived: sourceRecordSchema.optional(),
};

/** When something held, and since when we know: open ends are null. */
export const heldFields = {
  valid_from: time,
  valid_until: time.nullable(),
  /** When we first heard of its beginning. Provider only. */
  known_since: time.optional(),
  /** The record that says so. Provider only. */
  stated_by: sourceRecordSchema.optional(),
};

/** A stretch in which a resource was one owner's; a tenant is told of its own alone. */
export const ownershipIntervalSchema = z.object({
  owner: thing,
  /** The domain of an owning project, where it is known. */
  domain: thing.optional(),
  ...heldFields,
});
export type OwnershipIntervalJson = z.infer<typeof ownershipIntervalSchema>;

/** A name, address or path that a resource bore; a tenant is told of those in its own stretches. */
export const aliasIntervalSchema = z.object({
  relation: z.enum(["named", "known_as", "has_address"]),
  alias: thing,
  ...heldFields,
});
export type AliasIntervalJson = z.infer<typeof aliasIntervalSchema>;
