import type pg from "pg";
import { logins, ownerRole } from "./roles.ts";

/** Functions that act as their owner: each was read for what it gives whom. */
const definers: Readonly<Record<string, readonly string[]>> = {
  "isochron.verified_claim()": [],
  "isochron.claimed_keys()": [logins.tenant],
  "isochron.claimed_sensitive_keys()": [logins.tenant],
  "isochron.search_events(text,timestamp with time zone,timestamp with time zone,integer)": [
    logins.operator,
    logins.provider,
  ],
  "isochron.events_around(text[],text[],timestamp with time zone,timestamp with time zone,integer)": [
    logins.operator,
    logins.provider,
  ],
  "isochron.make_partition(text,date)": [logins.ingest],
  "isochron.hold_audit_tail()": [logins.ingest],
  "isochron.follow_audit_tail()": [],
  "isochron.join_audit_entry()": [],
  "isochron.find_audit_actor(text)": [logins.ingest],
  "isochron.erase_audit(bigint,bigint[])": [logins.ingest],
  "isochron.erase_rules(text[])": [logins.ingest],
  "isochron.erase_rule_maker(text,timestamp with time zone,text)": [logins.ingest],
  "isochron.drop_empty_weeks(timestamp with time zone)": [logins.ingest],
  "isochron.scrub_words(text,text[])": [logins.ingest],
};

/** All that the tenants' login may read, by column: nothing may stand there that a tenant must not know. */
const tenantColumns: Readonly<Record<string, string>> = {
  tenant_event: `tenant_key id occurred_at recorded_at precision_ms type kind category phase severity visibility
    subject_kind subject_id subject_name related mentions operation domain_id project_id notice because summary details
    search feed_xid first_xid domain_key`,
  storm_member_edition: `tenant_key id event_id occurred_at recorded_at visibility subject_key edition domain_key`,
  notification_rule: `id version owner_key visibility definition decided_at`,
  notification_standing: `rule owner_key visibility version enabled mark revision paused_at paused_why confirmed_at maker
    matched too_old messages`,
  notification_delivery: `id rule rule_version owner_key visibility sequence draft state made_at waiting_since attempts
    claim claimed_until next_at settled_at last_answer`,
  retraction: `reader_key tenant_key id occurred_at first_xid feed_xid visibility`,
  incident_edition: `tenant_key domain_key id edition visibility published_at title markdown hash`,
};

/** What the operators may read whole: it speaks of no event, or of one that could not be read and has no class yet. */
const wholeForOperators = [
  "connection",
  "connection_finding",
  "connection_hole",
  "topology_fact",
  "topology_run",
  "topology_tenant",
  "set_aside",
  "ruling",
  "ruling_set",
  "notice_template",
  "maintenance_window",
  "alert_split",
  "feedback",
  "type_pair",
  "type_pair_learnt",
  "incident",
  "incident_entry",
  "incident_head",
  "incident_publication",
];

const ours = "c.relnamespace = 'isochron'::regnamespace";
const rolesOfLogins = "(SELECT oid FROM pg_roles WHERE rolname = ANY($1::text[]))";
const readersOnly =
  "('isochron_provider'::regrole, 'isochron_operator'::regrole, 'isochron_tenant'::regrole)";

/**
 * Each rule finds what breaks it, as `fault`, a sentence without its full stop. `$1` are the names of the logins; what
 * a rule needs beside stands in it.
 */
