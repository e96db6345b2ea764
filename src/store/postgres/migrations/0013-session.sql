-- Browsers' sessions, so that ending one holds in every process. Only the hash of a cookie's secret is kept, and what an
-- identity service is asked with again is sealed by the server's secret, which the store does not have.
CREATE TABLE isochron.session (
  hash bytea PRIMARY KEY CHECK (length(hash) = 32),
  through text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL,
  sealed_credential bytea,
  -- The tenant through whose eyes a provider looks.
  looks_as jsonb,
  created_at timestamptz NOT NULL,
  used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  glass_broken_at timestamptz,
  glass_until timestamptz,
  glass_why text,
  glass_reads integer NOT NULL DEFAULT 0,
  -- Whether the audit was told that the glass is whole again.
  glass_told boolean NOT NULL DEFAULT false,
  CHECK (num_nonnulls(glass_broken_at, glass_until, glass_why) IN (0, 3))
);
CREATE INDEX session_by_expiry ON isochron.session (expires_at);
CREATE INDEX session_by_glass ON isochron.session (glass_until) WHERE glass_until IS NOT NULL AND NOT glass_told;

ALTER TABLE isochron.session ENABLE ROW LEVEL SECURITY;
ALTER TABLE isochron.session FORCE ROW LEVEL SECURITY;
REVOKE ALL ON isochron.session FROM PUBLIC;
CREATE POLICY owner ON isochron.session TO isochron_owner USING (true) WITH CHECK (true);
CREATE POLICY ingest ON isochron.session TO isochron_ingest USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON isochron.session TO isochron_ingest;

-- The day on which a token was last used, and who made it: what tells a forgotten one from one that is needed.
ALTER TABLE isochron.api_token ADD COLUMN used_on date;
ALTER TABLE isochron.api_token ADD COLUMN made_by text;
