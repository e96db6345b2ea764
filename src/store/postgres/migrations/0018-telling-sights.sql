-- Another sight of what nothing followed can change answers, too: where two runs begin at the same moment it breaks the
-- tie, and of a name it is the first that counts for a new owner.

CREATE OR REPLACE FUNCTION isochron.place_observations(plane text, teller text, observations jsonb, side_by_side text[])
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
      -- Seen again. What lay after the last sight is known better only where something else followed, or where another
      -- run began at the same moment and this one had not been seen since: the tie is broken now. A name counts for whoever had
      -- the thing when it was seen, so its first sight since the thing has a new owner changes something, too.
      changes := o.at > cur.last_at
        AND (nxt.at IS NOT NULL
             OR (cur.last_at = cur.at
                 AND EXISTS (SELECT FROM isochron.topology_run r
                              WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id
                                AND r.relation = o.relation AND r.at = cur.at
                                AND (NOT plural OR (r.to_kind, r.to_id) = (o.to_kind, o.to_id))
                                AND (r.to_kind, r.to_id, r.holds) <> (cur.to_kind, cur.to_id, cur.holds)))
             OR (o.relation = 'named'
                 AND EXISTS (SELECT FROM isochron.topology_run r
                              WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id
                                AND r.relation = 'owned_by' AND r.at > cur.last_at AND r.at <= o.at)));
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