const rules: readonly string[] = [
  `SELECT 'the table ' || c.oid::regclass || ' lacks forced row-level security' FROM pg_class c
    WHERE ${ours} AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)`,
  `SELECT 'the table ' || c.oid::regclass || ' has no policy' FROM pg_class c
    WHERE ${ours} AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)`,
  `SELECT 'the relation ' || c.oid::regclass || ' does not belong to the owner' FROM pg_class c
    WHERE ${ours} AND c.relowner <> '${ownerRole}'::regrole`,
  `SELECT 'the relation ' || c.oid::regclass || ' is of a kind that is not used here: ' || c.relkind::text FROM pg_class c
    WHERE ${ours} AND c.relkind NOT IN ('r', 'p', 'i', 'I', 't', 'v')`,
  `SELECT 'the view ' || c.oid::regclass || ' shows its owner''s rows' FROM pg_class c
    WHERE ${ours} AND c.relkind = 'v'
      AND NOT coalesce(c.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)`,
  `SELECT 'the partition ' || c.oid::regclass || ' is granted to ' || a.grantee::regrole
     FROM pg_class c, aclexplode(c.relacl) a
    WHERE ${ours} AND c.relispartition AND a.grantee <> c.relowner`,
  `SELECT 'the column ' || c.oid::regclass || '.' || t.attname || ' is granted by itself'
     FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid WHERE ${ours} AND t.attacl IS NOT NULL`,
  // Policies.
  `SELECT 'the policy ' || p.polname || ' on ' || c.oid::regclass || ' is for everybody'
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE 0 = ANY (p.polroles)`,
  `SELECT 'the policy ' || p.polname || ' on ' || c.oid::regclass || ' serves more than one login'
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE cardinality(p.polroles) > 1`,
  `SELECT 'the policy ' || p.polname || ' on ' || c.oid::regclass || ' lets a reader do more than read'
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE p.polcmd <> 'r' AND EXISTS (SELECT FROM unnest(p.polroles) r WHERE r::regrole IN ${readersOnly})`,
  `SELECT 'the table ' || c.oid::regclass || ' has two policies for ' || r::regrole
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid, unnest(p.polroles) r
    WHERE r::regrole IN ${readersOnly} GROUP BY c.oid, r HAVING count(*) > 1`,
  `SELECT 'the tenants'' policy on ' || c.oid::regclass || ' does not ask for ' || needed
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid,
          unnest(ARRAY['claimed_keys()', 'claimed_sensitive_keys()', 'visibility', '''!''']) AS needed
    WHERE 'isochron_tenant'::regrole = ANY (p.polroles)
      AND strpos(pg_get_expr(p.polqual, p.polrelid), needed) = 0`,
  `SELECT 'the operators'' policy on ' || c.oid::regclass || ' shows all of it'
     FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
    WHERE 'isochron_operator'::regrole = ANY (p.polroles) AND pg_get_expr(p.polqual, p.polrelid) = 'true'
      AND c.relname <> ALL ('{${wholeForOperators.join(",")}}'::text[])`,
  // Rights.
  `SELECT 'PUBLIC may ' || a.privilege_type || ' ' || c.oid::regclass FROM pg_class c, aclexplode(c.relacl) a
    WHERE ${ours} AND a.grantee = 0`,
  `SELECT 'PUBLIC may execute ' || p.oid::regprocedure
     FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    WHERE p.pronamespace = 'isochron'::regnamespace AND a.grantee = 0`,
  `SELECT 'PUBLIC has ' || a.privilege_type || ' on the schema ' || n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE a.grantee = 0 AND (n.nspname = 'isochron' OR a.privilege_type = 'CREATE')`,
  `SELECT 'PUBLIC has ' || a.privilege_type || ' on the database'
     FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type <> 'CONNECT'`,
  `SELECT login || ' has ' || wanted || ' on the database' FROM unnest($1::text[]) AS login, unnest('{CREATE,TEMPORARY}'::text[]) AS wanted
    WHERE has_database_privilege(login, current_database(), wanted)`,
  `SELECT login || ' may create in the schema ' || n.nspname FROM unnest($1::text[]) AS login, pg_namespace n
    WHERE has_schema_privilege(login, n.oid, 'CREATE')`,
  `SELECT a.grantee::regrole || ' may ' || a.privilege_type || ' ' || c.oid::regclass
     FROM pg_class c, aclexplode(c.relacl) a
    WHERE ${ours} AND a.grantee::regrole IN ${readersOnly} AND a.privilege_type <> 'SELECT'`,
  `SELECT a.grantee::regrole || ' may ' || a.privilege_type || ' ' || c.oid::regclass
     FROM pg_class c, aclexplode(c.relacl) a
    WHERE ${ours} AND a.grantee IN ${rolesOfLogins}
      AND (a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') OR a.is_grantable)`,
  `SELECT a.grantee::regrole || ' may read ' || c.oid::regclass || ', which is not for tenants'
     FROM pg_class c, aclexplode(c.relacl) a
    WHERE ${ours} AND a.grantee = 'isochron_tenant'::regrole
      AND c.relname <> ALL ('{${Object.keys(tenantColumns).join(",")}}'::text[])`,
  `SELECT login || ' may read ' || c.oid::regclass || ', which is not ours'
     FROM unnest($1::text[]) AS login, pg_class c
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace
            WHERE nspname IN ('isochron', 'pg_catalog', 'information_schema', 'pg_toast'))
      AND has_schema_privilege(login, c.relnamespace, 'USAGE')
      AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(login, c.oid, 'USAGE, SELECT, UPDATE')
            ELSE has_table_privilege(login, c.oid, 'SELECT') END`,
  `SELECT 'default rights of ' || d.defaclrole::regrole || ' give away what will be made'
     FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee <> d.defaclrole`,
  `SELECT 'what functions the owner makes PUBLIC may execute'
    WHERE NOT EXISTS (SELECT FROM pg_default_acl d
                       WHERE d.defaclrole = '${ownerRole}'::regrole AND d.defaclobjtype = 'f' AND d.defaclnamespace = 0)`,
  // Functions.
  `SELECT 'the function ' || p.oid::regprocedure || ' acts as its owner and is not on the list'
     FROM pg_proc p WHERE p.pronamespace = 'isochron'::regnamespace AND p.prosecdef
      AND p.oid::regprocedure::text <> ALL ('{${quoted(Object.keys(definers))}}'::text[])`,
  `SELECT 'the function ' || p.oid::regprocedure || ' acts as its owner and pins no search path'
     FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'isochron'::regnamespace
      AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)`,
  `SELECT 'the function ' || p.oid::regprocedure || ' does not belong to the owner'
     FROM pg_proc p WHERE p.pronamespace = 'isochron'::regnamespace AND p.proowner <> '${ownerRole}'::regrole`,
  `SELECT 'the function ' || p.oid::regprocedure || ' claims to be leakproof'
     FROM pg_proc p WHERE p.proleakproof
      AND p.pronamespace <> ALL (ARRAY['pg_catalog'::regnamespace, 'information_schema'::regnamespace])`,
  `SELECT 'the function ' || p.oid::regprocedure || ' is granted to ' || a.grantee::regrole
     FROM pg_proc p, aclexplode(p.proacl) a
    WHERE p.pronamespace = 'isochron'::regnamespace AND a.grantee::regrole IN ${readersOnly}
      AND NOT (p.oid::regprocedure::text || ' ' || a.grantee::regrole = ANY ('{${quoted(
        Object.entries(definers).flatMap(([name, granted]) => granted.map((login) => `${name} ${login}`)),
      )}}'::text[]))`,
  `SELECT 'the function ' || p.oid::regprocedure || ' of no schema of ours is the owner''s' FROM pg_proc p
    WHERE p.proowner = '${ownerRole}'::regrole AND p.pronamespace <> 'isochron'::regnamespace`,
  `SELECT 'the relation ' || c.oid::regclass || ' of no schema of ours is the owner''s' FROM pg_class c
    WHERE c.relowner = '${ownerRole}'::regrole AND c.relnamespace NOT IN ('isochron'::regnamespace, 'pg_toast'::regnamespace)`,
  `SELECT 'the operator ' || o.oid::regoperator || ' shadows one of the server''s' FROM pg_operator o
    WHERE o.oprnamespace = 'isochron'::regnamespace`,
  `SELECT 'the type ' || t.oid::regtype || ' has been made' FROM pg_type t
    WHERE t.typnamespace = 'isochron'::regnamespace AND t.typtype <> 'c' AND t.typelem = 0`,
  // Roles.
  `SELECT 'the login ' || rolname || ' can do more than log in' FROM pg_roles
    WHERE rolname = ANY($1::text[])
      AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolinherit OR NOT rolcanlogin)`,
  `SELECT 'the owner can do more than own' FROM pg_roles
    WHERE rolname = '${ownerRole}' AND (rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)`,
  `SELECT 'the login ' || m.member::regrole || ' is a member of ' || m.roleid::regrole FROM pg_auth_members m
    WHERE m.member IN ${rolesOfLogins} OR m.member = '${ownerRole}'::regrole`,
  `SELECT m.member::regrole || ' is a member of the login ' || m.roleid::regrole FROM pg_auth_members m
     JOIN pg_roles r ON r.oid = m.member
    WHERE m.roleid IN ${rolesOfLogins} AND NOT r.rolsuper AND NOT r.rolcreaterole`,
  `SELECT 'the login ' || c.relowner::regrole || ' owns ' || c.oid::regclass FROM pg_class c WHERE c.relowner IN ${rolesOfLogins}`,
  `SELECT 'the login ' || p.proowner::regrole || ' owns ' || p.oid::regprocedure FROM pg_proc p WHERE p.proowner IN ${rolesOfLogins}`,
  `SELECT 'the login ' || s.setrole::regrole || ' comes with settings of its own' FROM pg_db_role_setting s
    WHERE s.setrole IN ${rolesOfLogins}`,
  `SELECT 'the extension ' || extname || ' is not on the list' FROM pg_extension WHERE extname NOT IN ('plpgsql', 'pg_trgm')`,
  `SELECT 'there is a foreign server' FROM pg_foreign_server`,
];

