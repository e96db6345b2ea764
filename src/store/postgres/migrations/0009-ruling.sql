-- What operators decided about events that no rule gives an owner: every version stands, the last one holds.
CREATE TABLE isochron.ruling (
  id text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  match jsonb NOT NULL,
  answer jsonb NOT NULL,
  decided_by text NOT NULL,
  why text NOT NULL,
  decided_at timestamptz NOT NULL,
  -- True for the version that takes the ruling back.
  withdrawn boolean NOT NULL,
  PRIMARY KEY (id, version)
);
-- Finds what was decided about an event before it (or a part of it) was stored.
CREATE INDEX ruling_by_event ON isochron.ruling ((match ->> 'eventId')) WHERE match ? 'eventId';

-- How often the set of rulings has changed: whoever answered under another number answers again.
CREATE TABLE isochron.ruling_set (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version bigint NOT NULL
);
INSERT INTO isochron.ruling_set (version) VALUES (0);

-- Rulings whose events are still being looked for, and how far the search has come.
CREATE TABLE isochron.ruling_search (
  id text COLLATE "C" PRIMARY KEY,
  match jsonb NOT NULL,
  after_at timestamptz NOT NULL DEFAULT '-infinity',
  after_id text COLLATE "C" NOT NULL DEFAULT ''
);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['ruling', 'ruling_set', 'ruling_search'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON isochron.ruling TO isochron_ingest;
GRANT SELECT, UPDATE ON isochron.ruling_set TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.ruling_search TO isochron_ingest;
CREATE POLICY provider ON isochron.ruling FOR SELECT TO isochron_provider USING (true);
GRANT SELECT ON isochron.ruling TO isochron_provider;
CREATE POLICY provider ON isochron.ruling_set FOR SELECT TO isochron_provider USING (true);
GRANT SELECT ON isochron.ruling_set TO isochron_provider;

-- Why no rule proves an owner (`ruled` where an operator's word stands in); null for what is proven.
ALTER TABLE isochron.event ADD COLUMN unproven text COLLATE "C";
UPDATE isochron.event SET unproven = 'no-owner-known' WHERE attribution_status = 'unresolved';
UPDATE isochron.event SET unproven = 'several-owners' WHERE attribution_status = 'ambiguous';
-- By group, so that each group's oldest and newest are one look away; and by time, to go through all that match.
CREATE INDEX event_unproven_by_group ON isochron.event (unproven, connection, type, occurred_at, id)
  WHERE unproven IS NOT NULL;
CREATE INDEX event_unproven_by_time ON isochron.event (occurred_at, id) WHERE unproven IS NOT NULL;
