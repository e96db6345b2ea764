import { keyOf } from "./wall-world.ts";

/** What an intruder sends once it can send statements of its own. A row's column `leak` says whether it found something. */
export interface Script {
  /** Each in a transaction of its own; the first with tenant a's claim. */
  readonly steps: readonly string[];
  readonly commits?: true;
}

const b = keyOf("b");
const foreign = `tenant_key = '${b}'`;
const tables = ["tenant_event", "storm_member_edition", "retraction", "incident_edition"] as const;
const closedTables = ["event", "storm_member", "claim_key", "set_aside", "api_token", "delivery"] as const;
const textOf = {
  tenant_event: "summary",
  storm_member_edition: "edition::text",
  retraction: "id",
  incident_edition: "markdown",
} as const;
const roles = [
  "isochron_owner",
  "isochron_ingest",
  "isochron_provider",
  "isochron_operator",
  "isochron_tenant",
  "postgres",
  "isochron_admin",
  "pg_read_all_data",
  "pg_write_all_data",
  "pg_monitor",
  "pg_read_server_files",
  "pg_database_owner",
  "pg_execute_server_program",
  "none",
];

export function hostileScripts(login: "tenant" | "operator"): readonly Script[] {
  const single = login === "tenant" ? [...predicates(), ...shapes(), ...claims()] : operatorProbes();
  const alone = [...single, ...elsewhere(), ...changes(), ...takings()].map((sql) => ({ steps: [sql] }));
  return login === "tenant" ? [...alone, ...keepings()] : alone;
}

/** Predicates that tell by an error, a side effect or a count what they were asked of. */
function predicates(): string[] {
  return tables.flatMap((table) => {
    const from = `FROM isochron.${table}`;
    const text = textOf[table];
    return [
      `SELECT 1 ${from} WHERE ${foreign} AND 1 / length(left(id, 0)) = 1`,
      `SELECT 1 ${from} WHERE 1 / (CASE WHEN ${foreign} THEN 0 ELSE 1 END) = 1`,
      `SELECT 1 ${from} WHERE 1 / (CASE WHEN ${text} LIKE '%kanarie-b%' THEN 0 ELSE 1 END) = 1`,
      `SELECT CASE WHEN ${text} ~ 'kanarie-b' THEN 1 / length(left(id, 0)) END ${from}`,
      ...[
        "integer",
        "numeric",
        "date",
        "timestamptz",
        "inet",
        "uuid",
        "json",
        "xml",
        "bit(3)",
        "regclass",
        "regrole",
        "interval",
        "macaddr",
        "point",
        "int4range",
        "tsquery",
        "pg_lsn",
        "boolean",
        "bytea",
      ].map((type) => `SELECT 1 ${from} WHERE (${foreign}) AND (${text})::${type} IS NOT NULL`),
      `SELECT 1 ${from} WHERE (${text})::integer > 0 AND ${foreign}`,
      `SELECT 1 ${from} WHERE set_config('isochron.stolen', ${text}, true) = '' OR ${foreign}; SELECT current_setting('isochron.stolen', true) LIKE '%kanarie-b%' AS leak`,
      `SELECT 1 ${from} WHERE pg_notify('stolen', left(${text}, 100)) IS NULL AND ${foreign}`,
      `SELECT 1 ${from} WHERE ${foreign} AND pg_sleep(3) IS NOT NULL`,
      `SELECT 1 ${from} WHERE ${foreign} AND regexp_replace(${text}, '(', '') = ''`,
      `SELECT 1 ${from} WHERE ${foreign} AND to_number(${text}, repeat('9', 20)) = 1`,
      `SELECT 1 ${from} WHERE ${foreign} AND decode(${text}, 'base64') IS NULL`,
      `SELECT 1 ${from} WHERE ${foreign} AND repeat(${text}, 1000000000) = ''`,
      `SELECT 1 ${from} WHERE ${foreign} AND pg_advisory_xact_lock(hashtext(${text})) IS NULL`,
      `SELECT 1 ${from} WHERE ${foreign} AND xpath('/', (${text})::xml) IS NULL`,
      `SELECT 1 ${from} WHERE ${foreign} AND jsonb_path_query_first(to_jsonb(${text}), 'strict $.a') IS NULL`,
      `SELECT 1 ${from} WHERE ${foreign} AND generate_series(1, 1 / length(left(id, 0))) IS NOT NULL`,
      `SELECT 1 ${from} ORDER BY CASE WHEN ${foreign} THEN 1 / length(left(id, 0)) ELSE 1 END`,
      `SELECT count(*) FILTER (WHERE ${foreign}) AS leak ${from}`,
      `SELECT max(tenant_key) = '${b}' AS leak ${from}`,
      `SELECT bool_or(${foreign}) AS leak ${from}`,
      `SELECT EXISTS (SELECT ${from} WHERE ${foreign}) AS leak`,
      `SELECT count(*) AS leak ${from} TABLESAMPLE SYSTEM (100) WHERE ${foreign}`,
      `SELECT count(*) AS leak ${from} WHERE ctid >= '(0,0)' AND ${foreign}`,
      `SELECT count(*) AS leak ${from} WHERE xmin IS NOT NULL AND tableoid <> 0 AND ${foreign}`,
    ];
  });
}

