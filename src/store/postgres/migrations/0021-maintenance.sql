-- Planned work on things of one control plane: what happens to them meanwhile is expected, and is shown all the same.
CREATE TABLE isochron.maintenance_window (
  id text COLLATE "C" PRIMARY KEY,
  title text NOT NULL,
  starts_at timestamptz NOT NULL,
  -- Not part of it.
  ends_at timestamptz NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  -- What is worked on, each with its kind and id.
  things jsonb NOT NULL CHECK (jsonb_typeof(things) = 'array' AND jsonb_array_length(things) > 0),
  planned_by text NOT NULL,
  why text NOT NULL,
  cancelled_at timestamptz,
  cancelled_by text,
  CHECK (starts_at < ends_at),
  CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL))
);
CREATE INDEX maintenance_window_by_end ON isochron.maintenance_window (ends_at, starts_at) WHERE cancelled_at IS NULL;
CREATE INDEX maintenance_window_by_start ON isochron.maintenance_window (starts_at, id);

-- Which monitors' alerts a person took out of the duplicates that they were merged with. A split that is taken back stays.
CREATE TABLE isochron.alert_split (
  id text COLLATE "C" PRIMARY KEY,
  series text COLLATE "C" NOT NULL,
  split_by text NOT NULL,
  why text NOT NULL,
  split_at timestamptz NOT NULL,
  undone_at timestamptz,
  undone_by text,
  CHECK ((undone_at IS NULL) = (undone_by IS NULL))
);
-- At most one standing split of a series.
CREATE UNIQUE INDEX alert_split_standing ON isochron.alert_split (series) WHERE undone_at IS NULL;

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['maintenance_window', 'alert_split'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON isochron.%I TO isochron_ingest', relation);
    EXECUTE format('CREATE POLICY provider ON isochron.%I FOR SELECT TO isochron_provider USING (true)', relation);
    EXECUTE format('CREATE POLICY operator ON isochron.%I FOR SELECT TO isochron_operator USING (true)', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_provider, isochron_operator', relation);
  END LOOP;
END $$;
