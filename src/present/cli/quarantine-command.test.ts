import { describe, expect, test } from "vitest";
import type { DryRunJson, QuarantineJson, RulingJson } from "../api/quarantine-contract.ts";
import type { TenantJson } from "../api/tenancy-contract.ts";
import { eventJson, runCanned } from "../../../test/cli-host.ts";

const told: DryRunJson = {
  digest: "d1",
  summary: "214 leave: 198 → acme/prod, 16 → globex/web; 3 stay; 0 become visible to a second tenant",
  matching: 217,
  truncated: false,
  leave: 214,
  stay: 3,
  stay_because: [{ reason: "rulings-disagree", says: "Rulings disagree.", events: 3 }],
  by_tenant: [],
  not_shown: 0,
  provider: 0,
  second_tenant: 0,
  contradicted: 0,
  examples: [],
};

const version = {
  version: 2,
  withdrawn: false,
  match: { control_plane: "default", type: "alert.*", alias: { kind: "name", id: "web-1" } },
  answer: {
    kind: "tenant",
    tenant: { control_plane: "default", domain_name: "acme", project_id: "p1", project_name: "prod" },
  },
  by: "provider (tok_1)",
  why: "their VM",
  decided_at: "2024-08-02T10:00:00.000Z",
} as const;
const ruling: RulingJson = {
  id: "rul_1",
  state: "in-force",
  ...version,
  events: 214,
  at_least: false,
  versions: [version, { ...version, version: 1, withdrawn: true, why: "too wide" }],
};

const answers = {
  "/quarantine/dry-run": told,
  "/rulings": ruling,
  "/rulings/rul_1": ruling,
  "/rulings/rul_1/versions": ruling,
  "/rulings/rul_1/withdrawal": { ...ruling, state: "withdrawn", version: 3, events: 0 },
};

const rule = ["quarantine", "rule", "--type", "alert.*", "--alias", "name:web-1", "--tenant", "p1"];
const match = { control_plane: "default", type: "alert.*", alias: { kind: "name", id: "web-1" } };
const answer = { kind: "tenant", project_id: "p1" };

describe("`quarantine`", () => {
  const candidate = (tenant: Partial<TenantJson>) => ({
    tenant: { control_plane: "default", ...tenant },
    events: 25,
    for: [],
    against: [],
  });
  const quarantine: QuarantineJson = {
    total: 10_003,
    at_least: true,
    truncated: false,
    groups: [
      {
        status: "ambiguous",
        reason: "several-owners",
        says: "Facts name more than one owner.",
        type: "alert.cpu.firing",
        connection: "zabbix",
        control_plane: "default",
        count: 10_000,
        at_least: true,
        oldest: "2024-08-01T00:00:00.000Z",
        newest: "2024-08-02T00:00:00.000Z",
        example: eventJson({ id: "evt_x", summary: "CPU is hot" }),
        sampled: 25,
        candidates: [
          candidate({ domain_name: "acme", project_id: "p1", project_name: "dev" }),
          candidate({ domain_id: "globex", project_id: "p2", project_name: "dev" }),
          candidate({ project_id: "p3", project_name: "dev" }),
          candidate({ domain_name: "acme" }),
        ],
        lacks: [],
      },
    ],
  };

  test("lists the groups with counts that say where there is more", async () => {
    const { stdout, stderr, asked } = await runCanned(
      ["quarantine", "--reason", "several-owners", "-o", "csv"],
      {
        answers: { "/quarantine": quarantine },
      },
    );
    expect(asked).toEqual(["/quarantine?reason=several-owners"]);
    expect(stdout.split("\r\n")[1]).toBe(
      'several-owners,10000,alert.cpu.firing,zabbix,2024-08-01T00:00:00.000Z,2024-08-02T00:00:00.000Z,"acme/dev, globex/dev, dev (p3), acme",Facts name more than one owner.,evt_x,CPU is hot',
    );
    expect(stderr).toContain("At least 10003 events have no owner");
    const table = await runCanned(["quarantine", "list"], { answers: { "/quarantine": quarantine } });
    expect(table.stdout).toContain("10000+");
  });
});

