import { expect, test } from "vitest";
import { compareSettings, tellSettings } from "./config-audit.ts";
import { loadConfig, type Config } from "./config.ts";
import { projectKey } from "./model/tenant.ts";

const key = Buffer.alloc(32, 1);
const base = loadConfig({ env: { HOME: "/nowhere" }, cwd: "/nowhere" });
const nova = {
  name: "nova",
  source: "rest",
  controlPlane: "default",
  enabled: true,
  intervalSeconds: 60,
  config: { url: "https://harvester:hunter2@nova.example.org/v2", password: "hunter2", token: "env:TOKEN" },
} as const;
const withNova = (fields: object = {}): Config => ({ ...base, connections: [{ ...nova, ...fields }] });

test("a changed setting is told by its path, with what it was and what it is", () => {
  const before = tellSettings(withNova(), key);
  const after = tellSettings({ ...withNova({ intervalSeconds: 30 }), port: 4401 }, key);
  expect(compareSettings(before, after)).toEqual([
    { setting: "connections.nova.intervalSeconds", before: "60", after: "30" },
    { setting: "port", before: "4400", after: "4401" },
  ]);
  expect(compareSettings(before, tellSettings({ ...base, connections: [] }, key)).length).toBeGreaterThan(4);
  expect(compareSettings(before, before)).toEqual([]);
});

test("no secret is told, but that it changed is", () => {
  const config = { ...withNova(), databaseUrl: "postgres://owner:hunter2@db.example.org/isochron" };
  const before = tellSettings(config, key);
  expect(JSON.stringify(before)).not.toContain("hunter2");
  expect(before["connections.nova.config.token"]).toBe("env:TOKEN");
  const changed = { ...nova.config, password: "hunter3" };
  const after = tellSettings({ ...config, ...withNova({ config: changed }) }, key);
  const [change, ...others] = compareSettings(before, after);
  expect(others).toEqual([]);
  expect(change?.setting).toBe("connections.nova.config.password");
  expect(change?.after).toMatch(/^hidden:[0-9a-f]{16}$/);
});

test("a tenant's own retention is told by the tenant", () => {
  const tenants = new Map([[projectKey("region-1", "p-1"), { security: 30 }]]);
  const after = tellSettings({ ...base, retention: { days: {}, tenants } }, key);
  expect(compareSettings(tellSettings(base, key), after)).toEqual([
    { setting: "retention.tenants.project/region-1/p-1.security", after: "30" },
  ]);
});
