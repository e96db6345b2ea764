/** How a careless change could break the wall; each must let the tenants' login see what is not its own. */
export const mutants: Readonly<Record<string, readonly string[]>> = {
  "row-level security is switched off": ["ALTER TABLE isochron.tenant_event DISABLE ROW LEVEL SECURITY"],
  "the policy is widened": ["ALTER POLICY tenant ON isochron.tenant_event USING (true)"],
  "a second policy is added for everybody": [
    "CREATE POLICY lax ON isochron.tenant_event FOR SELECT USING (true)",
  ],
  "the provider's policy is given to the tenants too": [
    "ALTER POLICY provider ON isochron.tenant_event TO isochron_provider, isochron_tenant",
  ],
  "the signature is not looked at": [
    `CREATE OR REPLACE FUNCTION isochron.claimed_keys() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER
       SET search_path = pg_catalog, pg_temp
       AS $$ SELECT ARRAY(SELECT jsonb_array_elements_text(convert_from(decode(
               substr(current_setting('isochron.claim', true), 66), 'hex'), 'UTF8')::jsonb -> 'keys')) $$`,
  ],
  "partitions are granted, and their wall is down": [
    `DO $$ DECLARE child text; BEGIN
       FOR child IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'isochron.tenant_event'::regclass LOOP
         EXECUTE 'GRANT SELECT ON ' || child || ' TO isochron_tenant';
         EXECUTE 'ALTER TABLE ' || child || ' DISABLE ROW LEVEL SECURITY';
       END LOOP; END $$`,
  ],
  "a view shows its owner's rows": [
    "CREATE VIEW isochron.all_event AS SELECT * FROM isochron.tenant_event",
    "GRANT SELECT ON isochron.all_event TO isochron_tenant",
  ],
  "the members' row-level security is switched off": [
    "ALTER TABLE isochron.storm_member_edition DISABLE ROW LEVEL SECURITY",
  ],
  "the members' policy is widened": ["ALTER POLICY tenant ON isochron.storm_member_edition USING (true)"],
  "the retractions' policy is widened": ["ALTER POLICY tenant ON isochron.retraction USING (true)"],
  "the policy of rules is widened": ["ALTER POLICY tenant ON isochron.notification_rule USING (true)"],
  "the policy of messages is widened": ["ALTER POLICY tenant ON isochron.notification_delivery USING (true)"],
  "the provider's members are opened to tenants": [
    "GRANT SELECT ON isochron.storm_member TO isochron_tenant",
    "CREATE POLICY lax ON isochron.storm_member FOR SELECT TO isochron_tenant USING (true)",
  ],
  "the provider's table is opened to tenants": [
    "GRANT SELECT ON isochron.event TO isochron_tenant",
    "CREATE POLICY lax ON isochron.event FOR SELECT TO isochron_tenant USING (true)",
  ],
};
