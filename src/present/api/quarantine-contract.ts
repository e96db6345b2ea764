import { z } from "zod";
import { attributionSchema, entitySchema, eventSchema } from "./contract.ts";
import { textParameter, timeParameter } from "./query-parameters.ts";
import { tenantSchema } from "./tenancy-contract.ts";

/** The workbench for events that nobody owns yet, and what operators rule about them: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });
const id = textParameter(200).min(1);
const ref = z.strictObject({ kind: z.string().regex(/^[a-z_]{1,50}$/), id: textParameter(500).min(1) });

export const quarantineQuerySchema = z.strictObject({
  reason: textParameter(50).min(1).optional().describe("Only groups of this reason, as an answer names it."),
});

/** A reason for or against, with how many of the events looked at bear it. */
const groundSchema = z.object({
  rule: z.string(),
  /** As the latest of these events says it. */
  says: z.string(),
  events: z.number().int(),
});

export const quarantineGroupSchema = z.object({
  status: z.enum(["ambiguous", "unresolved"]),
  /** A short word, such as `no-owner-known` or `several-owners`; a newer server may know more of them. */
  reason: z.string(),
  /** What that word means, in one sentence. */
  says: z.string(),
  type: z.string(),
  connection: z.string(),
  control_plane: z.string(),
  /** Members of storms each count. */
  count: z.number().int(),
  /** True where there are more than were counted. */
  at_least: z.boolean(),
  oldest: time,
  newest: time,
  /** The newest. */
  example: eventSchema,
  /** How many events, the newest, were looked at for what follows. */
  sampled: z.number().int(),
  /** Tenants that were possible, the one of most events first, at most ten. */
  candidates: z.array(
    z.object({
      tenant: tenantSchema,
      events: z.number().int(),
      for: z.array(groundSchema),
      against: z.array(groundSchema),
    }),
  ),
  /** The last word of the evidence: what is lacking, the most frequent first, at most five. */
  lacks: z.array(groundSchema),
});
export type QuarantineGroupJson = z.infer<typeof quarantineGroupSchema>;

export const quarantineSchema = z.object({
  total: z.number().int(),
  /** True where there are more events than `total`. */
  at_least: z.boolean(),
  /** The largest first, at most a hundred. */
  groups: z.array(quarantineGroupSchema),
  /** True where there are more groups. */
  truncated: z.boolean(),
});
export type QuarantineJson = z.infer<typeof quarantineSchema>;

/** Which waiting events a ruling is about. Every field narrows; one besides `control_plane` has to be there. */
export const rulingMatchSchema = z
  .strictObject({
    event_id: id.optional(),
    /** Needed where the answer is a tenant: ids are unique on one control plane only. */
    control_plane: id.optional(),
    connection: id.optional(),
    /** Exact, or a prefix ended by `*`: `alert.*`. */
    type: id.optional(),
    subject: ref.optional(),
    /** A name, address or path by which the record speaks of its subject. */
    alias: ref.optional(),
    /** Not before this moment. */
    from: timeParameter.optional(),
    /** Before this moment. */
    to: timeParameter.optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to), {
    path: ["to"],
    error: "not after `from`",
  });
export type RulingMatchJson = z.infer<typeof rulingMatchSchema>;

const toProject = z.strictObject({ kind: z.literal("tenant"), project_id: id });
const toDomain = z.strictObject({ kind: z.literal("tenant"), domain_id: id });
const toProvider = z.strictObject({ kind: z.literal("provider") });

/** Whose the events are: a project's or a domain's of `match.control_plane`, or the provider's own. */
export const rulingAnswerSchema = z.union([toProject, toDomain, toProvider]);
export type RulingAnswerJson = z.infer<typeof rulingAnswerSchema>;

const why = textParameter(500)
  .regex(/\S/, { error: "blank" })
  .describe("For whoever asks later; tenants never see it.");
