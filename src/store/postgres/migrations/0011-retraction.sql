-- The domain that the project belonged to as of the event: a domain's reader sees a project's events from while it was
-- the domain's, wherever the project has been moved since. Null while nobody has told the project's domain.
ALTER TABLE isochron.tenant_event ADD COLUMN domain_key text COLLATE "C";
UPDATE isochron.tenant_event
   SET domain_key = 'domain/' || substring(tenant_key FROM '^[a-z]+/([^/]*)/') || '/' || domain_id
 WHERE domain_id IS NOT NULL;
CREATE INDEX tenant_event_by_domain_time ON isochron.tenant_event (domain_key, occurred_at DESC, id DESC);
CREATE INDEX tenant_event_by_domain_feed ON isochron.tenant_event (domain_key, feed_xid, id);
-- So that an id of another domain's is not even looked at.
CREATE INDEX tenant_event_by_domain_id ON isochron.tenant_event (domain_key, id);

ALTER TABLE isochron.storm_member_edition ADD COLUMN domain_key text COLLATE "C";
UPDATE isochron.storm_member_edition
   SET domain_key = 'domain/' || substring(tenant_key FROM '^[a-z]+/([^/]*)/') || '/' || (edition ->> 'domain_id'),
       edition = (edition::jsonb || jsonb_build_object('domain_key',
         'domain/' || substring(tenant_key FROM '^[a-z]+/([^/]*)/') || '/' || (edition ->> 'domain_id')))::json
 WHERE edition ->> 'domain_id' IS NOT NULL;
CREATE INDEX storm_member_edition_by_domain_id ON isochron.storm_member_edition (domain_key, id);
CREATE INDEX storm_member_edition_by_domain_subject ON isochron.storm_member_edition (domain_key, subject_key, event_id);

-- A claim of a domain opens what was the domain's then, a claim of a project all that is the project's, and a key that
-- begins with '!' takes a project out of a domain again.
ALTER POLICY tenant ON isochron.tenant_event
  USING ((tenant_key = ANY ((SELECT isochron.claimed_keys())::text[])
          OR domain_key = ANY ((SELECT isochron.claimed_keys())::text[]))
         AND '!' || tenant_key <> ALL ((SELECT isochron.claimed_keys())::text[]) AND visibility <> 'security');
ALTER POLICY tenant ON isochron.storm_member_edition
  USING ((tenant_key = ANY ((SELECT isochron.claimed_keys())::text[])
          OR domain_key = ANY ((SELECT isochron.claimed_keys())::text[]))
         AND '!' || tenant_key <> ALL ((SELECT isochron.claimed_keys())::text[]) AND visibility <> 'security');

-- What a reader could see and no longer can, so that whoever follows is told to drop it: the id, and nothing of why or
-- whose it is now. A reader is a tenant's or a domain's key, or 'provider', which no claim can hold.
CREATE TABLE isochron.retraction (
  reader_key text COLLATE "C" NOT NULL,
  -- Whose the edition was; empty for the provider.
  tenant_key text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  -- Where the event first stood in the feed, for whoever resumes right after it.
  first_xid xid8 NOT NULL,
  feed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (reader_key, id, tenant_key)
);
CREATE INDEX retraction_by_feed ON isochron.retraction (reader_key, feed_xid, id);
CREATE INDEX retraction_by_time ON isochron.retraction (occurred_at);

ALTER TABLE isochron.retraction ENABLE ROW LEVEL SECURITY;
ALTER TABLE isochron.retraction FORCE ROW LEVEL SECURITY;
REVOKE ALL ON isochron.retraction FROM PUBLIC;
CREATE POLICY owner ON isochron.retraction TO isochron_owner USING (true) WITH CHECK (true);
CREATE POLICY ingest ON isochron.retraction TO isochron_ingest USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.retraction TO isochron_ingest;
CREATE POLICY provider ON isochron.retraction FOR SELECT TO isochron_provider USING (reader_key = 'provider');
GRANT SELECT ON isochron.retraction TO isochron_provider;
CREATE POLICY tenant ON isochron.retraction FOR SELECT TO isochron_tenant
  USING (reader_key = ANY ((SELECT isochron.claimed_keys())::text[])
         AND '!' || tenant_key <> ALL ((SELECT isochron.claimed_keys())::text[]));
GRANT SELECT ON isochron.retraction TO isochron_tenant;

-- By triggers, so that no way of taking an edition away can forget to tell of it. Dropping a partition fires none.
CREATE FUNCTION isochron.note_lost_edition() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lost text[];
BEGIN
  -- What was for a tenant's administrators alone was never shown, so nobody may hear that it is gone.
  IF OLD.visibility = 'security' THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' OR NEW.visibility = 'security' THEN
    lost := ARRAY[OLD.tenant_key, OLD.domain_key];
  ELSE
    lost := ARRAY[OLD.domain_key];
  END IF;
  INSERT INTO isochron.retraction (reader_key, tenant_key, id, occurred_at, first_xid)
  SELECT DISTINCT key, OLD.tenant_key, OLD.id, OLD.occurred_at, OLD.first_xid
    FROM unnest(lost) AS key WHERE key IS NOT NULL ORDER BY key
  ON CONFLICT (reader_key, id, tenant_key)
  DO UPDATE SET feed_xid = excluded.feed_xid, first_xid = least(isochron.retraction.first_xid, excluded.first_xid);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION isochron.note_lost_edition() FROM PUBLIC;
CREATE TRIGGER note_deleted AFTER DELETE ON isochron.tenant_event
  FOR EACH ROW EXECUTE FUNCTION isochron.note_lost_edition();
CREATE TRIGGER note_moved AFTER UPDATE ON isochron.tenant_event
  FOR EACH ROW WHEN (OLD.domain_key IS DISTINCT FROM NEW.domain_key
                     OR (NEW.visibility = 'security' AND OLD.visibility <> 'security'))
  EXECUTE FUNCTION isochron.note_lost_edition();

CREATE FUNCTION isochron.note_lost_event() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO isochron.retraction (reader_key, tenant_key, id, occurred_at, first_xid)
  VALUES ('provider', '', OLD.id, OLD.occurred_at, OLD.first_xid)
  ON CONFLICT (reader_key, id, tenant_key)
  DO UPDATE SET feed_xid = excluded.feed_xid, first_xid = least(isochron.retraction.first_xid, excluded.first_xid);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION isochron.note_lost_event() FROM PUBLIC;
CREATE TRIGGER note_deleted AFTER DELETE ON isochron.event
  FOR EACH ROW EXECUTE FUNCTION isochron.note_lost_event();

-- Retention takes the retractions with what they speak of.
CREATE OR REPLACE FUNCTION isochron.drop_before(moment timestamptz) RETURNS integer
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
  DELETE FROM isochron.storm_member_edition WHERE occurred_at < kept_from;
  DELETE FROM isochron.storm_member WHERE occurred_at < kept_from;
  DELETE FROM isochron.retraction WHERE occurred_at < kept_from;
  RETURN dropped;
END $$;
