-- Runs as isochron_owner, who therefore owns all of it. No sequence, and no unique constraint without the
-- columns that rows are spread by, so that the tables can later be distributed over several servers.
-- Identifiers compare by bytes (COLLATE "C"): the same order on every server, whatever its locale.

REVOKE ALL ON SCHEMA isochron FROM PUBLIC;
GRANT USAGE ON SCHEMA isochron TO isochron_ingest, isochron_provider, isochron_tenant;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- What a session may claim to see is signed with this key; tenants' logins cannot read it.
-- The blocks are those of HMAC (RFC 2104), prepared so that sha256() alone makes the signature.
CREATE TABLE isochron.claim_key (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  key bytea NOT NULL,
  inner_block bytea NOT NULL,
  outer_block bytea NOT NULL,
  notice_secret bytea NOT NULL
);

CREATE FUNCTION isochron.hmac_block(key bytea, pad integer) RETURNS bytea
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  block bytea := key || decode(repeat('00', 64 - length(key)), 'hex');
BEGIN
  FOR i IN 0..63 LOOP
    block := set_byte(block, i, get_byte(block, i) # pad);
  END LOOP;
  RETURN block;
END $$;

INSERT INTO isochron.claim_key (key, inner_block, outer_block, notice_secret)
SELECT key, isochron.hmac_block(key, 54), isochron.hmac_block(key, 92), secret
  FROM (SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) AS key,
               sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) AS secret) AS made;

-- The tenant keys that this transaction may see: none unless isochron.claim holds what our own process
-- signed for this very session and not long ago. Says nothing about why a claim is refused.
CREATE FUNCTION isochron.claimed_keys() RETURNS text[]
  LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  claim text := current_setting('isochron.claim', true);
  payload text;
  body jsonb;
  signature text;
BEGIN
  IF claim IS NULL OR claim !~ '^[0-9a-f]{64}\.([0-9a-f][0-9a-f])+$' THEN
    RETURN '{}';
  END IF;
  payload := substr(claim, 66);
  SELECT encode(sha256(k.outer_block || sha256(k.inner_block || convert_to(payload, 'UTF8'))), 'hex')
    INTO signature FROM isochron.claim_key k;
  IF signature IS DISTINCT FROM left(claim, 64) THEN
    RETURN '{}';
  END IF;
  body := convert_from(decode(payload, 'hex'), 'UTF8')::jsonb;
  IF (body ->> 'pid')::integer <> pg_backend_pid()
     OR to_timestamp((body ->> 'exp')::double precision) <= clock_timestamp() THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(SELECT jsonb_array_elements_text(body -> 'keys'));
END $$;

CREATE TABLE isochron.connection (
  name text COLLATE "C" PRIMARY KEY,
  source text NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  config jsonb NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  holder text,
  lease_until timestamptz,
  lease_ms bigint,
  complete_to timestamptz,
  last_event_at timestamptz,
  last_success_at timestamptz,
  last_error_at timestamptz,
  last_error text,
  degraded boolean NOT NULL DEFAULT false,
  events bigint NOT NULL DEFAULT 0,
  folded bigint NOT NULL DEFAULT 0,
  repeated bigint NOT NULL DEFAULT 0,
  revised bigint NOT NULL DEFAULT 0,
  set_aside bigint NOT NULL DEFAULT 0
);

CREATE TABLE isochron.connection_cursor (
  connection text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  value jsonb NOT NULL,
  saved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection, stream)
);

