-- A claim is good for the transaction that it was signed for and no other: one that is overheard opens nothing.
CREATE OR REPLACE FUNCTION isochron.claimed_keys() RETURNS text[]
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
  IF (body ->> 'pid')::integer IS DISTINCT FROM pg_backend_pid()
     OR body ->> 'tx' IS DISTINCT FROM (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text
     OR to_timestamp((body ->> 'exp')::double precision) <= clock_timestamp() THEN
    RETURN '{}';
  END IF;
  RETURN ARRAY(SELECT jsonb_array_elements_text(body -> 'keys'));
END $$;

-- Sign-ins and grants are for a tenant's administrators, whom no token can tell from its readers yet.
DROP POLICY tenant ON isochron.tenant_event;
CREATE POLICY tenant ON isochron.tenant_event FOR SELECT TO isochron_tenant
  USING (tenant_key = ANY ((SELECT isochron.claimed_keys())::text[]) AND visibility <> 'security');