/** Ways to shape a query so that a policy might be passed by. */
function shapes(): string[] {
  return tables.flatMap((table) => {
    const name = `isochron.${table}`;
    return [
      `WITH all_rows AS MATERIALIZED (SELECT * FROM ${name}) SELECT count(*) AS leak FROM all_rows WHERE ${foreign}`,
      `WITH RECURSIVE r AS (SELECT tenant_key FROM ${name} UNION SELECT t.tenant_key FROM ${name} t, r) SELECT count(*) AS leak FROM r WHERE ${foreign}`,
      `SELECT count(x.tenant_key) AS leak FROM (VALUES ('${b}')) v (k) LEFT JOIN LATERAL (SELECT tenant_key FROM ${name} WHERE tenant_key = v.k) x ON true`,
      `SELECT count(*) AS leak FROM (VALUES ('${b}')) v (k) WHERE k IN (SELECT tenant_key FROM ${name})`,
      `SELECT count(o.tenant_key) AS leak FROM ${name} o FULL JOIN (SELECT '${b}' AS k) v ON v.k = o.tenant_key WHERE v.k IS NOT NULL`,
      `SELECT (SELECT max(tenant_key) FROM ${name} o WHERE o.tenant_key > i.tenant_key) AS word FROM ${name} i`,
      `SELECT * FROM ${name} UNION ALL SELECT * FROM ${name} WHERE ${foreign}`,
      `SELECT to_jsonb(t) FROM ${name} t WHERE true OR ${foreign}`,
      `SELECT string_agg(t::text, ',') FROM ${name} t`,
      `SELECT lag(tenant_key) OVER (ORDER BY id), lead(tenant_key) OVER (ORDER BY id) FROM ${name}`,
      `SELECT tenant_key, count(*) FROM ${name} GROUP BY GROUPING SETS ((tenant_key), ())`,
      `SELECT * FROM ONLY ${name}`,
      `TABLE ${name}`,
      `DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM ${name} LOOP RAISE NOTICE '%', r; END LOOP; END $$`,
      `DO $$ BEGIN PERFORM 1 FROM ${name} WHERE ${foreign}; IF FOUND THEN RAISE EXCEPTION 'kanarie-b-id'; END IF; END $$`,
      `PREPARE p AS SELECT * FROM ${name} WHERE tenant_key = $1; EXECUTE p('${b}')`,
      `DECLARE c SCROLL CURSOR FOR SELECT * FROM ${name}; FETCH ALL FROM c`,
      `EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) SELECT 1 FROM ${name} WHERE ${foreign} AND 1 / length(left(id, 0)) = 1`,
      `MERGE INTO ${name} t USING (SELECT 1) s ON ${foreign} WHEN MATCHED THEN DELETE`,
      `INSERT INTO ${name} (tenant_key, id) VALUES ('${b}', 'x') ON CONFLICT DO NOTHING`,
      `UPDATE ${name} SET id = id WHERE ${foreign} RETURNING *`,
      `DELETE FROM ${name} WHERE ${foreign} RETURNING *`,
      `SELECT currtid2('${name}', '(0,1)')`,
      `SET LOCAL row_security = off; SELECT * FROM ${name}`,
      `SET LOCAL plan_cache_mode = force_generic_plan; SELECT * FROM ${name} WHERE ${foreign}`,
      `SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SELECT count(*) AS leak FROM ${name} WHERE ${foreign}`,
      `SET LOCAL max_parallel_workers_per_gather = 4; SET LOCAL parallel_setup_cost = 0; SELECT count(*) AS leak FROM ${name} WHERE ${foreign}`,
      `SET LOCAL search_path = public; SELECT count(*) AS leak FROM ${name} WHERE ${foreign}`,
      `SELECT query_to_xml('SELECT * FROM ${name}', true, true, '')`,
      `SELECT table_to_xml('${name}', true, true, '')`,
      `SELECT * FROM ts_stat('SELECT to_tsvector(id) FROM ${name}')`,
    ];
  });
}

