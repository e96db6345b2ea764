import { expect, test } from "vitest";
import { eventJson, pageJson, runCanned } from "../../../test/cli-host.ts";

const { coverage } = pageJson([]);
const answer = {
  target: { at: "2024-08-02T10:35:00.000Z" },
  window: { from: "2024-08-02T07:35:00.000Z", to: "2024-08-02T10:35:00.000Z" },
  candidates: [
    {
      rank: 1,
      event: eventJson({ summary: "Upgrade of the broker", subject: { kind: "component", id: "Messaging" } }),
      before_ms: 149 * 60_000,
      score: 3.25,
      direction: "before",
      path: [{ from: { kind: "server", id: "a" }, relation: "runs_on", to: { kind: "host", id: "cmp-1" } }],
      addends: [{ name: "floor", value: 3, says: "opened an impact that is still open" }],
      reason: "opened an impact that is still open",
      also: 2,
    },
  ],
  checked: { events: 40, nothing_on: [{ kind: "component", id: "VPN" }], truncated: false },
  coverage,
};
const answers = { "/what-else": answer };

test("candidates come ranked, each with its reason", async () => {
  const run = await runCanned(["else", "e2"], { answers });
  expect(run.asked).toEqual(["/what-else?event=e2"]);
  expect(run.stdout).toMatch(/^# +BEFORE +KIND +COMPONENT +WHAT +BECAUSE$/m);
  expect(run.stdout).toMatch(
    /^1 +2 h 29 +◆ change +Messaging +Upgrade of the broker \(\+2 more\) +opened an impact that is still open$/m,
  );
  expect(run.stderr).toBe(
    "40 earlier events looked at in the 3 h before. Checked, nothing found: VPN. 1 of 1 source complete.\n",
  );
});

test("an event, a moment and a resource are told apart", async () => {
  const moment = await runCanned(["else", "10:35", "--window", "2h"], { answers });
  expect(moment.asked).toEqual(["/what-else?at=2024-08-02T10%3A35%3A00.000Z&window_minutes=120"]);
  expect(moment.stderr).toContain('reading "10:35" as 2024-08-02T10:35:00Z (--tz UTC)');
  const resource = await runCanned(["else", "host/cmp-17", "--at", "2024-08-02T10:00:00Z"], { answers });
  expect(resource.asked).toEqual(["/what-else?resource=host%2Fcmp-17&at=2024-08-02T10%3A00%3A00.000Z"]);
  expect((await runCanned(["else", "e2", "--at", "now"], { answers })).code).toBe(2);
});

test("json is the API's answer", async () => {
  const run = await runCanned(["else", "e2", "-o", "json"], { answers });
  expect(JSON.parse(run.stdout)).toEqual(answer);
});

test("several events are asked about together, and nothing else is", async () => {
  const run = await runCanned(["else", "e1", "e2", "e3"], { answers });
  expect(run.asked).toEqual(["/what-else?event=e1&event=e2&event=e3"]);
  for (const other of ["10:35", "host/cmp-17"])
    expect((await runCanned(["else", "e1", other], { answers })).code).toBe(2);
  expect((await runCanned(["else", "e1", "e2", "--at", "now"], { answers })).code).toBe(2);
});

test("the parts of a score are shown as a table, with their sum", async () => {
  const run = await runCanned(["else", "e2", "--why"], { answers });
  expect(run.stdout).toMatch(/^# +WHAT +PART +VALUE +SAYS$/m);
  expect(run.stdout).toMatch(
    /^1 +Upgrade of the broker +floor +3\.00 +opened an impact that is still open$/m,
  );
  expect(run.stdout).toMatch(/^1 +Upgrade of the broker +score +3\.25 +sum of the parts$/m);
});

test("what was not looked at, what is blind and what followed are told", async () => {
  const checked = {
    ...answer.checked,
    truncated: true,
    cut: [{ of: "changes in the window", most: 80 }],
    blind: [{ from: "2024-08-02T10:00:00.000Z", to: "2024-08-02T10:10:00.000Z" }],
  };
  const followed = [{ event: eventJson({ id: "e9" }), after_ms: 60_000, path: [] }];
  const cover = { causes: [{ id: "e1", explains: ["e2", "e3"] }], unexplained: [] };
  const told = { "/what-else": { ...answer, checked, followed, cover } };
  const { stderr } = await runCanned(["else", "e2"], { answers: told });
  expect(stderr).toContain("(not all: not changes in the window beyond 80)");
  expect(stderr).toContain("Of 10 min something may be missing: nothing found there is unknown.");
  expect(stderr).toContain("e1 lay before 2 symptoms that hang together with it.");
  expect(stderr).toContain("Followed by 1 more, which cannot be its cause.");
});
