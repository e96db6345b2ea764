import { describe, expect, test } from "vitest";
import { runCanned } from "../../../test/cli-host.ts";
import { instant } from "../../model/instant.ts";

function named(name: string) {
  return { name, source: "openstack-notifications", controlPlane: "lab", enabled: true };
}

describe("comparing with the sources", () => {
  const reconciled = {
    from: instant(Date.UTC(2024, 7, 1)),
    to: instant(Date.UTC(2024, 7, 2)),
    records: 140,
    foundLate: 3,
    holesClosed: 2,
    holesLeft: 1,
  };
  const settings = { connections: [named("n@lab"), named("deaf"), { ...named("resting"), enabled: false }] };

  test("says what was read, what was missing, and what became of the holes", async () => {
    const run = await runCanned(["reconcile", "n@lab"], { reconciled, settings });
    expect(run).toMatchObject({ code: 0, stderr: "", closed: 1, reconciles: [{ name: "n@lab" }] });
    expect(run.stdout).toMatch(/^n@lab +2024-08-01T00:00:00Z +2024-08-02T00:00:00Z +140 +3 +2 +1$/m);
    const json = await runCanned(["reconcile", "n@lab", "--hours", "6", "-o", "json"], {
      reconciled,
      settings,
    });
    expect(json.reconciles).toEqual([{ name: "n@lab", hours: 6 }]);
    expect(JSON.parse(json.stdout)).toEqual([
      {
        connection: "n@lab",
        from: "2024-08-01T00:00:00.000Z",
        to: "2024-08-02T00:00:00.000Z",
        records: 140,
        found_late: 3,
        holes_closed: 2,
        holes_left: 1,
      },
    ]);
  });

  test("asks all that are enabled, and says which of them nobody can be asked for", async () => {
    const run = await runCanned(["reconcile"], { reconciled, settings });
    expect(run.reconciles).toEqual([{ name: "n@lab" }, { name: "deaf" }]);
    expect(run).toMatchObject({ code: 0, stderr: "deaf cannot be reconciled.\n" });
    expect((await runCanned(["reconcile", "deaf"], { reconciled, settings })).code).toBe(2);
  });

  test("goes on with the others where one is away, and exits 1", async () => {
    const two = { connections: [named("away"), named("n@lab")] };
    const run = await runCanned(["reconcile"], { reconciled, settings: two });
    expect(run).toMatchObject({ code: 1, stderr: "away: It is away.\n" });
    expect(run.stdout).toMatch(/^n@lab /m);
  });
});
