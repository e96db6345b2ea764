import { expect, test } from "vitest";
import { eventJson, pageJson, runCanned } from "../../../test/cli-host.ts";

const { coverage } = pageJson([]);
const answer = {
  target: { events: [], failed: [{ kind: "host", id: "cmp-1" }], at: "2024-08-02T10:35:00.000Z" },
  window: { from: "2024-08-02T10:35:00.000Z", to: "2024-08-02T11:35:00.000Z" },
  items: [
    {
      entity: { kind: "server", id: "s-1", name: "web" },
      tenant: { control_plane: "default", domain_name: "acme", project_id: "p", project_name: "prod" },
      state: "confirmed",
      probability: 0.95,
      likelihood: "very likely",
      depth: 1,
      way: [
        {
          failed: { kind: "host", id: "cmp-1" },
          harmed: { kind: "server", id: "s-1", name: "web" },
          relation: "runs_on",
          says: "runs on the host",
        },
      ],
      last_seen_at: "2024-07-01T10:00:00.000Z",
      stale: true,
      symptoms: { count: 2, first: [eventJson({ kind: "symptom" })] },
    },
  ],
  counts: { reached: 3, confirmed: 1 },
  by_kind: [
    { kind: "server", reached: 2, confirmed: 1 },
    { kind: "floating_ip", reached: 1, confirmed: 0 },
  ],
  by_tenant: [
    { tenant: { control_plane: "default", project_id: "p", project_name: "prod" }, reached: 3, confirmed: 1 },
  ],
  unknown: ["More is reachable than was looked at: the counts are at least so many."],
  truncated: true,
  coverage,
};
const answers = { "/blast": answer };

test("what is reached comes with its state, likelihood, tenant and way", async () => {
  const run = await runCanned(["blast", "e2"], { answers });
  expect(run.asked).toEqual(["/blast?event=e2"]);
  expect(run.stdout).toMatch(/^STATE +LIKELY +P +WHAT +TENANT +HOPS +SYMPTOMS +WAY$/m);
  expect(run.stdout).toMatch(
    /^confirmed +very likely +0\.95 +server web +acme\/prod +1 +2 +host\/cmp-1 → server web \(runs on the host\)$/m,
  );
  expect(run.stderr).toBe(
    "3 reached of 1 tenant (2 server, 1 floating ip): 1 confirmed by symptoms, 2 predicted. " +
      "More is reachable than was looked at: the counts are at least so many. 1 of 1 source complete.\n",
  );
});

test("several events and resources are asked about at once, as of a moment", async () => {
  const run = await runCanned(
    [
      "blast",
      "e1",
      "host/a",
      "e2",
      "router:b",
      "--at",
      "2024-08-02T10:00:00Z",
      "--window",
      "2h",
      "--hops",
      "2",
    ],
    { answers },
  );
  expect(run.asked).toEqual([
    "/blast?event=e1%2Ce2&resource=host%2Fa%2Crouter%2Fb&at=2024-08-02T10%3A00%3A00.000Z&window_minutes=120&hops=2",
  ]);
  const now = await runCanned(["blast", "host/a"], { answers });
  expect(now.asked[0]).toMatch(/^\/blast\?resource=host%2Fa&at=\d{4}-/);
});

test("markdown is a table and json the API's answer", async () => {
  const run = await runCanned(["blast", "e2", "-o", "json"], { answers });
  expect(JSON.parse(run.stdout)).toEqual(answer);
  const md = await runCanned(["blast", "e2", "-o", "md"], { answers });
  expect(md.stdout).toMatch(/^\| STATE \| LIKELY \| P \| WHAT \| ID \|/);
  expect((await runCanned(["blast", "e2", "--window", "2d"], { answers })).code).toBe(2);
  expect((await runCanned(["blast"], { answers })).code).toBe(2);
});