describe("`quarantine rule`", () => {
  test("tells what it would do and decides nothing until it is told to", async () => {
    const looked = await runCanned([...rule, "--dry-run"], { answers });
    expect(looked.code).toBe(0);
    expect(looked.stdout).toBe(`${told.summary}\n  3 stay: Rulings disagree.\n`);
    const asked = await runCanned([...rule, "--why", "their VM"], { answers });
    expect(asked).toMatchObject({ code: 2, stdout: looked.stdout });
    expect(asked.stderr).toContain("Add --yes");
    for (const { sent } of [looked, asked]) {
      expect(sent).toEqual([{ method: "POST", path: "/quarantine/dry-run", payload: { match, answer } }]);
    }
  });

  test("decides with the digest of what it told", async () => {
    const made = await runCanned([...rule, "--from", "10:00", "--why", "their VM", "--yes"], { answers });
    expect(made).toMatchObject({ code: 0, stdout: "rul_1\n" });
    const ruled = { match: { ...match, from: "2024-08-02T10:00:00.000Z" }, answer };
    expect(made.sent.at(-1)).toEqual({
      method: "POST",
      path: "/rulings",
      payload: { ...ruled, why: "their VM", digest: "d1", confirm: false },
    });
    const revised = await runCanned([...rule, "--why", "x", "--yes", "--confirm", "--revise", "rul_1"], {
      answers,
    });
    expect(revised.sent.at(-1)).toMatchObject({
      path: "/rulings/rul_1/versions",
      payload: { confirm: true, expected_version: 2 },
    });
  });

  test.each([
    ["nobody", ["quarantine", "rule", "--type", "a"]],
    ["two at once", [...rule, "--provider"]],
    ["an alias that is no kind and id", ["quarantine", "rule", "--alias", "web-1", "--provider"]],
    ["a decision without a reason", [...rule, "--yes"]],
  ])("is refused for %s, before anything is decided", async (_what, args) => {
    const { code, sent } = await runCanned(args, { answers });
    expect(code).toBe(2);
    expect(sent.some((one) => "path" in one && one.path === "/rulings")).toBe(false);
  });
});

describe("`quarantine assign`", () => {
  test("rules about one event on its own control plane", async () => {
    const attribution = { ...eventJson().attribution, control_plane: "region-2" };
    const { sent } = await runCanned(
      ["quarantine", "assign", "evt_x", "--provider", "--why", "our drill", "--yes"],
      {
        answers: { ...answers, "/events/evt_x": eventJson({ attribution }) },
      },
    );
    expect(sent.at(-1)).toMatchObject({
      path: "/rulings",
      payload: { match: { event_id: "evt_x", control_plane: "region-2" }, answer: { kind: "provider" } },
    });
  });
});

describe("`rulings`", () => {
  test("lists them, shows the versions of one, and takes one back by the version that was seen", async () => {
    const listed = await runCanned(["rulings", "-o", "csv"], {
      answers: { "/rulings": { rulings: [ruling], truncated: false } },
    });
    expect(listed.stdout.split("\r\n")[1]).toBe(
      'rul_1,2,in-force,214,"control plane default, type alert.*, alias name:web-1",acme/prod,2024-08-02T10:00:00.000Z,provider (tok_1),their VM',
    );
    const shown = await runCanned(["rulings", "rul_1", "-o", "csv"], { answers });
    expect(shown.stdout).toContain("withdrawn: too wide");
    const gone = await runCanned(["rulings", "rul_1", "--withdraw", "--why", "renamed"], { answers });
    expect(gone.sent).toEqual([
      { method: "POST", path: "/rulings/rul_1/withdrawal", payload: { why: "renamed", expected_version: 2 } },
    ]);
    expect(gone.stderr).toContain("214 events rested on it");
    expect((await runCanned(["rulings", "rul_1", "--withdraw"], { answers })).code).toBe(2);
  });
});
