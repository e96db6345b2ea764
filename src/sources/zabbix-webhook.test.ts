import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { bytesOf } from "./conformance/fixture.ts";
import { zabbixWebhook } from "./zabbix-webhook.ts";
import { zabbix } from "./zabbix.ts";

const receivedAt = instant(Date.UTC(2026, 10, 21, 5));
const problem = {
  event_id: "27",
  event_value: "1",
  event_update_status: "0",
  event_name: "Compute 2 does not answer",
  event_severity: "5",
  event_date: "2026.11.21",
  event_time: "04:31:05",
  recovery_id: "{EVENT.RECOVERY.ID}",
  recovery_date: "{EVENT.RECOVERY.DATE}",
  recovery_time: "{EVENT.RECOVERY.TIME}",
  update_user: "{USER.FULLNAME}",
  utc_offset: "+00:00",
  trigger_id: "23133",
  host: "compute-02",
  host_name: "Compute 2",
  host_ip: "192.0.2.12",
  tags: '[{"tag":"scope","value":"availability"}]',
};
const recovery = {
  ...problem,
  event_value: "0",
  recovery_id: "28",
  recovery_date: "2026.11.21",
  recovery_time: "04:31:17",
};

function post(body: Json, config?: JsonObject, contentType = "application/json"): EventDraft[] {
  const request = { headers: { "content-type": contentType }, body: bytesOf({ json: body }), receivedAt };
  const settings = config === undefined ? undefined : { config, secret: () => "" };
  return zabbixWebhook
    .split(request, decoders, settings)
    .flatMap((record) => [...zabbixWebhook.normalise(record, decoders).events]);
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
}

test("a message gives the event that the API gives for the same id, but for the fraction of its second", () => {
  const row = {
    eventid: "27",
    objectid: "23133",
    clock: String(Date.UTC(2026, 10, 21, 4, 31, 5) / 1000),
    ns: "417378882",
    value: "1",
    name: problem.event_name,
    severity: "5",
    hosts: [{ hostid: "1", host: "compute-02", name: "Compute 2" }],
    tags: [{ tag: "scope", value: "availability" }],
  };
  const record = {
    bytes: bytesOf({ json: row }),
    position: "",
    receivedAt,
    meta: { hosts: "unknown", addresses: ["192.0.2.12"], problem_ids: [] },
  };
  const [polled] = zabbix.normalise(record, decoders).events;
  const [posted] = post(problem);
  expect({ ...posted, occurredAt: 0, precision: 0 }).toEqual({ ...polled, occurredAt: 0, precision: 0 });
  expect(polled!.occurredAt - posted!.occurredAt).toBe(417);
});

test("a recovery has the recovery's id and time, and leads to its problem", () => {
  expect(post(recovery)[0]).toMatchObject({
    key: "28",
    kind: "recovery",
    type: "zabbix.problem.resolved",
    occurredAt: Date.UTC(2026, 10, 21, 4, 31, 17),
    operation: { workflowId: "zabbix-problem:27" },
  });
});

test("an update tells who did what, to the provider only", () => {
  const update = {
    ...problem,
    event_update_status: "1",
    update_action: "acknowledged",
    update_user: "On Call (operator)",
    update_date: "2026.11.21",
    update_time: "04:40:00",
    update_message: "text that stays where it is",
  };
  const [event] = post(update);
  expect(event).toMatchObject({
    kind: "human",
    visibility: "provider",
    actor: { userName: "On Call (operator)" },
  });
  expect(event!.key).not.toBe(post(problem)[0]!.key);
  expect(JSON.stringify(event)).not.toContain("stays where it is");
});

test("the recipient's time zone is taken into account, and never guessed", () => {
  expect(post({ ...problem, utc_offset: "+09:00" })[0]!.occurredAt).toBe(Date.UTC(2026, 10, 20, 19, 31, 5));
  const { utc_offset: _left, ...without } = problem;
  expect(codeOf(() => post(without))).toBe("record-invalid");
});

test("the connection decides whether hosts are the cloud's own", () => {
  expect(post(problem)[0]!.subject).toEqual({ kind: "monitored_host", id: "compute-02" });
  expect(post(problem, { hosts: "cloud" })[0]!.subject).toEqual({ kind: "host", id: "compute-02" });
});

describe("what cannot be used", () => {
  test.each<[string, JsonObject]>([
    ["a recovery without its id", { ...recovery, recovery_id: "{EVENT.RECOVERY.ID}" }],
    ["an event without a time", { ...problem, event_time: "*UNKNOWN*" }],
    ["an id that is no number", { ...problem, event_id: "27; drop" }],
    ["tags that are no list", { ...problem, tags: '{"a":1}' }],
    ["a value that is neither problem nor recovery", { ...problem, event_value: "2" }],
  ])("%s is kept whole, with the reason", (_what, body) => {
    expect(codeOf(() => post(body))).toBe("record-invalid");
  });

  test.each<[Json, string, string]>([
    [{}, "application/json", "body-invalid"],
    [[problem], "application/json", "body-invalid"],
    [problem, "text/plain", "media-type-unknown"],
  ])("the body %j as %s is refused", (body, type, code) => {
    expect(codeOf(() => post(body, undefined, type))).toBe(code);
  });
});
