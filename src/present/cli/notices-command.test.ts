import { describe, expect, test } from "vitest";
import type { NoticeTemplateHistoryJson, TenantTreeJson } from "../api/tenancy-contract.ts";
import { runCanned } from "../../../test/cli-host.ts";

const template: NoticeTemplateHistoryJson = {
  name: "recovery",
  situation: "A host is well again.",
  text: "{part} is well",
  shipped_text: "Platform recovery on {part}",
  edited: true,
  version: 3,
  changed: { at: "2026-11-21T01:15:00.000Z", by: "tok_1", why: "plainer" },
  sample: "part-3f9a2c71 is well",
  history: [
    { version: 3, text: "{part} is well", at: "2026-11-21T01:15:00.000Z", by: "tok_1", why: "plainer" },
    { version: 2, text: null, at: "2026-11-20T01:15:00.000Z", by: "tok_2", why: "clearer" },
  ],
};
const answers = {
  "/notice-templates": { templates: [template], placeholders: [], chars_max: 500 },
  "/notice-templates/recovery": template,
  "/notice-templates/preview": { problems: [], samples: ["one", "two"] },
};

describe("isochron notices", () => {
  test("lists the texts, and shows one with all that was decided about it", async () => {
    expect((await runCanned(["notices", "list"], { answers })).stdout).toMatch(
      /recovery +3 +\{part\} is well/,
    );
    const { stdout, code } = await runCanned(["notices", "show", "recovery"], { answers });
    expect(code).toBe(0);
    expect(stdout).toContain("version 3  2026-11-21T01:15:00Z by tok_1: plainer");
    expect(stdout).toContain("(the shipped text)");
  });

  test("an edit names the version that stands now, unless it is told which it has to be", async () => {
    const words = ["notices", "edit", "recovery", "--text", "New", "--why", "because"];
    const now = await runCanned(words, { answers });
    const told = await runCanned([...words, "--expected-version", "0"], { answers });
    const payload = { text: "New", why: "because" };
    const path = "/notice-templates/recovery";
    expect(now.sent).toEqual([{ method: "PUT", path, payload: { ...payload, expected_version: 3 } }]);
    expect(told.sent).toEqual([{ method: "PUT", path, payload: { ...payload, expected_version: 0 } }]);
    expect(now.stderr).toContain("earlier ones keep theirs");
  });

  test("a reset of what is the shipped text already says that nothing was changed", async () => {
    const shipped = { ...template, text: template.shipped_text, edited: false };
    const words = ["notices", "reset", "recovery", "--why", "it was better"];
    const idle = await runCanned(words, { answers: { "/notice-templates/recovery": shipped } });
    expect(idle.stderr).toContain("Nothing was changed");
    expect(idle.stderr).not.toContain("from now on");
  });

  test("a reset says why, and an edit without a reason is refused before anything is sent", async () => {
    const reset = await runCanned(["notices", "reset", "recovery", "--why", "it was better"], { answers });
    expect(reset.sent).toEqual([
      { method: "DELETE", path: "/notice-templates/recovery?expected_version=3&why=it+was+better" },
    ]);
    const silent = await runCanned(["notices", "edit", "recovery", "--text", "New"], { answers });
    expect([silent.code, silent.sent]).toEqual([2, []]);
  });

  test("a preview prints samples, or fails with what is wrong", async () => {
    expect((await runCanned(["notices", "preview", "x"], { answers })).stdout).toBe("one\ntwo\n");
    const problems = [{ code: "unknown-placeholder", says: "{host} is no placeholder." }];
    const wrong = { "/notice-templates/preview": { problems, samples: [] } };
    const refused = await runCanned(["notices", "preview", "{host}"], { answers: wrong });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("{host} is no placeholder.");
  });
});

describe("isochron tenants", () => {
  const tree: TenantTreeJson = {
    control_planes: [
      {
        control_plane: "cloud",
        regions: [
          {
            region_id: "north",
            domains: [
              {
                domain_id: "d",
                domain_name: "acme",
                whole: true,
                customer_id: "a",
                customer_name: "Acme",
                projects: [{ project_id: "p", project_name: "prod" }],
              },
            ],
          },
          { region_id: null, domains: [{ domain_id: null, whole: false, projects: [{ project_id: "q" }] }] },
        ],
      },
    ],
    customers: [
      { customer_id: "a", customer_name: "Acme", tenants: [{ control_plane: "cloud", domain_id: "d" }] },
    ],
  };

  test("the tree leaves out a region that is not known", async () => {
    const { stdout } = await runCanned(["tenants", "--tree"], { answers: { "/tenants/tree": tree } });
    expect(stdout).toBe(
      [
        "customer Acme (a)",
        "  domain d",
        "control plane cloud",
        "  region north",
        "    domain acme (d), customer a",
        "      project prod (p)",
        "  domain not known",
        "    project q",
        "",
      ].join("\n"),
    );
  });

  test("the list tells each tenant's customer", async () => {
    const tenants = [{ control_plane: "cloud", domain_id: "d", domain_name: "acme", customer_id: "a" }];
    const { stdout } = await runCanned(["tenants", "-o", "csv"], { answers: { "/tenants": { tenants } } });
    expect(stdout).toContain("cloud,acme,,a,d,");
  });
});

describe("a customer", () => {
  test("gets a token of its own, with a warning where none is configured", async () => {
    const words = ["token", "create", "--name", "portal", "--customer", "acme"];
    const known = await runCanned(words, { settings: { customers: [{ id: "acme", name: "Acme" }] } });
    expect(known.tokens.map(({ scope }) => scope)).toEqual([
      { kind: "customer", customerId: "acme", role: "reader" },
    ]);
    expect(known.stderr).not.toContain("warning");
    expect((await runCanned(words)).stderr).toContain("warning: no customer is called acme");
  });

  test("is a filter of events, and eyes to look through", async () => {
    const { asked, viewers } = await runCanned(["events", "--customer", "acme", "--as-customer", "acme"]);
    expect(asked[0]).toContain("customer=acme");
    expect(viewers).toEqual([{ viewer: { kind: "customer", customerId: "acme" } }]);
  });
});