function quoted(texts: readonly string[]): string {
  return texts.map((text) => `"${text}"`).join(",");
}

/**
 * What in the database's catalogue would open the wall: sentences without their full stops, sorted, none where all is
 * well. Anything that appears in the schema is covered the day that it appears. For tests, as the administrator.
 */
export async function lintCatalogue(client: pg.ClientBase): Promise<readonly string[]> {
  const names = Object.values(logins);
  const faults: string[] = [];
  for (const rule of rules) {
    const { rows } = await client.query<{ fault: string }>(
      `SELECT fault FROM (${rule}) AS found (fault)`,
      rule.includes("$1") ? [names] : [],
    );
    faults.push(...rows.map(({ fault }) => fault));
  }
  return [...faults, ...(await lintColumns(client))].sort();
}

async function lintColumns(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ relname: string; attname: string }>(
    `SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE ${ours} AND c.relname = ANY($1::text[]) AND a.attnum > 0 AND NOT a.attisdropped`,
    [Object.keys(tenantColumns)],
  );
  return rows
    .filter(({ relname, attname }) => !(tenantColumns[relname] ?? "").split(/\s+/).includes(attname))
    .map(
      ({ relname, attname }) => `the column isochron.${relname}.${attname} is not one that tenants may read`,
    );
}
