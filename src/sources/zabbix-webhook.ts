import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { EventDraft, Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { RecalledPage } from "./cursor/inbox.ts";
import { recallPages } from "./cursor/inbox.ts";
import { baseUrl, parseSettings, secretReference } from "./http-settings.ts";
import { asObject, asShape } from "./json-fields.ts";
import type {
  Decoders,
  PushRequest,
  PushSettings,
  RawRecord,
  SourceIo,
  Span,
  WebhookSource,
} from "./source.ts";
import { zabbix } from "./zabbix.ts";
import type { ZabbixCursor } from "./zabbix/event-pass.ts";
import { fetchEvents, startEventsAt } from "./zabbix/event-pass.ts";
import type { TriggerEvent } from "./zabbix/problem.ts";
import { draftTriggerEvent, hostsSetting, resourcesOf } from "./zabbix/problem.ts";

/** Macros give whole seconds. */
const precision = duration(1_000);

const settings = z.strictObject({
  hosts: hostsSetting.describe(
    "`cloud` where the technical names of Zabbix's hosts are those of the cloud's own hosts; else a host is only noted.",
  ),
  api_url: baseUrl
    .optional()
    .describe(
      "Address of the frontend, where a reconcile asks for the events that Zabbix holds; without it none is asked for.",
    ),
  api_token: secretReference
    .optional()
    .describe("An API token for that, as `env:NAME` or `file:PATH`; needed beside `api_url`."),
});

/** So many pages of events are asked for at most, of 500 each. */
const recallPagesMax = 2_000;

/** Zabbix's webhook media type with the parameters that `docs/sources/zabbix-webhook.md` lists. */
export const zabbixWebhook: WebhookSource = {
  name: "zabbix-webhook",
  title: "Zabbix, by webhook",
  summary: "Problems that begin and end, and who acknowledged them; a media type of Zabbix posts them.",
  delivery: "webhook",
  contract: {
    identity:
      "event id, or the recovery's event id; for an update the problem's id with the time, the person and the action",
    version: "none: a message tells of one event",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: duration(5_000),
    delivery: "push",
    revisions: "allowed",
    blindSpots:
      "What no action of Zabbix sends (conditions, maintenance, escalation delays), and what it could not deliver in its attempts (three unless set otherwise).",
  },
  config: settings as unknown as z.ZodType<JsonObject>,
  split,
  normalise,
  recall,
};

/** Which connection it was posted to decides what its hosts are; that is kept with the record. */
function split(request: PushRequest, decode: Decoders, connection?: PushSettings): readonly RawRecord[] {
  const mediaType =
    request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "application/json";
  if (mediaType !== "application/json") {
    throw new IsochronError("media-type-unknown", `The body is ${mediaType}.`, "Send application/json.");
  }
  let body: Json;
  try {
    body = decode.json(decode.text(request.body));
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "record-invalid") throw error;
    throw new IsochronError("body-invalid", error.problem, error.remedy, { cause: error });
  }
  if (asObject(body)?.["event_id"] === undefined) {
    throw new IsochronError(
      "body-invalid",
      "The body has no `event_id`.",
      "Give the media type the parameters that the source's page lists.",
    );
  }
  const hosts = settings.safeParse(connection?.config ?? {}).data?.hosts ?? "unknown";
  return [{ bytes: request.body, position: "delivery", receivedAt: request.receivedAt, meta: { hosts } }];
}

/** Everything that Zabbix's API tells from the span's beginning on, as the polled source reads it and under the same ids. */
function recall(
  config: JsonObject,
  span: Span,
  io: SourceIo,
): AsyncIterable<readonly RawRecord[]> | undefined {
  const { api_url: url, api_token: token, hosts } = parseSettings(settings, config);
  if (url === undefined) return undefined;
  if (token === undefined) {
    throw new IsochronError(
      "config-invalid",
      "The connection has an `api_url` and no `api_token`.",
      "Give an API token that may read events.",
    );
  }
  const access = { url, token, hosts };
  const read = async (cursor: ZabbixCursor): Promise<RecalledPage<ZabbixCursor>> => {
    const { records, cursor: next, done } = await fetchEvents(access, cursor, io);
    const told = records.map((record) => ({ ...record, meta: { ...record.meta, part: "event" } }));
    return { records: told, ...(!done && { next }) };
  };
  return recallPages(startEventsAt(access, span.from), read, recallPagesMax);
}

/** A macro that Zabbix could not resolve is left as it stands, or says so. */
const field = z
  .union([z.string(), z.number().transform(String)])
  .optional()
  .transform((text) =>
    text === undefined || /^\s*$|^\{[A-Z0-9_.]+\}$|^\*UNKNOWN\*$/.test(text) ? undefined : text.trim(),
  );
const id = field.pipe(z.string().regex(/^\d{1,20}$/));

