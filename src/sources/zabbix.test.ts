import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { bytesOf } from "./conformance/fixture.ts";
import { asObject } from "./json-fields.ts";
import type { HttpRequest, HttpResponse, Page, SourceIo } from "./source.ts";
import { zabbix } from "./zabbix.ts";
import type { ZabbixCursor } from "./zabbix/event-pass.ts";
import { zabbixCursor } from "./zabbix/event-pass.ts";

const start = Date.UTC(2026, 10, 21, 4);
const token = "s3cret-canary";
const url = "https://zabbix.example.org/zabbix";

function row(id: number | bigint, more: JsonObject = {}): JsonObject {
  const clock = String(start / 1000 - 600);
  const hosts = [{ hostid: "7", host: "web-01", name: "Web 1" }];
  return {
    eventid: String(id),
    objectid: "5",
    clock,
    ns: "0",
    value: "1",
    name: "down",
    severity: "4",
    hosts,
    tags: [],
    ...more,
  };
}

interface Server {
  /** Rows in the order in which they became readable. */
  readonly rows: JsonObject[];
  readonly asked: { readonly request: HttpRequest; readonly method: string; readonly params: JsonObject }[];
  now: number;
  readonly io: SourceIo;
}

/** The API over rows that tests add to; `reply` stands in for what it answers. */
function server(version = "6.0.14", reply?: (method: string) => Partial<HttpResponse> | undefined): Server {
  const rows: JsonObject[] = [];
  const asked: Server["asked"][number][] = [];
  const answer = (method: string, params: JsonObject): Json => {
    if (method === "apiinfo.version") return version;
    if (method === "host.get") return [{ hostid: "7", interfaces: [{ ip: "192.0.2.7", useip: "1" }] }];
    const from = typeof params["eventid_from"] === "string" ? BigInt(params["eventid_from"]) : 0n;
    const since = Number(params["time_from"] ?? 0);
    const found = rows
      .filter((one) => BigInt(String(one["eventid"])) >= from && Number(one["clock"]) >= since)
      .filter((one) => params["value"] === undefined || one["value"] === "1")
      .toSorted((one, other) => (BigInt(String(one["eventid"])) < BigInt(String(other["eventid"])) ? -1 : 1));
    return (params["sortorder"] === "DESC" ? found.toReversed() : found).slice(0, Number(params["limit"]));
  };
  const self: Server = {
    rows,
    asked,
    now: start,
    io: {
      http: (request: HttpRequest) => {
        const body = asObject(JSON.parse(request.body ?? "null") as Json)!;
        const method = String(body["method"]);
        const params = asObject(body["params"]) ?? {};
        asked.push({ request, method, params });
        const json = { jsonrpc: "2.0", id: 1, result: answer(method, params) };
        return Promise.resolve({ status: 200, headers: {}, body: bytesOf({ json }), ...reply?.(method) });
      },
      now: () => instant(self.now),
      secret: () => token,
    } as Partial<SourceIo> as SourceIo,
  };
  return self;
}

const config = (more: JsonObject = {}): JsonObject =>
  zabbix.config.parse({ url, token: "env:ZABBIX", ...more });

async function pass(
  from: Server,
  settings: JsonObject,
  cursor?: ZabbixCursor,
): Promise<{ events: EventDraft[]; last: Page<ZabbixCursor> }> {
  const events: EventDraft[] = [];
  let next = cursor;
  for (;;) {
    const last = await zabbix.fetch(settings, next, from.io);
    for (const record of last.records) {
      expect(JSON.stringify(record)).not.toContain(token);
      events.push(...zabbix.normalise(record, decoders).events);
    }
    if (last.done) return { events, last };
    next = zabbixCursor.parse(JSON.parse(JSON.stringify(last.cursor)));
  }
}

const keys = (events: readonly EventDraft[]): string[] => events.map(({ key }) => key);

