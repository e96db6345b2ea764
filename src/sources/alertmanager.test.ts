import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { answerBy } from "../../test/answers.ts";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { alertmanager } from "./alertmanager.ts";
import { resourcesOfLabels } from "./alertmanager/labelled-resource.ts";
import { fileOf } from "./conformance/fixture.ts";
import type { RawRecord } from "./source.ts";

const receivedAt = instant(Date.UTC(2026, 10, 21, 3, 30));
const server = "6b1d19b6-d497-4577-9172-a9d1bc07ef9c";
const alert = {
  status: "firing",
  labels: { alertname: "HostDown", instance: "compute-02:9100", severity: "critical" },
  annotations: { summary: "Host compute-02 is down" },
  startsAt: "2026-11-21T03:02:21.027Z",
  endsAt: "0001-01-01T00:00:00Z",
  fingerprint: "79e11e8ad019121c",
};

function split(
  body: Json,
  headers: Record<string, string> = { "content-type": "application/json" },
): readonly RawRecord[] {
  return alertmanager.split(
    { headers, body: new TextEncoder().encode(JSON.stringify(body)), receivedAt },
    decoders,
  );
}

function drafts(...alerts: Json[]): EventDraft[] {
  return split({ version: "4", groupKey: "g", alerts }).flatMap(
    (record) => alertmanager.normalise(record, decoders).events,
  );
}

async function imported(text: string): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  const file = fileOf("alerts.jsonl", new TextEncoder().encode(text));
  for await (const record of alertmanager.splitFile!(file, decoders)) records.push(record);
  return records;
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

test("a file of one body over many lines gives each of its alerts", async () => {
  const body = { version: "4", groupKey: "g", alerts: [alert, alert] };
  const records = await imported(JSON.stringify(body, null, 2));
  expect(records.map(({ position }) => position)).toEqual(["document, alert 1", "document, alert 2"]);
  expect(records.flatMap((record) => alertmanager.normalise(record, decoders).events)).toHaveLength(2);
  const mixed = await imported(`{\n${JSON.stringify(body)}\n`);
  expect(mixed.map(({ position }) => position)).toEqual(["line 1", "line 2, alert 1", "line 2, alert 2"]);
});

test("an alert that cannot be used leaves the others of its group alone", () => {
  const records = split({ version: "4", alerts: [alert, { ...alert, startsAt: "yesterday" }, 7, alert] });
  expect(records.map((record) => code(() => alertmanager.normalise(record, decoders)))).toEqual([
    "accepted",
    "record-invalid",
    "record-invalid",
    "accepted",
  ]);
});

test("a repeated alert has the same key, and its end another one", () => {
  const [first, again, ended] = drafts(
    alert,
    { ...alert, annotations: {}, endsAt: "2026-11-21T04:00:00Z" },
    { ...alert, status: "resolved", endsAt: "2026-11-21T03:07:00Z" },
  );
  expect(again!.key).toBe(first!.key);
  expect(ended!.key).not.toBe(first!.key);
  expect(ended).toMatchObject({
    kind: "recovery",
    severity: "info",
    phase: "end",
    type: "alert.host_down.resolved",
  });
  expect(ended!.occurredAt).toBe(Date.UTC(2026, 10, 21, 3, 7));
});

test("a bare instance is the provider's only where a host is known to be called so, and else waits", () => {
  const [draft] = drafts({ ...alert, labels: { alertname: "Down", instance: "renamed-55" } });
  expect(answerBy(draft!, [])).toBe("unresolved");
  expect(answerBy(draft!, ["host:h known_as hostname:renamed-55"])).toBe("provider");
  const guest = ["server:1 known_as hostname:renamed-55", "server:1 owned_by project:a"];
  expect(answerBy(draft!, guest)).not.toBe("provider");
});

test("alerts that were left out are told of", () => {
  const records = split({ version: "4", groupKey: "g", truncatedAlerts: 12, alerts: [alert] });
  const events = records.flatMap((record) => alertmanager.normalise(record, decoders).events);
  expect(events.map((event) => event.type)).toEqual(["alert.host_down.firing", "alertmanager.truncated"]);
  expect(events[1]).toMatchObject({ severity: "warning", visibility: "provider", platform: true });
});

