import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { formatInstant, instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { bytesOf, readFixture } from "./conformance/fixture.ts";
import { otlpLogs } from "./otlp-logs.ts";
import type { RawRecord } from "./source.ts";

const receivedAt = instant(Date.UTC(2026, 10, 21, 4, 30));
const [asJson, asProtobuf] = readFixture("otlp-logs").requests!;
const server = "6b1d19b6-d497-4577-9172-a9d1bc07ef9c";

function split(body: Uint8Array, type = "application/json", config: JsonObject = {}): readonly RawRecord[] {
  const request = { headers: { "content-type": type }, body, receivedAt };
  return otlpLogs.split(request, decoders, { config, secret: () => "" });
}

function draftsOf(records: readonly RawRecord[]): EventDraft[] {
  return records.flatMap((record) => otlpLogs.normalise(record, decoders).events);
}

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

function bodyOf(record: Json, resource: Record<string, string> = {}): Uint8Array {
  const attributes = Object.entries(resource).map(([key, value]) => attribute(key, value));
  return bytesOf({
    json: { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [record] }] }] },
  });
}

function draftOf(
  record: JsonObject,
  resource: Record<string, string> = {},
  config: JsonObject = {},
): EventDraft {
  const base = { timeUnixNano: "1795230140125000000", severityNumber: 17 };
  return draftsOf(split(bodyOf({ ...base, ...record }, resource), "application/json", config))[0]!;
}

function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
  return "accepted";
}

test("JSON and protobuf of one record are one event", () => {
  const [fromJson, fromProtobuf] = [
    draftsOf(split(bytesOf(asJson!))),
    draftsOf(split(bytesOf(asProtobuf!), "application/x-protobuf")),
  ];
  expect(fromJson).toHaveLength(4);
  // The later two were given the time of sending, as the SDK does where a record has none.
  expect(fromProtobuf.slice(0, 2)).toEqual(fromJson.slice(0, 2));
  expect(fromProtobuf.map(({ details }) => details["attributes"])).toEqual(
    fromJson.map(({ details }) => details["attributes"]),
  );
});

test("a retried request repeats itself, and a record that was collected again folds", () => {
  const keys = () => draftsOf(split(bytesOf(asJson!))).map(({ key }) => key);
  expect(keys()).toEqual(keys());
  const first = draftOf({ observedTimeUnixNano: "1795230140125000001" });
  expect(draftOf({ observedTimeUnixNano: "1795230999000000000" }).key).toBe(first.key);
  expect(draftOf({ timeUnixNano: "1795230140125000001" }).key).not.toBe(first.key);
  expect(draftOf({}, { "host.name": "compute-02" }).key).not.toBe(first.key);
});

test.each([
  [1, "info", "activity", "log.nova.trace"],
  [9, "info", "activity", "log.nova.info"],
  [12, "info", "activity", "log.nova.info"],
  [13, "warning", "symptom", "log.nova.warn"],
  [17, "error", "symptom", "log.nova.error"],
  [20, "error", "symptom", "log.nova.error"],
  [24, "critical", "symptom", "log.nova.fatal"],
  ["SEVERITY_NUMBER_ERROR2", "error", "symptom", "log.nova.error"],
] as const)("severity number %s is %s, and %s", (severityNumber, severity, kind, type) => {
  expect(draftOf({ severityNumber }, { "service.name": "nova" })).toMatchObject({ severity, kind, type });
});

test("a text stands in for a severity without number, and neither means no alarm", () => {
  expect(draftOf({ severityNumber: 0, severityText: "Critical" }).severity).toBe("critical");
  expect(draftOf({ severityNumber: 0, severityText: "odd" })).toMatchObject({
    severity: "info",
    kind: "activity",
  });
});

test("the connection says from which severity on a record is a symptom", () => {
  expect(draftOf({ severityNumber: 13 }, {}, { symptom_from: 17 }).kind).toBe("activity");
  expect(draftOf({ severityNumber: 9 }, {}, { symptom_from: 9 }).kind).toBe("symptom");
});

