-- Who may see which class of visibility. A claim says of which of its keys the reader is the administrator; a login of
-- its own serves the provider's operators, from whom what is of the class security is withheld.

-- What a valid claim holds; null for any other. No login may call it: what stands in a claim is nobody's to read back.
CREATE FUNCTION isochron.verified_claim() RETURNS jsonb
  LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  claim text := current_setting('isochron.claim', true);
  payload text;
  body jsonb;
  signature text;
BEGIN
  IF claim IS NULL OR claim !~ '^[0-9a-f]{64}\.([0-9a-f][0-9a-f])+$' THEN
    RETURN NULL;
  END IF;
  payload := substr(claim, 66);
  SELECT encode(sha256(k.outer_block || sha256(k.inner_block || convert_to(payload, 'UTF8'))), 'hex')
    INTO signature FROM isochron.claim_key k;
  IF signature IS DISTINCT FROM left(claim, 64) THEN
    RETURN NULL;
  END IF;
  body := convert_from(decode(payload, 'hex'), 'UTF8')::jsonb;
  IF (body ->> 'pid')::integer IS DISTINCT FROM pg_backend_pid()
     OR body ->> 'tx' IS DISTINCT FROM (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text
     OR coalesce(to_timestamp((body ->> 'exp')::double precision) <= clock_timestamp(), true) THEN
    RETURN NULL;
  END IF;
  RETURN body;
END $$;
REVOKE ALL ON FUNCTION isochron.verified_claim() FROM PUBLIC;

CREATE OR REPLACE FUNCTION isochron.claimed_keys() RETURNS text[]
  LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT jsonb_array_elements_text(isochron.verified_claim() -> 'keys'));
END $$;

-- Those of the claimed keys whose administrator the reader is.
CREATE FUNCTION isochron.claimed_sensitive_keys() RETURNS text[]
  LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT jsonb_array_elements_text(isochron.verified_claim() -> 'sensitive'));
END $$;
REVOKE ALL ON FUNCTION isochron.claimed_sensitive_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION isochron.claimed_sensitive_keys() TO isochron_tenant;

-- A class that is not named here is nobody's to see.
ALTER POLICY tenant ON isochron.tenant_event
  USING ((tenant_key = ANY ((SELECT isochron.claimed_keys())::text[])
          OR domain_key = ANY ((SELECT isochron.claimed_keys())::text[]))
         AND '!' || tenant_key <> ALL ((SELECT isochron.claimed_keys())::text[])
         AND (visibility IN ('operational', 'billing')
              OR (visibility = 'security'
                  AND (tenant_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[])
                       OR domain_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[])))));
ALTER POLICY tenant ON isochron.storm_member_edition
  USING ((tenant_key = ANY ((SELECT isochron.claimed_keys())::text[])
          OR domain_key = ANY ((SELECT isochron.claimed_keys())::text[]))
         AND '!' || tenant_key <> ALL ((SELECT isochron.claimed_keys())::text[])
         AND (visibility IN ('operational', 'billing')
              OR (visibility = 'security'
                  AND (tenant_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[])
                       OR domain_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[])))));

-- A retraction tells of the class of what was lost, so that whoever never saw it does not hear that it is gone. The
-- class is part of the key: what is lost of another class later must not hide what was lost before.
ALTER TABLE isochron.retraction ADD COLUMN visibility text COLLATE "C" NOT NULL DEFAULT 'operational';
ALTER TABLE isochron.retraction ALTER COLUMN visibility DROP DEFAULT;
ALTER TABLE isochron.retraction DROP CONSTRAINT retraction_pkey;
ALTER TABLE isochron.retraction ADD CONSTRAINT retraction_pkey PRIMARY KEY (reader_key, id, tenant_key, visibility);
ALTER POLICY tenant ON isochron.retraction
  USING (reader_key = ANY ((SELECT isochron.claimed_keys())::text[])
         AND '!' || tenant_key <> ALL ((SELECT isochron.claimed_keys())::text[])
         AND (visibility IN ('operational', 'billing')
              OR (visibility = 'security' AND reader_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[]))));

