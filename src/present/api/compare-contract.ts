import { z } from "zod";
import { coverageSchema, filterQuerySchema } from "./contract.ts";
import { checkWindow, decimalParameter, timeParameter } from "./query-parameters.ts";

/** What stands out of a selection: the contract of `GET /compare`. */

const time = z.iso.datetime({ offset: true });
const { from: _from, to: _to, ...filters } = filterQuerySchema.shape;

const rateError = "not a share above 0 and at most 0.5, such as 0.05";

/** The filter of a baseline, each under the name of the selection's with `baseline_` before it. */
const baselineFields = {
  baseline_from: timeParameter.optional().describe("Hold it against this span instead."),
  baseline_to: timeParameter.optional().describe("The end of that span."),
  baseline_tenant: filters.tenant.describe("As `tenant`, for the baseline."),
  baseline_project: filters.project.describe("As `project`, for the baseline."),
  baseline_customer: filters.customer.describe("As `customer`, for the baseline. Provider only."),
  baseline_resource: filters.resource.describe("As `resource`, for the baseline."),
  baseline_kind: filters.kind.describe("As `kind`, for the baseline."),
  baseline_category: filters.category.describe("As `category`, for the baseline."),
  baseline_type: filters.type.describe("As `type`, for the baseline."),
  baseline_severity: filters.severity.describe("As `severity`, for the baseline."),
  baseline_source: filters.source.describe("As `source`, for the baseline. Provider only."),
  baseline_attribution: filters.attribution.describe("As `attribution`, for the baseline. Provider only."),
  baseline_q: filters.q.describe("As `q`, for the baseline."),
};

export const compareQuerySchema = checkWindow(
  z.strictObject({
    from: timeParameter.describe("The selection begins here."),
    to: timeParameter.describe("The selection ends before this moment."),
    ...filters,
    baseline: z
      .enum(["same-hours", "rest"])
      .optional()
      .describe(
        "What it is held against: `same-hours` (the default) the same hours of the days before, with the same filter; " +
          "`rest` all else of the span. With any `baseline_…` what that says, in the same span where it names none.",
      ),
    ...baselineFields,
    rate: z
      .string()
      .regex(/^0?\.[0-9]{1,4}$/, { error: rateError })
      .transform(Number)
      .refine((rate) => rate > 0 && rate <= 0.5, { error: rateError })
      .default(0.05)
      .meta({ type: "number", exclusiveMinimum: 0, maximum: 0.5, default: 0.05 })
      .describe("Of the values told at most this share is chance, on average."),
    limit: decimalParameter(1, 200, 30),
  }),
).refine(({ baseline, ...query }) => baseline === undefined || givenNames(query).length === 0, {
  path: ["baseline"],
  error: "given twice: by a word, and by what it says",
});

/** Which parameters say what the baseline is. */
export function givenNames(query: object): readonly string[] {
  return Object.entries(query).flatMap(([name, value]) =>
    name.startsWith("baseline_") && value !== undefined ? [name] : [],
  );
}

const spanFields = { from: time, to: time, events: z.number().int() };

export const findingSchema = z.object({
  attribute: z.string(),
  value: z.string(),
  inside: z.number().int(),
  outside: z.number().int(),
  direction: z.enum(["more", "less"]),
  log_odds: z.number(),
  /** The log-odds in standard errors, by which the list is ranked. */
  z: z.number(),
  /** Fisher's exact test, before and after it was allowed for that so many values were tried. */
  probability: z.number(),
  adjusted: z.number(),
  says: z.string(),
});
export type FindingJson = z.infer<typeof findingSchema>;

export const compareSchema = z.object({
  selection: z.object(spanFields),
  baseline: z.object({
    kind: z.enum(["same-hours", "rest", "given"]),
    spans: z.array(z.object(spanFields)),
    events: z.number().int(),
  }),
  /** The most telling first. */
  findings: z.array(findingSchema),
  /** How many values stand out, of how many that were tried, at which rate of false discoveries. */
  found: z.number().int(),
  tested: z.number().int(),
  rate: z.number(),
  /** True when there were more events or values than were counted. */
  truncated: z.boolean(),
  coverage: coverageSchema,
});
export type CompareJson = z.infer<typeof compareSchema>;
