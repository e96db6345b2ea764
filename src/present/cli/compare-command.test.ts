import { expect, test } from "vitest";
import { pageJson, runCanned } from "../../../test/cli-host.ts";

const { coverage } = pageJson([]);
const span = { from: "2024-08-02T10:00:00.000Z", to: "2024-08-02T10:30:00.000Z" };
const answer = {
  selection: { ...span, events: 12 },
  baseline: { kind: "same-hours", spans: [{ ...span, events: 400 }], events: 400 },
  findings: [
    {
      attribute: "host",
      value: "cmp-7",
      inside: 9,
      outside: 3,
      direction: "more",
      log_odds: 5.6,
      z: 6.43,
      probability: 1e-12,
      adjusted: 1e-10,
      says: "9 of 12 here, 3 of 400 usually",
    },
  ],
  found: 1,
  tested: 80,
  rate: 0.05,
  truncated: false,
  coverage,
};
const answers = { "/compare": answer };
const times = ["--from", "2024-08-02T10:00:00Z", "--to", "2024-08-02T10:30:00Z"];
const asked = "/compare?from=2024-08-02T10%3A00%3A00.000Z&to=2024-08-02T10%3A30%3A00.000Z";

test("what stands out is told in counts, the most telling first", async () => {
  const run = await runCanned(["compare", ...times], { answers });
  expect(run.asked).toEqual([asked]);
  expect(run.stdout).toMatch(/^ATTRIBUTE +VALUE +HERE +Z +IN WORDS$/m);
  expect(run.stdout).toMatch(/^host +cmp-7 +more +6\.4 +9 of 12 here, 3 of 400 usually$/m);
  expect(run.stderr).toBe(
    "12 events of 30 min against 400 of the same hours before: 1 value stands out of 80 tried, " +
      "at a false discovery rate of 0.05. 1 of 1 source complete.\n",
  );
});

test("the baseline is the same hours, the rest, another span, or by a filter of its own", async () => {
  const baseline = async (...options: readonly string[]) => {
    const run = await runCanned(["compare", ...times, ...options], { answers });
    return run.code === 0 ? run.asked[0]?.replace(asked, "") : run.code;
  };
  expect(await baseline("--baseline", "rest")).toBe("&baseline=rest");
  expect(await baseline("--baseline", "2024-08-01T10:00:00Z..2024-08-01T11:00:00Z")).toBe(
    "&baseline_from=2024-08-01T10%3A00%3A00.000Z&baseline_to=2024-08-01T11%3A00%3A00.000Z",
  );
  expect(await baseline("--baseline-filter", "kind=change", "--baseline-filter", "q=web=1")).toBe(
    "&baseline_kind=change&baseline_q=web%3D1",
  );
  expect(await baseline("--baseline", "rest", "--baseline-filter", "kind=change")).toBe(
    "&baseline_kind=change",
  );
  expect(await baseline("--baseline", "same-hours", "--baseline-filter", "kind=change")).toBe(2);
  expect(await baseline("--baseline", "yesterday")).toBe(2);
  expect(await baseline("--baseline-filter", "change")).toBe(2);
});

test("filters and the rate are handed on, and a selection has a beginning", async () => {
  const run = await runCanned(["compare", ...times, "--kind", "symptom", "--rate", "0.01", "-o", "md"], {
    answers,
  });
  expect(run.asked[0]).toContain("kind=symptom");
  expect(run.asked[0]).toContain("rate=0.01");
  expect(run.stdout).toContain(
    "| host | cmp-7 | more | 6.4 | 5.60 | 1.0e-10 | 9 of 12 here, 3 of 400 usually |",
  );
  expect((await runCanned(["compare"], { answers })).code).toBe(2);
  const json = await runCanned(["compare", ...times, "-o", "json"], { answers });
  expect(JSON.parse(json.stdout)).toEqual(answer);
});
