import { z } from "zod";
import { verdicts } from "../../store/feedback-store.ts";
import { textParameter } from "./query-parameters.ts";

/** What people say of changes before symptoms: a part of the HTTP contract, and the provider's alone. */

const timeSchema = z.iso.datetime({ offset: true });
/** What can be said of a change that lay before a symptom. */
export const verdictWords = verdicts;

const eventId = z.string().regex(/^evt_[a-z0-9]{1,40}$/, { error: "an event's id" });
const words = textParameter(500).regex(/\S/, { error: "blank" }).describe("For whoever asks later.");

/** What somebody says of one change that lay before a symptom. */
export const giveVerdictSchema = z.strictObject({
  symptom: eventId.describe("The event that was looked back from."),
  candidate: eventId.describe("The event that lay before it."),
  verdict: z
    .enum(verdicts)
    .nullable()
    .describe("`suspected`, `confirmed` or `ruled-out`; null takes what was said back."),
  why: words,
});

export const verdictSchema = z.object({
  symptom: z.string(),
  candidate: z.string(),
  verdict: z.enum(verdicts).nullable(),
  why: z.string(),
  by: z.string(),
  at: timeSchema,
});
export type VerdictJson = z.output<typeof verdictSchema>;

export const verdictsQuerySchema = z.strictObject({ symptom: eventId });
export const verdictsSchema = z.object({ verdicts: z.array(verdictSchema) });
export type VerdictsJson = z.output<typeof verdictsSchema>;

const fitness = z.object({
  log_loss: z.number().describe("Mean of −ln of the probability that was given to what was true."),
  auc: z.number().describe("The chance that a confirmed one stands above a ruled-out one."),
  calibration_error: z.number().describe("Mean gap between promised and true shares, over ten bins."),
});

/** What labels would make of the weights, judged by cross-validation; nothing is changed by it. */
export const tuningSchema = z.object({
  labels: z.object({ confirmed: z.number(), ruled_out: z.number(), suspected: z.number() }),
  needed: z.number().describe("So many confirmed and ruled-out ones at least are fitted to."),
  fit: z
    .object({
      symptoms: z.number(),
      folds: z.number(),
      penalty: z.number(),
      factors: z.array(z.object({ addend: z.string(), factor: z.number(), error: z.number() })),
      shipped: fitness,
      fitted: fitness,
    })
    .optional()
    .describe("Absent where labels are few, of one kind, or of one symptom."),
  pairs: z
    .object({ learnt_at: timeSchema, from: timeSchema, to: timeSchema })
    .optional()
    .describe("When types that come before one another were learnt, and from which stretch."),
});
export type TuningJson = z.output<typeof tuningSchema>;
