-- What the observations of a relation come to: runs of equal ones, each with its first and its last sight. How often
-- something was seen again costs nothing to whoever asks. Made of topology_fact alone, which keeps every observation,
-- because what arrives late can take a run apart.
CREATE TABLE isochron.topology_run (
  control_plane text COLLATE "C" NOT NULL,
  from_kind text COLLATE "C" NOT NULL,
  from_id text COLLATE "C" NOT NULL,
  relation text COLLATE "C" NOT NULL,
  to_kind text COLLATE "C" NOT NULL,
  to_id text COLLATE "C" NOT NULL,
  -- First and last sight; the record is that of the first.
  at timestamptz NOT NULL,
  holds boolean NOT NULL,
  last_at timestamptz NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  -- The last transaction whose observation of this run could change an answer.
  changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (control_plane, from_kind, from_id, relation, at, to_kind, to_id, holds)
) WITH (fillfactor = 90);
CREATE INDEX topology_run_by_target ON isochron.topology_run
  (control_plane, to_kind, to_id, relation, from_kind, from_id, at, holds);
-- Finds what bears an id whose kind a record does not tell.
CREATE INDEX topology_run_by_id ON isochron.topology_run (control_plane, from_id, from_kind, relation);
-- Finds what arrived while a page was being resolved.
CREATE INDEX topology_run_by_change ON isochron.topology_run (changed_xid);

-- Every project and domain that a fact has named.
CREATE TABLE isochron.topology_tenant (
  control_plane text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('project', 'domain')),
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (control_plane, kind, id)
);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['topology_run', 'topology_tenant'] LOOP
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

INSERT INTO isochron.topology_run
  (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id, recorded_at)
WITH observed AS (
  SELECT *, CASE WHEN relation IN ('attached_to', 'routed_by', 'member_of', 'has_address', 'concerns', 'guards', 'works_in',
                                   'used_by', 'known_as') THEN to_kind || ':' || to_id END AS target
    FROM isochron.topology_fact
), compared AS (
  SELECT *, (lag(to_kind) OVER run, lag(to_id) OVER run, lag(holds) OVER run)
            IS DISTINCT FROM (to_kind, to_id, holds) AS changed
    FROM observed
  WINDOW run AS (PARTITION BY control_plane, from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds)
), numbered AS (
  SELECT *, count(*) FILTER (WHERE changed) OVER run AS number
    FROM compared
  WINDOW run AS (PARTITION BY control_plane, from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds)
), spanned AS (
  SELECT *, max(at) OVER (PARTITION BY control_plane, from_kind, from_id, relation, target, number) AS last_at
    FROM numbered
)
SELECT control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id, recorded_at
  FROM spanned WHERE changed;

INSERT INTO isochron.topology_tenant
SELECT control_plane, from_kind, from_id FROM isochron.topology_run WHERE from_kind IN ('project', 'domain')
UNION
SELECT control_plane, to_kind, to_id FROM isochron.topology_run WHERE to_kind IN ('project', 'domain');

-- What is made of the facts goes with them.
CREATE FUNCTION isochron.forget_runs() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  TRUNCATE isochron.topology_run, isochron.topology_tenant;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_runs AFTER TRUNCATE ON isochron.topology_fact
  FOR EACH STATEMENT EXECUTE FUNCTION isochron.forget_runs();

-- Puts observations, which stand in topology_fact already, into the runs one by one, in the order in which they are
-- given (that of their times). Gives those that can change an answer, each with the moment from which on it can:
-- `first` where nothing was observed before it, else `since`.
CREATE FUNCTION isochron.place_observations(plane text, teller text, observations jsonb, side_by_side text[])
  RETURNS TABLE (nth bigint, first boolean, since timestamptz)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  o record;
  cur isochron.topology_run;
  nxt isochron.topology_run;
  seen isochron.topology_fact;
  ended timestamptz;
  plural boolean;
  changes boolean;
