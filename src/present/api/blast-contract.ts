import { z } from "zod";
import { coverageSchema, entitySchema, eventSchema } from "./contract.ts";
import { decimalParameter, textParameter, timeParameter, wordsParameter } from "./query-parameters.ts";
import { tenantSchema } from "./tenancy-contract.ts";

/** What a failure reaches: the contract of `GET /blast`. */

const time = z.iso.datetime({ offset: true });

const resourcesParameter = textParameter(2000)
  .transform((text) => text.split(",").map((word) => word.trim()))
  .refine((words) => words.length <= 20 && words.every((word) => /^[a-z_]+[/:].+$/.test(word)), {
    error: "not a comma-separated list of 1 to 20 resources of the form kind/id",
  });

export const blastQuerySchema = z
  .strictObject({
    event: wordsParameter().optional().describe("Events whose subjects failed, comma-separated."),
    resource: resourcesParameter.optional().describe("`kind/id` of what failed, comma-separated."),
    at: timeParameter
      .optional()
      .describe("As of this moment; needed with `resource` alone, else the events' own (the earliest)."),
    window_minutes: decimalParameter(1, 1440, 60).describe("How long after the moment symptoms confirm."),
    hops: decimalParameter(1, 6, 4).describe("How far the harm is followed."),
    limit: decimalParameter(1, 1000, 200).describe("At most so many things are listed; all are counted."),
    control_plane: textParameter(200)
      .min(1)
      .optional()
      .describe("Needed only where two control planes know the same id. Provider only."),
  })
  .refine((query) => query.event !== undefined || (query.resource !== undefined && query.at !== undefined), {
    path: ["event"],
    error: "missing, as is `resource` with `at`: give events, or resources and a moment",
    when: () => true,
  });

const countFields = {
  /** All that the failure reaches: confirmed and predicted. */
  reached: z.number().int(),
  confirmed: z.number().int(),
};

export const blastItemSchema = z.object({
  entity: entitySchema,
  /** For the provider: whose it was then, where that is known. */
  tenant: tenantSchema.optional(),
  /** Confirmed where it shows symptoms in the window. */
  state: z.enum(["confirmed", "predicted"]),
  /** That it suffers, given that what was asked about failed; above 0, below 1. */
  probability: z.number(),
  likelihood: z.enum(["very likely", "likely", "possible", "unlikely"]),
  /** Hops from what failed, along the likeliest way. */
  depth: z.number().int(),
  way: z.array(
    z.object({ failed: entitySchema, harmed: entitySchema, relation: z.string(), says: z.string() }),
  ),
  /** When the least lately seen relation of the way was last seen; null where it was first seen only later. */
  last_seen_at: time.nullable(),
  /** Whether that was more than a day before the moment: then it may have ended. */
  stale: z.boolean(),
  symptoms: z.object({ count: z.number().int(), first: z.array(eventSchema) }),
});
export type BlastItemJson = z.infer<typeof blastItemSchema>;

export const blastSchema = z.object({
  target: z.object({
    events: z.array(eventSchema),
    /** What was taken to have failed. */
    failed: z.array(entitySchema),
    at: time,
  }),
  /** Where symptoms were looked for. */
  window: z.object({ from: time, to: time }),
  /** Confirmed ones first, then the likeliest. */
  items: z.array(blastItemSchema),
  counts: z.object(countFields),
  by_kind: z.array(z.object({ kind: z.string(), ...countFields })),
  /** For the provider; empty for a tenant. */
  by_tenant: z.array(z.object({ tenant: tenantSchema, ...countFields })),
  /** What the answer does not know, a sentence each. */
  unknown: z.array(z.string()),
  /** True when more is reachable than was followed. */
  truncated: z.boolean(),
  coverage: coverageSchema,
});
export type BlastJson = z.infer<typeof blastSchema>;
