-- What a storm's fold stands for: one row for each member, whose own id is what its deliveries, revisions and pending
-- answers name, so that a member that moves to another fold takes all of these along.
CREATE TABLE isochron.storm_member (
  id text COLLATE "C" PRIMARY KEY,
  fold_id text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source text NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  stream text NOT NULL,
  key text NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  attributed_at timestamptz NOT NULL DEFAULT now(),
  subject_key text COLLATE "C" NOT NULL,
  -- As text: nothing is looked for within, and to take it apart would be most of what a member costs.
  draft json NOT NULL,
  attribution json NOT NULL,
  -- Where the tenants' editions of this member are; their table does not point back.
  edition_keys text[] NOT NULL,
  edition_ids text[] NOT NULL
);
CREATE INDEX storm_member_by_fold ON isochron.storm_member (fold_id, occurred_at, id);
-- Finds the storms that a resource was in, and tells whether a fold knows a subject already.
CREATE INDEX storm_member_by_subject ON isochron.storm_member (subject_key, fold_id);

-- What a tenant may know of a member: like tenant_event, nothing may stand here that a tenant must not know.
CREATE TABLE isochron.storm_member_edition (
  tenant_key text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  -- The fold under the id that this tenant knows it by.
  event_id text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  visibility text NOT NULL,
  subject_key text COLLATE "C" NOT NULL,
  edition json NOT NULL,
  PRIMARY KEY (tenant_key, id)
);
CREATE INDEX storm_member_edition_by_event ON isochron.storm_member_edition (tenant_key, event_id, occurred_at, id);
CREATE INDEX storm_member_edition_by_subject ON isochron.storm_member_edition (tenant_key, subject_key, event_id);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['storm_member', 'storm_member_edition'] LOOP
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

-- The same wall as that of tenant_event.
CREATE POLICY tenant ON isochron.storm_member_edition FOR SELECT TO isochron_tenant
  USING (tenant_key = ANY ((SELECT isochron.claimed_keys())::text[]) AND visibility <> 'security');
GRANT SELECT ON isochron.storm_member_edition TO isochron_tenant;

-- Retention takes the members with their folds: a minute never lies in two weeks.
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
  RETURN dropped;
END $$;
