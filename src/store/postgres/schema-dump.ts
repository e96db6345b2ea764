import type pg from "pg";

/**
 * The catalogue as text: what the migrations made, in an order and a spelling that are the same on every
 * server from PostgreSQL 15 to 18. Not meant to be run, but to be read and compared.
 */
export async function dumpSchema(client: pg.ClientBase): Promise<string> {
  // With an empty path each name is spelt with its schema.
  await client.query("SET search_path = ''");
  const parts: string[] = [];
  for (const [title, sql] of Object.entries(chapters)) {
    const { rows } = await client.query<{ line: string }>(sql);
    parts.push(`-- ${title}\n${rows.map(({ line }) => line).join("\n")}\n`);
  }
  return `-- Made by \`npm run schema:dump\`; a test compares it with what the migrations make.\n\n${parts.join("\n")}`;
}

/** Tables of ours but partitions, whose names depend on the data. */
const tables = `SELECT c.* FROM pg_catalog.pg_class c
  WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`;

/** Who may do what, one line for each grantee; the owner's own rights go without saying. */
function grants(acl: string, object: string, owner: string): string {
  return `SELECT 'GRANT ' || string_agg(a.privilege, ', ' ORDER BY a.privilege) || ' ON ' || a.object || ' TO ' ||
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END || ';' AS line
       FROM (SELECT ${object} AS object, r.grantee, r.privilege_type AS privilege
               FROM objects, aclexplode(${acl}) AS r WHERE r.grantee <> ${owner}) AS a
      GROUP BY a.object, a.grantee`;
}

const chapters: Readonly<Record<string, string>> = {
  Roles: `
    SELECT 'ROLE ' || rolname || CASE WHEN rolcanlogin THEN ' LOGIN' ELSE ' NOLOGIN' END ||
           CASE WHEN rolsuper THEN ' SUPERUSER' ELSE '' END || CASE WHEN rolbypassrls THEN ' BYPASSRLS' ELSE '' END ||
           CASE WHEN rolcreaterole THEN ' CREATEROLE' ELSE '' END || CASE WHEN rolcreatedb THEN ' CREATEDB' ELSE '' END ||
           CASE WHEN rolreplication THEN ' REPLICATION' ELSE '' END || CASE WHEN rolinherit THEN ' INHERIT' ELSE '' END ||
           coalesce(' MEMBER OF ' || (SELECT string_agg(m.roleid::regrole::text, ', ' ORDER BY m.roleid::regrole::text)
                                        FROM pg_auth_members m WHERE m.member = r.oid), '') || ';' AS line
      FROM pg_roles r
     WHERE rolname IN ('isochron_owner', 'isochron_ingest', 'isochron_provider', 'isochron_operator', 'isochron_tenant')
     ORDER BY rolname COLLATE "C"`,
  Schema: `
    WITH objects AS (SELECT * FROM pg_namespace WHERE nspname = 'isochron')
    SELECT line FROM (
      SELECT 'SCHEMA ' || nspname || ' OWNER ' || nspowner::regrole || ';' AS line FROM objects
      UNION ALL ${grants("nspacl", "'SCHEMA ' || nspname", "nspowner")}) AS lines
     ORDER BY line COLLATE "C"`,
  Tables: `
    SELECT 'TABLE ' || c.oid::regclass || coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), '') ||
           ' OWNER ' || c.relowner::regrole || CASE WHEN c.relrowsecurity THEN ' RLS' ELSE '' END ||
           CASE WHEN c.relforcerowsecurity THEN ' FORCED' ELSE '' END || E' (\\n  ' ||
           (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ||
                     CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END ||
                     CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END ||
                     coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ''), E',\\n  ' ORDER BY a.attnum)
              FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) || E'\\n);' AS line
      FROM (${tables}) AS c ORDER BY c.relname COLLATE "C"`,
  // From PostgreSQL 18 on NOT NULL is a constraint too; the tables tell it already.
  Constraints: `
    SELECT 'CONSTRAINT ' || o.conname || ' ON ' || o.conrelid::regclass || ' ' || pg_get_constraintdef(o.oid) || ';' AS line
      FROM pg_constraint o JOIN (${tables}) AS c ON c.oid = o.conrelid
     WHERE o.contype <> 'n' ORDER BY c.relname COLLATE "C", o.conname COLLATE "C"`,
  Indexes: `
    SELECT pg_get_indexdef(i.indexrelid) || ';' AS line
      FROM pg_index i JOIN (${tables}) AS c ON c.oid = i.indrelid
     ORDER BY c.relname COLLATE "C", i.indexrelid::regclass::text COLLATE "C"`,
  Policies: `
    SELECT 'POLICY ' || p.polname || ' ON ' || c.oid::regclass || ' FOR ' ||
           CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN '*' THEN 'ALL' ELSE p.polcmd::text END || ' TO ' ||
           (SELECT string_agg(r::regrole::text, ', ' ORDER BY r::regrole::text) FROM unnest(p.polroles) AS r) ||
           coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') ||
           coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') || ';' AS line
      FROM pg_policy p JOIN (${tables}) AS c ON c.oid = p.polrelid
     ORDER BY c.relname COLLATE "C", p.polname COLLATE "C"`,
  // PostgreSQL 17 gave tables the right MAINTAIN, which only owners have here.
  "Grants on tables": `
    WITH objects AS (${tables})
    SELECT line FROM (${grants("relacl", "oid::regclass", "relowner")}) AS lines ORDER BY line COLLATE "C"`,
  Functions: `
    SELECT 'FUNCTION ' || p.oid::regprocedure || ' RETURNS ' || pg_get_function_result(p.oid) ||
           ' OWNER ' || p.proowner::regrole ||
           CASE p.provolatile WHEN 'i' THEN ' IMMUTABLE' WHEN 's' THEN ' STABLE' ELSE ' VOLATILE' END ||
           CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END ||
           coalesce(' SET ' || array_to_string(p.proconfig, ' SET '), '') || ' AS $$' || p.prosrc || '$$;' AS line
      FROM pg_proc p WHERE p.pronamespace = 'isochron'::regnamespace ORDER BY p.proname COLLATE "C"`,
  "Grants on functions": `
    WITH objects AS (SELECT * FROM pg_proc WHERE pronamespace = 'isochron'::regnamespace)
    SELECT line FROM (${grants("coalesce(proacl, acldefault('f', proowner))", "oid::regprocedure", "proowner")}) AS lines
     ORDER BY line COLLATE "C"`,
  Others: `
    SELECT CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW ' WHEN 'S' THEN 'SEQUENCE '
             ELSE 'RELATION OF KIND ' || c.relkind::text || ' ' END || c.oid::regclass || ';' AS line
      FROM pg_class c WHERE c.relnamespace = 'isochron'::regnamespace
       AND c.relkind NOT IN ('r', 'p', 'i', 'I', 't') ORDER BY c.relname COLLATE "C"`,
};
