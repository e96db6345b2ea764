import { expect, test } from "vitest";
import { runCanned } from "../../../test/cli-host.ts";

const held = (from: string, until: string | null) => ({
  valid_from: `2024-08-${from}T00:00:00Z`,
  valid_until: until === null ? null : `2024-08-${until}T00:00:00Z`,
  known_since: "2024-08-03T00:00:00Z",
  stated_by: { connection: "cinder", source_id: "m-7" },
});

const resource = {
  resource: { kind: "volume", id: "v1", name: "data" },
  at: "2024-08-02T12:00:00Z",
  known_at: "2024-08-04T00:00:00Z",
  owner: null,
  relations: [],
  ownership: [
    { owner: { kind: "project", id: "p1", name: "prod" }, ...held("01", "02") },
    {
      owner: { kind: "project", id: "p2" },
      domain: { kind: "domain", id: "d", name: "acme" },
      ...held("02", null),
    },
  ],
  aliases: [{ relation: "named", alias: { kind: "name", id: "data" }, ...held("01", null) }],
  events: [],
  known_since: null,
  coverage: { complete_to: null, holes: [], connections: [] },
};

test("resource shows whose it was when, by what was known then", async () => {
  const line = [
    "resource",
    "volume/v1",
    "--at",
    "2024-08-02T12:00:00Z",
    "--known-at",
    "2024-08-04T00:00:00Z",
  ];
  const run = await runCanned([...line, "-o", "wide"], { answers: { "/resources/volume/v1": resource } });
  expect(run.asked.at(-1)).toContain("known_at=2024-08-04T00%3A00%3A00.000Z");
  expect(run.stdout).toContain("by what was known 2024-08-04T00:00:00");
  expect(run.stdout).toMatch(/^project prod +2024-08-01T.* +2024-08-02T.* +2024-08-03T.* cinder m-7$/m);
  expect(run.stdout).toMatch(/^project\/p2 +acme +2024-08-02T.* +2024-08-03T/m);
  expect(run.stdout).toMatch(/^named +data +2024-08-01T/m);
  expect(run.code).toBe(0);
});
