-- Rules that tell others of events, what they remember, and the messages that wait to be sent. A message names events and
-- holds nothing of them: they are read, with the rule's own right, at the moment of sending.

-- Every version of every rule. `visibility` is the class of what it may ever be told, and so of who may know of it.
CREATE TABLE isochron.notification_rule (
  id text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  owner_key text COLLATE "C" NOT NULL,
  visibility text COLLATE "C" NOT NULL CHECK (visibility IN ('operational', 'security')),
  definition jsonb NOT NULL,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (id, version)
);
CREATE INDEX notification_rule_by_owner ON isochron.notification_rule (owner_key);

-- How each rule stands: its place in its reader's feed moves with its messages, in one transaction.
CREATE TABLE isochron.notification_standing (
  rule text COLLATE "C" PRIMARY KEY,
  owner_key text COLLATE "C" NOT NULL,
  visibility text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  enabled boolean NOT NULL,
  mark text COLLATE "C" NOT NULL,
  revision bigint NOT NULL DEFAULT 0,
  paused_at timestamptz,
  paused_why text,
  confirmed_at timestamptz NOT NULL,
  maker jsonb NOT NULL,
  matched bigint NOT NULL DEFAULT 0,
  too_old bigint NOT NULL DEFAULT 0,
  messages bigint NOT NULL DEFAULT 0
);

CREATE TABLE isochron.notification_group (
  rule text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  memory jsonb NOT NULL,
  PRIMARY KEY (rule, hash)
);

-- Which message told of an event: what is written again is not told again, and what is taken away is taken back.
CREATE TABLE isochron.notification_told (
  rule text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  message text COLLATE "C" NOT NULL,
  told_at timestamptz NOT NULL,
  PRIMARY KEY (rule, event_id)
);
CREATE INDEX notification_told_by_message ON isochron.notification_told (message);
CREATE INDEX notification_told_by_time ON isochron.notification_told (told_at);

CREATE TABLE isochron.notification_delivery (
  -- The idempotency key that the receiver is told at every try.
  id text COLLATE "C" PRIMARY KEY,
  rule text COLLATE "C" NOT NULL,
  rule_version integer NOT NULL,
  owner_key text COLLATE "C" NOT NULL,
  visibility text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  draft jsonb NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'dead', 'withdrawn')),
  made_at timestamptz NOT NULL,
  waiting_since timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  -- Which try a worker holds it for: what an earlier holder says of it is not written.
  claim bigint NOT NULL DEFAULT 0,
  claimed_until timestamptz,
  next_at timestamptz NOT NULL,
  settled_at timestamptz,
  last_answer text,
  UNIQUE (rule, sequence)
);
CREATE INDEX notification_delivery_waiting ON isochron.notification_delivery (rule, sequence) WHERE state = 'waiting';
CREATE INDEX notification_delivery_settled ON isochron.notification_delivery (settled_at) WHERE state <> 'waiting';

DO $$
DECLARE
  relation text;
BEGIN
  FOREACH relation IN ARRAY ARRAY['notification_rule', 'notification_standing', 'notification_group', 'notification_told',
                                  'notification_delivery'] LOOP
    EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', relation);
    EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', relation);
    EXECUTE format('CREATE POLICY ingest ON isochron.%I TO isochron_ingest USING (true) WITH CHECK (true)', relation);
  END LOOP;
  -- A tenant's rules are its administrators' alone, whatever they may be told; an operator's are those that run without
  -- what is withheld from operators.
  FOREACH relation IN ARRAY ARRAY['notification_rule', 'notification_standing', 'notification_delivery'] LOOP
    EXECUTE format('CREATE POLICY provider ON isochron.%I FOR SELECT TO isochron_provider USING (true)', relation);
    EXECUTE format('CREATE POLICY operator ON isochron.%I FOR SELECT TO isochron_operator
                      USING (visibility = ''operational'')', relation);
    EXECUTE format('CREATE POLICY tenant ON isochron.%I FOR SELECT TO isochron_tenant
                      USING (owner_key = ANY ((SELECT isochron.claimed_sensitive_keys())::text[])
                             AND ''!'' || owner_key <> ALL ((SELECT isochron.claimed_keys())::text[])
                             AND visibility IN (''operational'', ''security''))', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_provider', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_operator', relation);
    EXECUTE format('GRANT SELECT ON isochron.%I TO isochron_tenant', relation);
  END LOOP;
END $$;
GRANT SELECT, INSERT ON isochron.notification_rule TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE ON isochron.notification_standing TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.notification_group TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.notification_told TO isochron_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.notification_delivery TO isochron_ingest;

-- Versions of rules are never changed, but for an erasure, which acts as the owner.
-- Takes the rules of the tenants whole.
CREATE FUNCTION isochron.erase_rules(owners text[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone text[] := ARRAY(SELECT s.rule FROM isochron.notification_standing s WHERE s.owner_key = ANY (owners) FOR UPDATE);
BEGIN
  DELETE FROM isochron.notification_delivery d WHERE d.rule = ANY (gone);
  DELETE FROM isochron.notification_told t WHERE t.rule = ANY (gone);
  DELETE FROM isochron.notification_group g WHERE g.rule = ANY (gone);
  DELETE FROM isochron.notification_rule r WHERE r.id = ANY (gone);
  DELETE FROM isochron.notification_standing s WHERE s.rule = ANY (gone);
END $$;

-- Rules whose maker's subject is the person's id, or ends with it behind a slash, rest from then on and name nobody.
CREATE FUNCTION isochron.erase_rule_maker(person text, at timestamptz, because text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  nobody CONSTANT jsonb := '{"subject": "erased", "name": "erased", "grants": []}';
BEGIN
  UPDATE isochron.notification_standing s
     SET maker = nobody, paused_at = coalesce(s.paused_at, at), paused_why = because, revision = s.revision + 1
   WHERE s.maker ->> 'subject' = person OR right(s.maker ->> 'subject', length(person) + 1) = '/' || person;
  UPDATE isochron.notification_rule r SET definition = jsonb_set(r.definition, '{maker}', nobody)
   WHERE r.definition #>> '{maker,subject}' = person
      OR right(r.definition #>> '{maker,subject}', length(person) + 1) = '/' || person;
END $$;
REVOKE ALL ON FUNCTION isochron.erase_rules(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION isochron.erase_rule_maker(text, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION isochron.erase_rules(text[]), isochron.erase_rule_maker(text, timestamptz, text) TO isochron_ingest;