/** Claims, made up, kept, or turned against the function that verifies them. */
function claims(): string[] {
  const then = "SELECT * FROM isochron.tenant_event";
  const payload = Buffer.from(
    JSON.stringify({ keys: [b], sensitive: [b], pid: 1, tx: "1", exp: 99999999999 }),
  ).toString("hex");
  return [
    ...[
      b,
      `{${b}}`,
      "",
      "x",
      `${"0".repeat(64)}.${payload}`,
      `${"0".repeat(64)}.`,
      `${"f".repeat(64)}.ff`,
      `'; ${then}`,
    ].flatMap((value) => [
      `SELECT set_config('isochron.claim', '${value.replaceAll("'", "''")}', true); ${then}`,
      `SET LOCAL isochron.claim = '${value.replaceAll("'", "''")}'; ${then}`,
    ]),
    `SELECT set_config('isochron.claim', left(current_setting('isochron.claim'), 65) || '${payload}', true); ${then}`,
    `SELECT set_config('isochron.claim', current_setting('isochron.claim') || '00', true); ${then}`,
    `RESET isochron.claim; ${then}`,
    `RESET ALL; ${then}`,
    `SELECT isochron.verified_claim()`,
    `SELECT isochron.claimed_keys() @> ARRAY['${b}'] AS leak`,
    `SELECT isochron.claimed_sensitive_keys()`,
    `SET LOCAL "isochron.claimed_keys" = '{${b}}'; ${then}`,
    `SET LOCAL search_path = pg_temp, public, isochron, pg_catalog; ${then}`,
    `CREATE FUNCTION public.claimed_keys() RETURNS text[] LANGUAGE sql AS 'SELECT ARRAY[''${b}'']'; SET LOCAL search_path = public, isochron; ${then}`,
    `CREATE FUNCTION pg_temp.spy(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'; SELECT 1 FROM isochron.tenant_event WHERE pg_temp.spy(summary)`,
    `CREATE OPERATOR public.= (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text); ${then}`,
    `CREATE AGGREGATE public.all_of(text) (SFUNC = textcat, STYPE = text); SELECT all_of(summary) FROM isochron.tenant_event`,
    `CREATE CAST (text AS integer) WITH INOUT; ${then}`,
    `CREATE SCHEMA mine; ${then}`,
    `SELECT sha256(inner_block) FROM isochron.claim_key`,
    `SELECT pg_get_functiondef('isochron.verified_claim()'::regprocedure) LIKE '%\\x%' AND EXISTS (SELECT FROM isochron.claim_key) AS leak`,
    `SELECT isochron.hmac_block('x', 54)`,
    `SET LOCAL statement_timeout = 0; ${then}`,
    `SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; ${then}`,
    `ABORT; ${then}`,
    `COMMIT; ${then}`,
    `COMMIT; BEGIN; ${then}`,
    `ROLLBACK AND CHAIN; ${then}`,
    `COMMIT AND CHAIN; SELECT 1; COMMIT; BEGIN; SELECT pg_sleep(0.001); ${then}`,
  ];
}

