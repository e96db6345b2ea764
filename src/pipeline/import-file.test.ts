import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestStore } from "../../test/database.ts";
import { openTestStore } from "../../test/database.ts";
import { notification, stagesOver } from "../../test/stages.ts";
import { alertmanager } from "../sources/alertmanager.ts";
import { openstackNotifications } from "../sources/openstack-notifications.ts";
import { instant } from "../model/instant.ts";
import { importFile } from "./import-file.ts";
import type { Stages } from "./ingest.ts";
import { receiveRequest } from "./receive.ts";

let opened: TestStore;
let stages: Stages;
let folder: string;

beforeEach(async () => {
  opened = await openTestStore();
  stages = stagesOver(opened.store);
  folder = await mkdtemp(join(tmpdir(), "isochron-import-"));
});

afterEach(async () => {
  await opened.close();
  await rm(folder, { recursive: true });
});

const line = (number: number) =>
  Buffer.from(
    notification(number, "volume.create.end", { volume_id: `v${number}`, tenant_id: "acme" }).bytes,
  ).toString();

async function read(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  await writeFile(path, content);
  const connection = { name: "bus", source: openstackNotifications.name, controlPlane: "cloud" };
  await stages.store.connect({ ...connection, config: {} });
  return importFile(stages, { connection, source: openstackNotifications, path });
}

describe("importing a file", () => {
  it("reads plain and compressed lines alike, and nothing twice", async () => {
    const lines = [1, 2, 3].map(line).join("\n");
    expect(await read("plain.jsonl", lines)).toMatchObject({ records: 3, created: 3 });
    expect(await read("packed.jsonl.gz", gzipSync(lines))).toMatchObject({
      records: 3,
      created: 0,
      repeated: 3,
    });
  });

  it("imports the good half of a half-good file and sets the rest aside, each line by itself", async () => {
    const endless = `{"body": "${"x".repeat(5 * 1024 * 1024)}"}`;
    const bad = [
      "{",
      "[]",
      '"text"',
      "null",
      '{"oslo.message": 7}',
      "\u0000",
      endless,
      `${"[".repeat(6000)}${"]".repeat(6000)}`,
    ];
    const outcome = await read("half.jsonl", [line(1), ...bad, line(2)].join("\n"));
    expect(outcome).toMatchObject({ records: 10, created: 2, setAside: 8 });
    const kept = await stages.store.setAside("bus", 20);
    expect(kept.map((record) => record.position).toSorted()).toEqual(
      [2, 3, 4, 5, 6, 7, 8, 9].map((number) => `line ${number}`),
    );
    expect(kept.find((record) => record.position === "line 8")).toMatchObject({ code: "body-too-large" });
  });

  it("sets every line aside that is not valid UTF-8, with its bytes", async () => {
    const latin = Buffer.from(line(1).replace("acme", "\u00e9"), "latin1");
    expect(await read("latin.jsonl", latin)).toMatchObject({ setAside: 1 });
    const [kept] = await stages.store.setAside("bus", 1);
    expect(Buffer.from(kept!.bytes).equals(latin)).toBe(true);
  });

  it("says what is wrong with a file that cannot be read", async () => {
    const broken = gzipSync(line(1)).subarray(0, 40);
    await expect(read("cut.jsonl.gz", broken)).rejects.toMatchObject({ code: "file-unreadable" });
  });

  it("passes over lines that hold nothing but white space", async () => {
    const outcome = await read("blank.jsonl", `${line(1)}\n \t\r\n\n${line(2)}\n   `);
    expect(outcome).toMatchObject({ records: 2, created: 2, setAside: 0 });
  });

  it("is never complete beyond its trusted events, nor beyond our clock", async () => {
    const completeTo = async () =>
      (await opened.store.reader.coverage({ kind: "provider" })).connections[0]?.completeTo;
    const later = line(5).replace("2026-11-21 01:00:05", "2190-01-01 00:00:00");
    await read("future.jsonl", [line(1), later].join("\n"));
    expect(await completeTo()).toBe(Date.UTC(2026, 10, 21, 1, 0, 1));
    stages = stagesOver(opened.store, instant(Date.UTC(2026, 10, 21, 1, 0, 7)));
    await read("plain.jsonl", [line(1), line(9)].join("\n"));
    expect(await completeTo()).toBe(Date.UTC(2026, 10, 21, 1, 0, 7));
  });

  it("is complete up to its last event", async () => {
    await read("plain.jsonl", [line(1), line(9)].join("\n"));
    const { connections } = await opened.store.reader.coverage({ kind: "provider" });
    expect(connections[0]?.completeTo).toBe(Date.UTC(2026, 10, 21, 1, 0, 9));
  });
});

describe("receiving a posted body", () => {
  const post = (body: string) =>
    receiveRequest(
      stages,
      () => alertmanager,
      { name: "alerts", source: "alertmanager", controlPlane: "cloud" },
      { headers: { "content-type": "application/json" }, body: Buffer.from(body), receivedAt: instant(0) },
    );

  it("keeps a body that it must refuse, because nobody may send it again", async () => {
    await expect(post('{"version": "4", "alerts": [')).rejects.toMatchObject({ kind: "invalid" });
    expect(await stages.store.setAside("alerts", 5)).toHaveLength(1);
  });

  it("does not answer for a connection that takes no requests", async () => {
    const request = { headers: {}, body: Buffer.from("{}"), receivedAt: instant(0) };
    expect(await receiveRequest(stages, () => alertmanager, undefined, request)).toBeUndefined();
  });
});

it("a time zone is refused for records that state their own", async () => {
  const path = join(folder, "zoned.jsonl");
  await writeFile(path, line(1));
  const connection = { name: "bus", source: openstackNotifications.name, controlPlane: "cloud" };
  const request = { connection, source: openstackNotifications, path, timeZone: "Europe/Paris" };
  await expect(importFile(stages, request)).rejects.toMatchObject({ code: "usage" });
});