describe("a pass", () => {
  test("reads every event once, page by page, ids beyond what numbers keep too", async () => {
    const desk = server();
    const high = 18_446_744_073_709_551_000n;
    for (let index = 0n; index < 7n; index += 1n) desk.rows.push(row(high + index));
    const { events } = await pass(desk, config({ page_size: 3 }));
    expect(keys(events)).toEqual(desk.rows.map((one) => one["eventid"]));
  });

  test("finds an event that became readable after a higher id, and one that a proxy sent hours late", async () => {
    const desk = server();
    let cursor: ZabbixCursor | undefined;
    const seen = new Set<string>();
    const add: Record<number, JsonObject[]> = {
      0: [row(10)],
      8: [row(20)],
      9: [row(19)],
      10: [row(21, { clock: String(start / 1000 - 86_000) })],
    };
    for (let minute = 0; minute < 12; minute += 1) {
      desk.now = start + minute * 60_000;
      desk.rows.push(...(add[minute] ?? []));
      const { events, last } = await pass(desk, config(), cursor);
      for (const key of keys(events)) seen.add(key);
      cursor = last.cursor;
    }
    expect([...seen].toSorted()).toEqual(["10", "19", "20", "21"]);
    expect(cursor!.floor).toBe("10");
    expect(cursor!.marks.length).toBeLessThan(8);
  });

  test("says that it is complete up to a minute ago", async () => {
    const { last } = await pass(server(), config());
    expect(last.completeTo).toBe(start - 65_000);
  });

  test("goes by the frontend's clock where that tells its time, however far off ours is", async () => {
    const headers = { date: new Date(start).toUTCString() };
    const desk = server("6.0.14", () => ({ headers }));
    desk.rows.push(row(10));
    for (const offMs of [-3_600_000, 0, 3_600_000]) {
      desk.now = start + offMs;
      const { last } = await pass(desk, config());
      expect(last.completeTo).toBe(start - 65_000);
      // The second that the header names had begun up to a second before.
      expect(last.cursor).toMatchObject({
        since: start - 86_400_000,
        marks: [{ at: start + 1_000, id: "10" }],
      });
    }
  });

  test("reads an id again until the commit delay and what clocks may differ are over", async () => {
    const desk = server();
    desk.rows.push(row(10));
    let { last } = await pass(desk, config({ overlap_seconds: 60 }));
    const floors = [];
    for (const seconds of [61, 64, 65]) {
      desk.now = start + seconds * 1000;
      ({ last } = await pass(desk, config({ overlap_seconds: 60 }), last.cursor));
      floors.push(last.cursor.floor);
    }
    expect(floors).toEqual([null, null, "10"]);
  });

  test("that meets ids from before is refused, because a new server would never be read", async () => {
    const desk = server();
    desk.rows.push(row(3));
    const cursor = { since: start, again: false, floor: "900", marks: [], pass: null };
    await expect(zabbix.fetch(config(), cursor, desk.io)).rejects.toMatchObject({ code: "source-malformed" });
  });
});

test("a recovery leads to its problem, and a problem is the same event before and after it is over", async () => {
  const desk = server();
  desk.rows.push(row(1));
  const before = await pass(desk, config());
  desk.rows[0] = row(1, { r_eventid: "2", acknowledged: "1", suppressed: "1" });
  desk.rows.push(row(2, { value: "0", severity: "0" }));
  const { events } = await pass(desk, config(), before.last.cursor);
  expect(events[0]).toEqual(before.events[0]);
  expect(events[1]).toMatchObject({
    key: "2",
    kind: "recovery",
    type: "zabbix.problem.resolved",
    operation: { workflowId: "zabbix-problem:1" },
    details: { problem_id: "1" },
  });
});

test.each([
  ["0", "info"],
  ["1", "info"],
  ["2", "warning"],
  ["3", "warning"],
  ["4", "error"],
  ["5", "critical"],
])("severity %s of Zabbix is %s", async (severity, expected) => {
  const desk = server();
  desk.rows.push(row(1, { severity }));
  const { events } = await pass(desk, config());
  expect(events[0]!.severity).toBe(expected);
});

describe("what is monitored", () => {
  test("states no owner: its name and its address are aliases of whatever bears them", async () => {
    const desk = server();
    desk.rows.push(row(1));
    const { events } = await pass(desk, config());
    expect(events[0]!.subject).toEqual({ kind: "monitored_host", id: "web-01" });
    expect(events[0]!.related).toEqual([
      { role: "labelled_host", ref: { kind: "host", id: "web-01" }, name: "Web 1" },
      { role: "alias", ref: { kind: "hostname", id: "web-01" } },
      { role: "alias", ref: { kind: "ip", id: "192.0.2.7" } },
    ]);
    expect(events[0]!.stated).toBeUndefined();
  });

  test("is the cloud's own host only where the connection says so", async () => {
    const desk = server();
    desk.rows.push(row(1));
    const { events } = await pass(desk, config({ hosts: "cloud" }));
    expect(events[0]!.subject).toEqual({ kind: "host", id: "web-01" });
  });

  test("is known by no alias where it is the cloud's own, nor where a tag names the server", async () => {
    const tagged = [{ tag: "server_id", value: "6b1d19b6-d497-4577-9172-a9d1bc07ef9c" }];
    for (const [settings, tags] of [
      [config({ hosts: "cloud" }), []],
      [config(), tagged],
    ] as const) {
      const desk = server();
      desk.rows.push(row(1, { tags }));
      const { events } = await pass(desk, settings);
      expect(events[0]!.related.filter(({ role }) => role.startsWith("alias"))).toEqual([]);
    }
  });

  test("is the server that a tag names by its id", async () => {
    const desk = server();
    const id = "6b1d19b6-d497-4577-9172-a9d1bc07ef9c";
    desk.rows.push(
      row(1, {
        tags: [
          { tag: "service", value: "shop" },
          { tag: "server_id", value: id },
        ],
      }),
    );
    const { events } = await pass(desk, config());
    expect(events[0]!.subject).toEqual({ kind: "server", id });
    expect(events[0]!.details["tags"]).toEqual(["service: shop", `server_id: ${id}`]);
  });
});

