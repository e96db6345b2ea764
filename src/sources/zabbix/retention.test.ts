import { expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { bytesOf } from "../conformance/fixture.ts";
import type { HttpRequest, SourceIo } from "../source.ts";
import { zabbix } from "../zabbix.ts";
import { zabbixCursor } from "./event-pass.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 21, 4);

/** A Zabbix whose housekeeper has left nothing but one event. */
const io = {
  http: ({ body }: HttpRequest) => {
    const { method } = JSON.parse(body!) as JsonObject;
    const events: Json = [
      { eventid: "900", clock: "1795233000", value: "1", name: "down", hosts: [], tags: [] },
    ];
    const result = method === "apiinfo.version" ? "6.4.0" : method === "event.get" ? events : [];
    return Promise.resolve({ status: 200, headers: {}, body: bytesOf({ json: { result } }) });
  },
  now: () => instant(now),
  secret: () => "token",
} as Partial<SourceIo> as SourceIo;

const config = zabbix.config.parse({
  url: "https://zabbix.example/",
  token: "env:ZABBIX",
  retention_days: 30,
});

/** The cursor of a connection that was read so many days ago, as an earlier version wrote it. */
function readBefore(days: number) {
  const marks = [{ at: now - days * dayMs, id: "500" }];
  return zabbixCursor.parse({ since: now - 400 * dayMs, floor: "499", marks, pass: null });
}

test("an absence that is longer than the housekeeper keeps events is a hole, told once", async () => {
  const page = await zabbix.fetch(config, readBefore(40), io);
  expect(page.findings).toMatchObject([{ code: "outlived-retention" }]);
  expect(page.holes).toMatchObject([{ reason: "outlived-retention", to: now - 30 * dayMs }]);
  expect(page.holes![0]!.from).toBeLessThanOrEqual(now - 40 * dayMs);
  expect(page.holes![0]!.from).toBeGreaterThan(now - 41 * dayMs);
  const next = await zabbix.fetch(config, page.cursor, io);
  expect(next.holes).toEqual([]);
});

test("a shorter absence is none", async () => {
  expect((await zabbix.fetch(config, readBefore(29), io)).holes).toEqual([]);
});
