import { z } from "zod";
import { coverageSchema, entitySchema, eventSchema } from "./contract.ts";
import {
  decimalParameter,
  repeatedParameter,
  resourceParameter,
  textParameter,
  timeParameter,
} from "./query-parameters.ts";

/** What else changed: the contract of `GET /what-else`. */

const time = z.iso.datetime({ offset: true });

export const whatElseQuerySchema = z
  .strictObject({
    event: repeatedParameter(textParameter(200).min(1), 200)
      .optional()
      .describe("The event to look back from; given several times, the symptoms to ask about together."),
    resource: resourceParameter().optional().describe("`kind/id` of the resource to look around."),
    at: timeParameter.optional().describe("The moment to look back from; needed with `resource` or alone."),
    window_minutes: decimalParameter(1, 1440, 180),
    limit: decimalParameter(1, 50, 10),
  })
  .refine((query) => query.event !== undefined || query.at !== undefined, {
    path: ["event"],
    error: "missing, as is `at`: give an event, or a moment (alone or with a resource)",
    when: () => true,
  });

const hop = z.object({ from: entitySchema, relation: z.string(), to: entitySchema });

export const addendSchema = z.object({ name: z.string(), value: z.number(), says: z.string() });

export const candidateSchema = z.object({
  rank: z.number().int(),
  event: eventSchema,
  before_ms: z.number(),
  score: z.number(),
  direction: z.enum(["before", "unordered", "in-progress"]),
  /** The way through the topology, from the symptom's side to the change's. */
  path: z.array(hop),
  addends: z.array(addendSchema),
  /** The addends in one line of words. */
  reason: z.string(),
  /** How many further events this one stands for (same operation, same kind). */
  also: z.number().int(),
  /** Ids of the symptoms asked about, or beside, that it explains; absent for none. */
  explains: z.array(z.string()).optional(),
  /** What people said of it as the cause of this symptom. Provider only. */
  verdict: z.enum(["suspected", "confirmed", "ruled-out"]).optional(),
});
export type CandidateJson = z.infer<typeof candidateSchema>;

export const whatElseSchema = z.object({
  target: z.object({
    event: eventSchema.optional(),
    /** Where several were asked about, the earliest first. */
    selection: z.array(eventSchema).optional(),
    resource: entitySchema.optional(),
    at: time,
  }),
  window: z.object({ from: time, to: time }),
  candidates: z.array(candidateSchema),
  /** What began after it: perhaps a consequence, never a cause. */
  followed: z.array(z.object({ event: eventSchema, after_ms: z.number(), path: z.array(hop) })).optional(),
  /** Few candidates that explain several symptoms, and which symptoms none of them does; ids of events. */
  cover: z
    .object({
      causes: z.array(z.object({ id: z.string(), explains: z.array(z.string()) })),
      unexplained: z.array(z.string()),
    })
    .optional(),
  /** What was looked at and held nothing: evidence too, as far as coverage reaches. */
  checked: z.object({
    events: z.number().int(),
    nothing_on: z.array(entitySchema),
    /** True when there were more earlier events than were looked at. */
    truncated: z.boolean(),
    /** How far back what happened to the things themselves was looked at. */
    since: time.optional(),
    /** What there was more of than was looked at, with how many were. */
    cut: z.array(z.object({ of: z.string(), most: z.number().int() })).optional(),
    /** Stretches of the window of which something may be missing: there, nothing found means nothing known. */
    blind: z.array(z.object({ from: time, to: time })).optional(),
  }),
  coverage: coverageSchema,
});
export type WhatElseJson = z.infer<typeof whatElseSchema>;