test.each([
  ["6.0.14", false],
  ["6.4.0", true],
  ["7.2.1", true],
])("version %s is given the token as a header: %s", async (version, byHeader) => {
  const desk = server(version);
  await pass(desk, config());
  const call = desk.asked.find(({ method }) => method === "event.get")!.request;
  expect(call.headers!["authorization"]).toBe(byHeader ? `Bearer ${token}` : undefined);
  expect(call.body!.includes(token)).toBe(!byHeader);
  expect(desk.asked[0]!.request.body).not.toContain(token);
  expect(call.url).toBe(`${url}/api_jsonrpc.php`);
});

describe("an answer that is no list of events", () => {
  const rpcError = (code: number, data: string): Partial<HttpResponse> => ({
    body: bytesOf({ json: { jsonrpc: "2.0", id: 1, error: { code, message: "Invalid params.", data } } }),
  });
  test.each<[string, Partial<HttpResponse>, string]>([
    ["a sign-in page with status 200", { body: bytesOf({ text: "<!DOCTYPE html>" }) }, "source-malformed"],
    ["JSON that was cut", { body: bytesOf({ text: '{"jsonrpc":"2.0","result":[{' }) }, "source-malformed"],
    ["a result that is an object", { body: bytesOf({ json: { result: {} } }) }, "source-malformed"],
    ["no result", { body: bytesOf({ json: {} }) }, "source-malformed"],
    ["503", { status: 503, headers: { "retry-after": "30" } }, "source-unavailable"],
    ["429", { status: 429 }, "source-unavailable"],
    ["an ended session", rpcError(-32602, "Session terminated, re-login, please."), "source-denied"],
    ["a missing token", rpcError(-32602, "Not authorized."), "source-denied"],
    ["an unknown field", rpcError(-32602, `Sorting by "${token}" not allowed.`), "source-malformed"],
    ["a database that is away", rpcError(-32603, "Internal error."), "source-unavailable"],
  ])("%s gives no events and does not repeat the token", async (_what, reply, code) => {
    const desk = server("6.0.14", (method) => (method === "event.get" ? reply : undefined));
    const error = await zabbix.fetch(config(), undefined, desk.io).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(IsochronError);
    expect(error).toMatchObject({ code });
    expect((error as IsochronError).message).not.toContain(token);
  });

  test("an address that is not Zabbix's is said to be none", async () => {
    const desk = server("", undefined);
    await expect(zabbix.fetch(config(), undefined, desk.io)).rejects.toMatchObject({
      code: "source-malformed",
    });
  });
});

test("read again from a moment on, whatever was lost is found under its first name, and nothing else is new", async () => {
  const arrival = fc.record({ minutesLate: fc.oneof(fc.constant(0), fc.nat(300)), isLost: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { maxLength: 20 }),
      fc.integer({ min: 1, max: 6 }),
      fc.nat(25),
      async (arrivals, pageSize, minute) => {
        const desk = server();
        for (const [index, { minutesLate }] of arrivals.entries()) {
          const clock = String(start / 1000 + (index - minutesLate) * 60);
          desk.rows.push(row(index + 1, { clock }));
        }
        desk.now = start + 25 * 60_000;
        const settings = config({ page_size: pageSize, look_back_hours: 8760 });
        const first = await pass(desk, settings);
        const truth = keys(first.events);
        expect(truth).toHaveLength(arrivals.length);
        const stored = truth.filter((_key, index) => !arrivals[index]!.isLost);
        const from = instant(start + minute * 60_000);
        const startAt = zabbixCursor.parse(zabbix.startAt!(settings, from, first.last.cursor));
        const again = await pass(desk, settings, startAt);
        expect(keys(again.events).filter((key) => !truth.includes(key))).toEqual([]);
        // What became readable after the first event of that moment counts too, however old its own time is.
        const firstId = desk.rows.findIndex((one) => Number(one["clock"]) * 1000 >= from);
        const owed = firstId < 0 ? [] : truth.slice(firstId);
        expect(owed.filter((key) => !stored.includes(key) && !keys(again.events).includes(key))).toEqual([]);
      },
    ),
    { numRuns: 200 },
  );
});