const expectedVersion = z.int().min(1).describe("The version that this decision replaces.");
const digest = textParameter(200).min(1).describe("`digest` of the dry run that this decision rests on.");
const confirm = z
  .boolean()
  .optional()
  .describe("Needed where the dry run told of `second_tenant` or `contradicted`.");

export const dryRunRequestSchema = z.strictObject({
  match: rulingMatchSchema,
  answer: rulingAnswerSchema,
  revises: id.optional().describe("The ruling that this would be a further version of."),
});

/** What a ruling would do. Nothing is written. */
export const dryRunSchema = z.object({
  /** To be handed on with the decision; good until anything that it tells of has changed. */
  digest: z.string(),
  /** One line, such as `214 leave: 198 → acme/prod, 16 → globex/web; 0 become visible to a second tenant`. */
  summary: z.string(),
  /** Waiting events that the match is about. */
  matching: z.number().int(),
  /** True where more events match than were looked at; every number is then a least one. */
  truncated: z.boolean(),
  /** Of those, how many would have an owner. */
  leave: z.number().int(),
  /** And how many would go on waiting, and why. */
  stay: z.number().int(),
  stay_because: z.array(z.object({ reason: z.string(), says: z.string(), events: z.number().int() })),
  /** Who would own those that leave, the most first. */
  by_tenant: z.array(
    z.object({
      tenant: tenantSchema,
      events: z.number().int(),
      /** How many of them it would not be shown. */
      not_shown: z.number().int(),
    }),
  ),
  /** Events that a tenant would own and not be shown, for they are the provider's alone to see. */
  not_shown: z.number().int(),
  /** How many of those that leave would be the provider's own. */
  provider: z.number().int(),
  /** Events that another tenant was shown before, and that would become visible to a second one. */
  second_tenant: z.number().int(),
  /** Events with an owner whom facts prove, which the ruling contradicts: they would wait from then on. */
  contradicted: z.number().int(),
  /** At most ten, with what each would be. */
  examples: z.array(z.object({ event: eventSchema, would_be: attributionSchema })),
});
export type DryRunJson = z.infer<typeof dryRunSchema>;

export const makeRulingSchema = z.strictObject({
  match: rulingMatchSchema,
  answer: rulingAnswerSchema,
  why,
  digest,
  confirm,
});
export const reviseRulingSchema = makeRulingSchema.extend({ expected_version: expectedVersion });
export const withdrawRulingSchema = z.strictObject({ why, expected_version: expectedVersion });

const rulingVersionSchema = z.object({
  version: z.number().int(),
  /** True for a version that took the ruling back; it repeats what it took back. */
  withdrawn: z.boolean(),
  match: z.object({
    event_id: z.string().optional(),
    control_plane: z.string().optional(),
    connection: z.string().optional(),
    type: z.string().optional(),
    subject: entitySchema.optional(),
    alias: entitySchema.optional(),
    from: time.optional(),
    to: time.optional(),
  }),
  answer: z.object({
    kind: z.enum(["tenant", "provider"]),
    /** With its names, where the answer is a tenant. */
    tenant: tenantSchema.optional(),
  }),
  by: z.string(),
  why: z.string(),
  decided_at: time,
});
export type RulingVersionJson = z.infer<typeof rulingVersionSchema>;

/** A ruling as it stands, with all that was decided about it, latest first. */
export const rulingSchema = rulingVersionSchema.extend({
  id: z.string(),
  state: z.enum(["in-force", "withdrawn"]),
  /** Events that it decides or contradicts just now. */
  events: z.number().int(),
  /** True where there are more events than were counted. */
  at_least: z.boolean(),
  versions: z.array(rulingVersionSchema),
});
export type RulingJson = z.infer<typeof rulingSchema>;

export const rulingsSchema = z.object({
  /** The latest decisions first. */
  rulings: z.array(rulingSchema),
  truncated: z.boolean(),
});
export type RulingsJson = z.infer<typeof rulingsSchema>;

export type GroundJson = z.infer<typeof groundSchema>;
