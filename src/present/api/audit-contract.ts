import { z } from "zod";
import { auditActions } from "../../store/audit-store.ts";
import { decimalParameter, textParameter, timeParameter } from "./query-parameters.ts";

/** Who did what: a part of the HTTP contract, for auditors and administrators. */

const time = z.iso.datetime({ offset: true });
const json: z.ZodType<unknown> = z.unknown();
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const sequence = z.int().min(1);

export const auditQuerySchema = z.strictObject({
  action: z.enum(auditActions, { error: `not one of ${auditActions.join(", ")}` }).optional(),
  actor: textParameter(500).min(1).optional(),
  object: textParameter(500).min(1).optional(),
  from: timeParameter.optional(),
  to: timeParameter.optional(),
  before: z
    .string()
    .regex(/^[1-9][0-9]{0,14}$/, { error: "not the number of an entry" })
    .transform(Number)
    .optional()
    .meta({ type: "integer", minimum: 1, description: "Those before this number: `next_before` of a page." }),
  limit: decimalParameter(1, 500, 100),
});

export const auditEntrySchema = z
  .object({
    sequence,
    at: time,
    action: z.string(),
    outcome: z.string(),
    object: z.string(),
    count: z.int().min(1),
    actor: z
      .object({ id: z.string().nullable(), name: z.string().nullable(), address: z.string().nullable() })
      .meta({ description: "Null for what was not told, and for what is erased." }),
    why: z.string().nullable(),
    personal: z.record(z.string(), z.string()),
    details: z.record(z.string(), json),
    erased: z
      .boolean()
      .meta({ description: "Whether something about a person is erased; its keyed hash stays." }),
    hash,
  })
  .meta({ id: "AuditEntry" });

export const auditPageSchema = z
  .object({ entries: z.array(auditEntrySchema), next_before: sequence.nullable() })
  .meta({ id: "AuditPage" });

/** As it is to be kept, to the letter: the signature is over the other fields. */
export const auditHeadSchema = z
  .object({
    format: z.literal("isochron-audit-head/1"),
    store: z.string(),
    sequence: z.int().min(0),
    hash,
    at: time,
    key: z.string(),
    public_key: z.string().regex(/^[0-9a-f]{64}$/),
    signature: z.string().regex(/^[0-9a-f]{128}$/),
  })
  .meta({ id: "AuditHead" });

export type AuditEntryJson = z.infer<typeof auditEntrySchema>;
export type AuditPageJson = z.infer<typeof auditPageSchema>;
export type AuditHeadJson = z.infer<typeof auditHeadSchema>;