/** What is not ours but the server's, and may tell of all. */
function elsewhere(): string[] {
  return [
    ...closedTables.flatMap((table) => [
      `SELECT query_to_xml('SELECT draft, visibility FROM isochron.${table} WHERE visibility = ''security''', true, true, '')`,
      `SELECT pg_get_expr(polqual, polrelid) LIKE '%kanarie%' AS leak FROM pg_policy WHERE polrelid = 'isochron.${table}'::regclass`,
      `SELECT count(*) AS leak FROM pg_stats WHERE schemaname = 'isochron' AND tablename = '${table}' AND most_common_vals::text LIKE '%secret%'`,
    ]),
    "SELECT * FROM pg_statistic",
    "SELECT most_common_vals FROM pg_stats WHERE schemaname = 'isochron'",
    "SELECT * FROM pg_stats_ext",
    "SELECT * FROM pg_statistic_ext_data",
    "SELECT query FROM pg_stat_activity",
    "SELECT * FROM pg_prepared_statements",
    "SELECT * FROM pg_cursors",
    "SELECT * FROM pg_stat_statements",
    "SELECT rolpassword FROM pg_authid",
    "SELECT passwd IS NOT NULL AND passwd <> '********' AS leak FROM pg_shadow",
    "SELECT * FROM pg_user_mapping",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_file_settings",
    "SELECT * FROM pg_largeobject",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, 'x')",
    "SELECT loread(lo_open(1, 262144), 100)",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('PG_VERSION')",
    "SELECT pg_ls_logdir()",
    "SELECT pg_ls_waldir()",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "COPY isochron.tenant_event TO 'x'",
    "COPY isochron.tenant_event FROM '/etc/passwd'",
    "SELECT dblink('dbname=postgres', 'SELECT 1')",
    "SELECT * FROM dblink_connect('host=localhost')",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION pg_trgm",
    "CREATE EXTENSION postgres_fdw",
    "CREATE FOREIGN DATA WRAPPER w",
    "CREATE SERVER s FOREIGN DATA WRAPPER w",
    "CREATE PUBLICATION p FOR ALL TABLES",
    "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
    "SELECT pg_create_logical_replication_slot('s', 'test_decoding')",
    "SELECT pg_logical_slot_peek_changes('s', NULL, NULL)",
  ];
}

/** What would make objects, or change what there is and who is who. */
function changes(): string[] {
  return [
    "SELECT pg_current_logfile()",
    "SELECT database_to_xml(true, true, '')",
    "SELECT schema_to_xml('isochron', true, true, '')",
    "LOAD 'x.so'",
    "CREATE FUNCTION public.c() RETURNS integer LANGUAGE c AS 'x.so', 'c'",
    "CREATE LANGUAGE plpython3u",
    "CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION isochron.note_lost_event()",
    "SELECT pg_reload_conf()",
    "SELECT pg_terminate_backend(pid) AS leak FROM pg_stat_activity WHERE usename <> current_user",
    "SELECT pg_cancel_backend(pid) AS leak FROM pg_stat_activity WHERE usename <> current_user",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SET LOCAL session_preload_libraries = 'x'",
    "SET LOCAL log_min_messages = debug5",
    "SET LOCAL session_replication_role = replica",
    "CREATE TABLE public.x (y text)",
    "CREATE TEMPORARY TABLE x (y text)",
    "CREATE VIEW public.x AS SELECT * FROM isochron.tenant_event",
    "CREATE TABLE isochron.x ()",
    "SELECT 1 AS leak INTO TEMPORARY x",
    "VACUUM isochron.event",
    "CLUSTER isochron.event",
    "REINDEX TABLE isochron.event",
    "CHECKPOINT",
    "SELECT pg_export_snapshot()",
    "SECURITY LABEL ON TABLE isochron.event IS 'x'",
    "REASSIGN OWNED BY isochron_owner TO CURRENT_USER",
    "DROP OWNED BY isochron_owner",
    "GRANT isochron_owner TO CURRENT_USER",
    "GRANT SELECT ON isochron.event TO PUBLIC",
    "CREATE ROLE mine SUPERUSER",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER TABLE isochron.tenant_event OWNER TO CURRENT_USER",
    "ALTER FUNCTION isochron.claimed_keys() SET search_path = public",
    "ALTER DEFAULT PRIVILEGES FOR ROLE isochron_owner GRANT SELECT ON TABLES TO PUBLIC",
  ];
}

