import { z } from "zod";
import { textParameter } from "./query-parameters.ts";

/** Legal holds and erasures: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });
const id = textParameter(200).min(1);
const why = textParameter(1000).min(1);

const tenantFields = {
  control_plane: z.string().max(63).default("default"),
  project_id: id.optional(),
  domain_id: id.optional(),
  customer_id: id.optional(),
};

const holdTargetSchema = z.strictObject({
  ...tenantFields,
  resource: z
    .strictObject({ kind: z.string().regex(/^[a-z_]{1,50}$/), id: textParameter(500).min(1) })
    .optional(),
});

export const placeHoldSchema = z.strictObject({
  target: holdTargetSchema.describe("Exactly one of project_id, domain_id, customer_id and resource."),
  from: time.optional(),
  to: time.optional().describe("Not part of it."),
  why,
});
export const liftHoldSchema = z.strictObject({ why });

export const holdSchema = z.object({
  id: z.string(),
  /** What it is of, in words. */
  of: z.string(),
  from: time.nullable(),
  to: time.nullable(),
  why: z.string(),
  placed_by: z.string(),
  placed_at: time,
  lifted: z.object({ by: z.string(), why: z.string(), at: time }).nullable(),
});
export type HoldJson = z.infer<typeof holdSchema>;
export const holdsSchema = z.object({ holds: z.array(holdSchema) });

export const erasureTargetSchema = z.strictObject({
  ...tenantFields,
  user_id: id.optional(),
  words: z
    .array(textParameter(200).min(8))
    .max(50)
    .optional()
    .describe("With `user_id`: what else names the person, taken out wherever it stands."),
});
export const erasureDryRunRequestSchema = z.strictObject({ target: erasureTargetSchema });
export const eraseRequestSchema = z.strictObject({
  target: erasureTargetSchema,
  why,
  confirm: z.string().max(100).describe("As the dry run gave it."),
});

export const erasureCountsSchema = z.object({
  events: z.number().int(),
  changed: z.number().int(),
  editions: z.number().int(),
  storm_members: z.number().int(),
  set_aside: z.number().int(),
  facts: z.number().int(),
  /** Kept back by legal holds. */
  held: z.number().int(),
});
export type ErasureCountsJson = z.infer<typeof erasureCountsSchema>;
export const erasureDryRunSchema = z.object({ counts: erasureCountsSchema, confirm: z.string() });
export type ErasureDryRunJson = z.infer<typeof erasureDryRunSchema>;

export const erasureSchema = z.object({
  id: z.string(),
  state: z.enum(["under-way", "held", "done"]),
  why: z.string(),
  asked_by: z.string(),
  asked_at: time,
  done_at: time.nullable(),
  counts: erasureCountsSchema,
});
export type ErasureJson = z.infer<typeof erasureSchema>;
export const erasuresSchema = z.object({ erasures: z.array(erasureSchema) });

export const exportQuerySchema = z.strictObject({
  format: z.enum(["ndjson", "csv"]).default("ndjson"),
  cursor: z.string().max(1000).optional().describe("Goes on after what a `cursor` line stood behind."),
});
