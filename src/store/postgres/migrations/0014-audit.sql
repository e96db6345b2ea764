-- Who did what: entries that nobody changes, each with the hash of the one before and a signature that the database
-- does not have the key of. What is about people stands apart, so that it can be erased and leave a keyed hash.

-- Where the trail ends. Whoever appends holds this row until the commit, so that there is no gap and no fork.
CREATE TABLE isochron.audit_tail (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  store_id uuid NOT NULL DEFAULT gen_random_uuid(),
  sequence bigint NOT NULL,
  hash bytea NOT NULL
);
INSERT INTO isochron.audit_tail (sequence, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- The public keys that signed, for exports; whether they are to be trusted is not for the database to say.
CREATE TABLE isochron.audit_key (
  id text COLLATE "C" PRIMARY KEY,
  public_key bytea NOT NULL
);

CREATE TABLE isochron.audit_entry (
  sequence bigint PRIMARY KEY CHECK (sequence > 0),
  store_id uuid NOT NULL,
  at timestamptz NOT NULL,
  action text COLLATE "C" NOT NULL,
  outcome text COLLATE "C" NOT NULL,
  object text COLLATE "C" NOT NULL,
  count bigint NOT NULL CHECK (count > 0),
  details jsonb NOT NULL,
  sealed jsonb NOT NULL,
  previous bytea NOT NULL,
  hash bytea NOT NULL,
  key_id text COLLATE "C" NOT NULL,
  signature bytea NOT NULL
);
CREATE INDEX audit_entry_by_action ON isochron.audit_entry (action, sequence);
CREATE INDEX audit_entry_by_object ON isochron.audit_entry (object, sequence);

-- The values of sealed fields, each with the random key of its keyed hash; a row that is deleted is erased.
CREATE TABLE isochron.audit_personal (
  sequence bigint NOT NULL,
  field text COLLATE "C" NOT NULL,
  key bytea NOT NULL,
  value text COLLATE "C" NOT NULL,
  PRIMARY KEY (sequence, field)
);
-- By hash, because names can be longer than an index takes.
CREATE INDEX audit_personal_by_value ON isochron.audit_personal (field, hashtextextended(value, 0), sequence);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['audit_tail', 'audit_key', 'audit_entry', 'audit_personal'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY provider ON isochron.%I FOR SELECT TO isochron_provider USING (true)', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_provider', relation);
  END LOOP;
  -- Writing, and nothing but writing: not even reading what was written.
  FOREACH relation IN ARRAY ARRAY['audit_key', 'audit_entry', 'audit_personal'] LOOP
    EXECUTE format('CREATE POLICY ingest ON isochron.%I FOR INSERT TO isochron_ingest WITH CHECK (true)', relation);
    EXECUTE format('GRANT INSERT ON isochron.%I TO isochron_ingest', relation);
  END LOOP;
END $$;

-- Holds the end of the trail until the commit, and tells where it is.
CREATE FUNCTION isochron.hold_audit_tail() RETURNS TABLE (store_id uuid, sequence bigint, hash bytea)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.store_id, t.sequence, t.hash FROM isochron.audit_tail t FOR UPDATE
$$;
REVOKE ALL ON FUNCTION isochron.hold_audit_tail() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION isochron.hold_audit_tail() TO isochron_ingest;

-- An entry follows the one before, whoever writes it; and takes the end of the trail with it.
CREATE FUNCTION isochron.follow_audit_tail() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE isochron.audit_tail SET sequence = NEW.sequence, hash = NEW.hash
   WHERE store_id = NEW.store_id AND sequence = NEW.sequence - 1 AND hash = NEW.previous;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an audit entry must follow the last one';
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION isochron.follow_audit_tail() FROM PUBLIC;
CREATE TRIGGER follow BEFORE INSERT ON isochron.audit_entry
  FOR EACH ROW EXECUTE FUNCTION isochron.follow_audit_tail();

-- What is about a person belongs to an entry of this very transaction: nothing is said of anybody afterwards.
CREATE FUNCTION isochron.join_audit_entry() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM isochron.audit_entry e WHERE e.sequence = NEW.sequence
                    AND e.xmin = pg_current_xact_id()::xid AND e.sealed ? NEW.field) THEN
    RAISE EXCEPTION 'no such audit entry was just written';
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION isochron.join_audit_entry() FROM PUBLIC;
CREATE TRIGGER join_entry BEFORE INSERT ON isochron.audit_personal
  FOR EACH ROW EXECUTE FUNCTION isochron.join_audit_entry();

-- Against mistakes of the owner's too; a superuser can switch triggers off, and the hashes tell.
CREATE FUNCTION isochron.refuse_audit_change() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'audit entries are not changed';
END $$;
REVOKE ALL ON FUNCTION isochron.refuse_audit_change() FROM PUBLIC;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON isochron.audit_entry
  FOR EACH ROW EXECUTE FUNCTION isochron.refuse_audit_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON isochron.audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION isochron.refuse_audit_change();
CREATE TRIGGER refuse_change BEFORE UPDATE ON isochron.audit_personal
  FOR EACH ROW EXECUTE FUNCTION isochron.refuse_audit_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON isochron.audit_personal
  FOR EACH STATEMENT EXECUTE FUNCTION isochron.refuse_audit_change();
CREATE TRIGGER refuse_change BEFORE DELETE ON isochron.audit_tail
  FOR EACH ROW EXECUTE FUNCTION isochron.refuse_audit_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON isochron.audit_tail
  FOR EACH STATEMENT EXECUTE FUNCTION isochron.refuse_audit_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON isochron.audit_key
  FOR EACH ROW EXECUTE FUNCTION isochron.refuse_audit_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON isochron.audit_key
  FOR EACH STATEMENT EXECUTE FUNCTION isochron.refuse_audit_change();

-- The entries that an actor's id stands in; the entry that tells of the erasure needs them before it is written.
CREATE FUNCTION isochron.find_audit_actor(actor text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT p.sequence FROM isochron.audit_personal p
   WHERE p.field = 'actor.id' AND hashtextextended(p.value, 0) = hashtextextended(actor, 0) AND p.value = actor ORDER BY 1
$$;
REVOKE ALL ON FUNCTION isochron.find_audit_actor(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION isochron.find_audit_actor(text) TO isochron_ingest;

-- Erases what is about people from the entries. Only in the transaction that wrote the entry which tells of it.
CREATE FUNCTION isochron.erase_audit(told_by bigint, sequences bigint[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM isochron.audit_entry e WHERE e.sequence = told_by AND e.action = 'erasure'
                    AND e.xmin = pg_current_xact_id()::xid) THEN
    RAISE EXCEPTION 'no entry of this transaction tells of the erasure';
  END IF;
  DELETE FROM isochron.audit_personal p WHERE p.sequence = ANY (sequences);
END $$;
REVOKE ALL ON FUNCTION isochron.erase_audit(bigint, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION isochron.erase_audit(bigint, bigint[]) TO isochron_ingest;
