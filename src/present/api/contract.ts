import { z } from "zod";
import { categories, eventKinds, phases, severities, visibilities } from "../../model/event.ts";
import {
  aliasIntervalSchema,
  doneBySchema,
  heldFields,
  ownershipIntervalSchema,
  recordedFields,
} from "./ownership-contract.ts";
import {
  checkWindow,
  decimalParameter,
  listOf,
  resourceParameter,
  textParameter,
  timeParameter,
  wordsParameter,
} from "./query-parameters.ts";
import { holderFields } from "./session-contract.ts";
import { sourceHealthFields, spanSchema } from "./source-health-schema.ts";
import { customerSchema, tenantSchema } from "./tenancy-contract.ts";

/**
 * The HTTP contract, shared by the server, the web pages and the command line. Names are snake_case,
 * times RFC 3339 in UTC, lengths of time carry their unit.
 */

export const apiPrefix = "/api/v1";

const time = z.iso.datetime({ offset: true });
const json: z.ZodType<unknown> = z.unknown();

export const entitySchema = z.object({ kind: z.string(), id: z.string(), name: z.string().optional() });
export type EntityJson = z.infer<typeof entitySchema>;

export const evidenceSchema = z.object({
  rule: z.string(),
  verdict: z.enum(["accepted", "rejected"]),
  confidence: z.enum(["exact", "derived", "assumed"]),
  says: z.string(),
  from: entitySchema.optional(),
  to: entitySchema.optional(),
  source: z.object({ connection: z.string(), source_id: z.string() }).optional(),
  valid_from: time.optional(),
  valid_until: time.optional(),
});
export type EvidenceJson = z.infer<typeof evidenceSchema>;

export const attributionSchema = z.object({
  status: z.enum(["owned", "shared", "provider", "ambiguous", "unresolved", "affected"]),
  control_plane: z.string().optional(),
  domain_id: z.string().nullable(),
  project_id: z.string().nullable(),
  /** Names, for the provider's eyes; absent where unknown. */
  domain_name: z.string().optional(),
  project_name: z.string().optional(),
  /** For the provider's eyes. */
  customer_id: z.string().optional(),
  customer_name: z.string().optional(),
  affected: z.array(tenantSchema.extend({ resources: z.array(entitySchema) })),
  candidates: z.array(tenantSchema).optional(),
  evidence: z.array(evidenceSchema),
  /** For tenants: one plain line instead of the evidence. */
  because: z.string().optional(),
});

export const eventSchema = z.object({
  id: z.string(),
  connection: z.string().optional(),
  source: z.string().optional(),
  key: z.string().optional(),
  source_ids: z.array(z.string()).optional(),
  occurred_at: time,
  recorded_at: time,
  precision_ms: z.number(),
  type: z.string(),
  kind: z.enum(eventKinds),
  category: z.enum(categories),
  phase: z.enum(phases).optional(),
  severity: z.enum(severities),
  visibility: z.enum(visibilities).optional(),
  subject: entitySchema,
  related: z.array(entitySchema.extend({ role: z.string() })),
  actor: z
    .object({
      user_id: z.string().optional(),
      user_name: z.string().optional(),
      project_id: z.string().optional(),
      domain_id: z.string().optional(),
      address: z.string().optional(),
    })
    .optional(),
  operation: z
    .object({
      request_id: z.string().optional(),
      global_request_id: z.string().optional(),
      workflow_id: z.string().optional(),
    })
    .optional(),
  attribution: attributionSchema,
  summary: z.string(),
  details: z.record(z.string(), json),
  changes: z.array(z.object({ field: z.string(), before: json, after: json })).optional(),
});
export type EventJson = z.infer<typeof eventSchema>;

