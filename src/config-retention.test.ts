import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig, type Config } from "./config.ts";

function load(yaml: string): Config {
  const cwd = mkdtempSync(join(tmpdir(), "isochron-config-"));
  try {
    writeFileSync(join(cwd, "isochron.yaml"), yaml);
    return loadConfig({ cwd, env: {} });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

test("without a word everything is kept for ever", () => {
  expect(load("port: 0").retention).toEqual({ days: {}, tenants: new Map() });
});

test("what is said of a project outweighs its customer's word, class by class", () => {
  const { retention } = load(`
customers:
  - { id: acme, name: Acme, members: [{ domain: d1 }, { project: p1 }] }
retention:
  operational_days: 365
  set_aside_days: 30
  tenants:
    - { project: p1, operational_days: forever }
    - { customer: acme, operational_days: 30, security_days: 90 }
`);
  expect(retention).toEqual({
    days: { operational: 365 },
    setAsideDays: 30,
    tenants: new Map([
      ["domain/default/d1", { operational: 30, security: 90 }],
      ["project/default/p1", { operational: null, security: 90 }],
    ]),
  });
});

test("every mistake is told with its place", () => {
  const wrong = (retention: string): string => {
    try {
      load(`retention: ${retention}`);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  expect(wrong("{ operational_days: 0 }")).toContain("a whole number of days from 1 to 36500");
  expect(wrong("{ operational: 3 }")).toContain("one of operational_days");
  expect(wrong("{ tenants: [{ operational_days: 3 }] }")).toContain("names no tenant");
  expect(wrong("{ tenants: [{ project: a, domain: b }] }")).toContain("names several tenants");
  expect(wrong("{ tenants: [{ customer: none }] }")).toContain('"none" is no customer');
  expect(wrong("{ tenants: [{ project: a }, { project: a }] }")).toContain("names a tenant twice");
});