test.each([
  ["critical", "critical"],
  ["P1", "critical"],
  ["high", "error"],
  ["Major", "error"],
  ["warn", "warning"],
  ["none", "info"],
  ["purple", "warning"],
])("the severity %s is %s", (word, severity) => {
  const [draft] = drafts({ ...alert, labels: { ...alert.labels, severity: word } });
  expect(draft!.severity).toBe(severity);
  expect(draft!.details["severity_unknown"]).toBe(word === "purple" ? word : undefined);
});

test("the same deliveries as a file give the same keys as over HTTP", async () => {
  const body = {
    version: "4",
    groupKey: "g",
    truncatedAlerts: 1,
    alerts: [alert, { ...alert, fingerprint: "b" }],
  };
  const live = split(body).flatMap((record) => alertmanager.normalise(record, decoders).events);
  const capture = {
    received_at: "2026-11-21T03:30:00Z",
    headers: [["Host", "x"]],
    body: JSON.stringify(body),
  };
  for (const line of [body, capture, { ...capture, body }]) {
    const events = (await imported(JSON.stringify(line))).flatMap(
      (record) => alertmanager.normalise(record, decoders).events,
    );
    expect(events).toEqual(live);
  }
});

test("a body kept whole gives the same events as its parts", () => {
  const body = { version: "4", groupKey: "g", truncatedAlerts: 1, alerts: [alert] };
  const whole = {
    bytes: new TextEncoder().encode(JSON.stringify(body)),
    position: "line 1",
    receivedAt,
    meta: {},
  };
  expect(alertmanager.normalise(whole, decoders).events).toEqual(
    split(body).flatMap((record) => alertmanager.normalise(record, decoders).events),
  );
});

test("a broken line of a file is kept whole beside the good ones", async () => {
  const records = await imported(`{"alerts":[\n${JSON.stringify({ alerts: [alert] })}\n{"alerts":7}\n`);
  expect(
    records.map((record) => [record.position, code(() => alertmanager.normalise(record, decoders))]),
  ).toEqual([
    ["line 1", "record-invalid"],
    ["line 2, alert 1", "accepted"],
    ["line 3", "record-invalid"],
  ]);
});

test("the demo's recorded alerts are all read, their subjects by id or host name", async () => {
  const text = readFileSync(new URL("../../demo/openstack/alerts.jsonl", import.meta.url), "utf8");
  const events = (await imported(text)).flatMap((record) => alertmanager.normalise(record, decoders).events);
  expect(events.length).toBeGreaterThan(0);
  expect(new Set(events.map((event) => event.subject.kind))).toEqual(new Set(["host", "server"]));
  expect(events.every((event) => event.stated === undefined)).toBe(true);
});

test.each([
  ["text/plain", "media-type-unknown"],
  ["application/json; charset=utf-8", "accepted"],
  ["application/vnd.alert+json", "accepted"],
])("a body of %s is %s", (type, expected) => {
  expect(code(() => split({ alerts: [] }, { "content-type": type }))).toBe(expected);
});

test.each([[{}], [[]], [null], [{ alerts: {} }], [{ alerts: [], truncatedAlerts: -1 }]])(
  "the body %j is refused",
  (body) => {
    expect(code(() => split(body as Json))).toBe("body-invalid");
  },
);

