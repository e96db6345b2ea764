import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft, Observation } from "../model/event.ts";
import { formatInstant, instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { fileOf, playedAt } from "./conformance/fixture.ts";
import { openstackLogs } from "./openstack-logs.ts";
import type { RawRecord, SourceFile } from "./source.ts";

const server = "a81a8f04-7a38-4516-acee-dbc6b5da53b5";
const project = "e971f5fc1598420e9441c583a7b859b3";
const user = "970eb96a52c045f198d2dafeedebc469";
const requestId = "req-729aadcb-3a50-4429-b0ae-26f55daac570";
const callersId = "req-6538976f-7545-4ae9-aeae-e68d7ca064e2";

function recordOf(text: string, meta: JsonObject = {}): RawRecord {
  return { bytes: new TextEncoder().encode(text), position: "line 1", receivedAt: playedAt, meta };
}

function observe(text: string, meta: JsonObject = { zone: "UTC" }): Observation {
  return openstackLogs.normalise(recordOf(text, meta), decoders);
}

function eventOf(text: string, meta?: JsonObject): EventDraft {
  return observe(text, meta).events[0]!;
}

/** A line as a shipper posts it; with a request of an account where `of` is `request`. */
function shipped(message: string, of: "request" | "nobody" = "nobody", more: JsonObject = {}): string {
  const context = of === "request" ? { request_id: requestId, user_id: user, project_id: project } : {};
  return JSON.stringify({
    ts: "2026-11-21T02:42:02.743Z",
    level: "INFO",
    logger: "nova.compute.manager",
    src: "nova/nova-compute",
    message,
    ...context,
    ...more,
  });
}

function relatedOf(draft: EventDraft): readonly string[] {
  return draft.related.map(({ role, ref }) => `${role} ${entityKey(ref)}`);
}

function refusalOf(text: string, meta?: JsonObject): string {
  try {
    observe(text, meta);
  } catch (error) {
    if (error instanceof IsochronError) return error.problem;
    throw error;
  }
  return "none";
}

async function filed(text: string, more: Partial<SourceFile> = {}): Promise<readonly RawRecord[]> {
  const file = { ...fileOf("nova-api.log", new TextEncoder().encode(text)), ...more };
  const records: RawRecord[] = [];
  for await (const record of openstackLogs.splitFile!(file, decoders)) records.push(record);
  return records;
}

const context = `${requestId} ${user} ${project} - - default default`;
const claim = `2026-11-21 02:42:02.743 12973 INFO nova.compute.claims [None ${context}] [instance: ${server}] Claim successful on node compute-01`;

describe("the three shapes of a line", () => {
  test("oslo.log's text tells time, process, level, logger, who asked and what", () => {
    const draft = eventOf(claim, { zone: "UTC", file: "nova-compute.log.1" });
    expect(draft).toMatchObject({
      type: "log.nova.info",
      kind: "activity",
      severity: "info",
      category: "lifecycle",
      visibility: "provider",
      precision: 0,
      subject: { kind: "request", id: requestId },
      actor: { userId: user, projectId: project },
      operation: { requestId },
      details: { process_id: "12973", logger: "nova.compute.claims", program: "nova-compute" },
    });
    expect(formatInstant(draft.occurredAt)).toBe("2026-11-21T02:42:02.743Z");
    expect(relatedOf(draft)).toEqual([`caller user:${user}`, `mentioned server:${server}`]);
  });

  test.each([
    [`[${requestId} ${user} ${project} - - -]`, { requestId }],
    [`[None ${context}]`, { requestId }],
    [`[${callersId} ${context}]`, { requestId, globalRequestId: callersId }],
    ["[-]", undefined],
    [`[None ${requestId} - - - - - -]`, { requestId }],
  ])("a context %s gives the request, and its caller's where there is one", (words, operation) => {
    const draft = eventOf(`2026-11-21 02:42:02.743 1 INFO nova.api ${words} said`);
    expect(draft.operation).toEqual(operation);
    expect(draft.summary).toBe("said");
  });

  test("an account that is given by its name is nobody's id, so that the line is of no known caller", () => {
    const draft = eventOf(
      `2026-11-21 02:42:02.743 1 INFO heat.engine [None ${requestId} admin - - - - -] said`,
    );
    expect(draft.actor).toEqual({ userName: "admin" });
    expect(draft.subject).toEqual({ kind: "component", id: "heat" });
  });

  test("JSONFormatter's `created` is the time, whatever the host's zone made of `asctime`", () => {
    const draft = eventOf(
      JSON.stringify({
        message: `[instance: ${server}] Took 2.41 seconds to spawn the instance on the hypervisor.`,
        asctime: "2026-11-21 04:42:05,484",
        created: 1795228925.484,
        name: "nova.compute.manager",
        levelname: "INFO",
        hostname: "compute-01",
        process: 12973,
        traceback: null,
        context: { request_id: requestId, user, project_id: project, global_request_id: null },
      }),
      { file: "nova-compute.log" },
    );
    expect(formatInstant(draft.occurredAt)).toBe("2026-11-21T02:42:05.484Z");
    expect(draft.subject).toEqual({ kind: "request", id: requestId });
    expect(relatedOf(draft)).toContain("host host:compute-01");
  });

  test("a shipper that does not parse puts the whole line into one field", () => {
    const draft = eventOf(JSON.stringify({ date: 1795228925.5, log: `${claim}\n`, host: "compute-01" }));
    expect(draft.subject).toEqual({ kind: "request", id: requestId });
    expect(draft.details["logger"]).toBe("nova.compute.claims");
  });

  test.each([
    [{ timestamp: "2026-11-21T03:42:02.743+01:00", level: "warn", msg: "x" }, "log.unnamed.warning"],
    [{ "@timestamp": "2026-11-21T02:42:02.743Z", severity: "ERROR", message: "x" }, "log.unnamed.error"],
    [{ ts: "2026-11-21T02:42:02.743Z", message: "x", program: "cinder-volume" }, "log.cinder.unspecified"],
    [{ ts: "2026-11-21T02:42:02.743Z", message: "x", src: "cinder/volume" }, "log.cinder.unspecified"],
  ])("fields %j give %s", (fields, type) => {
    const draft = eventOf(JSON.stringify(fields));
    expect(draft.type).toBe(type);
    expect(formatInstant(draft.occurredAt)).toBe("2026-11-21T02:42:02.743Z");
  });

  test.each([
    ["free text", "neither JSON nor oslo.log's text"],
    ["{}", "says nothing"],
    ['{"message":"x"}', "has no time"],
    ['{"message":"x","ts":"now"}', "is not a time"],
  ])("%s is refused", (text, problem) => {
    expect(refusalOf(text)).toContain(problem);
  });
});

describe("times without a zone", () => {
  test("are in the zone that the connection or the importer names, and refused without one", () => {
    expect(formatInstant(eventOf(claim, { zone: "Europe/Paris" }).occurredAt)).toBe(
      "2026-11-21T01:42:02.743Z",
    );
    expect(formatInstant(eventOf(claim, { zone: "+05:30" }).occurredAt)).toBe("2026-11-20T21:12:02.743Z");
    expect(refusalOf(claim, {})).toContain("names no time zone");
    expect(refusalOf(claim, { zone: "Mars/Olympus" })).toContain("is unknown");
  });

  test("are known to an hour where the clocks repeat it, and refused where they skip it", () => {
    const at = (time: string) => claim.replace("2026-11-21 02:42:02.743", time);
    const repeated = eventOf(at("2026-10-25 02:30:00.000"), { zone: "Europe/Paris" });
    expect(formatInstant(repeated.occurredAt)).toBe("2026-10-25T00:30:00.000Z");
    expect(repeated.precision).toBe(3_600_000);
    expect(repeated.details["time_ambiguous"]).toBe(true);
    expect(refusalOf(at("2026-03-29 02:30:00.000"), { zone: "Europe/Paris" })).toContain("skipped");
  });

  test("in a file they are read as the importer says", async () => {
    const [record] = await filed(claim, { timeZone: "Asia/Tokyo" });
    const [draft] = openstackLogs.normalise(record!, decoders).events;
    expect(formatInstant(draft!.occurredAt)).toBe("2026-11-20T17:42:02.743Z");
  });
});

describe("what hurts", () => {
  test.each([
    ["ERROR", "nothing", "symptom", "error"],
    ["CRITICAL", "nothing", "symptom", "critical"],
    ["WARNING", "nothing", "activity", "warning"],
    ["INFO", "nothing", "activity", "info"],
    ["RPC", "nothing", "activity", "info"],
    ["WARNING", "Traceback (most recent call last): | exc: TypeError", "symptom", "error"],
  ])("a line of level %s that says %s is a %s", (level, message, kind, severity) => {
    expect(eventOf(shipped(message, "nobody", { level }))).toMatchObject({ kind, severity });
  });

  test("a traceback below a line of a file belongs to it, and the next line does not", async () => {
    const error = (text: string) => `2026-11-21 02:48:20.873 12945 ERROR nova.api.openstack.wsgi ${text}`;
    const records = await filed(
      [
        error(`[None ${context}] Unexpected exception in API method: ValueError`),
        error("Traceback (most recent call last):"),
        error('  File "/usr/lib/python3/dist-packages/nova/api.py", line 1, in get'),
        "    a line without a prefix",
        error("ValueError"),
        error(`[None ${context}] Another one`),
        "2026-11-21 02:48:20.873 99 ERROR nova.api.openstack.wsgi Traceback of another process",
      ].join("\n"),
    );
    expect(records.map(({ position }) => position)).toEqual(["line 1", "line 6", "line 7"]);
    const draft = openstackLogs.normalise({ ...records[0]!, meta: { zone: "UTC" } }, decoders).events[0]!;
    expect(draft.kind).toBe("symptom");
    expect(draft.details["traceback"]).toBe(
      'Traceback (most recent call last):\n  File "/usr/lib/python3/dist-packages/nova/api.py", line 1, in get\n' +
        "    a line without a prefix\nValueError",
    );
  });
});

describe("what names a line", () => {
  const keyOf = (record: RawRecord) =>
    openstackLogs.normalise({ ...record, meta: { zone: "UTC", ...record.meta } }, decoders).events[0]!.key;

  test("the same line twice in a file happened twice, and importing the file again finds both", async () => {
    const text = `${claim}\n${claim}\n${claim.replace("12973", "1")}\n`;
    const keys = (await filed(text)).map(keyOf);
    expect(new Set(keys).size).toBe(3);
    expect((await filed(text)).map(keyOf)).toEqual(keys);
    // A file that was written on since begins as it did.
    expect((await filed(`${text}${claim}\n`)).map(keyOf).slice(0, 3)).toEqual(keys);
  });

  test("a delivery that is sent again names the same lines, and so does a file of them", async () => {
    const lines = [shipped("one"), shipped("two"), shipped("one")];
    const post = (body: string, type = "application/x-ndjson") =>
      openstackLogs
        .split(
          {
            headers: { "content-type": type },
            body: new TextEncoder().encode(body),
            receivedAt: instant(playedAt),
          },
          decoders,
        )
        .map(keyOf);
    const keys = post(lines.join("\n"));
    expect(new Set(keys).size).toBe(3);
    expect(post(`${lines.join("\r\n")}\n`).length).toBe(3);
    expect((await filed(lines.join("\n"))).map(keyOf)).toEqual(keys);
    expect(post(`[${lines.join(",")}]`, "application/json")).toEqual(keys);
  });

  test("a connection's zone goes with each of its lines", () => {
    const body = new TextEncoder().encode(JSON.stringify({ log: claim }));
    const settings = { config: { zone: "Europe/Paris" }, secret: () => "" };
    const [record] = openstackLogs.split({ headers: {}, body, receivedAt: playedAt }, decoders, settings);
    expect(record!.meta).toEqual({ zone: "Europe/Paris" });
    expect(() =>
      openstackLogs.split({ headers: {}, body, receivedAt: playedAt }, decoders, {
        config: { zone: "Mars/Olympus" },
        secret: () => "",
      }),
    ).toThrow(IsochronError);
  });
});
