import { createHmac } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TestStore } from "../../test/database.ts";
import { openTestStore } from "../../test/database.ts";
import { stagesOver } from "../../test/stages.ts";
import { IsochronError } from "../errors.ts";
import { instant } from "../model/instant.ts";
import { findSource } from "../sources/registry.ts";
import type { PushSettings } from "../sources/source.ts";
import type { Stages } from "./ingest.ts";
import { noteTooLarge, receiveRequest } from "./receive.ts";
import { replaySetAside } from "./replay.ts";

const receivedAt = instant(Date.UTC(2026, 10, 21, 4));

let opened: TestStore;
let stages: Stages;

beforeEach(async () => {
  opened = await openTestStore();
  stages = stagesOver(opened.store);
});

afterEach(() => opened.close());

function post(source: string, headers: Record<string, string>, body: Uint8Array, settings?: PushSettings) {
  const connection = { name: source, source, controlPlane: "cloud" };
  return receiveRequest(stages, findSource, connection, { headers, body, receivedAt }, settings);
}

const group = (count: number) =>
  JSON.stringify({
    version: "4",
    alerts: Array.from({ length: count }, (_, index) => ({
      status: "firing",
      labels: { alertname: `Alert${index}` },
      startsAt: "2026-11-21T03:00:00Z",
      fingerprint: String(index),
    })),
  });

const zipped = { "content-type": "application/json", "content-encoding": "gzip" };

test("a compressed body is undone once, and repeating it plain changes nothing", async () => {
  expect(await post("alertmanager", zipped, gzipSync(group(40)))).toMatchObject({ created: 40 });
  const plain = { "content-type": "application/json" };
  expect(await post("alertmanager", plain, Buffer.from(group(40)))).toMatchObject({
    created: 0,
    repeated: 40,
  });
});

test("a body that grows out of proportion, or beyond what is read, is counted and refused, and not kept", async () => {
  const noise = Buffer.from(Array.from({ length: 9 * 2 ** 20 }, (_, index) => (index * index * 31) % 251));
  for (const bomb of [gzipSync(Buffer.alloc(2 ** 20, 32)), gzipSync(noise)]) {
    await expect(post("alertmanager", zipped, bomb)).rejects.toMatchObject({ code: "body-too-large" });
  }
  const kept = await stages.store.setAside("alertmanager", 5);
  expect(kept.map(({ code, bytes }) => [code, bytes.length])).toEqual([
    ["body-too-large", 0],
    ["body-too-large", 0],
  ]);
});

test("a compressed body takes room as it grows, and is put off where there is none, with nothing kept", async () => {
  const connection = { name: "alertmanager", source: "alertmanager", controlPlane: "cloud" };
  const body = gzipSync(group(400));
  let taken = 0;
  const receive = (bytesMax: number) =>
    receiveRequest(
      stages,
      findSource,
      connection,
      { headers: zipped, body, receivedAt },
      undefined,
      (bytes) => {
        taken += bytes;
        if (taken > bytesMax) throw new IsochronError("overloaded", "There is no room.", "Wait.");
      },
    );
  await expect(receive(1000)).rejects.toMatchObject({ code: "overloaded" });
  expect(await stages.store.setAside("alertmanager", 5)).toEqual([]);
  taken = 0;
  expect(await receive(1_000_000)).toMatchObject({ created: 400 });
  expect(taken).toBe(group(400).length);
});

test("a body that was never read is counted once for its length, and a replay leaves it as it is", async () => {
  const connection = { name: "alertmanager", source: "alertmanager", controlPlane: "cloud" };
  const request = { declaredBytes: 10_000_000, contentType: "application/json", receivedAt };
  for (let attempt = 0; attempt < 2; attempt++) await noteTooLarge(stages, findSource, connection, request);
  const bus = { ...connection, name: "bus", source: "openstack-notifications" };
  await noteTooLarge(stages, findSource, bus, request);
  await noteTooLarge(stages, findSource, undefined, request);
  expect(await replaySetAside(stages, findSource, "alertmanager")).toMatchObject({ setAside: 1 });
  const { connections } = await opened.store.reader.coverage({ kind: "provider" });
  expect(connections.map((one) => [one.connection, one.counts.setAside])).toEqual([["alertmanager", 1]]);
  expect(await stages.store.setAside("alertmanager", 5)).toMatchObject([
    { position: "request body of 10000000 bytes", code: "body-too-large", attempts: 2 },
  ]);
});

test("a body that is not what its encoding says is kept as it came, and refused", async () => {
  const broken = gzipSync(group(1)).subarray(0, 60);
  await expect(post("alertmanager", zipped, broken)).rejects.toMatchObject({ code: "body-invalid" });
  const [kept] = await stages.store.setAside("alertmanager", 5);
  expect(Buffer.from(kept!.bytes).equals(broken)).toBe(true);
});

test("nothing is stored of a request whose signature does not fit, not even set aside", async () => {
  const body = Buffer.from("not even JSON");
  const headers = { "x-github-event": "push", "x-hub-signature-256": "sha256=00" };
  const settings = { config: { secret: "env:SECRET" }, secret: () => "known to the sender" };
  await expect(post("git-forge", headers, body, settings)).rejects.toMatchObject({
    code: "signature-invalid",
  });
  expect(await stages.store.setAside("git-forge", 5)).toEqual([]);
  const signature = createHmac("sha256", "known to the sender").update(body).digest("hex");
  const signed = { ...headers, "x-hub-signature-256": `sha256=${signature}` };
  await expect(post("git-forge", signed, body, settings)).rejects.toMatchObject({ code: "body-invalid" });
  expect(await stages.store.setAside("git-forge", 5)).toHaveLength(1);
});
