import { z } from "zod";
import { categories, eventKinds, severities } from "../../model/event.ts";
import { incidentStates } from "../../model/incident.ts";
import {
  deliveryStates,
  messageKinds,
  notificationFormats,
  ruleGroupings,
} from "../../model/notification.ts";
import { tenantSchema } from "./tenancy-contract.ts";

/** Rules that tell others of events: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });
const plain = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "text with control characters" });
const words = z.array(plain(200)).min(1).max(50);

/** Only secrets that were put there for rules can be named, so that no rule carries another one away. */
const ruleSecret = z
  .string()
  .regex(/^(credential:notify-[A-Za-z0-9._@-]{1,200}|env:NOTIFY_[A-Z0-9_]{1,100})$/, {
    error: "`credential:notify-NAME` or `env:NOTIFY_NAME`, never the secret itself",
  });

const ruleQuerySchema = z
  .strictObject({
    tenant: plain(200).optional().describe("A domain's id."),
    project: plain(200).optional().describe("A project's id."),
    customer: plain(200).optional().describe("A configured customer's id. The provider's rules only."),
    resource: z
      .string()
      .max(600)
      .regex(/^[a-z_]+[/:][^\p{Cc}\p{Cs}]+$/u, { error: "not of the form kind/id" })
      .optional(),
    kind: z.array(z.enum(eventKinds)).min(1).max(10).optional(),
    category: z.array(z.enum(categories)).min(1).max(30).optional(),
    type: words.optional().describe("Event types; a trailing `*` matches any ending."),
    severity: z.enum(severities).optional().describe("This severity and above."),
    source: words.optional().describe("Connections. The provider's rules only."),
    attribution: z
      .array(z.enum(["owned", "shared", "provider", "ambiguous", "unresolved"]))
      .min(1)
      .max(5)
      .optional()
      .describe("The provider's rules only."),
    q: plain(200).optional().describe("Literal text in summary, names and ids."),
  })
  .describe("Which events it looks at, as the event list is asked for them.");

const secondsMax = 366 * 86_400;
const ruleConditionSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("each") }),
  z.strictObject({
    kind: z.literal("at-least"),
    count: z.int().min(2).max(1_000),
    within_seconds: z.int().min(1).max(86_400),
  }),
  z.strictObject({ kind: z.literal("absence"), span_seconds: z.int().min(60).max(secondsMax) }),
  z.strictObject({ kind: z.literal("severity-rise") }),
  z.strictObject({ kind: z.literal("incident-state"), states: z.array(z.enum(incidentStates)).min(1) }),
]);

const ruleFields = {
  name: plain(100).regex(/\S/, { error: "blank" }),
  query: ruleQuerySchema,
  condition: ruleConditionSchema,
  group_by: z.array(z.enum(ruleGroupings)).max(4),
  quiet_seconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .describe("No second message of the same group within it; what comes meanwhile is told at its end."),
  horizon_hours: z
    .int()
    .min(1)
    .max(8_784)
    .describe("What happened longer ago than this when it becomes known is counted and not told."),
  format: z.enum(notificationFormats),
  opens_incident: z
    .boolean()
    .describe("Opens an incident, one for each group and day. The provider's rules only."),
  enabled: z.boolean(),
};

const targetFields = {
  url: z
    .url({ protocol: /^https?$/, error: "an address such as https://hooks.example.org/T1" })
    .max(2_000)
    .describe("Kept sealed; only its origin is shown again."),
  signing_secret: ruleSecret
    .optional()
    .describe("Reference of the secret that messages are signed with. Providers only."),
  authorization: ruleSecret
    .optional()
    .describe("Reference of the value of the `Authorization` header. Providers only."),
};

const withDefaults = {
  ...ruleFields,
  query: ruleFields.query.default({}),
  condition: ruleFields.condition.default({ kind: "each" }),
  group_by: ruleFields.group_by.default([]),
  quiet_seconds: ruleFields.quiet_seconds.default(0),
  horizon_hours: ruleFields.horizon_hours.default(168),
  opens_incident: ruleFields.opens_incident.default(false),
  enabled: ruleFields.enabled.default(true),
};

export const createRuleSchema = z.strictObject({
  ...withDefaults,
  ...targetFields,
  owner: z
    .strictObject({
      control_plane: plain(63),
      domain_id: plain(200).optional(),
      project_id: plain(200).optional(),
    })
    .refine((owner) => (owner.domain_id === undefined) !== (owner.project_id === undefined), {
      error: "one of domain_id and project_id",
    })
    .optional()
    .describe(
      "Whose rule it is; the provider's own where absent, or the one tenant that somebody administers.",
    ),
});
export type CreateRuleJson = z.input<typeof createRuleSchema>;

export const editRuleSchema = z.strictObject({
  ...withDefaults,
  ...targetFields,
  url: targetFields.url.optional().describe("As it was where absent."),
  expected_version: z.int().min(1).max(1_000_000),
});
export type EditRuleJson = z.input<typeof editRuleSchema>;

export const deliverySchema = z.object({
  /** The idempotency key, `webhook-id`. */
  id: z.string(),
  kind: z.enum(messageKinds),
  state: z.enum(deliveryStates),
  made_at: time,
  attempts: z.number(),
  /** While it waits. */
  next_at: time.nullable(),
  settled_at: time.nullable(),
  last_answer: z.string().nullable(),
  events: z.number(),
  late: z.boolean(),
  corrects: z.string().nullable(),
});
export type DeliveryJson = z.infer<typeof deliverySchema>;

export const ruleSchema = z.object({
  id: z.string(),
  version: z.number(),
  /** Null for the provider's own. */
  owner: tenantSchema.nullable(),
  /** Whether it may be told what is of the class security. */
  reach: z.enum(["operational", "security"]),
  ...ruleFields,
  target: z.object({
    origin: z.string(),
    signing_secret: z.string().nullable(),
    authorization: z.string().nullable(),
  }),
  /** On whose right it rests. */
  made_by: z.string(),
  decided_at: time,
  paused: z.object({ at: time, why: z.string() }).nullable(),
  counts: z.object({ matched: z.number(), too_old: z.number(), messages: z.number() }),
  last_deliveries: z.array(deliverySchema),
});
export type RuleJson = z.infer<typeof ruleSchema>;

/** The only answer that ever holds the secret that receivers verify signatures with; absent where it is a reference. */
export const newRuleSchema = ruleSchema.extend({ signing_key: z.string().optional() });
export type NewRuleJson = z.infer<typeof newRuleSchema>;

export const rulesSchema = z.object({ rules: z.array(ruleSchema) });
export type RulesJson = z.infer<typeof rulesSchema>;

export const deliveriesSchema = z.object({ deliveries: z.array(deliverySchema) });
export type DeliveriesJson = z.infer<typeof deliveriesSchema>;

export const replayRequestSchema = z.strictObject({
  delivery: z
    .string()
    .regex(/^msg_[0-9a-f]{32}$/)
    .optional()
    .describe("One dead message; all of the rule's where absent."),
});
export const replayedSchema = z.object({ replayed: z.number() });
