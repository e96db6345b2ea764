import { z } from "zod";
import { categories, eventKinds, severities } from "../../model/event.ts";
import {
  incidentOrigins,
  incidentStates,
  measuredTimes,
  sectionAudiences,
  sectionNames,
} from "../../model/incident.ts";
import { entitySchema } from "./contract.ts";
import { checkWindow, decimalParameter, listOf, textParameter, timeParameter } from "./query-parameters.ts";

/** Incidents: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });
const givenTime = timeParameter;
const id = textParameter(200).min(1);
const line = textParameter(300).regex(/\S/, { error: "blank" });
const why = textParameter(1000).regex(/\S/, { error: "blank" });
const text = z
  .string()
  .min(1)
  .max(20_000)
  .regex(/^(?:[^\p{Cc}\p{Cs}]|[\n\t])*$/u, { error: "text with control characters" });
const ref = z.strictObject({ kind: z.string().regex(/^[a-z_]{1,50}$/), id: textParameter(500).min(1) });
const thingId = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, { error: "not 1 to 200 plain characters" });
const precisionMs = z.number().int().min(0).max(86_400_000);
/** `project/<control plane>/<id>` or `domain/<control plane>/<id>`. */
const tenantKeyText = z
  .string()
  .max(300)
  .regex(/^(project|domain)\/[^/\p{Cc}\p{Cs}]+\/[^\p{Cc}\p{Cs}]+$/u, { error: "not a tenant's key" });

const givenThing = z.strictObject({ id: thingId, name: line, ref: ref.optional() });

/** What can be written into an incident. A later entry stands before an earlier one; nothing is taken away. */
export const changeRequestSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("title"), title: line }),
  z.strictObject({ kind: z.literal("severity"), severity: z.enum(severities) }),
  z.strictObject({ kind: z.literal("window"), from: givenTime, to: givenTime.optional() }),
  z.strictObject({ kind: z.literal("pin"), event: id, note: why.optional() }),
  z.strictObject({ kind: z.literal("unpin"), event: id, why }),
  z.strictObject({ kind: z.literal("note"), text, about: givenTime.optional() }),
  z.strictObject({
    kind: z.literal("decision"),
    text,
    decided_at: givenTime,
    thing: thingId.optional(),
  }),
  z.strictObject({ kind: z.literal("thing"), thing: givenThing }),
  z.strictObject({ kind: z.literal("drop-thing"), thing: thingId, why }),
  z.strictObject({
    kind: z.literal("time"),
    thing: thingId,
    time: z.enum(measuredTimes),
    at: givenTime,
    precision_ms: precisionMs.default(0),
    why,
  }),
  z.strictObject({ kind: z.literal("clear-time"), thing: thingId, time: z.enum(measuredTimes), why }),
  z.strictObject({
    kind: z.literal("section"),
    section: z.enum(sectionNames),
    audience: z.enum(sectionAudiences),
    text: z.union([z.literal(""), text]).describe("Empty to take it away."),
  }),
  z.strictObject({ kind: z.literal("tell"), tenants: z.array(tenantKeyText).max(500) }),
  z
    .strictObject({ kind: z.literal("state"), state: z.enum(incidentStates) })
    .describe("Draft, reviewed, published. Publishing freezes it and is the only change of its request."),
  z.strictObject({ kind: z.literal("amendment"), text, audience: z.enum(sectionAudiences) }),
]);
export type ChangeRequest = z.output<typeof changeRequestSchema>;

export const openIncidentSchema = z.strictObject({
  title: line,
  severity: z.enum(severities).default("warning"),
  from: givenTime
    .optional()
    .describe("Of its window; the earliest of the selected events where absent, or now."),
  to: givenTime.optional(),
  events: z.array(id).max(200).optional().describe("Events to pin."),
  selection: z
    .strictObject({
      from: givenTime,
      to: givenTime,
      resource: ref.optional(),
      kinds: z.array(z.enum(eventKinds)).max(10).optional(),
      categories: z.array(z.enum(categories)).max(30).optional(),
      types: z.array(textParameter(200).min(1)).max(50).optional(),
      severity: z.enum(severities).optional(),
      q: textParameter(200).optional(),
    })
    .optional()
    .describe("Pins what happened in a span of time; at most 200 events."),
  rule: textParameter(200)
    .min(1)
    .optional()
    .describe("The key of a rule that opens it: the same key again finds the incident that it had opened."),
});
export type OpenIncident = z.output<typeof openIncidentSchema>;

export const appendEntriesSchema = z.strictObject({
  expected_version: z.number().int().min(1).max(1_000_000),
  changes: z.array(changeRequestSchema).min(1).max(200),
});