CREATE TABLE isochron.event (
  id text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source text NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  stream text NOT NULL,
  key text NOT NULL,
  source_ids text[] NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  precision_ms bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  category text NOT NULL,
  phase text,
  severity smallint NOT NULL,
  visibility text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  subject_name text,
  related jsonb NOT NULL,
  -- Entity keys of subject, related and requests; and `tenant/project:…`, `tenant/domain:…` of those concerned.
  mentions text[] NOT NULL,
  actor jsonb,
  operation jsonb,
  summary text NOT NULL,
  details jsonb NOT NULL,
  changes jsonb,
  platform boolean,
  stated jsonb,
  attribution_status text NOT NULL,
  owner_domain_id text,
  owner_project_id text,
  attribution jsonb NOT NULL,
  -- Where the tenants' editions of this event are; the tenants' table does not point back.
  edition_keys text[] NOT NULL,
  edition_ids text[] NOT NULL,
  search text NOT NULL,
  -- The transaction that wrote it last, for followers; and first, for those who come back.
  feed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  first_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX event_by_time ON isochron.event (occurred_at DESC, id DESC);
CREATE INDEX event_by_feed ON isochron.event (feed_xid, id);
CREATE INDEX event_by_mention ON isochron.event USING gin (mentions);

CREATE TABLE isochron.event_revision (
  event_id text COLLATE "C" NOT NULL,
  content_hash bytea NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  draft jsonb NOT NULL,
  PRIMARY KEY (event_id, content_hash)
);

CREATE TABLE isochron.attribution_revision (
  event_id text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  replaced_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  attribution jsonb NOT NULL,
  PRIMARY KEY (event_id, replaced_xid)
);

-- Which record was delivered for which event. One record may tell several events, hence the key.
CREATE TABLE isochron.delivery (
  connection text COLLATE "C" NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  content_hash bytea NOT NULL,
  twin_group text COLLATE "C",
  twin_side text COLLATE "C",
  twin_at timestamptz,
  PRIMARY KEY (connection, source_id, key)
);
CREATE INDEX delivery_by_twin_group ON isochron.delivery (connection, twin_group) WHERE twin_group IS NOT NULL;
-- Finds an event's time from its id alone, so that one partition is looked into instead of all.
CREATE INDEX delivery_by_event ON isochron.delivery (event_id);

CREATE TABLE isochron.topology_fact (
  control_plane text COLLATE "C" NOT NULL,
  from_kind text COLLATE "C" NOT NULL,
  from_id text COLLATE "C" NOT NULL,
  relation text COLLATE "C" NOT NULL,
  to_kind text COLLATE "C" NOT NULL,
  to_id text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  holds boolean NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (control_plane, from_kind, from_id, relation, at, to_kind, to_id, holds)
);
CREATE INDEX topology_fact_by_target ON isochron.topology_fact (control_plane, to_kind, to_id, relation, at);
-- Finds what arrived while a page was being resolved.
CREATE INDEX topology_fact_by_arrival ON isochron.topology_fact (recorded_xid);

CREATE TABLE isochron.pending_attribution (
  control_plane text COLLATE "C" NOT NULL,
  entity_key text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (control_plane, entity_key, occurred_at, event_id)
);
CREATE INDEX pending_attribution_by_event ON isochron.pending_attribution (event_id);

-- Events that depend on the entity, from (since, after_id) on, have to be asked about again.
CREATE TABLE isochron.reattribution_due (
  control_plane text COLLATE "C" NOT NULL,
  entity_key text COLLATE "C" NOT NULL,
  since timestamptz NOT NULL,
  after_id text COLLATE "C" NOT NULL DEFAULT '',
  marked_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (control_plane, entity_key)
);

-- All that a tenant's login can read: nothing may stand here that a tenant must not know.
CREATE TABLE isochron.tenant_event (
  tenant_key text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  precision_ms bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  category text NOT NULL,
  phase text,
  severity smallint NOT NULL,
  visibility text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  subject_name text,
  related jsonb NOT NULL,
  mentions text[] NOT NULL,
  operation jsonb,
  domain_id text,
  project_id text,
  notice boolean NOT NULL,
  because text NOT NULL,
  summary text NOT NULL,
  details jsonb NOT NULL,
  search text NOT NULL,
  feed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  first_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (tenant_key, id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX tenant_event_by_time ON isochron.tenant_event (tenant_key, occurred_at DESC, id DESC);
CREATE INDEX tenant_event_by_feed ON isochron.tenant_event (tenant_key, feed_xid, id);

CREATE TABLE isochron.set_aside (
  id text COLLATE "C" PRIMARY KEY,
  connection text COLLATE "C" NOT NULL,
  stream text NOT NULL,
  position text NOT NULL,
  bytes bytea NOT NULL,
  meta jsonb NOT NULL,
  received_at timestamptz NOT NULL,
  code text NOT NULL,
  reason text NOT NULL,
  attempts integer NOT NULL DEFAULT 1,
  replayed_at timestamptz
);
CREATE INDEX set_aside_by_connection ON isochron.set_aside (connection, received_at, id) WHERE replayed_at IS NULL;

CREATE TABLE isochron.api_token (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  hash bytea NOT NULL UNIQUE,
  scope jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
