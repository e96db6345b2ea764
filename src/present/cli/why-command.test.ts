import { expect, test } from "vitest";
import { eventJson, runCanned } from "../../../test/cli-host.ts";

const event = eventJson();

test("why shows the chain, rejected steps included", async () => {
  const step = { rule: "stated-owner/1", confidence: "exact", says: "The record states its project." };
  const ownership = {
    event_id: "e1",
    summary: "owner: ACME/prod; visible to the provider and ACME",
    attribution: {
      ...event.attribution,
      evidence: [
        {
          ...step,
          verdict: "accepted",
          from: { kind: "server", id: "6f3c" },
          to: { kind: "project", id: "p1" },
        },
        { ...step, verdict: "rejected" },
      ],
    },
    history: [],
  };
  const run = await runCanned(["why", "e1"], { answers: { "/events/e1/ownership": ownership } });
  expect(run.stdout).toMatch(/^owner: ACME\/prod/);
  expect(run.stdout).toMatch(/^1 +server\/6f3c → project\/p1 +stated-owner\/1 +exact +The record states/m);
  expect(run.stdout).toMatch(/^✗ /m);
  const span = (from: number, until: number | null) => ({
    recorded_at: `2024-08-0${from}T00:00:00Z`,
    recorded_until: until === null ? null : `2024-08-0${until}T00:00:00Z`,
  });
  const arrived = { connection: "cinder", source_id: "m-7" };
  const { attribution } = ownership;
  const told = {
    ...ownership,
    done_by: { user_name: "ada", project_name: "ops", is_owner: false },
    recorded: { ...span(2, null), arrived },
    history: [{ ...span(1, 2), attribution: { ...attribution, status: "unresolved" } }],
  };
  const full = await runCanned(["why", "e1"], { answers: { "/events/e1/ownership": told } });
  expect(full.stdout).toMatch(/^done by ada of project ops \(not the owner\)$/m);
  expect(full.stdout).toMatch(/^known 2024-08-01T00:00:00.* → 2024-08-02T00:00:00.*: unresolved/m);
  expect(full.stdout).toMatch(/^known since 2024-08-02T.*: as above, when cinder m-7 came$/m);
});
