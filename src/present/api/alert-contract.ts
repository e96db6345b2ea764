import { z } from "zod";
import { alertStates } from "../../model/alert-state.ts";
import { severities } from "../../model/event.ts";
import { coverageSchema, entitySchema, eventSchema } from "./contract.ts";
import { workWindowSchema } from "./maintenance-contract.ts";
import { checkWindow, decimalParameter, listOf, textParameter, timeParameter } from "./query-parameters.ts";

/** Alerts as they are judged from events: a part of the HTTP contract. */

const time = z.iso.datetime({ offset: true });
const state = z.enum(alertStates);
const severity = z.enum(severities);

const windowFields = z.strictObject({
  from: timeParameter.optional().describe("Not over before this moment (a day before `to`)."),
  to: timeParameter.optional().describe("Begun before this moment (now); states are as of then."),
});

export const alertQuerySchema = checkWindow(windowFields);

export const alertsQuerySchema = checkWindow(
  windowFields.extend({
    state: listOf(alertStates).optional().describe("Only groups of these states."),
    limit: decimalParameter(1, 500, 100),
  }),
);

export const alertParamsSchema = z.object({ id: z.string() });

/** What one monitor told of one problem, from its symptom to its recovery. */
export const alertMemberSchema = z.object({
  /** Which alerts of the monitor these are. Provider only, as are `monitor` and `split`. */
  series: z.string().optional(),
  monitor: z.string().optional(),
  /** As the monitor calls it. */
  problem: z.string(),
  state,
  severity,
  /** Null where only its end is known. */
  from: time.nullable(),
  /** Null while no recovery is known. */
  to: time.nullable(),
  /** Why it is a part of the alert; absent where it is alone. */
  why: z.string().optional(),
  /** The person's decision by which it stands alone. */
  split: z.string().optional(),
  /** Why nobody can tell whether it lasts. */
  unknown: z.string().optional(),
  /** The work that it fell into. */
  expected: z.string().optional(),
  flapping_since: time.optional(),
  /** How many events tell of it. */
  count: z.number().int(),
  /** The first of them. */
  first_event: z.string(),
  /** The latest, at most two hundred, where one group is asked for; the oldest first. */
  events: z.array(eventSchema).optional(),
});
export type AlertMemberJson = z.infer<typeof alertMemberSchema>;

/** One problem on one thing, however many monitors tell of it. */
export const alertSchema = z.object({
  id: z.string(),
  state,
  severity,
  thing: entitySchema,
  /** Provider only. */
  control_plane: z.string().optional(),
  problem_class: z.string(),
  from: time.nullable(),
  to: time.nullable(),
  members: z.array(alertMemberSchema),
});
export type AlertJson = z.infer<typeof alertSchema>;

/** Alerts that belong together, or one alone. */
export const alertGroupSchema = z.object({
  id: z.string(),
  state,
  severity,
  /** What all of them stand on; null for an alert alone. */
  on: entitySchema.nullable(),
  why: z.string(),
  from: time,
  /** What changed before, on what they stand on; null where nothing is known to have. */
  changed_before: z.object({ event: eventSchema, before_ms: z.number(), says: z.string() }).nullable(),
  /** The earliest first. */
  alerts: z.array(alertSchema),
});
export type AlertGroupJson = z.infer<typeof alertGroupSchema>;

export const alertsSchema = z.object({
  window: z.object({ from: time, to: time }),
  /** The latest first. */
  groups: z.array(alertGroupSchema),
  /** Work that reaches into the window, planned here or told by sources. Provider only; none for others. */
  windows: z.array(workWindowSchema),
  checked: z.object({
    events: z.number().int(),
    /** True where there was more than was looked at, or than is shown. */
    truncated: z.boolean(),
    /** How far back alerts were looked for. */
    since: time,
  }),
  coverage: coverageSchema,
});
export type AlertsJson = z.infer<typeof alertsSchema>;

const why = textParameter(500).regex(/\S/, { error: "blank" }).describe("For whoever asks later.");

export const splitAlertSchema = z.strictObject({
  event: textParameter(200).min(1).describe("An event of the alert that is to stand alone."),
  why,
});

export const undoSplitSchema = z.strictObject({ why });

/** Which split was taken back. */
export const undoneSplitSchema = z.object({ id: z.string() });

export const alertSplitSchema = z.object({
  id: z.string(),
  series: z.string(),
  by: z.string(),
  why: z.string(),
  at: time,
});
export type AlertSplitJson = z.infer<typeof alertSplitSchema>;
