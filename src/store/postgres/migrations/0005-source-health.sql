-- What is known of a connection beside its records: when it was heard, what of its contract it breaks, where it was blind.
ALTER TABLE isochron.connection
  ADD COLUMN last_heard_at timestamptz,
  ADD COLUMN expect_within_ms bigint,
  ADD COLUMN expect_since timestamptz,
  ADD COLUMN late bigint NOT NULL DEFAULT 0,
  ADD COLUMN reconciled_at timestamptz,
  ADD COLUMN reconciled_from timestamptz,
  ADD COLUMN reconciled_to timestamptz,
  ADD COLUMN reconciled_records bigint,
  ADD COLUMN reconciled_found_late bigint,
  ADD COLUMN found_late_ever bigint NOT NULL DEFAULT 0,
  DROP COLUMN degraded;
UPDATE isochron.connection SET last_heard_at = last_success_at;

CREATE TABLE isochron.connection_finding (
  connection text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  says text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  count bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (connection, code)
);

-- Spans of one connection and reason never overlap: one that meets another is merged with it.
CREATE TABLE isochron.connection_hole (
  connection text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  hole_from timestamptz NOT NULL,
  hole_to timestamptz NOT NULL CHECK (hole_to > hole_from),
  says text NOT NULL,
  PRIMARY KEY (connection, reason, hole_from)
);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['connection_finding', 'connection_hole'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.%I TO isochron_ingest', relation);
    EXECUTE format('CREATE POLICY provider ON isochron.%I FOR SELECT TO isochron_provider USING (true)', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_provider', relation);
  END LOOP;
END $$;
