-- When the last pass of a connection ended, and for how long nobody needs to read it again: with any number of workers a
-- source is read once an interval. The database's clock decides, as for the lease.
ALTER TABLE isochron.connection ADD COLUMN passed_at timestamptz, ADD COLUMN rest_ms bigint;
