import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestStore } from "../../test/database.ts";
import { openTestStore } from "../../test/database.ts";
import { stagesOver } from "../../test/stages.ts";
import { IsochronError } from "../errors.ts";
import { instant } from "../model/instant.ts";
import { decoders } from "../normalise/decode.ts";
import { ingest } from "../pipeline/ingest.ts";
import { cloudevents } from "./cloudevents.ts";
import { readFixture } from "./conformance/fixture.ts";
import { gitForge } from "./git-forge.ts";
import type { PushRequest, WebhookSource } from "./source.ts";

/** Signed requests that somebody kept and sends again. */

const receivedAt = instant(Date.UTC(2026, 10, 21, 3, 30));
const seconds = receivedAt / 1000;
const key = Buffer.from("0123456789abcdef0123456789abcdef");
const secrets: Record<string, string> = {
  "env:NOW": `whsec_${key.toString("base64")}`,
  "env:BEFORE": `whsec_${Buffer.from("another key").toString("base64")}`,
  "env:PLAIN": "open sesame",
};
const secret = (reference: string) => secrets[reference]!;

function signed(at: number | string, by = key, id = "msg_1"): PushRequest {
  const event = { specversion: "1.0", id: "1", source: "/x", type: "thing", time: "2026-11-21T03:00:00Z" };
  const body = new TextEncoder().encode(JSON.stringify(event));
  const signature = createHmac("sha256", by).update(`${id}.${at}.`).update(body).digest("base64");
  const headers = {
    "content-type": "application/cloudevents+json",
    "webhook-id": id,
    "webhook-timestamp": String(at),
    "webhook-signature": `v1,${Buffer.alloc(32).toString("base64")} v1,${signature}`,
  };
  return { headers, body, receivedAt };
}

function outcome(
  request: PushRequest,
  config: Record<string, string> = { signing_secret: "env:NOW" },
): string {
  try {
    cloudevents.split(request, decoders, { config, secret });
    return "accepted";
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
}

describe("CloudEvents with a signing secret", () => {
  test("are taken within the tolerance, and by one of several signatures", () => {
    expect([seconds, seconds - 300, seconds + 300].map((at) => outcome(signed(at)))).toEqual(
      Array(3).fill("accepted"),
    );
  });

  test("are refused when they are older, of the future, without a time, or without an id", () => {
    const refused = [
      signed(seconds - 301),
      signed(seconds + 301),
      signed("soon"),
      signed(""),
      signed(seconds, key, ""),
    ];
    expect(refused.map((request) => outcome(request))).toEqual(Array(5).fill("signature-invalid"));
  });

  test("are refused with one more byte, another id, another time, another key, or no signature", () => {
    const request = signed(seconds);
    const changed = [
      { ...request, body: Buffer.concat([request.body, Buffer.from(" ")]) },
      ...[
        { "webhook-id": "msg_2" },
        { "webhook-timestamp": String(seconds + 1) },
        { "webhook-signature": "" },
      ].map((header) => ({ ...request, headers: { ...request.headers, ...header } })),
      signed(seconds, Buffer.from("a third key")),
    ];
    expect(changed.map((one) => outcome(one))).toEqual(Array(5).fill("signature-invalid"));
  });

  test("are taken under the secret before it while a new one is rolled out", () => {
    const old = signed(seconds, Buffer.from("another key"));
    expect(outcome(old)).toBe("signature-invalid");
    expect(outcome(old, { signing_secret: "env:NOW", previous_signing_secret: "env:BEFORE" })).toBe(
      "accepted",
    );
  });

  test("need a secret that is one, and none where the connection asks for none", () => {
    expect(outcome(signed(seconds), { signing_secret: "env:PLAIN" })).toBe("config-invalid");
    expect(outcome({ ...signed(0), headers: { "content-type": "application/cloudevents+json" } }, {})).toBe(
      "accepted",
    );
  });
});

describe("in the store", () => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore();
  });
  afterAll(() => opened.close());

  async function post(source: WebhookSource, request: PushRequest, config = {}) {
    const records = source.split(request, decoders, { config, secret });
    const connection = { name: `${source.name}@one`, source: source.name, controlPlane: "one" };
    await opened.store.events.connect({ ...connection, config: {} });
    const { created, repeated, revised } = await ingest(stagesOver(opened.store), {
      connection,
      source,
      stream: "webhook",
      records,
    });
    return { created, repeated: repeated + revised };
  }

  test("a delivery of GitHub that is replayed, years later and under any id, is a repetition", async () => {
    const found = readFixture("git-forge").requests!.find(
      ({ headers }) => headers["x-github-event"] === "push",
    )!;
    const body = new TextEncoder().encode(found.text);
    const again = { ...found.headers, "x-github-delivery": "forged" };
    const later = instant(receivedAt + 3 * 365 * 86_400_000);
    expect(await post(gitForge, { headers: found.headers, body, receivedAt })).toEqual({
      created: 1,
      repeated: 0,
    });
    expect(await post(gitForge, { headers: found.headers, body, receivedAt: later })).toEqual({
      created: 0,
      repeated: 1,
    });
    expect(await post(gitForge, { headers: again, body, receivedAt: later })).toEqual({
      created: 0,
      repeated: 1,
    });
  });

  test("a signed CloudEvent that is replayed within the tolerance is a repetition", async () => {
    const config = { signing_secret: "env:NOW" };
    expect(await post(cloudevents, signed(seconds), config)).toEqual({ created: 1, repeated: 0 });
    expect(await post(cloudevents, signed(seconds), config)).toEqual({ created: 0, repeated: 1 });
  });
});
