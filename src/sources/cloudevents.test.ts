import { expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { cloudevents } from "./cloudevents.ts";
import { fileOf } from "./conformance/fixture.ts";
import type { RawRecord } from "./source.ts";

const receivedAt = instant(Date.UTC(2026, 10, 21, 3, 30));
const event = {
  specversion: "1.0",
  id: "1",
  source: "/x",
  type: "com.example.Thing",
  time: "2026-11-21T03:00:00.25Z",
};

function split(headers: Record<string, string>, body: string | Uint8Array): readonly RawRecord[] {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return cloudevents.split({ headers, body: bytes, receivedAt }, decoders);
}

function structured(body: Json): readonly RawRecord[] {
  return split({ "content-type": "application/cloudevents+json" }, JSON.stringify(body));
}

function draft(extra: Record<string, Json> = {}): EventDraft {
  return draftsOf(structured({ ...event, ...extra }))[0]!;
}

function draftsOf(records: readonly RawRecord[]): EventDraft[] {
  return records.flatMap((record) => cloudevents.normalise(record, decoders).events);
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

test("all three content modes give the same event", () => {
  const headers = Object.fromEntries(Object.entries(event).map(([name, value]) => [`ce-${name}`, value]));
  const binary = split({ ...headers, "content-type": "application/json" }, '{"a":1}');
  const whole = { ...event, datacontenttype: "application/json", data: { a: 1 } };
  const batch = split(
    { "content-type": "application/cloudevents-batch+json" },
    JSON.stringify([whole, whole]),
  );
  const [expected] = draftsOf(structured(whole));
  expect(draftsOf(binary)).toEqual([expected]);
  expect(draftsOf(batch)).toEqual([expected, expected]);
  expect(expected).toMatchObject({
    key: "/x 1",
    sourceIds: ["1"],
    type: "com.example.thing",
    occurredAt: Date.UTC(2026, 10, 21, 3, 0, 0, 250),
    precision: 0,
    kind: "activity",
  });
});

test("one bad event of a batch leaves the others alone", () => {
  const records = split(
    { "content-type": "application/cloudevents-batch+json" },
    JSON.stringify([event, { ...event, id: undefined }, "x", { ...event, id: "2" }]),
  );
  expect(records.map((record) => code(() => cloudevents.normalise(record, decoders)))).toEqual([
    "accepted",
    "record-invalid",
    "record-invalid",
    "accepted",
  ]);
});

test.each<[Record<string, Json>, string]>([
  [{ specversion: "0.3" }, "record-invalid"],
  [{ id: "" }, "record-invalid"],
  [{ source: null }, "record-invalid"],
  [{ type: 7 }, "record-invalid"],
  [{ time: "2026-11-21T03:00:00" }, "record-invalid"],
  [{ time: "now" }, "record-invalid"],
  [{ time: 7 }, "record-invalid"],
  [{ isochronkind: "surprise" }, "record-invalid"],
  [{ isochronseverity: "purple" }, "record-invalid"],
  [{ severitytext: "purple" }, "accepted"],
  [{ subject: "" }, "accepted"],
])("an event with %j is %s", (extra, expected) => {
  expect(code(() => draft(extra))).toBe(expected);
});

test("an event without a time happened when it was recorded, or else when it arrived", () => {
  const { time: _time, ...timeless } = event;
  const [arrived] = draftsOf(structured(timeless));
  expect(arrived).toMatchObject({
    occurredAt: receivedAt,
    precision: 60_000,
    details: { time_from: "received" },
  });
  const [recorded] = draftsOf(structured({ ...timeless, recordedtime: "2026-11-21T03:00:00Z" }));
  expect(recorded).toMatchObject({
    occurredAt: Date.UTC(2026, 10, 21, 3),
    details: { time_from: "recordedtime" },
  });
});

test.each([
  ["server/abc", "server:abc"],
  ["/volumes/abc", "volume:abc"],
  ["images/2026/cat.png", "component:images/2026/cat.png"],
  ["mynewfile.jpg", "component:mynewfile.jpg"],
  ["unicorn/abc", "component:unicorn/abc"],
])("the subject %s is %s", (subject, expected) => {
  const { subject: ref } = draft({ subject });
  expect(`${ref.kind}:${ref.id}`).toBe(expected);
});

test.each<[Record<string, Json>, string]>([
  [{}, "info"],
  [{ severitynumber: 9 }, "info"],
  [{ severitynumber: 13 }, "warning"],
  [{ severitynumber: "17" }, "error"],
  [{ severitynumber: 24 }, "critical"],
  [{ severitytext: "FATAL" }, "critical"],
  [{ severitytext: "FATAL", isochronseverity: "warning" }, "warning"],
  [{ severitynumber: { toString: "17" } }, "info"],
])("%j is of severity %s", (extra, severity) => {
  expect(draft(extra).severity).toBe(severity);
});

test("a mention proves no owner, who did it is no owner, and claims are not kept", () => {
  const one = draft({
    isochronrelated: "server/a, cause=host/b, nonsense",
    authid: "u-1",
    authclaims: "secret",
    project: "p-1",
  });
  expect(one.related).toEqual([
    { role: "refers_to", ref: { kind: "server", id: "a" } },
    { role: "cause", ref: { kind: "host", id: "b" } },
  ]);
  expect(one.actor).toEqual({ userId: "u-1" });
  expect(one.stated).toBeUndefined();
  expect(JSON.stringify(one)).not.toContain("secret");
});

test("the same id of another source is another event, whatever signs they hold", () => {
  expect(draft({ source: "/a b", id: "c" }).key).not.toBe(draft({ source: "/a", id: "b c" }).key);
});

test.each([
  [{ "content-type": "application/json" }, "{}", "media-type-unknown"],
  [{}, "{}", "media-type-unknown"],
  [{ "content-type": "application/cloudevents+json" }, "{", "body-invalid"],
  [{ "content-type": "application/cloudevents+json" }, "[]", "body-invalid"],
  [{ "content-type": "application/cloudevents-batch+json" }, "{}", "body-invalid"],
  [{ "content-type": "application/cloudevents-batch+json" }, "[]", "accepted"],
])("a request with %j and the body %s is %s", (headers, body, expected) => {
  expect(code(() => split(headers as unknown as Record<string, string>, body))).toBe(expected);
});

test("binary data that is said to be JSON must be JSON; other data is kept as text or base64", () => {
  const headers = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "t" };
  const data = (type: string, body: string | Uint8Array): Json | undefined =>
    draftsOf(split({ ...headers, "content-type": type }, body))[0]!.details["data"];
  expect(data("application/problem+json", '{"n":9007199254740993}')).toEqual({ n: "9007199254740993" });
  expect(data("text/plain", "Grüße")).toBe("Grüße");
  expect(data("image/png", Uint8Array.of(255, 0))).toBe("/wA=");
  expect(data("application/json", "")).toBeUndefined();
  expect(code(() => data("application/json", "{"))).toBe("record-invalid");
  expect(code(() => data("text/plain", Uint8Array.of(255)))).toBe("record-invalid");
});

test("files may hold one event, many lines, or arrays, and a bad part leaves the rest alone", async () => {
  const files: [string, string, number, number][] = [
    ["one.json", JSON.stringify(event, null, 2), 1, 0],
    ["many.json", JSON.stringify([event, 7, event]), 2, 1],
    ["lines.jsonl", `${JSON.stringify(event)}\n{\n${JSON.stringify([event, event])}\n`, 3, 1],
    ["lines.json", `${JSON.stringify(event)}\n${JSON.stringify(event)}\n`, 2, 0],
    ["pretty", JSON.stringify(event, null, 2), 1, 0],
    ["pretty.txt", JSON.stringify([event, event], null, 2), 2, 0],
    ["cut.json", JSON.stringify(event, null, 2).slice(0, 20), 0, 2],
  ];
  for (const [name, text, good, bad] of files) {
    const records: RawRecord[] = [];
    const file = fileOf(name, new TextEncoder().encode(text));
    for await (const record of cloudevents.splitFile!(file, decoders)) records.push(record);
    const codes = records.map((record) => code(() => cloudevents.normalise(record, decoders)));
    expect([name, codes.filter((one) => one === "accepted").length, codes.length]).toEqual([
      name,
      good,
      good + bad,
    ]);
  }
});
