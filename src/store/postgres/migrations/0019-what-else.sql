-- What "what else changed?" looks up, so that its answer costs the same whatever the size of the store: each of these
-- gives the newest few of a thing, a type or a class without reading what lies between.

-- What happened to a thing, by the class that a cause or a symptom may be of; of what is merely activity, what began.
CREATE INDEX event_by_subject ON isochron.event (subject_id, kind, occurred_at DESC)
  WHERE kind <> 'activity' OR phase = 'start';

-- How often a type occurs, and its newest; the class stands in it so that a count need not look at the rows.
CREATE INDEX event_by_type ON isochron.event (type, occurred_at DESC) INCLUDE (visibility, kind);

-- What was done to the estate itself, or rolled out on it.
CREATE INDEX event_of_estate ON isochron.event (occurred_at DESC, id DESC)
  WHERE kind IN ('change', 'human') AND (platform OR category IN ('platform', 'deployment'));

CREATE INDEX event_of_trouble ON isochron.event (occurred_at DESC, id DESC)
  WHERE kind IN ('symptom', 'recovery')
    AND subject_kind IN ('host', 'service', 'agent', 'backend', 'hypervisor', 'component', 'aggregate');

CREATE INDEX event_of_symptom ON isochron.event (occurred_at DESC, id DESC)
  WHERE kind IN ('symptom', 'recovery');

CREATE INDEX event_by_actor ON isochron.event ((actor ->> 'userId'), occurred_at DESC)
  WHERE kind IN ('change', 'human') AND actor ->> 'userId' IS NOT NULL;

-- The same of a tenant's own editions.
CREATE INDEX tenant_event_by_subject ON isochron.tenant_event (tenant_key, subject_id, occurred_at DESC);
CREATE INDEX tenant_event_by_domain_subject ON isochron.tenant_event (domain_key, subject_id, occurred_at DESC);

-- Below a policy that can say no, neither arrays nor JSON may be looked up by an index. This looks as the owner, and states
-- in its own words what its caller may see, as `search_events` does. Of what names one of `keys`, and of the changes of each
-- of `actors`, the newest.
CREATE FUNCTION isochron.events_around(keys text[], actors text[], since timestamptz, until timestamptz, most integer)
  RETURNS TABLE (id text, occurred_at timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  open text[] := CASE WHEN session_user = 'isochron_provider'
                      THEN ARRAY['operational', 'billing', 'provider', 'security']
                      ELSE ARRAY['operational', 'billing', 'provider'] END;
BEGIN
  IF cardinality(keys) > 0 THEN
    RETURN QUERY
      WITH named AS MATERIALIZED (
        SELECT e.id, e.occurred_at FROM isochron.event e
         WHERE e.mentions && keys AND (e.kind <> 'activity' OR e.phase = 'start') AND e.visibility = ANY (open)
           AND e.occurred_at >= since AND e.occurred_at < until)
      SELECT n.id, n.occurred_at FROM named n ORDER BY n.occurred_at DESC, n.id DESC LIMIT most;
  END IF;
  RETURN QUERY
    SELECT done.id, done.occurred_at FROM unnest(actors) AS given (actor) CROSS JOIN LATERAL (
      SELECT e.id, e.occurred_at FROM isochron.event e
       WHERE e.actor ->> 'userId' = given.actor AND e.kind IN ('change', 'human') AND e.visibility = ANY (open)
         AND e.occurred_at >= since AND e.occurred_at < until
       ORDER BY e.occurred_at DESC LIMIT 20) AS done;
END $$;
REVOKE ALL ON FUNCTION isochron.events_around(text[], text[], timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION isochron.events_around(text[], text[], timestamptz, timestamptz, integer)
  TO isochron_operator, isochron_provider;
