import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { receiveRequest } from "../src/pipeline/receive.ts";
import { findSource } from "../src/sources/registry.ts";
import { IsochronError } from "../src/errors.ts";
import type { PushRequest } from "../src/sources/source.ts";
import { worldEnd } from "./api-world.ts";
import { countEvents, openTestStore, type TestStore } from "./database.ts";
import { stagesOver } from "./stages.ts";

const keys = { now: Buffer.alloc(32, 1), before: Buffer.alloc(32, 2), foreign: Buffer.alloc(32, 3) };
const spelt = (key: Buffer): string => `whsec_${key.toString("base64")}`;
const secrets: Readonly<Record<string, string>> = {
  "env:NOW": spelt(keys.now),
  "env:BEFORE": spelt(keys.before),
};
const settings = {
  config: { signing_secret: "env:NOW", previous_signing_secret: "env:BEFORE" },
  secret: (reference: string) => secrets[reference] ?? "",
};
const connection = { name: "desk", source: "cloudevents", controlPlane: "default" };
const nowSeconds = Math.floor(worldEnd / 1000);
const event = { specversion: "1.0", id: "1", source: "/desk", type: "desk.changed", subject: "server/a" };
const body = JSON.stringify(event);

let database: TestStore;
beforeAll(async () => {
  database = await openTestStore();
});
afterAll(() => database.close());

function signed(key: Buffer, seconds: number | string = nowSeconds, text = body): PushRequest {
  const signature = createHmac("sha256", key).update(`msg_1.${seconds}.${text}`).digest("base64");
  return {
    headers: {
      "content-type": "application/cloudevents+json",
      "webhook-id": "msg_1",
      "webhook-timestamp": String(seconds),
      "webhook-signature": `v1,${signature}`,
    },
    body: Buffer.from(text),
    receivedAt: worldEnd,
  };
}

function receive(request: PushRequest) {
  return receiveRequest(stagesOver(database.store, worldEnd), findSource, connection, request, settings);
}

async function refusalOf(request: PushRequest): Promise<string> {
  try {
    await receive(request);
    return "taken";
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
}

describe("a signed webhook", () => {
  const sound = signed(keys.now);
  const { "webhook-signature": _, ...unsigned } = sound.headers;
  const refused: readonly (readonly [string, PushRequest])[] = [
    ["no signature", { ...sound, headers: unsigned }],
    ["a signature of nothing", { ...sound, headers: { ...sound.headers, "webhook-signature": "v1," } }],
    [
      "a signature of another scheme",
      { ...sound, headers: { ...sound.headers, "webhook-signature": "v9,abc" } },
    ],
    ["another's key", signed(keys.foreign)],
    ["a stale time", signed(keys.now, nowSeconds - 301)],
    ["a time of the future", signed(keys.now, nowSeconds + 301)],
    ["no time at all", signed(keys.now, "")],
    [
      "a body that was serialised again",
      { ...sound, body: Buffer.from(JSON.stringify(event, undefined, 1)) },
    ],
    ["another id", { ...sound, headers: { ...sound.headers, "webhook-id": "msg_2" } }],
    [
      "another time",
      { ...sound, headers: { ...sound.headers, "webhook-timestamp": String(nowSeconds + 1) } },
    ],
  ];

  test.each(refused)("with %s stores nothing", async (_name, request) => {
    expect(await refusalOf(request)).toBe("signature-invalid");
    expect(await countEvents(database)).toBe(0);
  });

  test("is stored once, however often it is replayed, with the new secret or the one before it", async () => {
    expect(await receive(signed(keys.before))).toMatchObject({ created: 1 });
    for (let times = 0; times < 1_000; times += 1)
      expect(await receive(times % 2 === 0 ? sound : signed(keys.before, nowSeconds - 60))).toMatchObject({
        created: 0,
      });
    expect(await countEvents(database)).toBe(1);
  });
});
