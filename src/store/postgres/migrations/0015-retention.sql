-- What was deleted and must not come back: HMACs of a delivery (connection, source id, key), of an event's id, of a
-- tenant's edition or of a record set aside, under a key that is not kept in this database.
CREATE TABLE isochron.tombstone (
  hash bytea PRIMARY KEY,
  reason text NOT NULL CHECK (reason IN ('expired', 'erased')),
  made_at timestamptz NOT NULL DEFAULT now()
);

-- Whom or what was erased, up to when; under the same key. What is told of it later is news.
CREATE TABLE isochron.erased_entity (
  hash bytea PRIMARY KEY,
  until timestamptz NOT NULL
);

-- One row: who works at retention and erasure, and how far the pass has come. Every batch locks it, and so does whoever
-- places a hold: a hold that stands is seen by every batch after it.
CREATE TABLE isochron.retention_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch bigint NOT NULL DEFAULT 0,
  holder text,
  lease_until timestamptz,
  passed_at timestamptz,
  -- Where the pass goes on: the place of the last event that was looked at.
  after_at timestamptz NOT NULL DEFAULT '-infinity',
  after_id text COLLATE "C" NOT NULL DEFAULT '',
  -- HMAC of a fixed word: tells that the key is the one that the tombstones were made with.
  key_check bytea
);
INSERT INTO isochron.retention_state DEFAULT VALUES;

CREATE TABLE isochron.legal_hold (
  id text COLLATE "C" PRIMARY KEY,
  -- Of a tenant: the keys of all that it is made of, and what it is called. Of a resource: its control plane and key.
  tenant_keys text[] NOT NULL,
  label text NOT NULL,
  control_plane text COLLATE "C",
  entity_key text COLLATE "C",
  hold_from timestamptz,
  hold_to timestamptz,
  why text NOT NULL,
  placed_by text NOT NULL,
  placed_at timestamptz NOT NULL,
  lifted_by text,
  lifted_why text,
  lifted_at timestamptz,
  CHECK ((entity_key IS NULL) = (control_plane IS NULL)),
  CHECK (cardinality(tenant_keys) > 0 OR entity_key IS NOT NULL)
);

-- Erasures that were asked for. What names the one to be erased goes when the erasure is done.
CREATE TABLE isochron.erasure (
  id text COLLATE "C" PRIMARY KEY,
  -- Null once it is done.
  target jsonb,
  -- HMAC of the target, which tells whether somebody was erased who can be named.
  target_hash bytea NOT NULL,
  why text NOT NULL,
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL,
  done_at timestamptz,
  -- What holds keep back; it is tried again when they are lifted.
  held bigint NOT NULL DEFAULT 0,
  counts jsonb NOT NULL DEFAULT '{}',
  -- Readers whose retractions go once their streams have read them.
  reader_keys text[] NOT NULL DEFAULT '{}'
);

ALTER TABLE isochron.connection ADD COLUMN expired bigint NOT NULL DEFAULT 0;

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['tombstone', 'erased_entity', 'retention_state', 'legal_hold', 'erasure'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON isochron.tombstone TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE ON isochron.erased_entity, isochron.legal_hold, isochron.erasure TO isochron_ingest;
GRANT SELECT, UPDATE ON isochron.retention_state TO isochron_ingest;

-- Retention takes no notice of its own doings: what has grown old leaves open streams as they are, an erasure does not.
CREATE FUNCTION isochron.is_expiring() RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  AS $$ SELECT coalesce(current_setting('isochron.expiring', true), '') = 'on' $$;
GRANT EXECUTE ON FUNCTION isochron.is_expiring() TO isochron_ingest;

DROP TRIGGER note_deleted ON isochron.tenant_event;
CREATE TRIGGER note_deleted AFTER DELETE ON isochron.tenant_event
  FOR EACH ROW WHEN (NOT isochron.is_expiring()) EXECUTE FUNCTION isochron.note_lost_edition();
DROP TRIGGER note_deleted ON isochron.event;
CREATE TRIGGER note_deleted AFTER DELETE ON isochron.event
  FOR EACH ROW WHEN (NOT isochron.is_expiring()) EXECUTE FUNCTION isochron.note_lost_event();

-- Drops the partitions that end at or before the moment and hold nothing any more; gives their number. What is known of
-- their events was deleted with the events, row by row, because every one of them leaves a tombstone.
DROP FUNCTION isochron.drop_before(timestamptz);
CREATE FUNCTION isochron.drop_empty_weeks(moment timestamptz) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  child record;
  week date;
  dropped integer := 0;
  occupied boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('isochron partition'));
  FOR child IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent IN ('isochron.event'::regclass, 'isochron.tenant_event'::regclass) ORDER BY c.relname
  LOOP
    week := to_date(right(child.relname, 8), 'YYYYMMDD');
    CONTINUE WHEN (week + 7)::timestamp AT TIME ZONE 'UTC' > moment;
    EXECUTE format('SELECT EXISTS (SELECT FROM isochron.%I)', child.relname) INTO occupied;
    CONTINUE WHEN occupied;
    -- Again behind the lock: a row may have come since.
    EXECUTE format('LOCK TABLE isochron.%I IN ACCESS EXCLUSIVE MODE', child.relname);
    EXECUTE format('SELECT EXISTS (SELECT FROM isochron.%I)', child.relname) INTO occupied;
    CONTINUE WHEN occupied;
    EXECUTE format('DROP TABLE isochron.%I', child.relname);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
GRANT EXECUTE ON FUNCTION isochron.drop_empty_weeks(timestamptz) TO isochron_ingest;

-- Replaces what matches, whatever its case, in every text, array and JSON column of every table but those named, with
-- 'erased'; tables that come later are covered the day they appear. For tables that are small: large ones are gone
-- through in batches instead. Gives how many values changed.
CREATE FUNCTION isochron.scrub_words(pattern text, except_tables text[]) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found record;
  changed bigint;
  total bigint := 0;
BEGIN
  FOR found IN
    SELECT c.relname, a.attname, format_type(a.atttypid, NULL) AS type,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS is_name
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> ALL (except_tables) AND a.attgenerated = ''
       AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'json', 'jsonb')
     ORDER BY c.relname, a.attnum
  LOOP
    -- Two names must not become one where each is there once only.
    EXECUTE format('UPDATE isochron.%I SET %I = regexp_replace(%I::text, $1, %s, ''gi'')::%s WHERE %I::text ~* $1',
                   found.relname, found.attname, found.attname,
                   CASE WHEN found.is_name THEN '''erased-'' || gen_random_uuid()' ELSE '''erased''' END,
                   found.type, found.attname) USING pattern;
    GET DIAGNOSTICS changed = ROW_COUNT;
    total := total + changed;
  END LOOP;
  RETURN total;
END $$;
GRANT EXECUTE ON FUNCTION isochron.scrub_words(text, text[]) TO isochron_ingest;
