-- The id within an entity key, `KIND:ID`; the id may itself hold colons.
CREATE FUNCTION isochron.id_of_key(key text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT substr(key, strpos(key, ':') + 1) $$;
GRANT EXECUTE ON FUNCTION isochron.id_of_key(text) TO isochron_ingest;
-- Finds what waits for an id whatever its kind is.
CREATE INDEX pending_attribution_by_id ON isochron.pending_attribution (control_plane, (isochron.id_of_key(entity_key)));
-- Finds what bears an id whose kind a record does not tell.
CREATE INDEX topology_fact_by_id ON isochron.topology_fact (control_plane, from_id, from_kind);
