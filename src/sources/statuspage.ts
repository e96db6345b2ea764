import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Related } from "../model/entity.ts";
import type { EventDraft, EventKind, FieldChange, Observation, Phase, Severity } from "../model/event.ts";
import { regularizeEventType } from "../model/event-type.ts";
import { duration } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { asShape, asText } from "./json-fields.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";
import { stripMarkup } from "./statuspage/feed.ts";
import type { StatuspageCursor } from "./statuspage/pages-pass.ts";
import { fetchPages, readPagesAnew, statuspageCursor, statuspageSettings } from "./statuspage/pages-pass.ts";

/** What suppliers and clouds say of themselves on a status page. */
export const statuspage: PullSource<StatuspageCursor> = {
  name: "statuspage",
  title: "Status pages",
  summary:
    "What suppliers, clouds and carriers say of their own incidents and maintenance, polled from Statuspage's JSON or an Atom or RSS feed.",
  delivery: "pull",
  contract: {
    identity: "host + id of an incident's update; in a feed host + id of the entry + its time",
    version: "the update's text, which its author may correct",
    ordering: "unsorted",
    commitDelayMax: duration(60 * 60_000),
    clockErrorMax: duration(60_000),
    retention: duration(7 * 86_400_000),
    delivery: "pull",
    revisions: "allowed",
    blindSpots:
      "Only what somebody posts, and when they post it; in a feed every state of an incident but the last before each pass.",
  },
  config: statuspageSettings as unknown as z.ZodType<JsonObject>,
  cursor: statuspageCursor,
  fetch: fetchPages,
  startAt: readPagesAnew,
  normalise,
};

/** Posts are written by people, minutes after what they tell of; the moment of posting itself is exact. */
const precision = duration(1_000);

interface State {
  readonly kind: EventKind;
  readonly phase?: Phase;
}

/** How an update stands in its incident, in Statuspage's words. */
const states: Readonly<Record<string, State>> = {
  investigating: { kind: "symptom", phase: "start" },
  identified: { kind: "symptom", phase: "progress" },
  update: { kind: "symptom", phase: "progress" },
  monitoring: { kind: "activity", phase: "progress" },
  resolved: { kind: "recovery", phase: "end" },
  postmortem: { kind: "activity" },
  // That something is planned changes nothing yet.
  scheduled: { kind: "activity" },
  in_progress: { kind: "change", phase: "start" },
  verifying: { kind: "change", phase: "progress" },
  completed: { kind: "change", phase: "end" },
};

const impacts: Readonly<Record<string, Severity>> = {
  none: "info",
  maintenance: "info",
  minor: "warning",
  major: "error",
  critical: "critical",
};

const maintenanceStates = new Set(["scheduled", "in_progress", "verifying", "completed"]);

const optionalText = z.string().nullish();
const updateShape = z.object({
  page: z.object({ name: optionalText, url: optionalText }).nullish(),
  incident: z.object({
    id: z.string(),
    name: z.string(),
    impact: optionalText,
    shortlink: optionalText,
    scheduled_for: optionalText,
    scheduled_until: optionalText,
  }),
  update: z.object({
    id: z.string(),
    status: z.string(),
    body: optionalText,
    created_at: z.string(),
    display_at: optionalText,
    affected_components: z
      .array(
        z.object({
          code: z.string(),
          name: optionalText,
          old_status: optionalText,
          new_status: optionalText,
        }),
      )
      .nullish(),
  }),
});

const entryShape = z.object({
  feed: optionalText,
  entry: z.object({
    id: z.string(),
    title: z.string(),
    updated: z.string().optional(),
    link: z.string().optional(),
    content: z.string().optional(),
  }),
});

function normalise(record: RawRecord, decode: Decoders): Observation {
  const item = decode.json(decode.text(record.bytes));
  const host = hostOf(record.meta["url"]);
  const draft =
    record.meta["form"] === "entry"
      ? draftEntry(asShape(entryShape, item, "feed entry"), host, decode)
      : draftUpdate(asShape(updateShape, item, "incident update"), host, record.receivedAt, decode);
  return { events: [draft], facts: [] };
}

function hostOf(origin: RawRecord["meta"][string] | undefined): string {
  const host = /^https?:\/\/([^/\s]+)/.exec(asText(origin ?? null) ?? "")?.[1];
  if (host !== undefined) return host;
  throw new IsochronError("record-invalid", "The record does not say of which page it is.", "Poll it again.");
}