describe("labels", () => {
  test.each<[Record<string, string>, string]>([
    [{ server_id: server, host: "compute-01" }, `server:${server}`],
    [{ instance_id: server.replaceAll("-", "").toUpperCase() }, `server:${server.replaceAll("-", "")}`],
    [{ instance_id: "prod-web-1", instance: "compute-01:9100" }, "host:compute-01"],
    [{ volume_id: server, hypervisor: "compute-01" }, `volume:${server}`],
    [{ hypervisor: "compute-01.example.org", service: "nova" }, "host:compute-01.example.org"],
    [{ service: "nova", instance: "10.0.0.5:9100" }, "service:nova"],
    [{ instance: "compute-01:9100", job: "node" }, "host:compute-01"],
    [{ instance: "Renamed-55", job: "guests" }, "hostname:renamed-55"],
    [{ instance: "renamed-55", host: "compute-01" }, "host:compute-01"],
    [{ instance: "localhost:9090", job: "prometheus" }, "component:prometheus"],
    [{ instance: "127.0.0.1:9090" }, "component:Alert"],
    [{ uuid: server, job: "x" }, `resource:${server}`],
    [{ resource_id: server, host: "compute-01" }, `resource:${server}`],
    [{ domain: "instance-0000001f", host: "compute-01" }, "libvirt_domain:instance-0000001f"],
    [{ libvirt_domain: "instance-0000001f" }, "libvirt_domain:instance-0000001f"],
    [{ device: `/dev/disk/by-path/ip-10.0.0.9-volume-${server}-lun-1` }, `path:volume-${server}`],
    [{ mac: "FA:16:3E:00:00:01", host: "compute-01" }, "mac:fa:16:3e:00:00:01"],
    [{ server_name: "web-1", host: "compute-01" }, "name:web-1"],
    [{ instance: "10.0.0.5:9100", job: "node" }, "ip:10.0.0.5"],
    [{ uuid: server, domain: "instance-0000001f" }, `server:${server}`],
    [{ project_id: server }, "component:Alert"],
  ])("%j are about %s", (labels, expected) => {
    const { subject } = resourcesOfLabels(labels, "Alert");
    expect(`${subject.kind}:${subject.id}`).toBe(expected);
  });

  test("an address stands for whatever bore it, in the project that the labels name", () => {
    const { related } = resourcesOfLabels({ instance: "[2001:DB8::1]:80", tenant_id: server }, "Alert");
    expect(related).toEqual([
      { role: "alias", ref: { kind: "ip", id: "2001:db8::1" } },
      { role: "labelled_project", ref: { kind: "project", id: server } },
      { role: "within", ref: { kind: "project", id: server } },
    ]);
  });

  test("an address beside something else is only noted, and a project too", () => {
    const { subject, related } = resourcesOfLabels(
      { service: "nova", instance: "10.0.0.5:9100", tenant_id: server },
      "Alert",
    );
    expect(subject).toEqual({ kind: "service", id: "nova" });
    expect(related.map(({ role }) => role)).toEqual(["labelled_address", "labelled_project"]);
  });

  test("a name means a server on the host that the labels name", () => {
    const { related } = resourcesOfLabels({ domain: "instance-0000001f", hypervisor: "compute-01" }, "Alert");
    expect(related).toEqual([
      { role: "alias:server", ref: { kind: "libvirt_domain", id: "instance-0000001f" } },
      { role: "host", ref: { kind: "host", id: "compute-01" } },
      { role: "within", ref: { kind: "host", id: "compute-01" } },
    ]);
  });

  test("no name is an alias where an id is given", () => {
    const { related } = resourcesOfLabels(
      { server_id: server, server_name: "web-1", domain: "instance-0000001f", ip: "10.0.0.5" },
      "Alert",
    );
    expect(related.filter(({ role }) => /^(alias|within)/.test(role))).toEqual([]);
  });

  test("a bare instance is an alias of whatever was called so, in the project that the labels name", () => {
    const { related } = resourcesOfLabels({ instance: "renamed-55", project_id: server }, "Alert");
    expect(related).toEqual([
      { role: "alias", ref: { kind: "hostname", id: "renamed-55" } },
      { role: "labelled_project", ref: { kind: "project", id: server } },
      { role: "within", ref: { kind: "project", id: server } },
    ]);
  });

  test("an exporter's host is not the host that it tells of", () => {
    const { subject, related } = resourcesOfLabels(
      { host: "compute-01", instance: "exporter:9180" },
      "Alert",
    );
    expect(subject).toEqual({ kind: "host", id: "compute-01" });
    expect(related).toEqual([{ role: "scrape_target", ref: { kind: "host", id: "exporter" } }]);
  });
});