export const importIncidentSchema = z.strictObject({
  name: textParameter(200).min(1).describe("What the document is called; rows are named by it."),
  format: z.enum(["markdown", "csv"]),
  text: z
    .string()
    .max(500_000)
    .refine((given) => !given.includes("\u0000"), { error: "text with a NUL" }),
  time_zone: textParameter(60).optional().describe("IANA name, for times that name no zone."),
  date: z.iso.date().optional().describe("The day, for times that name none."),
  title: line.optional(),
  incident: z.string().max(40).optional().describe("Append to this one instead of opening another."),
  expected_version: z.number().int().min(1).max(1_000_000).optional(),
  replace: z
    .boolean()
    .default(false)
    .describe("Whether rows of a document of that name, which say otherwise by now, give way."),
  dry_run: z.boolean().default(false),
});

export type ImportIncident = z.output<typeof importIncidentSchema>;

const provenanceSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("set"), by: z.string(), why: z.string() }),
  z.object({ kind: z.literal("imported"), document: z.string(), row: z.number().int() }),
  z.object({
    kind: z.literal("inferred"),
    rule: z.string(),
    event: z.string().optional(),
    says: z.string(),
  }),
]);
export const timeMarkSchema = z.object({
  thing: z.string(),
  time: z.enum(measuredTimes),
  at: time,
  precision_ms: z.number(),
  provenance: provenanceSchema,
});
export type TimeMarkJson = z.infer<typeof timeMarkSchema>;

const thingSchema = z.object({ id: z.string(), name: z.string(), ref: entitySchema.optional() });
const rowSchema = z.object({
  document: z.string(),
  row: z.number().int(),
  at: time,
  precision_ms: z.number(),
  kind: z.enum(eventKinds),
  thing: z.string().optional(),
  text: z.string(),
});

/** One line of the history: which fields it has besides these depends on its kind. */
export const incidentEntrySchema = z.object({
  sequence: z.number().int(),
  recorded_at: time,
  by: z.string(),
  kind: z.string(),
  change: z.record(z.string(), z.unknown()),
});
export type IncidentEntryJson = z.infer<typeof incidentEntrySchema>;

export const incidentSummarySchema = z.object({
  id: z.string(),
  origin: z.enum(incidentOrigins),
  title: z.string(),
  severity: z.enum(severities),
  state: z.enum(incidentStates),
  from: time,
  to: time.nullable(),
  opened_at: time,
  opened_by: z.string(),
  version: z.number().int(),
  pins: z.number().int(),
});
export type IncidentSummaryJson = z.infer<typeof incidentSummarySchema>;

export const incidentSchema = incidentSummarySchema.extend({
  pinned: z.array(z.object({ event: z.string(), note: z.string().optional(), by: z.string() })),
  things: z.array(thingSchema),
  times: z.array(timeMarkSchema),
  sections: z.array(
    z.object({ section: z.enum(sectionNames), audience: z.enum(sectionAudiences), text: z.string() }),
  ),
  tell: z.array(z.string()),
  rows: z.array(rowSchema),
  log: z.array(incidentEntrySchema),
  reviewed: z.object({ at: time, by: z.string(), by_another: z.boolean() }).nullable(),
  published: z
    .object({
      at: time,
      by: z.string(),
      hash: z.string(),
      /** False where an erasure took words out of what was frozen. */
      intact: z.boolean(),
    })
    .nullable(),
});
export type IncidentJson = z.infer<typeof incidentSchema>;

const lengthSchema = z.object({
  outcome: z.enum(["measured", "absent", "reversed"]),
  length_ms: z.number().optional(),
  precision_ms: z.number().optional(),
  unordered: z.boolean().optional(),
  missing: z.array(z.enum(measuredTimes)).optional(),
});
export const incidentCheckSchema = z.object({
  code: z.string(),
  severity: z.enum(["blocks", "warns"]),
  says: z.string(),
  where: z.record(z.string(), z.unknown()),
});
export type IncidentCheckJson = z.infer<typeof incidentCheckSchema>;

/** A pinned event as the reader has it; `withheld` and `gone` have nothing but their id. */
export const pinSchema = z.object({
  event: z.string(),
  note: z.string().optional(),
  by: z.string(),
  state: z.enum(["visible", "withheld", "gone"]),
  occurred_at: time.optional(),
  precision_ms: z.number().optional(),
  type: z.string().optional(),
  kind: z.enum(eventKinds).optional(),
  severity: z.enum(severities).optional(),
  subject: entitySchema.optional(),
  summary: z.string().optional(),
});
export type PinJson = z.infer<typeof pinSchema>;

export const dossierSchema = z.object({
  kind: z.literal("dossier"),
  incident: incidentSchema,
  pins: z.array(pinSchema),
  times: z.array(
    z.object({
      thing: thingSchema,
      standing: z.array(timeMarkSchema),
      inferred: z.array(timeMarkSchema),
      lengths: z.object({
        detect: lengthSchema,
        decide: lengthSchema,
        resolve: lengthSchema,
        total: lengthSchema,
      }),
    }),
  ),
  checks: z.array(incidentCheckSchema),
});
export type DossierJson = z.infer<typeof dossierSchema>;
export type LengthJson = z.infer<typeof lengthSchema>;

