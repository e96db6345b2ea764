import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, page, project } from "../../../test/drafts.ts";
import { dumpSchema } from "./schema-dump.ts";

let db: TestStore;

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  await db.store.events.append(page([event(draft("a", 1), project("p"))]));
});
afterAll(() => db.close());

const relations = `pg_class c WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind NOT IN ('i', 'I', 't')`;
const loginRoles = "('isochron_ingest', 'isochron_provider', 'isochron_operator', 'isochron_tenant')";

test("the checked-in dump is what the migrations make (npm run schema:dump writes it anew)", async () => {
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  const dump = await dumpSchema(client);
  await client.end();
  expect(dump).toBe(await readFile(new URL("schema.sql", import.meta.url), "utf8"));
});

test("every table, partitions too, has forced row-level security and a policy, and belongs to the owner", async () => {
  expect(
    await db.sql(
      `SELECT c.relname, c.relkind FROM ${relations}
          AND (c.relkind NOT IN ('r', 'p') OR NOT c.relrowsecurity OR NOT c.relforcerowsecurity
               OR c.relowner <> 'isochron_owner'::regrole
               OR NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))`,
    ),
  ).toEqual([]);
});

test("nobody but the owner has any right on a partition", async () => {
  const partitions = await db.sql(`SELECT c.relname, c.relacl::text FROM ${relations} AND c.relispartition`);
  expect(partitions.length).toBeGreaterThanOrEqual(2);
  expect(
    await db.sql(
      `SELECT c.relname, a.* FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace = 'isochron'::regnamespace AND c.relispartition AND a.grantee <> c.relowner`,
    ),
  ).toEqual([]);
});

test("PUBLIC has no right on anything of ours", async () => {
  expect(
    await db.sql(
      `SELECT 'relation' AS what, c.relname AS name FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.relnamespace = 'isochron'::regnamespace AND a.grantee = 0
       UNION ALL
       SELECT 'function', p.proname FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace = 'isochron'::regnamespace AND a.grantee = 0
       UNION ALL
       SELECT 'schema', n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a
        WHERE n.nspname = 'isochron' AND a.grantee = 0
       UNION ALL
       SELECT 'database', d.datname FROM pg_database d, aclexplode(d.datacl) a
        WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type <> 'CONNECT'`,
    ),
  ).toEqual([]);
});

test("the logins own nothing, can do nothing special, and are members of nothing", async () => {
  expect(
    await db.sql(
      `SELECT rolname FROM pg_roles r WHERE rolname IN ${loginRoles}
          AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR NOT rolcanlogin
               OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
               OR EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid)
               OR EXISTS (SELECT FROM pg_proc p WHERE p.proowner = r.oid))
       UNION ALL
       SELECT rolname FROM pg_roles WHERE rolname = 'isochron_owner' AND (rolcanlogin OR rolsuper OR rolbypassrls)`,
    ),
  ).toEqual([]);
});

test("each function that acts as its owner pins its search path and is granted to whom it is for", async () => {
  const functions = await db.sql(
    `SELECT p.proname AS name, p.proconfig AS settings,
            ARRAY(SELECT a.grantee::regrole::text FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner) AS granted
       FROM pg_proc p WHERE p.pronamespace = 'isochron'::regnamespace AND p.prosecdef ORDER BY p.proname`,
  );
  const settings = ["search_path=pg_catalog, pg_temp"];
  expect(functions).toEqual([
    { name: "claimed_keys", settings, granted: ["isochron_tenant"] },
    { name: "claimed_sensitive_keys", settings, granted: ["isochron_tenant"] },
    { name: "drop_empty_weeks", settings, granted: ["isochron_ingest"] },
    { name: "erase_audit", settings, granted: ["isochron_ingest"] },
    { name: "erase_rule_maker", settings, granted: ["isochron_ingest"] },
    { name: "erase_rules", settings, granted: ["isochron_ingest"] },
    { name: "events_around", settings, granted: ["isochron_operator", "isochron_provider"] },
    { name: "find_audit_actor", settings, granted: ["isochron_ingest"] },
    { name: "follow_audit_tail", settings, granted: [] },
    { name: "hold_audit_tail", settings, granted: ["isochron_ingest"] },
    { name: "join_audit_entry", settings, granted: [] },
    { name: "make_partition", settings, granted: ["isochron_ingest"] },
    { name: "scrub_words", settings, granted: ["isochron_ingest"] },
    { name: "search_events", settings, granted: ["isochron_operator", "isochron_provider"] },
    { name: "verified_claim", settings, granted: [] },
  ]);
});

test("unique keys hold the columns that rows can be spread by", async () => {
  const keys = await db.sql<{ relname: string; columns: string }>(
    `SELECT c.relname, string_agg(a.attname, ', ' ORDER BY array_position(i.indkey::int2[], a.attnum)) AS columns
       FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid
        AND a.attnum = ANY (i.indkey::int2[])
      WHERE i.indisunique AND c.relkind = 'p' AND c.relnamespace = 'isochron'::regnamespace GROUP BY c.relname ORDER BY 1`,
  );
  expect(keys).toEqual([
    { relname: "event", columns: "id, occurred_at" },
    { relname: "tenant_event", columns: "tenant_key, id, occurred_at" },
  ]);
});

test("a store that a newer Isochron has migrated is left alone", async () => {
  const newer = await openTestStore();
  await newer.sql(
    "INSERT INTO isochron.schema_migration (number, name, checksum) VALUES (9999, '9999-later.sql', '')",
  );
  await expect(newer.reopen()).rejects.toMatchObject({ code: "migration-newer" });
  await newer.sql("DELETE FROM isochron.schema_migration WHERE number = 9999");
  await newer.sql("UPDATE isochron.schema_migration SET checksum = 'other' WHERE number = 1");
  await expect(newer.reopen()).rejects.toMatchObject({ code: "migration-newer" });
  await newer.close();
});
