import { expect, test } from "vitest";
import { eventJson, pageJson, runCanned } from "../../../test/cli-host.ts";

const { coverage } = pageJson([]);
const member = {
  series: "cloud|zabbix|host is down|host:cmp-1",
  monitor: "zabbix",
  problem: "host is down",
  state: "expected",
  severity: "error",
  from: "2024-08-02T10:05:00.000Z",
  to: null,
  why: "the same thing",
  expected: "expected: planned work “New firmware” on host cmp-1",
  count: 1,
  first_event: "e2",
};
const group = {
  id: `alg_${"a".repeat(26)}`,
  state: "expected",
  severity: "error",
  on: { kind: "host", id: "cmp-1" },
  why: "all stood on host cmp-1 then",
  from: "2024-08-02T10:05:00.000Z",
  changed_before: {
    event: eventJson({ summary: "New kernel" }),
    before_ms: 600_000,
    says: "changed 10 min before: New kernel",
  },
  alerts: [
    {
      id: `alt_${"b".repeat(26)}`,
      state: "expected",
      severity: "error",
      thing: { kind: "host", id: "cmp-1" },
      problem_class: "down",
      from: "2024-08-02T10:05:00.000Z",
      to: null,
      members: [member, { ...member, expected: undefined, monitor: "alertmanager" }],
    },
  ],
};
const work = {
  id: `mnt_${"0".repeat(26)}`,
  title: "New firmware",
  from: "2024-08-02T10:00:00.000Z",
  to: "2024-08-02T12:00:00.000Z",
  control_plane: "default",
  on: [{ kind: "host", id: "cmp-1" }],
  told: { by: "planned", person: "someone", why: "due" },
  cancelled_at: null,
};
const answers = {
  "/alerts": {
    window: { from: "2024-08-02T08:00:00.000Z", to: "2024-08-02T12:00:00.000Z" },
    groups: [group],
    windows: [work],
    checked: { events: 4, truncated: false, since: "2024-07-26T08:00:00.000Z" },
    coverage,
  },
  [`/alerts/${group.id}`]: group,
  "/alerts/splits": { id: `spl_${"0".repeat(26)}`, series: "s", by: "someone", why: "w", at: work.from },
  [`/alerts/splits/spl_${"0".repeat(26)}/undoing`]: { id: `spl_${"0".repeat(26)}` },
  "/maintenance": work,
  [`/maintenance/${work.id}`]: { ...work, cancelled_at: work.from },
};

test("groups come with their state, what was expected in words, and what changed before", async () => {
  const run = await runCanned(["alerts", "--state", "firing,expected", "-n", "5"], { answers });
  expect(run.asked).toEqual(["/alerts?state=firing%2Cexpected&limit=5"]);
  expect(run.stdout).toMatch(/^STATE +SEVERITY +SINCE +ALERTS +ON +WHAT +NOTE +CHANGED BEFORE$/m);
  expect(run.stdout).toContain("expected: planned work “New firmware” on host cmp-1 (1 of 2)");
  expect(run.stdout).toContain("New kernel, 10 min before");
  expect(run.stderr).toContain("1 alert in 1 group. 1 of known work reach into it.");
});

test("one group is shown with each member and why it belongs there", async () => {
  const run = await runCanned(["alerts", "show", group.id], { answers });
  expect(run.stdout).toContain("expected (error): all stood on host cmp-1 then");
  expect(run.stdout).toContain("changed 10 min before: New kernel");
  expect(run.stdout).toContain("zabbix “host is down” expected");
  expect(run.stdout).toContain("; the same thing; expected: planned work");
});

test("a member is taken out for a reason, and put back for one", async () => {
  const split = await runCanned(["alerts", "split", "e2", "--why", "another disk"], { answers });
  expect(split.sent).toMatchObject([
    { path: "/alerts/splits", payload: { event: "e2", why: "another disk" } },
  ]);
  const id = `spl_${"0".repeat(26)}`;
  const joined = await runCanned(["alerts", "join", id, "--why", "the same"], { answers });
  expect(joined.stdout).toBe(`${id} is taken back.\n`);
  expect((await runCanned(["alerts", "split", "e2"], { answers })).code).toBe(2);
});

test("work is planned on several things, for a length or to a moment", async () => {
  const order = [
    "maintenance",
    "plan",
    "host/cmp-1",
    "region/north",
    "--title",
    "New firmware",
    "--why",
    "due",
  ];
  const run = await runCanned([...order, "--from", "2024-08-02T10:00:00Z", "--for", "2h"], { answers });
  expect(run.sent).toMatchObject([
    {
      payload: {
        title: "New firmware",
        from: "2024-08-02T10:00:00.000Z",
        to: "2024-08-02T12:00:00.000Z",
        on: [
          { kind: "host", id: "cmp-1" },
          { kind: "region", id: "north" },
        ],
        why: "due",
      },
    },
  ]);
  expect(run.stdout).toContain("New firmware");
  expect((await runCanned(order, { answers })).code).toBe(2);
  expect((await runCanned([...order, "--for", "2h", "--to", "now"], { answers })).code).toBe(2);
});

test("planned work is listed and cancelled", async () => {
  const listed = await runCanned(["maintenance", "list"], {
    answers: { "/maintenance": { windows: [work] } },
  });
  expect(listed.stdout).toContain("host/cmp-1");
  const cancelled = await runCanned(["maintenance", "cancel", work.id, "--why", "no disks"], { answers });
  expect(cancelled.sent).toMatchObject([{ method: "DELETE", path: `/maintenance/${work.id}?why=no+disks` }]);
  expect(cancelled.stdout).toContain("cancelled");
});
