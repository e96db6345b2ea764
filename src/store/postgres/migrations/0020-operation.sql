-- One row: who looks after operations, and how far that has come.
CREATE TABLE isochron.operation_watch (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch bigint NOT NULL DEFAULT 0,
  holder text,
  lease_until timestamptz,
  passed_at timestamptz,
  -- What began before is counted in operation_length.
  learnt_to timestamptz,
  -- Up to where what is old was looked through for ends that never came.
  swept_to timestamptz
);
INSERT INTO isochron.operation_watch DEFAULT VALUES;

-- How often operations and steps of a kind took so long, over all tenants; the bin -1 counts those that never ended.
CREATE TABLE isochron.operation_length (
  key text COLLATE "C" NOT NULL,
  bin integer NOT NULL CHECK (bin >= -1),
  count bigint NOT NULL CHECK (count > 0),
  PRIMARY KEY (key, bin)
);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['operation_watch', 'operation_length'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
  END LOOP;
END $$;
GRANT SELECT, UPDATE ON isochron.operation_watch TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE ON isochron.operation_length TO isochron_ingest;