function draftUpdate(
  { page, incident, update }: z.output<typeof updateShape>,
  host: string,
  receivedAt: Instant,
  decode: Decoders,
): EventDraft {
  const createdAt = decode.time(update.created_at);
  const displayedAt = update.display_at == null ? createdAt : decode.time(update.display_at);
  const state = Object.hasOwn(states, update.status) ? states[update.status]! : { kind: "activity" as const };
  const isMaintenance = maintenanceStates.has(update.status) || incident.impact === "maintenance";
  const affected = update.affected_components ?? [];
  const said = asText(update.body ?? null);
  return {
    ...baseOf(host, asText(page?.name ?? null)),
    key: `${host} ${incident.id} ${update.id}`,
    sourceIds: [update.id],
    // Authors may move a post back in time; one that lies ahead is only announced to be shown.
    occurredAt: displayedAt > receivedAt ? createdAt : displayedAt,
    ...typeOf(update.status, isMaintenance, state),
    severity: severityOf(state, impacts[incident.impact ?? ""]),
    related: affected.map(({ code, name }): Related => {
      const ref = { kind: "component", id: `${host}/${code}` };
      return { role: "affected", ref, ...(asText(name ?? null) !== undefined && { name: name! }) };
    }),
    summary: summaryOf(incident.name, update.status),
    details: {
      incident: incident.name,
      incident_id: incident.id,
      status: update.status,
      ...(said !== undefined && { text: stripMarkup(said) }),
      ...present({
        impact: incident.impact,
        url: incident.shortlink,
        scheduled_for: incident.scheduled_for,
        scheduled_until: incident.scheduled_until,
      }),
    },
    ...changesOf(affected),
  };
}

function draftEntry(
  { feed, entry }: z.output<typeof entryShape>,
  host: string,
  decode: Decoders,
): EventDraft {
  const text = stripMarkup(entry.content ?? "");
  const status = stateWordOf(entry.content ?? "", entry.title);
  const state = status === undefined ? { kind: "activity" as const } : states[status]!;
  if (entry.updated === undefined) {
    throw new IsochronError("record-invalid", "The entry has no time.", "Use a feed that dates its entries.");
  }
  return {
    ...baseOf(host, asText(feed ?? null)),
    key: `${host} ${entry.id} ${entry.updated}`,
    sourceIds: [entry.id],
    occurredAt: readTime(entry.updated, decode),
    ...typeOf(status ?? "posted", maintenanceStates.has(status ?? ""), state),
    severity: severityOf(state, undefined),
    related: [],
    summary: summaryOf(stripMarkup(entry.title), status),
    details: {
      incident: entry.title,
      incident_id: entry.id,
      ...present({ status, text, url: entry.link }),
    },
  };
}

function baseOf(host: string, name: string | undefined) {
  return {
    precision,
    category: "platform",
    visibility: "operational",
    // What a supplier says is about no tenant's resource; the page is all that it names for certain.
    platform: true,
    subject: { kind: "component", id: host },
    ...(name !== undefined && { subjectName: name }),
  } as const;
}

function typeOf(status: string, isMaintenance: boolean, { kind, phase }: State) {
  return {
    type: regularizeEventType(`status.${isMaintenance ? "maintenance" : "incident"}.${status}`),
    kind,
    ...(phase !== undefined && { phase }),
  };
}

function severityOf({ kind }: State, impact: Severity | undefined): Severity {
  return kind === "symptom" ? (impact ?? "warning") : "info";
}

function summaryOf(name: string, status: string | undefined): string {
  const said = status === undefined ? "" : `${status[0]?.toUpperCase() ?? ""}${status.slice(1)}: `;
  return `${said.replaceAll("_", " ")}${name}`.slice(0, 500).trim() || "A post without a title";
}

function changesOf(affected: NonNullable<z.output<typeof updateShape>["update"]["affected_components"]>): {
  readonly changes?: readonly FieldChange[];
} {
  const changes = affected
    .filter((one) => one.old_status !== one.new_status)
    .map((one) => ({
      field: asText(one.name ?? null) ?? one.code,
      before: one.old_status ?? null,
      after: one.new_status ?? null,
    }));
  return changes.length === 0 ? {} : { changes };
}

/** Statuspage begins each update in a feed with its state in bold; others name it in the title. */
function stateWordOf(content: string, title: string): string | undefined {
  const bold = /<strong>\s*([A-Za-z -]{3,30}?)\s*<\/strong>/.exec(content)?.[1];
  const inTitle = /\b(investigating|identified|monitoring|resolved|scheduled|in progress|completed)\b/i.exec(
    title,
  );
  return [bold, inTitle?.[1]]
    .map((word) => word?.toLowerCase().replaceAll(/[ -]+/g, "_"))
    .find((word) => word !== undefined && Object.hasOwn(states, word));
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const zones: Readonly<Record<string, string>> = {
  est: "-0500",
  edt: "-0400",
  cst: "-0600",
  cdt: "-0500",
  mst: "-0700",
  mdt: "-0600",
  pst: "-0800",
  pdt: "-0700",
};

/** RFC 3339 as Atom has it, or RFC 822 as RSS does, with the zones that RFC 822 names. */
function readTime(text: string, decode: Decoders): Instant {
  const match =
    /^(?:[A-Za-z]{3}, *)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d:\d\d)(:\d\d)? ([A-Za-z]{1,3}|[+-]\d{4})$/.exec(
      text,
    );
  if (match === null) return decode.time(text);
  const [, day, monthName, year, time, seconds = ":00", zone] = match;
  const month = months.indexOf(monthName!.toLowerCase()) + 1;
  const offset = /^(gmt|utc?|z)$/i.test(zone!) ? "Z" : (zones[zone!.toLowerCase()] ?? zone!);
  const date = [year, String(month).padStart(2, "0"), day!.padStart(2, "0")].join("-");
  return decode.time(`${date}T${time}${seconds}${offset}`);
}

function present(fields: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  const kept = Object.entries(fields).filter((field): field is [string, string] => Boolean(field[1]));
  return Object.fromEntries(kept);
}
