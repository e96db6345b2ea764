import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, page, project } from "../../../test/drafts.ts";
import { lintCatalogue } from "./catalogue-lint.ts";

let db: TestStore;
let admin: pg.Client;

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  await db.store.events.append(page([event(draft("a", 1), project("p"))]));
  admin = new pg.Client({ connectionString: db.url });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await db.close();
});

test("the catalogue of the migrated store, with its partitions, has no fault", async () => {
  expect(await lintCatalogue(admin)).toEqual([]);
});

/** What a hurried change could add, and what the lint has to say of it. */
const careless: Readonly<Record<string, readonly [sql: string, fault: string]>> = {
  "a table": [
    "CREATE TABLE isochron.note (tenant_key text)",
    "isochron.note lacks forced row-level security",
  ],
  "a table whose owner passes": [
    "CREATE TABLE isochron.note (); ALTER TABLE isochron.note ENABLE ROW LEVEL SECURITY",
    "isochron.note lacks forced row-level security",
  ],
  "a table without a policy": [
    "CREATE TABLE isochron.note (); ALTER TABLE isochron.note ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "isochron.note has no policy",
  ],
  "a view": ["CREATE VIEW isochron.all_event AS SELECT * FROM isochron.event", "shows its owner's rows"],
  "a materialised view": [
    "CREATE MATERIALIZED VIEW isochron.tally AS SELECT count(*) FROM isochron.tenant_event",
    "isochron.tally is of a kind that is not used here: m",
  ],
  "a sequence": ["CREATE SEQUENCE isochron.number", "isochron.number is of a kind that is not used here: S"],
  "a function that acts as its owner": [
    `CREATE FUNCTION isochron.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM isochron.event'`,
    "isochron.peek() acts as its owner and is not on the list",
  ],
  "a listed function without its path": [
    "ALTER FUNCTION isochron.claimed_keys() RESET search_path",
    "isochron.claimed_keys() acts as its owner and pins no search path",
  ],
  "a function for everybody": [
    `RESET ROLE; CREATE FUNCTION isochron.two() RETURNS integer LANGUAGE sql AS 'SELECT 2'`,
    "PUBLIC may execute isochron.two()",
  ],
  "a leakproof function": [
    `RESET ROLE; CREATE FUNCTION isochron.two() RETURNS integer LANGUAGE sql LEAKPROOF AS 'SELECT 2'`,
    "isochron.two() claims to be leakproof",
  ],
  "a function for tenants": [
    "GRANT EXECUTE ON FUNCTION isochron.verified_claim() TO isochron_tenant",
    "isochron.verified_claim() is granted to isochron_tenant",
  ],
  "a grant to tenants": [
    "GRANT SELECT ON isochron.event TO isochron_tenant",
    "isochron_tenant may read isochron.event, which is not for tenants",
  ],
  "a grant to change": [
    "GRANT UPDATE ON isochron.event TO isochron_operator",
    "isochron_operator may UPDATE isochron.event",
  ],
  "a grant on one column": [
    "GRANT SELECT (summary) ON isochron.event TO isochron_tenant",
    "the column isochron.event.summary is granted by itself",
  ],
  "a grant on a partition": [
    "GRANT SELECT ON isochron.event_20261116 TO isochron_provider",
    "the partition isochron.event_20261116 is granted to isochron_provider",
  ],
  "a grant to everybody": [
    "GRANT SELECT ON isochron.notice_template TO PUBLIC",
    "PUBLIC may SELECT isochron.notice_template",
  ],
  "the schema for everybody": [
    "GRANT USAGE ON SCHEMA isochron TO PUBLIC",
    "PUBLIC has USAGE on the schema isochron",
  ],
  "a schema to make things in": [
    "RESET ROLE; GRANT CREATE ON SCHEMA public TO PUBLIC",
    "PUBLIC has CREATE on the schema public",
  ],
  "a table elsewhere": [
    "RESET ROLE; CREATE TABLE public.copied (); GRANT SELECT ON public.copied TO isochron_tenant",
    "isochron_tenant may read copied, which is not ours",
  ],
  "temporary objects": [
    "RESET ROLE; GRANT TEMPORARY ON DATABASE :database TO PUBLIC",
    "PUBLIC has TEMPORARY on the database",
  ],
  "default rights": [
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO isochron_tenant",
    "default rights of isochron_owner give away what will be made",
  ],
  "default rights as they come": [
    "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
    "what functions the owner makes PUBLIC may execute",
  ],
  "a policy for everybody": [
    "CREATE POLICY lax ON isochron.event USING (true)",
    "the policy lax on isochron.event is for everybody",
  ],
  "a second policy": [
    "CREATE POLICY lax ON isochron.tenant_event FOR SELECT TO isochron_tenant USING (true)",
    "the table isochron.tenant_event has two policies for isochron_tenant",
  ],
  "a policy that forgets the classes": [
    `ALTER POLICY tenant ON isochron.tenant_event USING (tenant_key = ANY ((SELECT isochron.claimed_keys())::text[]))`,
    "the tenants' policy on isochron.tenant_event does not ask for visibility",
  ],
  "a policy for operators": [
    "ALTER POLICY operator ON isochron.event USING (true)",
    "the operators' policy on isochron.event shows all of it",
  ],
  "a column for tenants": [
    "ALTER TABLE isochron.tenant_event ADD COLUMN host text",
    "the column isochron.tenant_event.host is not one that tenants may read",
  ],
  "a member": [
    "RESET ROLE; GRANT isochron_provider TO isochron_tenant",
    "the login isochron_tenant is a member of isochron_provider",
  ],
  "an owner among the logins": [
    "RESET ROLE; ALTER TABLE isochron.set_aside OWNER TO isochron_ingest",
    "the login isochron_ingest owns isochron.set_aside",
  ],
  "an operator of our own": [
    `CREATE FUNCTION isochron.same(a text, b text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
     CREATE OPERATOR isochron.= (FUNCTION = isochron.same, LEFTARG = text, RIGHTARG = text)`,
    "shadows one of the server's",
  ],
  "a setting of a login's": [
    "RESET ROLE; ALTER ROLE isochron_tenant SET search_path = public",
    "the login isochron_tenant comes with settings of its own",
  ],
};

test.each(Object.entries(careless))("the lint tells of %s that is added", async (_, [sql, fault]) => {
  const [database] = await db.sql<{ name: string }>("SELECT quote_ident(current_database()) AS name");
  await admin.query("BEGIN; SET LOCAL ROLE isochron_owner");
  await admin.query(sql.replace(":database", database!.name));
  await admin.query("RESET ROLE");
  const faults = await lintCatalogue(admin);
  await admin.query("ROLLBACK");
  expect(faults.filter((one) => one.includes(fault))).not.toEqual([]);
});
