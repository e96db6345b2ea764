import { expect, test } from "vitest";
import type { SourcesJson } from "../api/contract.ts";
import { checkConnection, checkIdentityProvider, runsAs } from "./machine-checks.ts";

type Connection = SourcesJson["connections"][number];

const at = "2024-08-02T10:00:00Z";
const well: Connection = {
  connection: "nova",
  source: "openstack-notifications",
  control_plane: "lab",
  state: "idle",
  complete_to: at,
  lag_ms: 60_000,
  last_event_at: null,
  last_success_at: null,
  last_error: null,
  holes: [],
  findings: [],
  last_heard_at: at,
  expect_within_ms: 120_000,
  reconciled: null,
  contract: null,
  counts: { events: 7, folded: 0, repeated: 0, revised: 0, set_aside: 0, late: 0 },
};
const hole: Connection["holes"][number] = { from: at, to: at, reason: "outage", says: "We were away." };
const finding: Connection["findings"][number] = {
  code: "late-commit",
  means: "Records became readable later than the source promises.",
  says: "3 events came after all.",
  since: at,
  last_at: at,
  count: 1,
};
const aside = { ...well.counts, set_aside: 2 };

test.each<[what: string, change: Partial<Connection>, state: string, says: string]>([
  ["one that is well", {}, "ok", "idle, 7 events, 0 set aside"],
  ["a retired one", { state: "retired", holes: [hole] }, "ok", "retired, 7 events"],
  ["a silent one", { state: "silent" }, "warning", `silent, 7 events, 0 set aside; last heard ${at}`],
  [
    "one that was never heard",
    { state: "silent", last_heard_at: null },
    "warning",
    "silent, 7 events, 0 set aside; last heard never",
  ],
  [
    "one with findings",
    { state: "degraded", findings: [finding, { ...finding, code: "unsorted" }] },
    "warning",
    "degraded, 7 events, 0 set aside; late-commit, unsorted",
  ],
  [
    "one with a hole that no finding tells any more",
    { holes: [hole] },
    "warning",
    "idle, 7 events, 0 set aside; 1 hole",
  ],
  ["one with records set aside", { counts: aside }, "warning", "idle, 7 events, 2 set aside"],
  [
    "one that fails",
    { state: "failing", last_error: { at, message: "no route" }, holes: [hole, hole] },
    "failed",
    "failing, 7 events, 0 set aside; no route; 2 holes",
  ],
])("%s is told in a line", (_what, change, state, says) => {
  expect(checkConnection({ ...well, ...change })).toEqual({ name: "source nova", state, says });
});

test("the embedded server's user is told where it is not ours", () => {
  expect([runsAs(undefined, 0), runsAs(1000, 1000)]).toEqual(["", ""]);
  expect(runsAs(65_534, 0)).toBe(", as user 65534");
  expect(runsAs(0, 0)).toBe(", as root in a user namespace of its own");
});

test("an identity provider is told in a line, and fails while it cannot be asked", () => {
  expect(checkIdentityProvider({ name: "keystone" })).toEqual({
    name: "identity keystone",
    state: "ok",
    says: "answers",
  });
  expect(checkIdentityProvider({ name: "keystone", problem: "It is gone." })).toEqual({
    name: "identity keystone",
    state: "failed",
    says: "It is gone.",
  });
});