BEGIN
  FOR o IN
    SELECT given.n, x.* FROM jsonb_array_elements(observations) WITH ORDINALITY AS given (item, n)
     CROSS JOIN LATERAL jsonb_to_record(given.item) AS x (from_kind text, from_id text, relation text, to_kind text,
       to_id text, at timestamptz, holds boolean, source_id text)
     ORDER BY given.n
  LOOP
    plural := o.relation = ANY (side_by_side);
    changes := true;
    ended := NULL;
    -- The run that the observation lies in or after, and the one that follows.
    IF plural THEN
      SELECT r.* INTO cur FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.to_kind = o.to_kind AND r.to_id = o.to_id AND r.relation = o.relation
         AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND (r.at, r.holds) <= (o.at, o.holds)
       ORDER BY r.at DESC, r.holds DESC LIMIT 1;
      SELECT r.* INTO nxt FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.to_kind = o.to_kind AND r.to_id = o.to_id AND r.relation = o.relation
         AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND (r.at, r.holds) > (o.at, o.holds)
       ORDER BY r.at, r.holds LIMIT 1;
    ELSE
      SELECT r.* INTO cur FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND r.relation = o.relation
         AND (r.at, r.to_kind, r.to_id, r.holds) <= (o.at, o.to_kind, o.to_id, o.holds)
       ORDER BY r.at DESC, r.to_kind DESC, r.to_id DESC, r.holds DESC LIMIT 1;
      SELECT r.* INTO nxt FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND r.relation = o.relation
         AND (r.at, r.to_kind, r.to_id, r.holds) > (o.at, o.to_kind, o.to_id, o.holds)
       ORDER BY r.at, r.to_kind, r.to_id, r.holds LIMIT 1;
    END IF;

    IF (cur.to_kind, cur.to_id, cur.holds) = (o.to_kind, o.to_id, o.holds) AND o.at > cur.at THEN
      -- Seen again. What lay after the last sight is known better only where something else followed.
      changes := o.at > cur.last_at AND nxt.at IS NOT NULL;
      ended := cur.last_at;
      IF o.at > cur.last_at THEN
        UPDATE isochron.topology_run r
           SET last_at = o.at, changed_xid = CASE WHEN changes THEN pg_current_xact_id() ELSE r.changed_xid END
         WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
             = (plane, o.from_kind, o.from_id, o.relation, cur.at, cur.to_kind, cur.to_id, cur.holds);
      END IF;
    ELSE
      -- Of the run before `cur`, when it was last seen: from there on answers may tell when `cur` ended.
      SELECT r.last_at INTO ended FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND r.relation = o.relation
         AND (NOT plural OR (r.to_kind, r.to_id) = (o.to_kind, o.to_id))
         AND (r.at, r.to_kind, r.to_id, r.holds) < (cur.at, cur.to_kind, cur.to_id, cur.holds)
       ORDER BY r.at DESC, r.to_kind DESC, r.to_id DESC, r.holds DESC LIMIT 1;
      ended := coalesce(ended, '-infinity');
      IF (cur.to_kind, cur.to_id, cur.holds, cur.at) = (o.to_kind, o.to_id, o.holds, o.at) THEN
        -- The first of a run, of which a record with a smaller name now tells.
        changes := (teller, o.source_id) < (cur.connection, cur.source_id);
        IF changes THEN
          UPDATE isochron.topology_run r
             SET connection = teller, source_id = o.source_id, changed_xid = pg_current_xact_id()
           WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
               = (plane, o.from_kind, o.from_id, o.relation, cur.at, cur.to_kind, cur.to_id, cur.holds);
        END IF;
      ELSIF (o.at, o.to_kind, o.to_id, o.holds) < (cur.last_at, cur.to_kind, cur.to_id, cur.holds) THEN
        -- Amid another run, which is taken apart: the facts tell where its two parts end and begin.
        SELECT f.* INTO STRICT seen FROM isochron.topology_fact f
         WHERE f.control_plane = plane AND f.from_kind = o.from_kind AND f.from_id = o.from_id AND f.relation = o.relation
           AND (f.to_kind, f.to_id, f.holds) = (cur.to_kind, cur.to_id, cur.holds)
           AND (f.at, f.to_kind, f.to_id, f.holds) < (o.at, o.to_kind, o.to_id, o.holds)
         ORDER BY f.at DESC, f.to_kind DESC, f.to_id DESC, f.holds DESC LIMIT 1;
        UPDATE isochron.topology_run r SET last_at = seen.at, changed_xid = pg_current_xact_id()
         WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
             = (plane, o.from_kind, o.from_id, o.relation, cur.at, cur.to_kind, cur.to_id, cur.holds);
        SELECT f.* INTO STRICT seen FROM isochron.topology_fact f
         WHERE f.control_plane = plane AND f.from_kind = o.from_kind AND f.from_id = o.from_id AND f.relation = o.relation
           AND (f.to_kind, f.to_id, f.holds) = (cur.to_kind, cur.to_id, cur.holds)
           AND (f.at, f.to_kind, f.to_id, f.holds) > (o.at, o.to_kind, o.to_id, o.holds)
         ORDER BY f.at, f.to_kind, f.to_id, f.holds LIMIT 1;
        INSERT INTO isochron.topology_run
          (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id, recorded_at)
        VALUES (plane, o.from_kind, o.from_id, o.relation, cur.to_kind, cur.to_id, seen.at, cur.holds, cur.last_at,
                seen.connection, seen.source_id, seen.recorded_at),
               (plane, o.from_kind, o.from_id, o.relation, o.to_kind, o.to_id, o.at, o.holds, o.at,
                teller, o.source_id, now());
      ELSIF (nxt.to_kind, nxt.to_id, nxt.holds) = (o.to_kind, o.to_id, o.holds) THEN
        UPDATE isochron.topology_run r
           SET at = o.at, connection = teller, source_id = o.source_id, recorded_at = now(),
               changed_xid = pg_current_xact_id()
         WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
             = (plane, o.from_kind, o.from_id, o.relation, nxt.at, nxt.to_kind, nxt.to_id, nxt.holds);
      ELSE
        INSERT INTO isochron.topology_run
          (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id)
        VALUES (plane, o.from_kind, o.from_id, o.relation, o.to_kind, o.to_id, o.at, o.holds, o.at, teller, o.source_id);
      END IF;
    END IF;
    IF changes THEN
      nth := o.n - 1;
      first := cur.at IS NULL OR cur.at = o.at AND ended = '-infinity';
      since := ended;
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION isochron.place_observations(text, text, jsonb, text[]) TO isochron_ingest;

-- The id within an entity key, `KIND:ID`; the id may itself hold colons.
CREATE FUNCTION isochron.id_of_key(key text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT substr(key, strpos(key, ':') + 1) $$;
GRANT EXECUTE ON FUNCTION isochron.id_of_key(text) TO isochron_ingest;
-- Finds what waits for an id whatever its kind is.
CREATE INDEX pending_attribution_by_id ON isochron.pending_attribution (control_plane, (isochron.id_of_key(entity_key)));

-- What arrived lately is asked of the runs now.
DROP INDEX isochron.topology_fact_by_arrival;