const bodyShape = z.object({
  event_id: id,
  event_value: z.union([z.enum(["0", "1"]), z.number().transform(String)]).pipe(z.enum(["0", "1"])),
  event_update_status: field,
  event_name: field,
  event_severity: field,
  event_date: field,
  event_time: field,
  recovery_id: field,
  recovery_date: field,
  recovery_time: field,
  update_action: field,
  update_date: field,
  update_time: field,
  update_user: field,
  utc_offset: field,
  trigger_id: field,
  host: field,
  host_name: field,
  host_ip: field,
  tags: z.custom<Json>().optional(),
});
type Body = z.output<typeof bodyShape>;

const tagsShape = z.array(z.object({ tag: z.string(), value: z.string().default("") })).max(1_000);

function normalise(record: RawRecord, decode: Decoders): Observation {
  if (record.meta["part"] === "event") return zabbix.normalise(record, decode);
  const { hosts } = asShape(z.object({ hosts: hostsSetting }), record.meta, "record of a message");
  const body = asShape(bodyShape, decode.json(decode.text(record.bytes)), "message");
  const isUpdate = body.event_update_status === "1";
  const event = eventOf(body, isUpdate, decode);
  if (!isUpdate) return { events: [draftTriggerEvent(event, hosts)], facts: [] };
  return { events: [draftUpdate(body, event, resourcesOf(event, hosts), decode)], facts: [] };
}

function eventOf(body: Body, isUpdate: boolean, decode: Decoders): TriggerEvent {
  const isRecovery = body.event_value === "0" && !isUpdate;
  if (isRecovery && (body.recovery_id === undefined || !/^\d{1,20}$/.test(body.recovery_id))) {
    throw unusable("has no id of the recovery");
  }
  const severity = Number(body.event_severity ?? "0");
  return {
    eventId: isRecovery ? body.recovery_id! : body.event_id,
    state: isRecovery ? "ok" : "problem",
    at: isRecovery
      ? timeOf(body.recovery_date, body.recovery_time, body, decode)
      : timeOf(body.event_date, body.event_time, body, decode),
    precision,
    name: body.event_name ?? `trigger ${body.trigger_id ?? "unknown"}`,
    severity: Number.isInteger(severity) ? severity : 0,
    triggerId: body.trigger_id,
    problemIds: [body.event_id],
    hosts:
      body.host === undefined
        ? []
        : [
            {
              name: body.host,
              ...(body.host_name !== undefined && { visibleName: body.host_name }),
              addresses: body.host_ip === undefined ? [] : [body.host_ip],
            },
          ],
    tags: tagsOf(body.tags, decode),
  };
}

/** `{EVENT.DATE}` and `{EVENT.TIME}` in the time zone of the user to whom the message goes. */
function timeOf(date: string | undefined, time: string | undefined, body: Body, decode: Decoders): Instant {
  if (date === undefined || time === undefined) throw unusable("has no date and time");
  if (body.utc_offset === undefined) throw unusable("has no `utc_offset`");
  return decode.time(`${date.replaceAll(".", "-")}T${time}${body.utc_offset}`);
}

function tagsOf(tags: Json | undefined, decode: Decoders): TriggerEvent["tags"] {
  if (tags === undefined || tags === null || tags === "" || tags === "{EVENT.TAGSJSON}") return [];
  return asShape(tagsShape, typeof tags === "string" ? decode.json(tags) : tags, "list of tags");
}

/** Somebody acknowledged, commented or closed a problem: that it was done and by whom, never the text. */
function draftUpdate(
  body: Body,
  event: TriggerEvent,
  resources: ReturnType<typeof resourcesOf>,
  decode: Decoders,
): EventDraft {
  const at = timeOf(body.update_date, body.update_time, body, decode);
  const action = body.update_action ?? "updated";
  const by = body.update_user === undefined ? "" : ` by ${body.update_user}`;
  return {
    key: ["update", event.eventId, at, body.update_user ?? "", action].join("/"),
    sourceIds: [event.eventId],
    occurredAt: at,
    precision,
    type: "zabbix.problem.updated",
    kind: "human",
    category: "monitoring",
    phase: "progress",
    severity: "info",
    visibility: "provider",
    ...resources,
    ...(body.update_user !== undefined && { actor: { userName: body.update_user } }),
    operation: { workflowId: `zabbix-problem:${event.eventId}` },
    summary: `${event.name}: ${action}${by}`,
    details: {
      action,
      problem_id: event.eventId,
      ...(event.triggerId !== undefined && { trigger_id: event.triggerId }),
    },
  };
}

function unusable(what: string): IsochronError {
  return new IsochronError(
    "record-invalid",
    `The message ${what}.`,
    "Give the media type the parameters that the source's page lists.",
  );
}