CREATE OR REPLACE FUNCTION isochron.note_lost_edition() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lost text[];
BEGIN
  -- What no tenant was ever shown, nobody may hear of.
  IF OLD.visibility NOT IN ('operational', 'billing', 'security') THEN
    RETURN NULL;
  END IF;
  -- Whom a narrower class leaves in, finds the edition where it was and is told nothing.
  IF TG_OP = 'DELETE' OR NEW.visibility <> OLD.visibility THEN
    lost := ARRAY[OLD.tenant_key, OLD.domain_key];
  ELSE
    lost := ARRAY[OLD.domain_key];
  END IF;
  INSERT INTO isochron.retraction (reader_key, tenant_key, id, occurred_at, first_xid, visibility)
  SELECT DISTINCT key, OLD.tenant_key, OLD.id, OLD.occurred_at, OLD.first_xid, OLD.visibility
    FROM unnest(lost) AS key WHERE key IS NOT NULL ORDER BY key
  ON CONFLICT (reader_key, id, tenant_key, visibility)
  DO UPDATE SET feed_xid = excluded.feed_xid, first_xid = least(isochron.retraction.first_xid, excluded.first_xid);
  RETURN NULL;
END $$;
DROP TRIGGER note_moved ON isochron.tenant_event;
CREATE TRIGGER note_moved AFTER UPDATE ON isochron.tenant_event
  FOR EACH ROW WHEN (OLD.domain_key IS DISTINCT FROM NEW.domain_key
                     OR (OLD.visibility <> NEW.visibility
                         AND NOT (OLD.visibility IN ('operational', 'billing', 'security')
                                  AND NEW.visibility IN ('operational', 'billing'))))
  EXECUTE FUNCTION isochron.note_lost_edition();

CREATE OR REPLACE FUNCTION isochron.note_lost_event() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO isochron.retraction (reader_key, tenant_key, id, occurred_at, first_xid, visibility)
  VALUES ('provider', '', OLD.id, OLD.occurred_at, OLD.first_xid, OLD.visibility)
  ON CONFLICT (reader_key, id, tenant_key, visibility)
  DO UPDATE SET feed_xid = excluded.feed_xid, first_xid = least(isochron.retraction.first_xid, excluded.first_xid);
  RETURN NULL;
END $$;
-- An event that becomes one of security is lost to the operators alone.
CREATE TRIGGER note_withheld AFTER UPDATE ON isochron.event
  FOR EACH ROW WHEN (OLD.visibility <> NEW.visibility
                     AND NEW.visibility NOT IN ('operational', 'billing', 'provider'))
  EXECUTE FUNCTION isochron.note_lost_event();

-- The operators' login reads what the provider's does, but nothing of security. What has no class of its own is seen
-- with the event or the member that it belongs to, whose own policies hold within these.
GRANT USAGE ON SCHEMA isochron TO isochron_operator;
CREATE POLICY operator ON isochron.event FOR SELECT TO isochron_operator
  USING (visibility IN ('operational', 'billing', 'provider'));
CREATE POLICY operator ON isochron.tenant_event FOR SELECT TO isochron_operator
  USING (visibility IN ('operational', 'billing', 'provider'));
CREATE POLICY operator ON isochron.storm_member FOR SELECT TO isochron_operator
  USING (draft ->> 'visibility' IN ('operational', 'billing', 'provider'));
CREATE POLICY operator ON isochron.storm_member_edition FOR SELECT TO isochron_operator
  USING (visibility IN ('operational', 'billing', 'provider'));
CREATE POLICY operator ON isochron.retraction FOR SELECT TO isochron_operator
  USING (reader_key = 'provider' AND visibility IN ('operational', 'billing', 'provider'));
CREATE POLICY operator ON isochron.event_revision FOR SELECT TO isochron_operator
  USING (draft ->> 'visibility' IN ('operational', 'billing', 'provider')
         AND (EXISTS (SELECT FROM isochron.event e
                       WHERE e.id = event_revision.event_id AND e.occurred_at = event_revision.occurred_at)
              OR EXISTS (SELECT FROM isochron.storm_member m WHERE m.id = event_revision.event_id)));
CREATE POLICY operator ON isochron.attribution_revision FOR SELECT TO isochron_operator
  USING (EXISTS (SELECT FROM isochron.event e
                  WHERE e.id = attribution_revision.event_id AND e.occurred_at = attribution_revision.occurred_at)
         OR EXISTS (SELECT FROM isochron.storm_member m WHERE m.id = attribution_revision.event_id));
