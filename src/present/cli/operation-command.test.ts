import { expect, test } from "vitest";
import { pageJson, runCanned } from "../../../test/cli-host.ts";

const { coverage } = pageJson([]);
const times = { first_seen_at: "2024-08-02T10:00:00.000Z", last_seen_at: "2024-08-02T10:01:00.000Z" };
const operation = {
  id: "op_1",
  template: "live-migration",
  title: "Live migration",
  entity: { kind: "server", id: "s-1", name: "web" },
  state: "no-end-seen",
  says: "No end was seen, for longer than its kind takes.",
  stuck: true,
  ...times,
  attempts: 1,
  progress: { done: 1, total: 2 },
  missing: ["compute.instance.live_migration_post"],
  parts: 0,
};
const step = {
  name: "compute.instance.live_migration_pre",
  depth: 0,
  entity: operation.entity,
  state: "ok",
  first_seen_at: "2024-08-02T10:00:00.000Z",
  last_seen_at: "2024-08-02T10:00:30.000Z",
  attempts: 2,
  events: ["evt_1"],
};

test("operations are listed with what is stuck, and a span that was cut short is told", async () => {
  const answer = { operations: [operation], truncated: true, coverage };
  const run = await runCanned(["op", "list", "--stuck"], { answers: { "/operations": answer } });
  expect(run.stderr).toContain("1 operations. There are more: ask for a shorter span.");
  expect(run.stdout).toContain("no-end-seen, stuck");
  expect(run.stdout).toContain("1 of 2");
});

test("an operation is shown as a waterfall, with its tries and what of it is missing", async () => {
  const answer = { operation: { ...operation, follows: [], steps: [step] }, parts: [], coverage };
  const run = await runCanned(["op", "show", "op_1"], { answers: { "/operations/op_1": answer } });
  expect(run.stdout).toMatch(/Live migration .*█{10,}\?/);
  expect(run.stdout).toMatch(/ {2}compute\.instance\.live_migration_pre .*ok at try 2/);
  expect(run.stderr).toContain("Not seen: compute.instance.live_migration_post.");
});
