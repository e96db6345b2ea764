-- A thing's runs are found by its id, with its kind or without: one index in place of two, of which the walks around each
-- page had to keep both in memory, and one less to write for each run.
ALTER TABLE isochron.topology_run DROP CONSTRAINT topology_run_pkey;
ALTER TABLE isochron.topology_run
  ADD PRIMARY KEY (control_plane, from_id, from_kind, relation, at, to_kind, to_id, holds);
DROP INDEX isochron.topology_run_by_id;