CREATE POLICY operator ON isochron.delivery FOR SELECT TO isochron_operator
  USING (EXISTS (SELECT FROM isochron.event e
                  WHERE e.id = delivery.event_id AND e.occurred_at = delivery.occurred_at)
         OR EXISTS (SELECT FROM isochron.storm_member m WHERE m.id = delivery.event_id));

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['event', 'tenant_event', 'storm_member', 'storm_member_edition', 'retraction',
    'event_revision', 'attribution_revision', 'delivery'] LOOP
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_operator', relation);
  END LOOP;
  -- What speaks of no event, or of one that has no class yet because it could not be read.
  FOREACH relation IN ARRAY ARRAY['connection', 'connection_finding', 'connection_hole', 'topology_fact', 'topology_run',
    'topology_tenant', 'set_aside', 'ruling', 'ruling_set', 'notice_template'] LOOP
    EXECUTE format('CREATE POLICY operator ON isochron.%I FOR SELECT TO isochron_operator USING (true)', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_operator', relation);
  END LOOP;
END $$;

-- The provider finds text by its trigrams where the server has them (pg_trgm, which any owner of a database may
-- install); elsewhere rows are looked through. The extension's functions lie where no login can name them. What is of
-- the class security has an index of its own: what operators may not see must not take up their time either. Tenants
-- have no such index: each looks through its own rows, which takes as long for a word of others as for one of nobody's.
CREATE SCHEMA isochron_trigram;
DO $$
DECLARE
  place regnamespace;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_available_extension_versions WHERE name = 'pg_trgm' AND (trusted OR installed)) THEN
    RETURN;
  END IF;
  CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA isochron_trigram;
  SELECT extnamespace::regnamespace INTO place FROM pg_extension WHERE extname = 'pg_trgm';
  EXECUTE format('CREATE INDEX event_by_text ON isochron.event USING gin (search %s.gin_trgm_ops) WITH (gin_pending_list_limit = 1024)
                   WHERE visibility IN (''operational'', ''billing'', ''provider'')', place);
  EXECUTE format('CREATE INDEX event_by_withheld_text ON isochron.event USING gin (search %s.gin_trgm_ops) WITH (gin_pending_list_limit = 1024)
                   WHERE visibility NOT IN (''operational'', ''billing'', ''provider'')', place);
END $$;

-- Below a policy that can say no, LIKE may use no index: it could tell by an error what rows it was asked of. This looks
-- as the owner, and states in its own words what its caller may see. One row of nulls says that rows have to be looked
-- through: there is no index, the text has no trigram, or the newest rows hold it so often that they are soon enough.
-- Of either kind at most one more than `most` is found.
CREATE FUNCTION isochron.search_events(wanted text, since timestamptz, until timestamptz, most integer)
  RETURNS TABLE (id text, occurred_at timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  pattern text := '%' || regexp_replace(wanted, '([\\%_])', '\\\1', 'g') || '%';
BEGIN
  IF wanted !~ '[[:alnum:]]{3}' OR to_regclass('isochron.event_by_text') IS NULL
     OR 10 <= (SELECT count(*) FROM (
                 SELECT e.search FROM isochron.event e
                  WHERE e.visibility IN ('operational', 'billing', 'provider')
                    AND e.occurred_at >= since AND e.occurred_at < until
                  ORDER BY e.occurred_at DESC, e.id DESC LIMIT 500) AS newest
                WHERE strpos(newest.search, wanted) > 0) THEN
    RETURN QUERY SELECT NULL::text, NULL::timestamptz;
    RETURN;
  END IF;
  RETURN QUERY
    SELECT e.id, e.occurred_at FROM isochron.event e
     WHERE e.visibility IN ('operational', 'billing', 'provider') AND e.search LIKE pattern
       AND e.occurred_at >= since AND e.occurred_at < until
     LIMIT most + 1;
  IF session_user = 'isochron_provider' THEN
    RETURN QUERY
      SELECT e.id, e.occurred_at FROM isochron.event e
       WHERE e.visibility NOT IN ('operational', 'billing', 'provider') AND e.search LIKE pattern
         AND e.occurred_at >= since AND e.occurred_at < until
       LIMIT most + 1;
  END IF;
END $$;
REVOKE ALL ON FUNCTION isochron.search_events(text, timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION isochron.search_events(text, timestamptz, timestamptz, integer)
  TO isochron_operator, isochron_provider;
