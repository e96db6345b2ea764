import { headers as messageHeaders } from "@nats-io/transport-node";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../model/instant.ts";
import { decoders } from "../normalise/decode.ts";
import { nats } from "./nats.ts";
import { natsConfig } from "./nats/config.ts";
import { recordOf } from "./nats/consume.ts";
import { formatPlace, lossBetween, parsePlace } from "./nats/stream-place.ts";

const takenAt = instant(Date.UTC(2026, 10, 21, 3));
const now = instant(takenAt + 60_000);

function message(body: string, headers: Readonly<Record<string, string>>) {
  const named = messageHeaders();
  for (const [name, value] of Object.entries(headers)) named.set(name, value);
  const data = new TextEncoder().encode(body);
  return { data, headers: named, subject: "events.deploy", seq: 42, time: new Date(takenAt) };
}

const attributes = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": "org.example.b" };

test("an event in headers and the same event in JSON have one key", () => {
  const binary = recordOf(message("{}", attributes), "EVENTS");
  const json = JSON.stringify({ specversion: "1.0", id: "1", source: "/a", type: "org.example.b", data: {} });
  const structured = recordOf(message(json, {}), "EVENTS");
  const [one, other] = [binary, structured].map((record) => nats.normalise(record, decoders).events[0]!);
  expect(one?.key).toBe(other?.key);
  // Without a time of its own an event has the stream's, which is the same at each delivery.
  expect(one?.occurredAt).toBe(takenAt);
});

test.each([
  ["another event format", message("Obj", { "content-type": "application/cloudevents+avro" })],
  [
    "a batch, which the binding does not know",
    message("[]", { "content-type": "application/cloudevents-batch+json" }),
  ],
  ["no CloudEvent", message('{"message": "hello"}', { "content-type": "application/json" })],
  ["no id", message("{}", { ...attributes, "ce-id": "" })],
  ["nothing", message("", {})],
])("a message is refused whole: %s", (_what, broken) => {
  expect(() => nats.normalise(recordOf(broken, "EVENTS"), decoders)).toThrow(
    expect.objectContaining({ code: "record-invalid" }),
  );
});

const before = { streamSeq: 10, consumerSeq: 10, completeTo: takenAt };
const seen = { firstSeq: 1, firstAt: takenAt, filtered: false };

test("a purge that the server moved the consumer past is a loss", () => {
  const loss = lossBetween(
    before,
    { ...seen, streamSeq: 20, consumerSeq: 10, firstSeq: 21, firstAt: undefined },
    "S",
    now,
    undefined,
  );
  expect(loss?.finding.code).toBe("place-lost");
  expect(loss?.finding.says).toMatch(/^10 messages of stream S/);
  expect(loss?.hole).toMatchObject({ from: takenAt, to: now });
});

test("messages that the stream's limits dropped before they were read are a loss", () => {
  const firstAt = instant(takenAt + 30_000);
  const loss = lossBetween(
    before,
    { ...seen, streamSeq: 10, consumerSeq: 10, firstSeq: 15, firstAt },
    "S",
    now,
    undefined,
  );
  expect(loss?.finding.code).toBe("outlived-retention");
  expect(loss?.hole).toMatchObject({ from: takenAt, to: firstAt });
});

test("a consumer that reads every message loses none, whatever the stream drops behind it and however often it gives one again", () => {
  const counts = fc.record({ given: fc.nat(500), again: fc.nat(50), dropped: fc.nat(500) });
  fc.assert(
    fc.property(counts, fc.boolean(), ({ given, again, dropped }, filtered) => {
      const streamSeq = before.streamSeq + given;
      const consumerSeq = before.consumerSeq + given + again;
      const firstSeq = Math.min(streamSeq + 1, 1 + dropped);
      expect(
        lossBetween(before, { ...seen, streamSeq, consumerSeq, firstSeq, filtered }, "S", now, now),
      ).toBeUndefined();
    }),
  );
});

test("with a filter, what was skipped while messages were given may be other subjects", () => {
  const moved = { ...seen, streamSeq: 30, consumerSeq: 12, filtered: true };
  expect(lossBetween(before, moved, "S", now, undefined)).toBeUndefined();
  const purged = { ...moved, consumerSeq: 10, firstSeq: 31, firstAt: undefined };
  expect(lossBetween(before, purged, "S", now, undefined)?.finding.says).toMatch(/perhaps of other subjects/);
});

test("a place survives its way through the consumer's description", () => {
  for (const place of [before, { streamSeq: 0, consumerSeq: 7 }]) {
    expect(parsePlace(formatPlace(place))).toEqual(place);
  }
  expect(parsePlace("somebody's consumer")).toBeUndefined();
  expect(parsePlace(undefined)).toBeUndefined();
});

test("credentials are given by reference only", () => {
  const plain = natsConfig.safeParse({
    servers: ["a:4222"],
    stream: "S",
    user: "u",
    password: "in the open",
  });
  expect(plain.success).toBe(false);
});
