-- What the provider decided about the texts that tenants read: every version stands, the last one holds.
CREATE TABLE isochron.notice_template (
  name text COLLATE "C" NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  -- Null for the text that comes with the program.
  text text,
  decided_by text NOT NULL,
  why text NOT NULL,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (name, version)
);
ALTER TABLE isochron.notice_template ENABLE ROW LEVEL SECURITY;
ALTER TABLE isochron.notice_template FORCE ROW LEVEL SECURITY;
REVOKE ALL ON isochron.notice_template FROM PUBLIC;
CREATE POLICY owner ON isochron.notice_template TO isochron_owner USING (true) WITH CHECK (true);
CREATE POLICY ingest ON isochron.notice_template TO isochron_ingest USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON isochron.notice_template TO isochron_ingest;
CREATE POLICY provider ON isochron.notice_template FOR SELECT TO isochron_provider USING (true);
GRANT SELECT ON isochron.notice_template TO isochron_provider;