describe("times", () => {
  const timeOf = (record: JsonObject) => {
    const { occurredAt, details } = draftOf(record);
    return [formatInstant(occurredAt), details["time_from"]];
  };

  test("nanoseconds are read exactly, as text or as a number", () => {
    const expected = ["2026-11-21T03:02:20.125Z", undefined];
    expect(timeOf({ timeUnixNano: "1795230140125999999" })).toEqual(expected);
    expect(timeOf({ timeUnixNano: 1795230140125000000 })).toEqual(expected);
  });

  test("a record without its own time has that of its collection, else of its arrival", () => {
    expect(timeOf({ timeUnixNano: 0, observedTimeUnixNano: "1795230140125000000" })).toEqual([
      "2026-11-21T03:02:20.125Z",
      "observed",
    ]);
    expect(timeOf({ timeUnixNano: "0" })).toEqual(["2026-11-21T04:30:00.000Z", "received"]);
  });

  test("a time that is no number sets the record aside and leaves the others", () => {
    for (const timeUnixNano of ["yesterday", -1, 1.5, "1e3", "999999999999999999999"]) {
      const records = split(bodyOf({ timeUnixNano }));
      expect(
        code(() => otlpLogs.normalise(records[0]!, decoders)),
        String(timeUnixNano),
      ).toBe("record-invalid");
    }
  });
});

describe("the subject", () => {
  test("is what the record names by id, with the emitter and its host beside it", () => {
    const draft = draftOf(
      { attributes: [attribute("server_id", server.toUpperCase())] },
      { "service.name": "nova-compute", "host.name": "compute-02" },
    );
    expect(draft.subject).toEqual({ kind: "server", id: server });
    expect(draft.related).toEqual([
      { role: "reported_by", ref: { kind: "component", id: "nova-compute@compute-02" } },
      { role: "host", ref: { kind: "host", id: "compute-02" } },
    ]);
    expect(draft.platform).toBeUndefined();
  });

  test("is never the host, whose trouble would be told to every tenant on it", () => {
    const draft = draftOf({}, { "host.name": "compute-02" });
    expect(draft).toMatchObject({ subject: { kind: "component", id: "compute-02" }, platform: true });
  });

  test("is the guest where an OpenStack guest reports itself, and its own name is no host of the provider", () => {
    const draft = draftOf(
      {},
      { "cloud.provider": "openstack", "host.id": server, "host.name": "compute-02" },
    );
    expect(draft).toMatchObject({ subject: { kind: "server", id: server }, subjectName: "compute-02" });
    expect(draft.related.map(({ ref }) => ref.kind)).not.toContain("host");
    const elsewhere = draftOf({}, { "cloud.provider": "aws", "host.id": server });
    expect(elsewhere.subject.kind).toBe("component");
  });

  test("states no owner: a project in a record is who asked, and one of the resource what somebody believed", () => {
    const project = "0c8cbb7bd6034a1f9bbd1e0c3c8a2f0d";
    const draft = draftOf(
      { attributes: [attribute("project_id", project)] },
      { "cloud.account.id": project },
    );
    expect(draft.stated).toBeUndefined();
    expect(draft.actor).toEqual({ projectId: project });
    expect(draft.related).toContainEqual({ role: "labelled_project", ref: { kind: "project", id: project } });
  });
});

