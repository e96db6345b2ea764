import { z } from "zod";
import { coverageSchema, entitySchema } from "./contract.ts";
import { decimalParameter, textParameter, timeParameter, wordsParameter } from "./query-parameters.ts";

/** Long operations as spans: the contract of `GET /operations` and `GET /operations/{id}`. */

const time = z.iso.datetime({ offset: true });

export const operationStateSchema = z
  .enum(["ok", "failed", "running", "no-end-seen", "unknown"])
  .describe("`unknown`: it may have ended while its source could not be heard.");

export const operationsQuerySchema = z.strictObject({
  from: timeParameter
    .optional()
    .describe("Those that reach into from ≤ time < to; 24 hours before `to` unless given."),
  to: timeParameter.optional().describe("Now unless given. At most 7 days after `from`."),
  state: wordsParameter().optional().describe("ok, failed, running, no-end-seen, unknown; comma-separated."),
  template: wordsParameter()
    .optional()
    .describe("Kinds of operations, comma-separated, such as `backup,restore`."),
  resource: textParameter(300).optional().describe("`kind/id` of what it works on, in the whole or a part."),
  tenant: textParameter(200).optional().describe("A project's id: what is made of this project's events."),
  stuck: z
    .enum(["true", "false"])
    .optional()
    .describe("Only those that are waited for in vain, or only the others."),
  limit: decimalParameter(1, 500, 100),
});

const progressSchema = z.object({ done: z.number().int(), total: z.number().int() });

export const operationStepSchema = z.object({
  name: z.string(),
  depth: z
    .number()
    .int()
    .describe("How many steps it lies inside of; those inside follow the one around them."),
  entity: entitySchema,
  state: z.enum(["ok", "failed", "open"]),
  first_seen_at: time,
  last_seen_at: time,
  started_at: time.optional(),
  ended_at: time.optional(),
  attempts: z.number().int(),
  events: z.array(z.string()),
});

export const operationSummarySchema = z.object({
  id: z.string(),
  template: z.string(),
  title: z.string(),
  entity: entitySchema,
  request_id: z.string().optional(),
  state: operationStateSchema,
  says: z.string().describe("The state in one sentence."),
  stuck: z.boolean(),
  first_seen_at: time,
  last_seen_at: time,
  started_at: time.optional().describe("Absent where its beginning was not seen."),
  ended_at: time.optional(),
  /** The provider alone is told, for it is learnt over all tenants. */
  overdue_at: time.optional().describe("When it is, or was, waited for in vain. Providers only."),
  attempts: z.number().int(),
  progress: progressSchema,
  missing: z.array(z.string()).describe("Steps of its kind of which nothing was seen."),
  parts: z.number().int().describe("How many operations are part of it."),
});

export const operationSchema = z.object({
  ...operationSummarySchema.shape,
  follows: z.array(z.string()).describe("The operations before it on the same things."),
  steps: z.array(operationStepSchema),
});

export const operationPartSchema = z.object({
  ...operationSchema.shape,
  within: z.string().describe("The operation that it is a part of."),
});

export const operationsSchema = z.object({
  operations: z.array(operationSummarySchema),
  truncated: z.boolean().describe("True where not all events of the span were read: ask for a shorter one."),
  coverage: coverageSchema,
});

export const operationAnswerSchema = z.object({
  operation: operationSchema,
  parts: z.array(operationPartSchema).describe("Operations that are part of it, each before its own parts."),
  coverage: coverageSchema,
});

export type OperationStepJson = z.infer<typeof operationStepSchema>;
export type OperationSummaryJson = z.infer<typeof operationSummarySchema>;
export type OperationJson = z.infer<typeof operationSchema>;
export type OperationPartJson = z.infer<typeof operationPartSchema>;
export type OperationsJson = z.infer<typeof operationsSchema>;
export type OperationAnswerJson = z.infer<typeof operationAnswerSchema>;