const filterFields = z.strictObject({
  from: timeParameter.optional().describe("Not before this moment."),
  to: timeParameter.optional().describe("Before this moment."),
  tenant: textParameter(200).min(1).optional().describe("A domain's id."),
  project: textParameter(200).min(1).optional().describe("A project's id."),
  customer: textParameter(200).min(1).optional().describe("A configured customer's id. Provider only."),
  resource: resourceParameter()
    .optional()
    .describe("`kind/id` of a resource that the event is about or mentions."),
  kind: listOf(eventKinds).optional().describe("Any of change, symptom, recovery, human, activity."),
  category: listOf(categories).optional().describe("Any of the categories."),
  type: wordsParameter()
    .optional()
    .describe("Event types, comma-separated; a trailing `*` matches any ending."),
  severity: z.enum(severities).optional().describe("This severity and above."),
  source: wordsParameter().optional().describe("Connections, comma-separated. Provider only."),
  attribution: listOf(["owned", "shared", "provider", "ambiguous", "unresolved"])
    .optional()
    .describe("How the event is attributed. Provider only."),
  q: textParameter(200).optional().describe("Literal text in summary, names and ids."),
});

/** Filters that every reading route of events takes. */
export const filterQuerySchema = checkWindow(filterFields);

export const eventsQuerySchema = checkWindow(
  filterFields.extend({
    limit: decimalParameter(1, 2000, 200),
    order: z.enum(["newest", "oldest"]).default("newest"),
    cursor: textParameter(1000)
      .optional()
      .describe("`next_cursor` of the page before; good for the same filter and order only."),
  }),
);

/** A live stream starts now, or right after an event that was seen: `Last-Event-ID`, or this parameter. */
export const liveQuerySchema = checkWindow(
  filterFields.extend({
    last_event_id: textParameter(200).optional().describe("Resume right after this event."),
  }),
);

export const coverageSchema = z.object({
  /** Everything up to here was read, but for the holes. */
  complete_to: time.nullable(),
  /** Where events are known or suspected to be missing, merged, oldest first; `to` is not part of a hole. */
  holes: z.array(spanSchema),
  connections: z.array(
    z.object({
      connection: z.string(),
      state: z.string(),
      complete_to: time.nullable(),
    }),
  ),
});
export type CoverageJson = z.infer<typeof coverageSchema>;

export const eventsPageSchema = z.object({
  events: z.array(eventSchema),
  next_cursor: z.string().nullable(),
  coverage: coverageSchema,
});
export type EventsPageJson = z.infer<typeof eventsPageSchema>;

export const membersQuerySchema = z.strictObject({
  limit: decimalParameter(1, 2000, 200),
  order: z.enum(["newest", "oldest"]).default("oldest"),
  cursor: textParameter(1000)
    .optional()
    .describe("`next_cursor` of the page before; good for the same event and order only."),
});
/** What the event of a storm stands for; empty for an event that stands for itself. */
export const membersPageSchema = z.object({
  events: z.array(eventSchema),
  next_cursor: z.string().nullable(),
});
export type MembersPageJson = z.infer<typeof membersPageSchema>;

export const ownershipSchema = z.object({
  event_id: z.string(),
  attribution: attributionSchema,
  /** One line: who owns it and who may see it. */
  summary: z.string(),
  /** Since when that is our answer, and what arrived that made it so. Provider only, as is all that follows. */
  recorded: z.object(recordedFields).optional(),
  done_by: doneBySchema.optional(),
  /** Earlier answers, oldest first. */
  history: z.array(z.object({ ...recordedFields, attribution: attributionSchema })),
});
export type OwnershipJson = z.infer<typeof ownershipSchema>;

export const histogramQuerySchema = checkWindow(filterFields.extend({ bins: decimalParameter(1, 500, 120) }));
export const histogramSchema = z.object({
  from: time,
  to: time,
  bin_ms: z.number(),
  bins: z.array(z.object({ at: time, counts: z.record(z.enum(eventKinds), z.number()) })),
  total: z.number().int(),
  coverage: coverageSchema,
});
export type HistogramJson = z.infer<typeof histogramSchema>;

