import { z } from "zod";

/** A moment in a query. Years are bounded because the store's clocks are. */
export const timeParameter = z.iso
  .datetime({
    offset: true,
    abort: true,
    error: "not an RFC 3339 time with a zone, such as 2026-11-21T01:15:00Z (write + as %2B)",
  })
  .refine((text) => text >= "1970" && text < "9999", { error: "not in the years 1970 to 9998" });

/** Text in a query: PostgreSQL cannot hold a NUL, and nothing that we match has control characters. */
export function textParameter(charsMax: number) {
  return z
    .string()
    .max(charsMax, { error: `longer than ${charsMax} characters` })
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "text with control characters, which match nothing" });
}

/** A plain decimal integer; `1e2`, ` 10` and `-1` are refused rather than interpreted. */
export function decimalParameter(minimum: number, maximum: number, fallback: number) {
  const error = `not a whole number from ${minimum} to ${maximum} in plain digits`;
  return z
    .string()
    .regex(/^(0|[1-9][0-9]{0,8})$/, { error })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { error })
    .default(fallback)
    .meta({ type: "integer", minimum, maximum, default: fallback });
}

/** Up to fifty comma-separated words. */
export function wordsParameter() {
  return textParameter(2000)
    .transform((text) => text.split(",").map((word) => word.trim()))
    .refine((words) => words.length <= 50 && words.every((word) => word !== ""), {
      error: "not a comma-separated list of 1 to 50 words",
    });
}

/** `kind/id`, or `kind:id`. */
export function resourceParameter() {
  return textParameter(600).regex(/^[a-z_]+[/:].+$/, { error: "not of the form kind/id" });
}

/** Refuses a window without a length, also when other parameters are wrong, so that all is said at once. */
export function checkWindow<Shape extends z.core.$ZodLooseShape>(schema: z.ZodObject<Shape, z.core.$strict>) {
  return schema.refine(
    (value) => {
      const { from, to } = value as { from?: unknown; to?: unknown };
      if (typeof from !== "string" || typeof to !== "string") return true;
      return !(Date.parse(from) >= Date.parse(to));
    },
    { path: ["to"], error: "not after `from`", when: () => true },
  );
}

/** A comma-separated list of words out of `allowed`. */
export function listOf<const T extends readonly [string, ...string[]]>(allowed: T) {
  return z
    .string()
    .max(500)
    .transform((text) => text.split(",").map((word) => word.trim()))
    .pipe(z.array(z.enum(allowed, { error: `not a list out of ${allowed.join(", ")}` })).min(1));
}

/** A parameter that may be given up to `most` times; always a list, and never an empty one. */
export function repeatedParameter<Value extends z.ZodType>(value: Value, most: number) {
  const error = `given more than ${most} times`;
  return z.preprocess(
    (given) => (given === undefined || Array.isArray(given) ? given : [given]),
    z.array(value, { error: "not a list of texts" }).min(1).max(most, { error }),
  );
}
