-- Incidents: histories that nothing is taken from. No login may change or delete an entry; words of the erased are
-- replaced by scrub_words, which acts as the owner.
CREATE TABLE isochron.incident (
  id text COLLATE "C" PRIMARY KEY,
  origin text COLLATE "C" NOT NULL,
  opened_by text NOT NULL,
  opened_at timestamptz NOT NULL,
  -- What opened it, where the same must not open a second one.
  opening_key text COLLATE "C" UNIQUE
);

CREATE TABLE isochron.incident_entry (
  incident_id text COLLATE "C" NOT NULL REFERENCES isochron.incident (id),
  sequence integer NOT NULL CHECK (sequence > 0),
  recorded_at timestamptz NOT NULL,
  recorded_by text NOT NULL,
  change jsonb NOT NULL,
  PRIMARY KEY (incident_id, sequence)
);

-- Where each history ends, and what lists ask for: made from the entries, in their transaction.
CREATE TABLE isochron.incident_head (
  incident_id text COLLATE "C" PRIMARY KEY REFERENCES isochron.incident (id),
  version integer NOT NULL,
  state text COLLATE "C" NOT NULL,
  window_from timestamptz NOT NULL,
  window_to timestamptz
);
CREATE INDEX incident_head_by_window ON isochron.incident_head (window_from, incident_id);

-- What was frozen when it was published, with the events that were pinned as they were then.
CREATE TABLE isochron.incident_publication (
  incident_id text COLLATE "C" PRIMARY KEY REFERENCES isochron.incident (id),
  published_at timestamptz NOT NULL,
  hash text NOT NULL,
  export text NOT NULL
);

-- What each tenant is told. The id is made for this tenant alone, and nothing here leads back to the incident.
CREATE TABLE isochron.incident_edition (
  tenant_key text COLLATE "C" NOT NULL,
  -- The domain that the project was part of when it was told; null while nobody has said.
  domain_key text COLLATE "C",
  id text COLLATE "C" NOT NULL,
  edition integer NOT NULL CHECK (edition > 0),
  visibility text COLLATE "C" NOT NULL,
  published_at timestamptz NOT NULL,
  title text NOT NULL,
  markdown text NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (tenant_key, id, edition)
);
CREATE INDEX incident_edition_by_domain ON isochron.incident_edition (domain_key, id);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['incident', 'incident_entry', 'incident_head', 'incident_publication',
    'incident_edition'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
    EXECUTE format('GRANT SELECT, INSERT ON isochron.%I TO isochron_ingest', relation);
    EXECUTE format('CREATE POLICY provider ON isochron.%I FOR SELECT TO isochron_provider USING (true)', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_provider', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_operator', relation);
  END LOOP;
  -- Histories hold ids of events and what the provider's people wrote for one another; events are read where they are.
  FOREACH relation IN ARRAY ARRAY['incident', 'incident_entry', 'incident_head', 'incident_publication'] LOOP
    EXECUTE format('CREATE POLICY operator ON isochron.%I FOR SELECT TO isochron_operator USING (true)', relation);
  END LOOP;
END $$;
GRANT UPDATE ON isochron.incident_head TO isochron_ingest;
-- An erasure takes what an erased tenant was told.
GRANT DELETE ON isochron.incident_edition TO isochron_ingest;
CREATE POLICY operator ON isochron.incident_edition FOR SELECT TO isochron_operator
  USING (visibility IN ('operational', 'billing', 'provider'));
CREATE POLICY tenant ON isochron.incident_edition FOR SELECT TO isochron_tenant
  USING ((tenant_key = ANY ((SELECT isochron.claimed_keys())::text[])
          OR domain_key = ANY ((SELECT isochron.claimed_keys())::text[]))
         AND '!' || tenant_key <> ALL ((SELECT isochron.claimed_keys())::text[])
         AND (visibility IN ('operational', 'billing')
              OR (visibility = 'security'
                  AND (tenant_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[])
                       OR domain_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[])))));
GRANT SELECT ON isochron.incident_edition TO isochron_tenant;

-- Against mistakes of the owner's too, but for the words that an erasure takes out.
CREATE FUNCTION isochron.refuse_incident_loss() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'entries of an incident are not taken away';
END $$;
REVOKE ALL ON FUNCTION isochron.refuse_incident_loss() FROM PUBLIC;
CREATE TRIGGER refuse_loss BEFORE DELETE ON isochron.incident_entry
  FOR EACH ROW EXECUTE FUNCTION isochron.refuse_incident_loss();
CREATE TRIGGER refuse_loss BEFORE DELETE ON isochron.incident
  FOR EACH ROW EXECUTE FUNCTION isochron.refuse_incident_loss();