/** Another role taken on, in each way that there is. */
function takings(): string[] {
  const then = "SELECT * FROM isochron.event WHERE visibility = 'security'; SELECT * FROM isochron.claim_key";
  return roles.flatMap((role) => [
    `SET LOCAL ROLE ${role}; ${then}`,
    `SET SESSION AUTHORIZATION ${role}; ${then}`,
    `SELECT set_config('role', '${role}', true); ${then}`,
    `SELECT set_config('session_authorization', '${role}', true); ${then}`,
  ]);
}

function operatorProbes(): string[] {
  const whole = ["event", "tenant_event", "storm_member_edition", "retraction", "incident_edition"];
  const drafts = ["storm_member", "event_revision"];
  return [
    ...whole.flatMap((table) => [
      `SELECT count(*) AS leak FROM isochron.${table} WHERE visibility = 'security'`,
      `SELECT 1 FROM isochron.${table} WHERE visibility = 'security' AND 1 / length(left(id, 0)) = 1`,
      `SELECT 1 FROM isochron.${table} WHERE visibility = 'security' AND id::integer = 1`,
      `SELECT bool_or(visibility = 'security') AS leak FROM isochron.${table}`,
      `SELECT string_agg(t::text, ',') FROM isochron.${table} t`,
      `SET LOCAL row_security = off; SELECT * FROM isochron.${table}`,
    ]),
    ...drafts.flatMap((table) => [
      `SELECT count(*) AS leak FROM isochron.${table} WHERE draft ->> 'visibility' = 'security'`,
      `SELECT 1 FROM isochron.${table} WHERE draft ->> 'visibility' = 'security' AND (draft ->> 'summary')::integer = 1`,
      `SELECT string_agg(t::text, ',') FROM isochron.${table} t`,
    ]),
    ...["delivery", "event_revision", "attribution_revision"].flatMap((table) => [
      `SELECT count(*) AS leak FROM isochron.${table} t WHERE NOT EXISTS (SELECT FROM isochron.event e WHERE e.id = t.event_id) AND NOT EXISTS (SELECT FROM isochron.storm_member m WHERE m.id = t.event_id)`,
      `SELECT string_agg(t::text, ',') FROM isochron.${table} t`,
    ]),
  ];
}

/** What is left behind in a session, for whoever has it next. */
function keepings(): Script[] {
  const later = "SELECT * FROM isochron.tenant_event";
  const empty = "SELECT count(*) AS leak FROM isochron.tenant_event";
  return [
    {
      steps: ["SELECT set_config('isochron.claim', current_setting('isochron.claim'), false)", empty],
      commits: true,
    },
    {
      steps: [
        "SELECT set_config('isochron.kept', current_setting('isochron.claim'), false)",
        `SELECT set_config('isochron.claim', current_setting('isochron.kept', true), true); ${empty}`,
      ],
      commits: true,
    },
    { steps: [`PREPARE kept AS ${later}; EXECUTE kept`, "EXECUTE kept", "DEALLOCATE ALL"], commits: true },
    {
      steps: ["LISTEN isochron_stored", "SELECT pg_notify('isochron_stored', '')", "UNLISTEN *"],
      commits: true,
    },
    { steps: ["SET SESSION search_path = public, isochron", empty, "RESET ALL"], commits: true },
    { steps: ["SET SESSION row_security = off", later, "RESET ALL"], commits: true },
    { steps: ["SELECT pg_advisory_lock(1)", empty, "SELECT pg_advisory_unlock_all()"], commits: true },
    { steps: ["SELECT lo_create(4711)", "SELECT lo_unlink(4711)"], commits: true },
    {
      steps: [
        "SET SESSION plan_cache_mode = force_generic_plan",
        `PREPARE g AS ${later}; EXECUTE g; EXECUTE g`,
        "EXECUTE g",
        "DEALLOCATE ALL; RESET ALL",
      ],
      commits: true,
    },
  ];
}
