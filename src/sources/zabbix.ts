import { z } from "zod";
import type { Observation } from "../model/event.ts";
import { duration, instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { asShape } from "./json-fields.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";
import type { ZabbixCursor } from "./zabbix/event-pass.ts";
import {
  clockErrorMs,
  fetchEvents,
  settleMs,
  startEventsAt,
  zabbixCursor,
  zabbixSettings,
} from "./zabbix/event-pass.ts";
import { draftTriggerEvent, hostsSetting } from "./zabbix/problem.ts";

/** Zabbix's API (JSON-RPC `event.get`), 5.4 and later: https://www.zabbix.com/documentation/6.0/en/manual/api */
export const zabbix: PullSource<ZabbixCursor> = {
  name: "zabbix",
  title: "Zabbix",
  summary: "Problems that begin and end, polled from Zabbix's API by event id.",
  delivery: "pull",
  contract: {
    identity: "event id",
    version: "none: acknowledgements and suppressions of an event are left out",
    ordering: "unsorted",
    commitDelayMax: settleMs,
    clockErrorMax: clockErrorMs,
    retention: duration(365 * 86_400_000),
    delivery: "pull",
    revisions: "allowed",
    completeness: "settled",
    blindSpots:
      "Hosts that the token's user may not read; acknowledgements (the webhook tells them); problems that Zabbix's housekeeper deleted while we were away; values that a proxy has not sent yet.",
  },
  config: zabbixSettings as unknown as z.ZodType<JsonObject>,
  cursor: zabbixCursor,
  fetch: fetchEvents,
  startAt: startEventsAt,
  normalise,
};

const digits = z.string().regex(/^\d{1,20}$/);
const eventShape = z.object({
  eventid: digits,
  objectid: digits.optional(),
  clock: z.string().regex(/^\d{1,12}$/),
  ns: z
    .string()
    .regex(/^\d{1,9}$/)
    .default("0"),
  value: z.enum(["0", "1"]),
  name: z.string().default(""),
  severity: z.enum(["0", "1", "2", "3", "4", "5"]).default("0"),
  hosts: z.array(z.object({ host: z.string().min(1), name: z.string().optional() })).default([]),
  tags: z.array(z.object({ tag: z.string(), value: z.string() })).default([]),
});

const metaShape = z.object({
  hosts: hostsSetting,
  addresses: z.array(z.string()).default([]),
  problem_ids: z.array(z.string()).default([]),
});

function normalise(record: RawRecord, decode: Decoders): Observation {
  const meta = asShape(metaShape, record.meta, "record of an event");
  const event = asShape(eventShape, decode.json(decode.text(record.bytes)), "event");
  const [first, ...others] = event.hosts.map(({ host, name }) => ({
    name: host,
    ...(name !== undefined && { visibleName: name }),
    addresses: [] as readonly string[],
  }));
  const draft = draftTriggerEvent(
    {
      eventId: event.eventid,
      state: event.value === "1" ? "problem" : "ok",
      at: instant(Number(event.clock) * 1000 + Math.floor(Number(event.ns) / 1_000_000)),
      precision: duration(1),
      name: event.name.trim() === "" ? `trigger ${event.objectid ?? "unknown"}` : event.name,
      severity: Number(event.severity),
      triggerId: event.objectid,
      problemIds: meta.problem_ids,
      hosts: first === undefined ? [] : [{ ...first, addresses: meta.addresses }, ...others],
      tags: event.tags,
    },
    meta.hosts,
  );
  return { events: [draft], facts: [] };
}