export const incidentEditionSchema = z.object({
  kind: z.literal("edition"),
  id: z.string(),
  edition: z.number().int(),
  published_at: time,
  title: z.string(),
  markdown: z.string(),
  hash: z.string(),
  intact: z.boolean(),
});
export type IncidentEditionJson = z.infer<typeof incidentEditionSchema>;

/** The provider is given the incident with all that is known of it, a tenant what it was told. */
export const incidentAnswerSchema = z.discriminatedUnion("kind", [dossierSchema, incidentEditionSchema]);
export type IncidentAnswerJson = z.infer<typeof incidentAnswerSchema>;

export const incidentsSchema = z.object({
  /** For the provider; none for a tenant. */
  incidents: z.array(incidentSummarySchema),
  /** For a tenant what it was told, newest first; none for the provider. */
  editions: z.array(incidentEditionSchema.omit({ kind: true, markdown: true })),
});
export type IncidentsJson = z.infer<typeof incidentsSchema>;

export const openedIncidentSchema = z.object({
  incident: incidentSchema,
  /** False where the rule's key had opened it before. */
  fresh: z.boolean(),
});
export type OpenedIncidentJson = z.infer<typeof openedIncidentSchema>;

export const incidentHistorySchema = z.object({ entries: z.array(incidentEntrySchema) });

export const incidentImportedSchema = z.object({
  /** Absent in a dry run. */
  incident: incidentSchema.optional(),
  lines: z.number().int(),
  used: z.number().int(),
  without_time: z.number().int(),
  /** Rows of the incident that said otherwise before, under the same document's name and number. */
  replaced: z.number().int(),
  set_aside: z.array(
    z.object({ line: z.number().int(), text: z.string(), code: z.string(), remedy: z.string() }),
  ),
});
export type IncidentImportedJson = z.infer<typeof incidentImportedSchema>;

export const audienceParameter = z
  .union([z.enum(["provider", "public"]), z.string().max(320).startsWith("tenant:")], {
    error: "not provider, public or tenant:KEY",
  })
  .describe("`provider`, `public`, or `tenant:` and a tenant's key such as `project/region-1/6f3c`.");

export const incidentExportQuerySchema = z.strictObject({
  format: z.enum(["md", "html", "json"]).default("md"),
  audience: audienceParameter.default("provider"),
});

export const incidentRedactionQuerySchema = z.strictObject({ audience: audienceParameter });
export const incidentRedactionSchema = z.object({
  audience: z.string(),
  fields: z.array(
    z.object({
      /** The place in the provider's document. */
      field: z.string(),
      class: z.string(),
      outcome: z.enum(["shown", "replaced", "withheld"]),
      /** What the provider reads. */
      value: z.string(),
      /** What the audience reads in its place. */
      shown: z.string().optional(),
      why: z.string(),
    }),
  ),
});
export type IncidentRedactionJson = z.infer<typeof incidentRedactionSchema>;

export const incidentsQuerySchema = checkWindow(
  z.strictObject({
    state: listOf(incidentStates).optional().describe("Any of draft, reviewed, published."),
    from: timeParameter.optional().describe("Whose window reaches to this moment or beyond."),
    to: timeParameter.optional().describe("Whose window begins before this moment."),
    limit: decimalParameter(1, 500, 100),
  }),
);

export const incidentKpisQuerySchema = checkWindow(
  z.strictObject({
    from: timeParameter.describe("Of the first period."),
    to: timeParameter.describe("The end, which is not part of it."),
    period: z.enum(["week", "month", "quarter"]).default("month"),
    state: listOf(incidentStates).optional().describe("Only incidents in these states; all where absent."),
  }),
);

const spanFiguresSchema = z.object({
  n: z.number().int(),
  median_ms: z.number().nullable(),
  p90_ms: z.number().nullable(),
  /** Left out, because a time is missing, or because its ends stand in the wrong order. */
  missing: z.number().int(),
  reversed: z.number().int(),
  /** Counted, although nobody can say which end came first. */
  unordered: z.number().int(),
});
export type SpanFiguresJson = z.infer<typeof spanFiguresSchema>;
const lengthsSchema = z.object({
  detect: spanFiguresSchema,
  decide: spanFiguresSchema,
  resolve: spanFiguresSchema,
  total: spanFiguresSchema,
});
export const incidentKpisSchema = z.object({
  periods: z.array(
    z.object({
      from: time,
      to: time,
      incidents: z.number().int(),
      unpublished: z.number().int(),
      by_severity: z.record(z.enum(severities), z.number().int()),
      lengths: lengthsSchema,
      things: z.array(
        z.object({
          key: z.string(),
          name: z.string(),
          incidents: z.number().int(),
          recurred: z.number().int(),
          lengths: lengthsSchema,
        }),
      ),
      /** How many of the times behind the figures were set, imported or inferred. */
      bases: z.object({ set: z.number().int(), imported: z.number().int(), inferred: z.number().int() }),
    }),
  ),
  /** True where there are more incidents than were looked at. */
  truncated: z.boolean(),
});
export type IncidentKpisJson = z.infer<typeof incidentKpisSchema>;
