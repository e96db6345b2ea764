import { describe, expect, test } from "vitest";
import { instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { alertmanagerPull } from "./alertmanager-pull.ts";
import { alertmanager } from "./alertmanager.ts";
import { bytesOf, readFixture } from "./conformance/fixture.ts";
import { gitForge } from "./git-forge.ts";
import type { HttpRequest, SourceIo, WebhookSource } from "./source.ts";
import { zabbixWebhook } from "./zabbix-webhook.ts";

/** What senders still know, asked for after their posts were lost: always under the names that the posts have. */

const span = {
  from: instant(Date.parse("2026-11-21T03:00:00Z")),
  to: instant(Date.parse("2026-11-21T05:00:00Z")),
};

interface Reply {
  readonly json: Json;
  readonly headers?: Record<string, string>;
}

function senderAt(answer: (request: HttpRequest) => Reply) {
  const asked: HttpRequest[] = [];
  const io = {
    http: (request: HttpRequest) => {
      asked.push(request);
      const { json, headers = {} } = answer(request);
      return Promise.resolve({ status: 200, headers, body: bytesOf({ json }) });
    },
    now: () => instant(Date.parse("2026-11-21T05:10:00Z")),
    secret: (reference: string) => `value of ${reference}`,
  } as Partial<SourceIo> as SourceIo;
  return { io, asked };
}

async function recalled(source: WebhookSource, config: JsonObject, io: SourceIo) {
  const records = [];
  for await (const page of source.recall!(source.config.parse(config), span, io)!) records.push(...page);
  return records.flatMap((record) => source.normalise(record, decoders).events);
}

function posted(source: WebhookSource, json: Json, headers: Record<string, string> = {}) {
  const request = { headers, body: bytesOf({ json }), receivedAt: span.to };
  return source.split(request, decoders).flatMap((record) => source.normalise(record, decoders).events);
}

test("a connection that names no API cannot be asked", () => {
  const { io } = senderAt(() => ({ json: [] }));
  for (const source of [alertmanager, zabbixWebhook, gitForge]) {
    expect(source.recall!(source.config.parse({}), span, io), source.name).toBeUndefined();
  }
});

describe("Alertmanager", () => {
  const config = { api_url: "https://am.example/am", auth: { bearer: "env:AM" } };
  const status = { state: "active", silencedBy: [], inhibitedBy: [] };
  const alert = {
    fingerprint: "79e11e8ad019121c",
    startsAt: "2026-11-21T03:02:21.027Z",
    endsAt: "2026-11-21T09:00:00Z",
    updatedAt: "2026-11-21T05:00:00Z",
    receivers: [{ name: "timeline" }],
    status,
    labels: { alertname: "HostDown", instance: "compute-02:9100", severity: "critical" },
    annotations: { summary: "Host compute-02 is down" },
  };

  test("is asked for the alerts that it holds, which are those that it posts", async () => {
    const { io, asked } = senderAt(() => ({ json: [alert] }));
    const [found] = await recalled(alertmanager, config, io);
    const { status: _status, updatedAt: _updated, receivers: _receivers, endsAt: _ends, ...posting } = alert;
    expect([found]).toEqual(
      posted(alertmanager, { version: "4", alerts: [{ ...posting, status: "firing" }] }),
    );
    expect(asked.map(({ url, headers }) => [url, headers!["authorization"]])).toEqual([
      ["https://am.example/am/api/v2/alerts", "Bearer value of env:AM"],
    ]);
  });

  test("tells of what was silenced as the polled source does, and of nothing from after the span", async () => {
    const silenced = { ...alert, status: { ...status, state: "suppressed", silencedBy: ["s-1"] } };
    const later = { ...alert, fingerprint: "later", startsAt: "2026-11-21T05:00:01Z" };
    const { io } = senderAt(() => ({ json: [silenced, later] }));
    const found = await recalled(alertmanager, config, io);
    const { io: polled } = senderAt(({ url }) => ({
      json: url.includes("/status") ? { uptime: "2026-11-20T00:00:00Z" } : [silenced],
    }));
    const page = await alertmanagerPull.fetch({ url: "https://am.example/am" }, undefined, polled);
    const told = page.records.flatMap((record) => alertmanagerPull.normalise(record, decoders).events);
    expect(found).toEqual(told);
    expect(found.map(({ key }) => key.split("/").slice(2).join("/"))).toEqual(["firing", "suppressed/s-1"]);
  });
});

describe("Zabbix", () => {
  const config = { hosts: "cloud", api_url: "https://zabbix.example/zabbix", api_token: "env:ZABBIX" };
  const row = (id: number, value: string, clock: string) => ({
    eventid: String(id),
    objectid: "23133",
    clock: String(Date.parse(clock) / 1000),
    ns: "0",
    value,
    name: "Compute 2 does not answer",
    severity: "5",
    hosts: [{ hostid: "7", host: "compute-02", name: "Compute 2" }],
    tags: [],
  });
  const rows = [
    row(26, "1", "2026-11-21T02:59:00Z"),
    row(27, "1", "2026-11-21T04:31:05Z"),
    row(28, "0", "2026-11-21T04:31:17Z"),
  ];

  function api(body: JsonObject): Json {
    const params = body["params"] as JsonObject;
    if (body["method"] === "apiinfo.version") return "6.4.0";
    if (body["method"] === "host.get") return [{ hostid: "7", interfaces: [{ ip: "192.0.2.12" }] }];
    if (params["value"] !== undefined) return [{ eventid: "27", r_eventid: "28" }];
    return rows.filter(
      ({ eventid, clock }) =>
        Number(eventid) >= Number(params["eventid_from"] ?? 0) &&
        Number(clock) >= Number(params["time_from"] ?? 0),
    );
  }

  test("is asked for the events of the span, which are those that its media type posts", async () => {
    const { io } = senderAt(({ body }) => ({
      json: { jsonrpc: "2.0", id: 1, result: api(JSON.parse(body!) as JsonObject) },
    }));
    const found = await recalled(zabbixWebhook, config, io);
    const message = {
      event_id: "27",
      event_name: "Compute 2 does not answer",
      event_severity: "5",
      event_date: "2026.11.21",
      event_time: "04:31:05",
      utc_offset: "+00:00",
      recovery_id: "28",
      recovery_date: "2026.11.21",
      recovery_time: "04:31:17",
      trigger_id: "23133",
      host: "compute-02",
      host_name: "Compute 2",
      host_ip: "192.0.2.12",
    };
    const posts = ["1", "0"].flatMap((value) => posted(zabbixWebhook, { ...message, event_value: value }));
    const names = (events: typeof found) =>
      events.map(({ key, type, occurredAt }) => [key, type, occurredAt]);
    expect(names(found)).toEqual(names(posts));
    expect(found[0]!.subject).toEqual({ kind: "host", id: "compute-02" });
  });

  test("is not asked without a token", () => {
    const { io } = senderAt(() => ({ json: [] }));
    expect(() => zabbixWebhook.recall!({ api_url: config.api_url }, span, io)).toThrow(/no `api_token`/);
  });
});

describe("GitHub", () => {
  const hook = "https://api.github.example/repos/o/r/hooks/7";
  const config = { hook: { url: hook, token: "env:GH" } };
  const pushes = readFixture("git-forge").requests!.filter(
    ({ headers, text }) => headers["x-github-event"] !== undefined && text!.startsWith("{"),
  );
  const deliveries = [
    { id: 4, delivered_at: "2026-11-21T05:00:00Z" },
    { id: 3, delivered_at: "2026-11-21T04:00:00Z" },
    { id: 2, delivered_at: "2026-11-21T03:00:00Z" },
    { id: 1, delivered_at: "2026-11-21T02:59:59Z" },
    { id: 0, delivered_at: "2026-11-21T02:00:00Z" },
  ].map((one, index) => ({
    ...one,
    guid: `guid-${one.id}`,
    event: pushes[index % pushes.length]!.headers["x-github-event"]!,
  }));

  test("is asked for the deliveries of the span, page by page, each as it was posted", async () => {
    const { io, asked } = senderAt(({ url }) => {
      const id = /deliveries\/(\d)$/.exec(url)?.[1];
      const index = deliveries.findIndex((one) => String(one.id) === id);
      if (id !== undefined) {
        return { json: { request: { payload: JSON.parse(pushes[index % pushes.length]!.text!) as Json } } };
      }
      const page = Number(new URL(url).searchParams.get("cursor") ?? "0");
      const link = `<${hook}/deliveries?per_page=100&cursor=${page + 1}>; rel="next"`;
      return { json: deliveries.slice(page * 2, page * 2 + 2), headers: { link } };
    });
    const found = await recalled(gitForge, config, io);
    const expected = [1, 2].flatMap((index) => {
      const { headers, text } = pushes[index % pushes.length]!;
      return posted(gitForge, JSON.parse(text!) as Json, {
        "x-github-event": headers["x-github-event"]!,
      }).map(({ key }) => key);
    });
    expect(found.map(({ key }) => key)).toEqual(expected);
    expect(found.map(({ sourceIds }) => sourceIds)).toEqual([["guid-3"], ["guid-2"]]);
    // The page that reaches behind the span is the last one that is asked for.
    expect(asked.map(({ url }) => url.slice(hook.length))).toEqual([
      "/deliveries?per_page=100",
      "/deliveries/3",
      "/deliveries?per_page=100&cursor=1",
      "/deliveries/2",
    ]);
    expect(asked.every(({ headers }) => headers!["authorization"] === "Bearer value of env:GH")).toBe(true);
  });

  test("is not followed to another host", async () => {
    const { io, asked } = senderAt(() => ({
      json: [],
      headers: { link: '<https://elsewhere.example/deliveries>; rel="next"' },
    }));
    expect(await recalled(gitForge, config, io)).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});
