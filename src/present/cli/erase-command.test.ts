import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCanned } from "../../../test/cli-host.ts";

const counts = { events: 3, changed: 1, editions: 4, storm_members: 0, set_aside: 2, facts: 5, held: 0 };
const erasure = {
  id: "erasure_1",
  state: "done",
  why: "the contract has ended",
  asked_by: "viewer",
  asked_at: "2026-11-20T12:00:00.000Z",
  done_at: "2026-11-20T12:00:01.000Z",
  counts,
};
const hold = {
  id: "hold_1",
  of: "p1",
  from: null,
  to: null,
  why: "case 12",
  placed_by: "viewer",
  placed_at: "2026-11-20T12:00:00.000Z",
  lifted: null,
};
const answers = {
  "/erasures/dry-run": { counts, confirm: "c1" },
  "/erasures": (url: URL) => (url.pathname === "/erasures" ? erasure : undefined) as never,
};

test("a dry run tells what would go and asks for nothing to be erased", async () => {
  const run = await runCanned(["erase", "--project", "p1", "--dry-run"], { answers });
  expect(run.code).toBe(0);
  expect(run.stdout).toMatch(/EVENTS\s+CHANGED/);
  expect(run.sent).toEqual([
    {
      method: "POST",
      path: "/erasures/dry-run",
      payload: { target: { control_plane: "default", project_id: "p1" } },
    },
  ]);
});

test("an erasure says why and confirms what its dry run told", async () => {
  const run = await runCanned(["erase", "--user", "u1", "--word", "jo.smith@x", "--why", "asked for"], {
    answers,
  });
  expect(run.sent.at(-1)).toEqual({
    method: "POST",
    path: "/erasures",
    payload: { target: { user_id: "u1", words: ["jo.smith@x"] }, why: "asked for", confirm: "c1" },
  });
  expect(run.stdout).toContain("done");
  for (const args of [
    ["--project", "p1"],
    ["--user", "u1", "--project", "p1", "--why", "x"],
  ])
    expect((await runCanned(["erase", ...args], { answers })).code).toBe(2);
});

test("a hold is placed on a tenant or a resource, and lifted, with a reason", async () => {
  const canned = { answers: { "/holds": hold, "/holds/hold_1/lifting": hold } as never };
  const placed = await runCanned(
    ["holds", "--resource", "server/s1", "--from", "2026-11-01T00:00:00Z", "--why", "case 12"],
    canned,
  );
  expect(placed.sent).toEqual([
    {
      method: "POST",
      path: "/holds",
      payload: {
        target: { control_plane: "default", resource: { kind: "server", id: "s1" } },
        from: "2026-11-01T00:00:00.000Z",
        why: "case 12",
      },
    },
  ]);
  const lifted = await runCanned(["holds", "--lift", "hold_1", "--why", "closed"], canned);
  expect(lifted.sent).toEqual([
    { method: "POST", path: "/holds/hold_1/lifting", payload: { why: "closed" } },
  ]);
  expect((await runCanned(["holds", "--project", "p1"], canned)).code).toBe(2);
});

test("an export is a file of lines and a manifest whose hash is the file's; one that was cut off says so", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isochron-export-"));
  try {
    const lines = '{"event":{"id":"a"}}\n{"cursor":"c1"}\n{"event":{"id":"b"}}\n';
    const sha256 = createHash("sha256").update(lines).digest("hex");
    const manifest = JSON.stringify({ manifest: { counts: { events: 2 }, sha256 } });
    const live = [lines.slice(0, 7), lines.slice(7), manifest.slice(0, 9), `${manifest.slice(9)}\n`];
    const run = await runCanned(["export", "--project", "p1", "-o", folder], { live });
    expect(run.code).toBe(0);
    expect(run.viewers).toEqual([
      { viewer: { kind: "project", controlPlane: "default", projectId: "p1", role: "admin" } },
    ]);
    expect(await readFile(join(folder, "events.ndjson"), "utf8")).toBe(lines);
    expect(JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"))).toMatchObject({ sha256 });
    const cut = await runCanned(["export", "--project", "p1", "-o", folder], { live: [lines] });
    expect(cut.code).not.toBe(0);
    expect(cut.stderr).toContain("--cursor c1");
  } finally {
    await rm(folder, { recursive: true });
  }
});
