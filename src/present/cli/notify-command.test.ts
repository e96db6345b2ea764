import { describe, expect, test } from "vitest";
import { runCanned } from "../../../test/cli-host.ts";
import type { DeliveryJson, RuleJson } from "../api/notification-contract.ts";
import { checkRules } from "./machine-checks.ts";

const delivery: DeliveryJson = {
  id: "msg_1",
  kind: "events",
  state: "dead",
  made_at: "2024-08-02T10:00:00Z",
  attempts: 9,
  next_at: null,
  settled_at: "2024-08-03T10:00:00Z",
  last_answer: "The target answered 500.",
  events: 3,
  late: false,
  corrects: null,
};
const rule: RuleJson = {
  id: "ntf_00000000000000000000",
  version: 2,
  owner: null,
  reach: "operational",
  name: "no backup",
  query: { type: ["backup.end"] },
  condition: { kind: "absence", span_seconds: 93_600 },
  group_by: [],
  quiet_seconds: 0,
  horizon_hours: 168,
  format: "slack",
  opens_incident: false,
  enabled: true,
  target: { origin: "https://hooks.example.org", signing_secret: null, authorization: "env:NOTIFY_TOKEN" },
  made_by: "night shift",
  decided_at: "2024-08-02T10:00:00Z",
  paused: null,
  counts: { matched: 3, too_old: 0, messages: 1 },
  last_deliveries: [delivery],
};
const path = `/notification-rules/${rule.id}`;

describe("notify", () => {
  test("list tells of each rule whether it runs, what it waits for and whom it tells", async () => {
    const { stdout } = await runCanned(["notify", "list"], {
      answers: { "/notification-rules": { rules: [rule] } },
    });
    expect(stdout).toMatch(
      /no backup +running +the provider +absence +slack https:\/\/hooks\.example\.org +1 +dead/,
    );
  });

  test("show tells what became of the messages", async () => {
    const answers = { [path]: rule, [`${path}/deliveries`]: { deliveries: [delivery] } };
    const { stdout } = await runCanned(["notify", "show", rule.id], { answers });
    expect(stdout).toMatch(/msg_1 .* 3 +dead +9 +The target answered 500\./);
  });

  test("add sends what the options say, and prints the key once", async () => {
    const answers = { "/notification-rules": { ...rule, signing_key: "whsec_key" } };
    const words = "--type backup.end --missing-for 26h --group-by resource --quiet 15m --format slack".split(
      " ",
    );
    const run = await runCanned(
      ["notify", "add", "--name", "no backup", "--url", "https://h.example.org/T", ...words],
      {
        answers,
      },
    );
    expect(run.stdout).toBe("whsec_key\n");
    expect(run.sent.map((sent) => (sent as { payload: object }).payload)).toEqual([
      {
        name: "no backup",
        url: "https://h.example.org/T",
        format: "slack",
        query: { type: ["backup.end"] },
        condition: { kind: "absence", span_seconds: 93_600 },
        group_by: ["resource"],
        quiet_seconds: 900,
        opens_incident: false,
      },
    ]);
  });

  test("incidents are told of by their states", async () => {
    const words = "--name x --url https://h.example.org --incident-state reviewed,published".split(" ");
    const run = await runCanned(["notify", "add", ...words], {
      answers: { "/api/v1/notification-rules": { ...rule, signing_key: "whsec_key" } },
    });
    expect(run.sent).toMatchObject([
      { payload: { condition: { kind: "incident-state", states: ["reviewed", "published"] } } },
    ]);
  });

  test("a number of events needs a span", async () => {
    const run = await runCanned([
      "notify",
      "add",
      "--name",
      "x",
      "--url",
      "https://h.example.org",
      "--at-least",
      "5",
    ]);
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain("--within");
  });

  test("disable keeps all else as it was", async () => {
    const run = await runCanned(["notify", "disable", rule.id], { answers: { [path]: rule } });
    const payload = { enabled: false, expected_version: 2, authorization: "env:NOTIFY_TOKEN" };
    expect(run.sent).toMatchObject([{ method: "PUT", payload }]);
  });

  test("a test fails where the target did not take the message", async () => {
    const answers = { [`${path}/test`]: { ...delivery, kind: "test", state: "withdrawn" } };
    const run = await runCanned(["notify", "test", rule.id], { answers });
    expect(run.stdout).toContain("The target answered 500.");
    expect(run.code).toBe(1);
  });
});

test("doctor tells of rules that rest and of messages that were given up", () => {
  expect(checkRules([{ ...rule, enabled: false }])).toEqual([]);
  expect(checkRules([{ ...rule, last_deliveries: [] }])).toMatchObject([{ state: "ok", says: "1 running" }]);
  const paused = { at: "2024-08-02T10:00:00Z", why: "The token was revoked." };
  expect(checkRules([{ ...rule, paused }])).toMatchObject([
    { state: "warning", says: "0 running; resting: no backup; messages given up: no backup" },
  ]);
});