test("a record of an account's request that names nothing else is about the request, and of a resource about that", () => {
  const request = [
    attribute("request_id", "req-7b0f0a0e-5c55-4b43-9e4c-6f0f4f1c2d11"),
    attribute("user_id", "u"),
  ];
  const asked = draftOf({ attributes: request });
  expect(asked).toMatchObject({
    subject: { kind: "request", id: "req-7b0f0a0e-5c55-4b43-9e4c-6f0f4f1c2d11" },
    actor: { userId: "u" },
  });
  expect(asked.related).toContainEqual({ role: "caller", ref: { kind: "user", id: "u" } });
  expect([asked.stated, asked.platform]).toEqual([undefined, undefined]);
  const id = "6b1d19b6-d497-4577-9172-a9d1bc07ef9c";
  const named = draftOf({ attributes: [...request, attribute("resource_uuid", id)] });
  expect(named.subject).toEqual({ kind: "resource", id });
  expect(draftOf({ attributes: request.slice(0, 1) })).toMatchObject({
    subject: { kind: "component" },
    platform: true,
  });
});

test("the trace and oslo's request tie the steps of one operation together", () => {
  const requestId = "req-7b0f0a0e-5c55-4b43-9e4c-6f0f4f1c2d11";
  const traceId = "5B8EFFF798038103D269B633813FC60C";
  expect(draftOf({ traceId, attributes: [attribute("request_id", requestId)] }).operation).toEqual({
    requestId,
    workflowId: traceId.toLowerCase(),
  });
  expect(draftOf({ traceId: "0".repeat(32) }).operation).toBeUndefined();
});

describe("a request is refused", () => {
  const protobuf = (bytes: readonly number[] | Uint8Array) => () =>
    split(Uint8Array.from(bytes), "application/x-protobuf");

  test("by code, when it is none of ours", () => {
    expect(code(() => split(bytesOf({ text: "{}" }), "text/plain"))).toBe("media-type-unknown");
    for (const text of ["", "[]", "{", '{"resourceLogs":7}']) {
      expect(
        code(() => split(bytesOf({ text }))),
        text,
      ).toBe("body-invalid");
    }
    for (const bytes of [[0xff], [0x0a, 0x7f], [0x0a, 0x02, 0x12, 0x05]]) {
      expect(code(protobuf(bytes)), String(bytes)).toBe("body-invalid");
    }
  });

  test("when its protobuf holds millions of empty messages, before they are built", () => {
    const records = new Uint8Array(1_200_000).map((_, index) => (index % 2 === 0 ? 0x12 : 0x00));
    const wrap = (tag: number, inner: Uint8Array) => {
      const length = [
        inner.length & 0x7f,
        (inner.length >> 7) & 0x7f,
        (inner.length >> 14) & 0x7f,
        inner.length >> 21,
      ];
      const varint = length.map((part, index) => (index < 3 ? part | 0x80 : part));
      return new Uint8Array([tag, ...varint, ...inner]);
    };
    expect(code(protobuf(wrap(0x0a, wrap(0x12, records))))).toBe("body-invalid");
  });

  test("when its protobuf is nested without an end", () => {
    let value = Uint8Array.from([0x0a, 0x01, 0x78]);
    for (let depth = 0; depth < 60; depth += 1) {
      const list = [0x0a, (value.length & 0x7f) | 0x80, value.length >> 7, ...value];
      value = Uint8Array.from([0x2a, (list.length & 0x7f) | 0x80, list.length >> 7, ...list]);
    }
    const field = (tag: number, inner: Uint8Array) =>
      Uint8Array.from([tag, (inner.length & 0x7f) | 0x80, inner.length >> 7, ...inner]);
    expect(code(protobuf(field(0x0a, field(0x12, field(0x12, field(0x2a, value))))))).toBe("body-invalid");
  });

  test("when few bytes would become many: one large resource with thousands of records", () => {
    const resource = { attributes: [attribute("x", "y".repeat(500_000))] };
    const logRecords = Array.from({ length: 2_000 }, () => ({}));
    const body = bytesOf({ json: { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] } });
    expect(code(() => split(body))).toBe("body-too-large");
  });
});

test("an empty request is a receipt for nothing", () => {
  expect(split(bytesOf({ text: "{}" }))).toEqual([]);
  expect(split(new Uint8Array(), "application/x-protobuf")).toEqual([]);
});
