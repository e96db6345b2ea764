import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { Instant } from "../../model/instant.ts";
import { instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { diffListing, noDrop } from "../cursor/listing-diff.ts";
import { authHeaders, baseUrl, httpAuth, joinUrl, nameRequest, parseSettings } from "../http-settings.ts";
import { asObject, asText } from "../json-fields.ts";
import { readJsonAnswer } from "../json-answer.ts";
import type { HttpResponse, Page, RawRecord, SourceIo } from "../source.ts";
import { cloudHostsMeaning, cloudHostsSetting, noteCloudHosts } from "./cloud-hosts.ts";
import { suppressorsOf } from "./listed-alert.ts";

/**
 * After a start Alertmanager knows only what Prometheus has sent again (by default once a minute), so that an alert
 * which is not listed then proves nothing.
 */
const settledAfterMs = 5 * 60_000;

export const alertmanagerPullSettings = z.strictObject({
  url: baseUrl.describe("Address of Alertmanager, with its path prefix if it has one."),
  auth: httpAuth.optional().describe("Who asks: `basic`, `bearer` or `header`; without it nobody is named."),
  hosts: cloudHostsSetting.describe(cloudHostsMeaning),
  matchers: z
    .array(z.string().min(1).max(1_000))
    .max(50)
    .default([])
    .describe('Only alerts that match all of these, such as `severity="critical"`.'),
});

export type AlertmanagerAccess = z.output<typeof alertmanagerPullSettings>;

const knownAlert = z.object({
  /** Labels, annotations and start, for telling its end. */
  alert: z.custom<JsonObject>((value) => typeof value === "object" && value !== null),
  /** What kept it back when it was last seen, joined by commas; empty for an alert that is sent on. */
  suppressedBy: z.string(),
  /** When it was last listed, in milliseconds since the epoch. */
  lastSeenAt: z.number().int(),
  /** The first listing that lacks it and counts; null while it is there. */
  missingSince: z.number().int().nullable(),
});

export const alertmanagerCursor = z.object({
  /** When the last listing was asked for, in milliseconds since the epoch; null before the first. */
  seenAt: z.number().int().nullable(),
  /** By fingerprint and start. */
  alerts: z.record(z.string(), knownAlert),
});
export type AlertmanagerCursor = z.infer<typeof alertmanagerCursor>;
type KnownAlert = AlertmanagerCursor["alerts"][string];

/**
 * Reads the alerts that Alertmanager holds (API v2), the silenced and inhibited ones too, and compares them with the
 * listing before. An alert is over when two listings in a row lack it, neither of them soon after a start.
 */
export async function fetchAlerts(
  config: JsonObject,
  from: AlertmanagerCursor | undefined,
  io: SourceIo,
): Promise<Page<AlertmanagerCursor>> {
  const settings = parseSettings(alertmanagerPullSettings, config);
  const cursor = from ?? { seenAt: null, alerts: {} };
  const status = await ask(settings, "api/v2/status", io);
  const upSince = Date.parse(asText(asObject(status.body)?.["uptime"]) ?? "");
  if (Number.isNaN(upSince)) throw notAlertmanager(status.from, "since when it is up");
  const { alerts, seenAt } = await listAlerts(settings, io);
  // A listing from before the last one (a recording played again, a clock set back) would tell changes backwards.
  if (seenAt < (cursor.seenAt ?? 0)) return { records: [], cursor, done: true };
  const page = compare(cursor, alerts, seenAt, seenAt - upSince >= settledAfterMs);
  const note = noteCloudHosts(settings.hosts);
  return { ...page, records: page.records.map((one) => ({ ...one, meta: { ...one.meta, ...note } })) };
}

async function ask(
  { url: base, auth }: AlertmanagerAccess,
  path: string,
  io: SourceIo,
): Promise<{ readonly answer: HttpResponse; readonly body: Json; readonly from: string }> {
  const url = joinUrl(base, path);
  const headers = { accept: "application/json", ...authHeaders(auth, io) };
  const answer = await io.http({ method: "GET", url, headers });
  const from = nameRequest("GET", url);
  return { answer, body: readJsonAnswer(answer, from), from };
}

/** All alerts that Alertmanager holds now. Throws `source-denied`, `source-unavailable` or `source-malformed`. */
export async function listAlerts(
  access: AlertmanagerAccess,
  io: SourceIo,
): Promise<{ readonly alerts: readonly Json[]; readonly seenAt: Instant }> {
  const before = io.now();
  const query = access.matchers.map((matcher) => `filter=${encodeURIComponent(matcher.toWellFormed())}`);
  const path = `api/v2/alerts${query.length === 0 ? "" : `?${query.join("&")}`}`;
  const { answer, body, from } = await ask(access, path, io);
  if (!Array.isArray(body)) throw notAlertmanager(from, "a list of alerts");
  return { alerts: body as readonly Json[], seenAt: answer.sentAt ?? before };
}

/** Tells every alert that is listed as if for the first time; ends are told by the place that knew their beginnings. */
export function listAlertsAnew(): AlertmanagerCursor {
  return { seenAt: null, alerts: {} };
}

function notAlertmanager(from: string, what: string): IsochronError {
  return new IsochronError(
    "source-malformed",
    `${from} does not tell ${what}.`,
    "Check that the address is Alertmanager's (0.16 or later), with its path prefix.",
  );
}

function compare(
  cursor: AlertmanagerCursor,
  listed: readonly Json[],
  seenAt: Instant,
  isSettled: boolean,
): Page<AlertmanagerCursor> {
  const records: RawRecord[] = [];
  const known = new Map<string, KnownAlert>();
  for (const [index, item] of listed.entries()) {
    const position = `GET /api/v2/alerts #${index + 1}`;
    const id = identify(item);
    const before = id === undefined ? undefined : cursor.alerts[id];
    const suppressedBy = suppressorsOf(item).join(",");
    if (before === undefined) records.push(write(item, position, seenAt, { part: "firing" }));
    if (id === undefined) continue;
    if (suppressedBy !== "" && suppressedBy !== before?.suppressedBy) {
      const previousSeenAt = before === undefined ? {} : { previous_seen_at: cursor.seenAt ?? seenAt };
      records.push(write(item, position, seenAt, { part: "suppressed", ...previousSeenAt }));
    }
    known.set(id, {
      alert: before?.alert ?? keepOf(item),
      suppressedBy,
      lastSeenAt: seenAt,
      missingSince: null,
    });
  }
  const missed = new Map(
    Object.entries(cursor.alerts).map(([id, { missingSince }]) => [id, missingSince === null ? 0 : 1]),
  );
  // A listing soon after a start of Alertmanager is not complete, and proves no absence.
  const { once, gone } = isSettled
    ? diffListing(missed, (id) => known.has(id), noDrop)
    : { once: [...missed.keys()].filter((id) => !known.has(id)), gone: [] };
  let completeTo: number = seenAt;
  for (const id of once) {
    const before = cursor.alerts[id]!;
    known.set(id, { ...before, missingSince: isSettled ? seenAt : null });
    completeTo = Math.min(completeTo, before.lastSeenAt);
  }
  for (const id of gone) {
    const { alert, missingSince, lastSeenAt } = cursor.alerts[id]!;
    const times = { gone_at: missingSince, previous_seen_at: lastSeenAt };
    records.push(write(alert, `GET /api/v2/alerts: no longer ${id}`, seenAt, { part: "gone", ...times }));
  }
  return {
    records,
    cursor: { seenAt, alerts: Object.fromEntries(known) },
    completeTo: instant(completeTo),
    done: true,
  };
}

function identify(item: Json): string | undefined {
  const alert = asObject(item);
  const fingerprint = asText(alert?.["fingerprint"]);
  const startsAt = asText(alert?.["startsAt"]);
  return fingerprint === undefined || startsAt === undefined ? undefined : `${fingerprint}/${startsAt}`;
}

/** What the end of an alert is told with. */
function keepOf(item: Json): JsonObject {
  const names = ["fingerprint", "startsAt", "labels", "annotations", "generatorURL"];
  return Object.fromEntries(Object.entries(asObject(item) ?? {}).filter(([name]) => names.includes(name)));
}

function write(item: Json, position: string, receivedAt: Instant, meta: JsonObject): RawRecord {
  return { bytes: new TextEncoder().encode(JSON.stringify(item)), position, receivedAt, meta };
}
