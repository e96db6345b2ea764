import { describe, expect, test } from "vitest";
import { eventJson, runCanned } from "../../../test/cli-host.ts";
import type { EditionsJson } from "../api/editions-contract.ts";

const editions: EditionsJson = {
  event_id: "e1",
  editions: [
    {
      tenant: {
        control_plane: "region-1",
        domain_id: "d",
        project_id: "p",
        domain_name: "acme",
        project_name: "prod",
      },
      edition: eventJson({ summary: "Server web-1: reboot finished" }),
      fields: [
        { field: "subject", class: "own-thing", outcome: "shown", value: "server/1" },
        { field: "related.0", class: "place", outcome: "withheld", value: "host host/compute-02\u001b[2J" },
        {
          field: "summary",
          class: "free-text",
          outcome: "replaced",
          value: "rebooted by night shift",
          shown: "Server web-1: reboot",
        },
      ],
    },
  ],
  more: true,
  classes: [{ name: "place", policy: "replaced", means: "A place." }],
};
const answers = { "/events/e1/editions?limit=200": editions };

describe("show --editions", () => {
  test("lays each tenant's edition beside the event, field by field, with nothing in it that moves the cursor", async () => {
    const { stdout, stderr, code } = await runCanned(["show", "e1", "--editions"], {
      answers,
      terminalColumns: 200,
    });
    expect(code).toBe(0);
    expect(stdout).toContain("acme/prod reads: Server web-1: reboot finished");
    expect(stdout).toMatch(/subject +own-thing +shown +server\/1 +server\/1/);
    expect(stdout).toMatch(/related\.0 +place +withheld +host host\/compute-02/);
    expect(stdout).toMatch(/summary +free-text +replaced +rebooted by night shift +Server web-1: reboot/);
    expect(stdout).not.toContain("\u001b[2J");
    expect(stderr).toContain("More tenants than these 1");
  });

  test("gives the API's answer as JSON, and an edition a line", async () => {
    const whole = await runCanned(["show", "e1", "--editions", "-o", "json"], { answers });
    expect(JSON.parse(whole.stdout)).toEqual(editions);
    const lines = await runCanned(["show", "e1", "--editions", "-o", "ndjson"], { answers });
    expect(
      lines.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(editions.editions);
  });

  test("says so where no tenant is shown anything", async () => {
    const none = { ...editions, editions: [], more: false };
    const run = await runCanned(["show", "e1", "--editions", "-n", "5"], {
      answers: { "/events/e1/editions?limit=5": none },
    });
    expect(run.stderr).toContain("No tenant is shown anything of it.");
  });
});
