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
