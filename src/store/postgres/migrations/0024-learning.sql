-- What people said of a change that lay before a symptom. Nothing is overwritten: the latest word of a pair stands.
CREATE TABLE isochron.feedback (
  symptom text COLLATE "C" NOT NULL,
  candidate text COLLATE "C" NOT NULL,
  -- Counted from 1 within the pair.
  version integer NOT NULL CHECK (version > 0),
  -- Null takes the word back.
  verdict text COLLATE "C" CHECK (verdict IN ('suspected', 'confirmed', 'ruled-out')),
  why text NOT NULL,
  given_by text NOT NULL,
  given_at timestamptz NOT NULL,
  -- What was shown when it was given: names and values, never words.
  addends jsonb NOT NULL CHECK (jsonb_typeof(addends) = 'array'),
  PRIMARY KEY (symptom, candidate, version),
  CHECK (symptom <> candidate)
);

-- Which types were seen before which on things that hang together, over all owners; replaced whole.
CREATE TABLE isochron.type_pair (
  effect text COLLATE "C" NOT NULL,
  cause text COLLATE "C" NOT NULL,
  lift double precision NOT NULL,
  direction double precision NOT NULL CHECK (direction BETWEEN -1 AND 1),
  together bigint NOT NULL,
  p_value double precision NOT NULL,
  PRIMARY KEY (effect, cause)
);

CREATE TABLE isochron.type_pair_learnt (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  learnt_at timestamptz NOT NULL,
  learnt_from timestamptz NOT NULL,
  learnt_to timestamptz NOT NULL
);

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['feedback', 'type_pair', 'type_pair_learnt'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY provider ON isochron.%I FOR SELECT TO isochron_provider USING (true)', relation);
    EXECUTE format('CREATE POLICY operator ON isochron.%I FOR SELECT TO isochron_operator USING (true)', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_provider, isochron_operator', relation);
  END LOOP;
END $$;
-- Feedback is never changed; what was learnt is replaced.
GRANT SELECT, INSERT ON isochron.feedback TO isochron_ingest;
GRANT SELECT, INSERT, DELETE ON isochron.type_pair TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE ON isochron.type_pair_learnt TO isochron_ingest;
