-- Who may do what. Row-level security is forced on every table, also against the owner, and each role has
-- a policy of its own: a table that is forgotten here can be read by nobody.

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['claim_key', 'connection', 'connection_cursor', 'event', 'event_revision',
    'attribution_revision', 'delivery', 'topology_fact', 'pending_attribution', 'reattribution_due',
    'tenant_event', 'set_aside', 'api_token', 'schema_migration'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
  END LOOP;
  FOREACH relation IN ARRAY ARRAY['connection', 'connection_cursor', 'event', 'event_revision',
    'attribution_revision', 'delivery', 'topology_fact', 'pending_attribution', 'reattribution_due',
    'tenant_event', 'set_aside', 'api_token'] LOOP
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.%I TO isochron_ingest', relation);
  END LOOP;
  FOREACH relation IN ARRAY ARRAY['connection', 'event', 'event_revision', 'attribution_revision', 'delivery',
    'topology_fact', 'tenant_event', 'set_aside'] LOOP
    EXECUTE format('CREATE POLICY provider ON isochron.%I FOR SELECT TO isochron_provider USING (true)', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_provider', relation);
  END LOOP;
END $$;

-- The sub-SELECT makes PostgreSQL verify the claim once a query instead of once a row.
CREATE POLICY tenant ON isochron.tenant_event FOR SELECT TO isochron_tenant
  USING (tenant_key = ANY ((SELECT isochron.claimed_keys())::text[]));
GRANT SELECT ON isochron.tenant_event TO isochron_tenant;
GRANT EXECUTE ON FUNCTION isochron.claimed_keys() TO isochron_tenant;

-- Makes one week's partition of one table, walled like its parent and closed to everybody but through it.
CREATE FUNCTION isochron.make_partition(parent text, week date) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := parent || '_' || to_char(week, 'YYYYMMDD');
BEGIN
  IF parent NOT IN ('event', 'tenant_event') OR extract(isodow FROM week) <> 1 THEN
    RAISE EXCEPTION 'no such partition';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('isochron partition'));
  IF to_regclass(format('isochron.%I', name)) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Made beside the table and then attached: that needs no lock that readers or writers would wait for.
  EXECUTE format('CREATE TABLE isochron.%I (LIKE isochron.%I INCLUDING DEFAULTS)', name, parent);
  EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', name);
  EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', name);
  EXECUTE format('ALTER TABLE isochron.%I ATTACH PARTITION isochron.%I FOR VALUES FROM (%L) TO (%L)',
                 parent, name, week::timestamp AT TIME ZONE 'UTC', (week + 7)::timestamp AT TIME ZONE 'UTC');
END $$;
GRANT EXECUTE ON FUNCTION isochron.make_partition(text, date) TO isochron_ingest;

-- Retention: drops every partition that ends at or before the moment, and what is known of its events.
-- Gives the number of partitions dropped.
CREATE FUNCTION isochron.drop_before(moment timestamptz) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  child record;
  week date;
  dropped integer := 0;
  kept_from timestamptz := '-infinity';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('isochron partition'));
  FOR child IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent IN ('isochron.event'::regclass, 'isochron.tenant_event'::regclass) ORDER BY c.relname
  LOOP
    week := to_date(right(child.relname, 8), 'YYYYMMDD');
    IF (week + 7)::timestamp AT TIME ZONE 'UTC' <= moment THEN
      EXECUTE format('DROP TABLE isochron.%I', child.relname);
      dropped := dropped + 1;
      kept_from := greatest(kept_from, (week + 7)::timestamp AT TIME ZONE 'UTC');
    END IF;
  END LOOP;
  DELETE FROM isochron.delivery WHERE occurred_at < kept_from;
  DELETE FROM isochron.pending_attribution WHERE occurred_at < kept_from;
  DELETE FROM isochron.event_revision WHERE occurred_at < kept_from;
  DELETE FROM isochron.attribution_revision WHERE occurred_at < kept_from;
  RETURN dropped;
END $$;
GRANT EXECUTE ON FUNCTION isochron.drop_before(timestamptz) TO isochron_ingest;
