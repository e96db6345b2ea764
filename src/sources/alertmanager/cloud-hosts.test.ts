import { describe, expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import { decoders } from "../../normalise/decode.ts";
import { alertmanagerPull } from "../alertmanager-pull.ts";
import { alertmanager } from "../alertmanager.ts";
import { cloudHostsSetting, isCloudHost, type CloudHosts } from "./cloud-hosts.ts";
import { resourcesOfLabels } from "./labelled-resource.ts";

const tell = (labels: Record<string, string>, hosts?: CloudHosts) => {
  const { subject, related } = resourcesOfLabels(labels, "Down", hosts);
  return [
    `${subject.kind}:${subject.id}`,
    ...related.map(({ role, ref }) => `${role} ${ref.kind}:${ref.id}`),
  ];
};

describe("which names are hosts of the cloud", () => {
  const patterns = ["compute-*", "ctl-*.dc1"];
  test.each<[string, Record<string, string>, CloudHosts | undefined, readonly string[]]>([
    ["a scraped target, as usual", { instance: "web-1:9100" }, undefined, ["host:web-1"]],
    ["a label, as usual", { host: "web-1" }, undefined, ["host:web-1"]],
    [
      "a scraped target that no pattern matches",
      { instance: "web-1:9100" },
      patterns,
      ["hostname:web-1", "alias hostname:web-1"],
    ],
    [
      "a scraped target that a pattern matches",
      { instance: "compute-02:9100" },
      patterns,
      ["host:compute-02"],
    ],
    ["a bare target that a pattern matches", { instance: "ctl-1.dc1" }, patterns, ["host:ctl-1.dc1"]],
    [
      "a label that a pattern matches beside one that none does",
      { host: "web-1", node: "compute-02" },
      patterns,
      ["host:compute-02"],
    ],
    ["a label where none is told", { host: "Web-1" }, "unknown", ["hostname:web-1", "alias hostname:web-1"]],
    [
      "a label beside a target where none is told",
      { host: "web-1", instance: "web-2:9100" },
      "unknown",
      ["hostname:web-2", "alias hostname:web-2", "labelled_host host:web-1"],
    ],
  ])("of %s is told apart", (_what, labels, hosts, told) => {
    expect(tell(labels, hosts)).toEqual(told);
  });

  test("a pattern matches whole names, piece by piece", () => {
    const matches = (name: string, pattern: string) => isCloudHost(name, false, [pattern]);
    expect(["compute-1", "Compute-", "compute-1.dc2"].map((name) => matches(name, "compute-*"))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["xcompute-1", "compute"].map((name) => matches(name, "compute-*"))).toEqual([false, false]);
    expect(["a-b-c", "abc", "a--c", "a-c"].map((name) => matches(name, "a-*-c"))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([matches("x1y2z", "x*y*z"), matches("xz", "x*y*z"), matches("aXbXb", "a*xb*b")]).toEqual([
      true,
      false,
      true,
    ]);
    expect(matches("anything", "*")).toBe(true);
  });

  test("what is no pattern of host names is refused", () => {
    for (const wrong of [[], ["a b"], ["(a+)+$"], ["-a"], "cloud", [""]])
      expect(cloudHostsSetting.safeParse(wrong).success).toBe(false);
  });
});

const alert = {
  status: "firing",
  labels: { alertname: "HostDown", instance: "web-1:9100" },
  startsAt: "2026-11-21T03:02:21.027Z",
  fingerprint: "79e11e8ad019121c",
};

test("a posted alert is read as its connection said when it arrived, and keeps that with it", () => {
  const request = {
    headers: { "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify({ version: "4", alerts: [alert] })),
    receivedAt: instant(Date.UTC(2026, 10, 21, 4)),
  };
  const subjects = [{ hosts: ["compute-*"] }, { hosts: "scraped" }, {}].map((config) => {
    const secret = () => "";
    const [record] = alertmanager.split(request, decoders, { config, secret });
    return alertmanager.normalise(record!, decoders).events[0]!.subject.kind;
  });
  expect(subjects).toEqual(["hostname", "host", "host"]);
});

test("a listed alert is read as the listing's connection says", () => {
  const record = {
    bytes: new TextEncoder().encode(JSON.stringify(alert)),
    position: "#1",
    receivedAt: instant(Date.UTC(2026, 10, 21, 4)),
    meta: { part: "firing", hosts: ["compute-*"] },
  };
  expect(alertmanagerPull.normalise(record, decoders).events[0]!.subject.kind).toBe("hostname");
});
