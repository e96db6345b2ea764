import { expect, test } from "vitest";
import { runCanned } from "../../../test/cli-host.ts";

const entry = {
  sequence: 17,
  at: "2026-11-21T01:15:00.000Z",
  action: "break-glass",
  outcome: "done",
  object: "session",
  count: 1,
  actor: { id: "keystone/u1", name: "Night shift", address: "192.0.2.1" },
  why: "ticket 42",
  personal: {},
  details: {},
  erased: false,
  hash: "ab".repeat(32),
};
const head = {
  format: "isochron-audit-head/1",
  store: "s",
  sequence: 17,
  hash: "ab".repeat(32),
  at: entry.at,
  key: "k",
  public_key: "cd".repeat(32),
  signature: "ef".repeat(64),
};
const answers = {
  "/audit": { entries: [entry], next_before: 17 },
  "/audit/17": entry,
  "/audit/head": head,
};

test("the trail is listed with who, what and why, and asked for by each condition", async () => {
  const { stdout, stderr, asked, code } = await runCanned(
    ["audit", "list", "--action", "break-glass", "--from", "2026-11-21T00:00:00Z", "--limit", "5"],
    { answers },
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/17 +.*break-glass +done +Night shift +session +1 +ticket 42/);
  expect(stderr).toContain("--before 17");
  expect(asked).toEqual(["/audit?action=break-glass&from=2026-11-21T00%3A00%3A00.000Z&limit=5"]);
});

test("one entry and the head are printed whole, the head as one line to be kept", async () => {
  expect(JSON.parse((await runCanned(["audit", "show", "17"], { answers })).stdout)).toEqual(entry);
  const { stdout } = await runCanned(["audit", "head"], { answers });
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(JSON.parse(stdout)).toEqual(head);
});

test("a trail that holds gives 0, and one that does not gives 6 and the first bad place", async () => {
  const well = await runCanned(["audit", "verify"]);
  expect([well.code, well.stdout]).toEqual([0, "The audit trail is as it was written: 3 entries.\n"]);
  const bad = { ok: false, sequence: 12, what: "missing", says: "Entry 13 stands in its place." } as const;
  const found = await runCanned(["audit", "verify", "audit.ndjson"], { verdict: bad });
  expect(found.code).toBe(6);
  expect(found.stdout).toContain("at entry 12: missing. Entry 13 stands in its place.");
});

test("a file that is held against no head is said to vouch for its own key", async () => {
  expect((await runCanned(["audit", "verify", "audit.ndjson"])).stderr).toContain("--head");
  expect((await runCanned(["audit", "verify", "audit.ndjson", "--head", "heads"])).stderr).toBe("");
});

test("the export goes to standard output as it is", async () => {
  expect((await runCanned(["audit", "export"])).stdout).toBe("{}\n");
});
