import fc from "fast-check";

/** What happens next on a plane; the numbers pick among what there is then, so that any list of steps is a history. */
export interface Step {
  readonly what: (typeof happenings)[number];
  /** On which planes: both, with the same ids, or one. */
  readonly on: "both" | "north" | "south";
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** Whether what sources state of it gets lost, where that can be. */
  readonly lost: boolean;
}

export const happenings = [
  "create server",
  "create server",
  "create untold",
  "create volume",
  "create volume",
  "create port",
  "create port",
  "create floating ip",
  "create image",
  "copy volume",
  "rename",
  "transfer",
  "transfer",
  "move",
  "remove",
  "remove",
  "give a role",
  "take a role",
  "list",
  "request",
  "request",
  "request",
  "staff request",
  "neighbours' request",
  "secret request",
  "hand over",
  "record of a thing",
  "record of a thing",
  "record without kind",
  "record by name",
  "record by name",
  "record by address",
  "record by name and address",
  "record of a stranger",
  "record of mentions",
  "record of the platform",
] as const;

const number = fc.nat({ max: 11 });

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...happenings),
  on: fc.constantFrom("both", "both", "north", "south"),
  a: number,
  b: number,
  c: number,
  lost: fc.boolean(),
});

/** A whole history: how many domains there are, and what happened. */
export interface History {
  readonly domains: number;
  readonly steps: readonly Step[];
}

export const histories: fc.Arbitrary<History> = fc.record({
  domains: fc.integer({ min: 2, max: 3 }),
  steps: fc.array(step, { minLength: 10, maxLength: 60, size: "max" }),
});
