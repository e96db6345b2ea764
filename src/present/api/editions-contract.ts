import { z } from "zod";
import { eventSchema } from "./contract.ts";
import { decimalParameter } from "./query-parameters.ts";
import { tenantSchema } from "./tenancy-contract.ts";

/** What each tenant is shown of an event, field by field: a part of the HTTP contract, for the provider alone. */

const json: z.ZodType<unknown> = z.unknown();
const outcome = z.enum(["shown", "replaced", "withheld"]);

export const disclosureSchema = z.object({
  /** The field's place in the event: `details.payload.host`, `related.0.name`. */
  field: z.string(),
  /** Which class of field decided it; `classes` tells what it means. */
  class: z.string(),
  outcome,
  /** What the event says; a thing is `role kind/id` or `kind/id`. */
  value: json,
  /** What the edition says in its place, where it is replaced. */
  shown: json.optional(),
});
export type DisclosureJson = z.infer<typeof disclosureSchema>;

export const editionsQuerySchema = z.strictObject({ limit: decimalParameter(1, 200, 50) });

export const editionsSchema = z.object({
  event_id: z.string(),
  editions: z.array(
    z.object({
      tenant: tenantSchema,
      /** As the tenant reads it. */
      edition: eventSchema,
      /** Every field of the event, and what became of it. */
      fields: z.array(disclosureSchema),
    }),
  ),
  /** True where there are more editions than were asked for. */
  more: z.boolean(),
  classes: z.array(z.object({ name: z.string(), policy: outcome, means: z.string() })),
});
export type EditionsJson = z.infer<typeof editionsSchema>;
