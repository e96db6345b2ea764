import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../test/database.ts";
import {
  auditSeed,
  auditTokens,
  auditTools,
  noteConfiguration,
  ownRecord,
  verifyAuditFile,
} from "./audit-keeping.ts";
import { loadConfig } from "./config.ts";

let db: TestStore;
let folder: string;
beforeAll(async () => {
  db = await openTestStore();
  folder = await mkdtemp(join(tmpdir(), "isochron-audit-"));
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

const config = loadConfig({ env: { HOME: "/nowhere" }, cwd: "/nowhere" });
const written = async (action: "configuration" | "token") =>
  (await db.store.audit.list({ action }, 10)).entries;

test("the configuration is written down at the first start, and then only what changed of it", async () => {
  const key = Buffer.alloc(32, 1);
  await noteConfiguration(config, db.store.audit, key);
  await noteConfiguration(config, db.store.audit, key);
  expect(await written("configuration")).toHaveLength(1);
  await noteConfiguration({ ...config, port: 4401 }, db.store.audit, key);
  const [entry, ...others] = await written("configuration");
  expect(others).toHaveLength(1);
  expect(entry?.details["changes"]).toEqual([{ setting: "port", before: "4400", after: "4401" }]);
});

test("a token that a command makes or revokes is written down, never the token itself", async () => {
  const tokens = auditTokens(db.store.tokens, db.store.audit);
  const hash = Buffer.alloc(32, 7);
  const made = await tokens.create({ name: "secret-name", hash, scope: { kind: "provider" } });
  expect(await tokens.revoke(made.id)).toBe(true);
  expect(await tokens.revoke(made.id)).toBe(false);
  const entries = await written("token");
  expect(entries.map(({ object, details }) => [object, details["step"]])).toEqual([
    [`token:${made.id}`, "revoked"],
    [`token:${made.id}`, "made"],
  ]);
  expect(JSON.stringify(entries)).not.toContain(hash.toString("hex"));
});

test("the signing key is made once beside the data, for its owner's eyes", async () => {
  const own = { ...config, data: join(folder, "data") };
  const seed = await auditSeed(own);
  expect(seed).toHaveLength(32);
  expect(await auditSeed(own)).toEqual(seed);
  const path = join(own.data, "audit-key");
  expect(await readFile(path)).toEqual(seed);
  expect((await stat(path)).mode & 0o077).toBe(0);
});

test("an export verifies offline, against a head that was kept elsewhere, and no longer once a byte is changed", async () => {
  const { audit } = db.store;
  const tools = auditTools(audit);
  const [heads, file] = [join(folder, "heads.ndjson"), join(folder, "audit.ndjson")];
  await writeFile(heads, "");
  const keepHead = async () => appendFile(heads, `${JSON.stringify(await audit.head())}\n`);
  await keepHead();
  await writeFile(file, "");
  for await (const line of tools.exportLines()) await appendFile(file, line);
  expect(await tools.verify(heads)).toMatchObject({ ok: true });
  expect(await verifyAuditFile(file)).toMatchObject({ ok: true });
  expect(await verifyAuditFile(file, heads)).toMatchObject({ ok: true });
  // The export is an entry of its own, and told.
  expect(await readFile(file, "utf8")).toContain('"action":"export"');
  await audit.append([ownRecord("export", "later", {})]);
  await keepHead();
  expect(await verifyAuditFile(file, heads)).toMatchObject({ ok: false, what: "missing" });
  const bytes = await readFile(file);
  bytes[bytes.indexOf("outcome") + 10] = 0xff;
  await writeFile(file, bytes);
  expect(await verifyAuditFile(file)).toMatchObject({ ok: false, sequence: 1, what: "format" });
  await expect(verifyAuditFile(join(folder, "absent"))).rejects.toMatchObject({ code: "file-unreadable" });
  await writeFile(heads, "{}\n");
  await expect(verifyAuditFile(file, heads)).rejects.toMatchObject({ code: "file-unreadable" });
});