export const resourceQuerySchema = z.strictObject({
  at: timeParameter.optional().describe("As of this moment; now, when absent."),
  known_at: timeParameter.optional().describe("By what was known at this moment. Provider only."),
  control_plane: textParameter(200)
    .min(1)
    .optional()
    .describe("Needed only where two control planes know the same id."),
});
export const resourceSchema = z.object({
  resource: entitySchema,
  at: time,
  known_at: time.optional(),
  owner: attributionSchema.nullable(),
  relations: z.array(
    z.object({
      relation: z.string(),
      direction: z.enum(["to", "from"]),
      entity: entitySchema,
      ...heldFields,
    }),
  ),
  ownership: z.array(ownershipIntervalSchema),
  aliases: z.array(aliasIntervalSchema),
  events: z.array(eventSchema),
  known_since: time.nullable(),
  coverage: coverageSchema,
});
export type ResourceJson = z.infer<typeof resourceSchema>;

export const connectionSchema = z.object({
  connection: z.string(),
  source: z.string(),
  control_plane: z.string(),
  state: z.enum(["idle", "running", "failing", "degraded", "silent", "finished", "retired"]),
  /** Everything up to here was read, but for the holes. */
  complete_to: time.nullable(),
  lag_ms: z.number().nullable(),
  ...sourceHealthFields,
  last_event_at: time.nullable(),
  last_success_at: time.nullable(),
  last_error: z.object({ at: time, message: z.string() }).nullable(),
  counts: z.object({
    events: z.number(),
    folded: z.number(),
    repeated: z.number(),
    revised: z.number(),
    set_aside: z.number(),
    /** Events that came after their time had been called complete, by themselves or by a reconcile. */
    late: z.number(),
    /** Records refused because what they tell was deleted for good; absent for none. */
    expired: z.number().optional(),
  }),
});
export const sourcesSchema = z.object({
  connections: z.array(connectionSchema),
  set_aside: z.array(
    z.object({
      id: z.string(),
      connection: z.string(),
      position: z.string(),
      code: z.string(),
      reason: z.string(),
      received_at: time,
      attempts: z.number().int(),
      excerpt: z.string(),
    }),
  ),
});
export type ContractJson = NonNullable<z.infer<typeof connectionSchema>["contract"]>;
export type SourcesJson = z.infer<typeof sourcesSchema>;

/** Who is signed in, and what they may switch to. */
export const sessionSchema = z.object({
  kind: z.enum(["provider", "tenant"]),
  label: z.string(),
  ...holderFields,
  /** True when a provider looks through a tenant's eyes. */
  as_tenant: z.boolean(),
  /** For the provider only: the tenants that it may look as. */
  tenants: z.array(tenantSchema),
  /** For the provider only: the customers that it may look as. */
  customers: z.array(customerSchema),
  /** First and last event in scope, and the minute that a demo opens at. */
  extent: z.object({ first: time, last: time }).nullable(),
  demo: z.boolean(),
  scenes: z.array(z.object({ title: z.string(), from: time, to: time, event: z.string().optional() })),
});
export type SessionJson = z.infer<typeof sessionSchema>;

/** Header that state-changing requests of a cookie session carry, with the value `1`. */
export const csrfHeader = "x-isochron-csrf";

export const signInSchema = z.union([
  z.strictObject({ token: z.string().max(200) }),
  z.strictObject({ demo: z.literal(true) }),
]);

export const healthSchema = z.object({
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  /** True where this browser may sign itself in with `{"demo": true}`. */
  demo: z.boolean(),
});
export type HealthJson = z.infer<typeof healthSchema>;

/** What an ingest route answers, after the commit. */
export const ingestedSchema = z.object({
  records: z.number().int(),
  created: z.number().int(),
  folded: z.number().int(),
  repeated: z.number().int(),
  revised: z.number().int(),
  set_aside: z.number().int(),
  /** Records that told topology facts only. */
  facts_only: z.number().int(),
});
export type IngestedJson = z.infer<typeof ingestedSchema>;

/** RFC 9457, with a code, what was wrong and what to do. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  remedy: z.string(),
});
export type ProblemJson = z.infer<typeof problemSchema>;
