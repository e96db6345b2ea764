-- Made by `npm run schema:dump`; a test compares it with what the migrations make.

-- Roles
ROLE isochron_ingest LOGIN;
ROLE isochron_operator LOGIN;
ROLE isochron_owner NOLOGIN;
ROLE isochron_provider LOGIN;
ROLE isochron_tenant LOGIN;

-- Schema
GRANT USAGE ON SCHEMA isochron TO isochron_ingest;
GRANT USAGE ON SCHEMA isochron TO isochron_operator;
GRANT USAGE ON SCHEMA isochron TO isochron_provider;
GRANT USAGE ON SCHEMA isochron TO isochron_tenant;
SCHEMA isochron OWNER isochron_owner;

-- Tables
TABLE isochron.alert_split OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  series text COLLATE "C" NOT NULL,
  split_by text NOT NULL,
  why text NOT NULL,
  split_at timestamp with time zone NOT NULL,
  undone_at timestamp with time zone,
  undone_by text
);
TABLE isochron.api_token OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  hash bytea NOT NULL,
  scope jsonb NOT NULL,
  created_at timestamp with time zone NOT NULL DEFAULT now(),
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  used_on date,
  made_by text
);
TABLE isochron.attribution_revision OWNER isochron_owner RLS FORCED (
  event_id text COLLATE "C" NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL,
  replaced_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  attribution jsonb NOT NULL
);
TABLE isochron.audit_entry OWNER isochron_owner RLS FORCED (
  sequence bigint NOT NULL,
  store_id uuid NOT NULL,
  at timestamp with time zone NOT NULL,
  action text COLLATE "C" NOT NULL,
  outcome text COLLATE "C" NOT NULL,
  object text COLLATE "C" NOT NULL,
  count bigint NOT NULL,
  details jsonb NOT NULL,
  sealed jsonb NOT NULL,
  previous bytea NOT NULL,
  hash bytea NOT NULL,
  key_id text COLLATE "C" NOT NULL,
  signature bytea NOT NULL
);
TABLE isochron.audit_key OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  public_key bytea NOT NULL
);
TABLE isochron.audit_personal OWNER isochron_owner RLS FORCED (
  sequence bigint NOT NULL,
  field text COLLATE "C" NOT NULL,
  key bytea NOT NULL,
  value text COLLATE "C" NOT NULL
);
TABLE isochron.audit_tail OWNER isochron_owner RLS FORCED (
  one boolean NOT NULL DEFAULT true,
  store_id uuid NOT NULL DEFAULT gen_random_uuid(),
  sequence bigint NOT NULL,
  hash bytea NOT NULL
);
TABLE isochron.claim_key OWNER isochron_owner RLS FORCED (
  one boolean NOT NULL DEFAULT true,
  key bytea NOT NULL,
  inner_block bytea NOT NULL,
  outer_block bytea NOT NULL,
  notice_secret bytea NOT NULL
);
TABLE isochron.connection OWNER isochron_owner RLS FORCED (
  name text COLLATE "C" NOT NULL,
  source text NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  config jsonb NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  holder text,
  lease_until timestamp with time zone,
  lease_ms bigint,
  complete_to timestamp with time zone,
  last_event_at timestamp with time zone,
  last_success_at timestamp with time zone,
  last_error_at timestamp with time zone,
  last_error text,
  events bigint NOT NULL DEFAULT 0,
  folded bigint NOT NULL DEFAULT 0,
  repeated bigint NOT NULL DEFAULT 0,
  revised bigint NOT NULL DEFAULT 0,
  set_aside bigint NOT NULL DEFAULT 0,
  last_heard_at timestamp with time zone,
  expect_within_ms bigint,
  expect_since timestamp with time zone,
  late bigint NOT NULL DEFAULT 0,
  reconciled_at timestamp with time zone,
  reconciled_from timestamp with time zone,
  reconciled_to timestamp with time zone,
  reconciled_records bigint,
  reconciled_found_late bigint,
  found_late_ever bigint NOT NULL DEFAULT 0,
  passed_at timestamp with time zone,
  rest_ms bigint,
  expired bigint NOT NULL DEFAULT 0
);
TABLE isochron.connection_cursor OWNER isochron_owner RLS FORCED (
  connection text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  value jsonb NOT NULL,
  saved_at timestamp with time zone NOT NULL DEFAULT now()
);
TABLE isochron.connection_finding OWNER isochron_owner RLS FORCED (
  connection text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  says text NOT NULL,
  since timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  last_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  count bigint NOT NULL DEFAULT 1
);
TABLE isochron.connection_hole OWNER isochron_owner RLS FORCED (
  connection text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  hole_from timestamp with time zone NOT NULL,
  hole_to timestamp with time zone NOT NULL,
  says text NOT NULL
);
TABLE isochron.delivery OWNER isochron_owner RLS FORCED (
  connection text COLLATE "C" NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  content_hash bytea NOT NULL,
  twin_group text COLLATE "C",
  twin_side text COLLATE "C",
  twin_at timestamp with time zone
);
TABLE isochron.erased_entity OWNER isochron_owner RLS FORCED (
  hash bytea NOT NULL,
  until timestamp with time zone NOT NULL
);
TABLE isochron.erasure OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  target jsonb,
  target_hash bytea NOT NULL,
  why text NOT NULL,
  asked_by text NOT NULL,
  asked_at timestamp with time zone NOT NULL,
  done_at timestamp with time zone,
  held bigint NOT NULL DEFAULT 0,
  counts jsonb NOT NULL DEFAULT '{}'::jsonb,
  reader_keys text[] NOT NULL DEFAULT '{}'::text[]
);
TABLE isochron.event PARTITION BY RANGE (occurred_at) OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source text NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  stream text NOT NULL,
  key text NOT NULL,
  source_ids text[] NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
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
  edition_keys text[] NOT NULL,
  edition_ids text[] NOT NULL,
  search text NOT NULL,
  feed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  first_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  attributed_at timestamp with time zone NOT NULL DEFAULT now(),
  unproven text COLLATE "C"
);
TABLE isochron.event_revision OWNER isochron_owner RLS FORCED (
  event_id text COLLATE "C" NOT NULL,
  content_hash bytea NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  draft jsonb NOT NULL
);
TABLE isochron.feedback OWNER isochron_owner RLS FORCED (
  symptom text COLLATE "C" NOT NULL,
  candidate text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  verdict text COLLATE "C",
  why text NOT NULL,
  given_by text NOT NULL,
  given_at timestamp with time zone NOT NULL,
  addends jsonb NOT NULL
);
TABLE isochron.incident OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL,
  opened_by text NOT NULL,
  opened_at timestamp with time zone NOT NULL,
  opening_key text COLLATE "C"
);
TABLE isochron.incident_edition OWNER isochron_owner RLS FORCED (
  tenant_key text COLLATE "C" NOT NULL,
  domain_key text COLLATE "C",
  id text COLLATE "C" NOT NULL,
  edition integer NOT NULL,
  visibility text COLLATE "C" NOT NULL,
  published_at timestamp with time zone NOT NULL,
  title text NOT NULL,
  markdown text NOT NULL,
  hash text NOT NULL
);
TABLE isochron.incident_entry OWNER isochron_owner RLS FORCED (
  incident_id text COLLATE "C" NOT NULL,
  sequence integer NOT NULL,
  recorded_at timestamp with time zone NOT NULL,
  recorded_by text NOT NULL,
  change jsonb NOT NULL
);
TABLE isochron.incident_head OWNER isochron_owner RLS FORCED (
  incident_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  state text COLLATE "C" NOT NULL,
  window_from timestamp with time zone NOT NULL,
  window_to timestamp with time zone
);
TABLE isochron.incident_publication OWNER isochron_owner RLS FORCED (
  incident_id text COLLATE "C" NOT NULL,
  published_at timestamp with time zone NOT NULL,
  hash text NOT NULL,
  export text NOT NULL
);
TABLE isochron.legal_hold OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  tenant_keys text[] NOT NULL,
  label text NOT NULL,
  control_plane text COLLATE "C",
  entity_key text COLLATE "C",
  hold_from timestamp with time zone,
  hold_to timestamp with time zone,
  why text NOT NULL,
  placed_by text NOT NULL,
  placed_at timestamp with time zone NOT NULL,
  lifted_by text,
  lifted_why text,
  lifted_at timestamp with time zone
);
TABLE isochron.maintenance_window OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  title text NOT NULL,
  starts_at timestamp with time zone NOT NULL,
  ends_at timestamp with time zone NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  things jsonb NOT NULL,
  planned_by text NOT NULL,
  why text NOT NULL,
  cancelled_at timestamp with time zone,
  cancelled_by text
);
TABLE isochron.notice_template OWNER isochron_owner RLS FORCED (
  name text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  text text,
  decided_by text NOT NULL,
  why text NOT NULL,
  decided_at timestamp with time zone NOT NULL
);
TABLE isochron.notification_delivery OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  rule text COLLATE "C" NOT NULL,
  rule_version integer NOT NULL,
  owner_key text COLLATE "C" NOT NULL,
  visibility text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  draft jsonb NOT NULL,
  state text COLLATE "C" NOT NULL,
  made_at timestamp with time zone NOT NULL,
  waiting_since timestamp with time zone NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  claim bigint NOT NULL DEFAULT 0,
  claimed_until timestamp with time zone,
  next_at timestamp with time zone NOT NULL,
  settled_at timestamp with time zone,
  last_answer text
);
TABLE isochron.notification_group OWNER isochron_owner RLS FORCED (
  rule text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  memory jsonb NOT NULL
);
TABLE isochron.notification_rule OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  owner_key text COLLATE "C" NOT NULL,
  visibility text COLLATE "C" NOT NULL,
  definition jsonb NOT NULL,
  decided_at timestamp with time zone NOT NULL
);
TABLE isochron.notification_standing OWNER isochron_owner RLS FORCED (
  rule text COLLATE "C" NOT NULL,
  owner_key text COLLATE "C" NOT NULL,
  visibility text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  enabled boolean NOT NULL,
  mark text COLLATE "C" NOT NULL,
  revision bigint NOT NULL DEFAULT 0,
  paused_at timestamp with time zone,
  paused_why text,
  confirmed_at timestamp with time zone NOT NULL,
  maker jsonb NOT NULL,
  matched bigint NOT NULL DEFAULT 0,
  too_old bigint NOT NULL DEFAULT 0,
  messages bigint NOT NULL DEFAULT 0
);
TABLE isochron.notification_told OWNER isochron_owner RLS FORCED (
  rule text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  message text COLLATE "C" NOT NULL,
  told_at timestamp with time zone NOT NULL
);
TABLE isochron.operation_length OWNER isochron_owner RLS FORCED (
  key text COLLATE "C" NOT NULL,
  bin integer NOT NULL,
  count bigint NOT NULL
);
TABLE isochron.operation_watch OWNER isochron_owner RLS FORCED (
  one boolean NOT NULL DEFAULT true,
  epoch bigint NOT NULL DEFAULT 0,
  holder text,
  lease_until timestamp with time zone,
  passed_at timestamp with time zone,
  learnt_to timestamp with time zone,
  swept_to timestamp with time zone
);
TABLE isochron.pending_attribution OWNER isochron_owner RLS FORCED (
  control_plane text COLLATE "C" NOT NULL,
  entity_key text COLLATE "C" NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  event_id text COLLATE "C" NOT NULL
);
TABLE isochron.reattribution_due OWNER isochron_owner RLS FORCED (
  control_plane text COLLATE "C" NOT NULL,
  entity_key text COLLATE "C" NOT NULL,
  since timestamp with time zone NOT NULL,
  after_id text COLLATE "C" NOT NULL DEFAULT ''::text,
  marked_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
TABLE isochron.retention_state OWNER isochron_owner RLS FORCED (
  one boolean NOT NULL DEFAULT true,
  epoch bigint NOT NULL DEFAULT 0,
  holder text,
  lease_until timestamp with time zone,
  passed_at timestamp with time zone,
  after_at timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  after_id text COLLATE "C" NOT NULL DEFAULT ''::text,
  key_check bytea
);
TABLE isochron.retraction OWNER isochron_owner RLS FORCED (
  reader_key text COLLATE "C" NOT NULL,
  tenant_key text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  first_xid xid8 NOT NULL,
  feed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  visibility text COLLATE "C" NOT NULL
);
TABLE isochron.ruling OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  match jsonb NOT NULL,
  answer jsonb NOT NULL,
  decided_by text NOT NULL,
  why text NOT NULL,
  decided_at timestamp with time zone NOT NULL,
  withdrawn boolean NOT NULL
);
TABLE isochron.ruling_search OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  match jsonb NOT NULL,
  after_at timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
  after_id text COLLATE "C" NOT NULL DEFAULT ''::text
);
TABLE isochron.ruling_set OWNER isochron_owner RLS FORCED (
  one boolean NOT NULL DEFAULT true,
  version bigint NOT NULL
);
TABLE isochron.schema_migration OWNER isochron_owner RLS FORCED (
  number integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT now()
);
TABLE isochron.session OWNER isochron_owner RLS FORCED (
  hash bytea NOT NULL,
  through text NOT NULL,
  subject text NOT NULL,
  name text NOT NULL,
  sealed_credential bytea,
  looks_as jsonb,
  created_at timestamp with time zone NOT NULL,
  used_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone NOT NULL,
  ended_at timestamp with time zone,
  glass_broken_at timestamp with time zone,
  glass_until timestamp with time zone,
  glass_why text,
  glass_reads integer NOT NULL DEFAULT 0,
  glass_told boolean NOT NULL DEFAULT false
);
TABLE isochron.set_aside OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  stream text NOT NULL,
  position text NOT NULL,
  bytes bytea NOT NULL,
  meta jsonb NOT NULL,
  received_at timestamp with time zone NOT NULL,
  code text NOT NULL,
  reason text NOT NULL,
  attempts integer NOT NULL DEFAULT 1,
  replayed_at timestamp with time zone
);
TABLE isochron.storm_member OWNER isochron_owner RLS FORCED (
  id text COLLATE "C" NOT NULL,
  fold_id text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source text NOT NULL,
  control_plane text COLLATE "C" NOT NULL,
  stream text NOT NULL,
  key text NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  attributed_at timestamp with time zone NOT NULL DEFAULT now(),
  subject_key text COLLATE "C" NOT NULL,
  draft json NOT NULL,
  attribution json NOT NULL,
  edition_keys text[] NOT NULL,
  edition_ids text[] NOT NULL
);
TABLE isochron.storm_member_edition OWNER isochron_owner RLS FORCED (
  tenant_key text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  visibility text NOT NULL,
  subject_key text COLLATE "C" NOT NULL,
  edition json NOT NULL,
  domain_key text COLLATE "C"
);
TABLE isochron.tenant_event PARTITION BY RANGE (occurred_at) OWNER isochron_owner RLS FORCED (
  tenant_key text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  occurred_at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
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
  domain_key text COLLATE "C"
);
TABLE isochron.tombstone OWNER isochron_owner RLS FORCED (
  hash bytea NOT NULL,
  reason text NOT NULL,
  made_at timestamp with time zone NOT NULL DEFAULT now()
);
TABLE isochron.topology_fact OWNER isochron_owner RLS FORCED (
  control_plane text COLLATE "C" NOT NULL,
  from_kind text COLLATE "C" NOT NULL,
  from_id text COLLATE "C" NOT NULL,
  relation text COLLATE "C" NOT NULL,
  to_kind text COLLATE "C" NOT NULL,
  to_id text COLLATE "C" NOT NULL,
  at timestamp with time zone NOT NULL,
  holds boolean NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  recorded_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
TABLE isochron.topology_run OWNER isochron_owner RLS FORCED (
  control_plane text COLLATE "C" NOT NULL,
  from_kind text COLLATE "C" NOT NULL,
  from_id text COLLATE "C" NOT NULL,
  relation text COLLATE "C" NOT NULL,
  to_kind text COLLATE "C" NOT NULL,
  to_id text COLLATE "C" NOT NULL,
  at timestamp with time zone NOT NULL,
  holds boolean NOT NULL,
  last_at timestamp with time zone NOT NULL,
  connection text COLLATE "C" NOT NULL,
  source_id text COLLATE "C" NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
TABLE isochron.topology_tenant OWNER isochron_owner RLS FORCED (
  control_plane text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL
);
TABLE isochron.type_pair OWNER isochron_owner RLS FORCED (
  effect text COLLATE "C" NOT NULL,
  cause text COLLATE "C" NOT NULL,
  lift double precision NOT NULL,
  direction double precision NOT NULL,
  together bigint NOT NULL,
  p_value double precision NOT NULL
);
TABLE isochron.type_pair_learnt OWNER isochron_owner RLS FORCED (
  only_one boolean NOT NULL DEFAULT true,
  learnt_at timestamp with time zone NOT NULL,
  learnt_from timestamp with time zone NOT NULL,
  learnt_to timestamp with time zone NOT NULL
);

-- Constraints
CONSTRAINT alert_split_check ON isochron.alert_split CHECK (((undone_at IS NULL) = (undone_by IS NULL)));
CONSTRAINT alert_split_pkey ON isochron.alert_split PRIMARY KEY (id);
CONSTRAINT api_token_hash_key ON isochron.api_token UNIQUE (hash);
CONSTRAINT api_token_pkey ON isochron.api_token PRIMARY KEY (id);
CONSTRAINT attribution_revision_pkey ON isochron.attribution_revision PRIMARY KEY (event_id, replaced_xid);
CONSTRAINT audit_entry_count_check ON isochron.audit_entry CHECK ((count > 0));
CONSTRAINT audit_entry_pkey ON isochron.audit_entry PRIMARY KEY (sequence);
CONSTRAINT audit_entry_sequence_check ON isochron.audit_entry CHECK ((sequence > 0));
CONSTRAINT audit_key_pkey ON isochron.audit_key PRIMARY KEY (id);
CONSTRAINT audit_personal_pkey ON isochron.audit_personal PRIMARY KEY (sequence, field);
CONSTRAINT audit_tail_one_check ON isochron.audit_tail CHECK (one);
CONSTRAINT audit_tail_pkey ON isochron.audit_tail PRIMARY KEY (one);
CONSTRAINT claim_key_one_check ON isochron.claim_key CHECK (one);
CONSTRAINT claim_key_pkey ON isochron.claim_key PRIMARY KEY (one);
CONSTRAINT connection_pkey ON isochron.connection PRIMARY KEY (name);
CONSTRAINT connection_cursor_pkey ON isochron.connection_cursor PRIMARY KEY (connection, stream);
CONSTRAINT connection_finding_pkey ON isochron.connection_finding PRIMARY KEY (connection, code);
CONSTRAINT connection_hole_check ON isochron.connection_hole CHECK ((hole_to > hole_from));
CONSTRAINT connection_hole_pkey ON isochron.connection_hole PRIMARY KEY (connection, reason, hole_from);
CONSTRAINT delivery_pkey ON isochron.delivery PRIMARY KEY (connection, source_id, key);
CONSTRAINT erased_entity_pkey ON isochron.erased_entity PRIMARY KEY (hash);
CONSTRAINT erasure_pkey ON isochron.erasure PRIMARY KEY (id);
CONSTRAINT event_pkey ON isochron.event PRIMARY KEY (id, occurred_at);
CONSTRAINT event_revision_pkey ON isochron.event_revision PRIMARY KEY (event_id, content_hash);
CONSTRAINT feedback_addends_check ON isochron.feedback CHECK ((jsonb_typeof(addends) = 'array'::text));
CONSTRAINT feedback_check ON isochron.feedback CHECK ((symptom <> candidate));
CONSTRAINT feedback_pkey ON isochron.feedback PRIMARY KEY (symptom, candidate, version);
CONSTRAINT feedback_verdict_check ON isochron.feedback CHECK ((verdict = ANY (ARRAY['suspected'::text, 'confirmed'::text, 'ruled-out'::text])));
CONSTRAINT feedback_version_check ON isochron.feedback CHECK ((version > 0));
CONSTRAINT incident_opening_key_key ON isochron.incident UNIQUE (opening_key);
CONSTRAINT incident_pkey ON isochron.incident PRIMARY KEY (id);
CONSTRAINT incident_edition_edition_check ON isochron.incident_edition CHECK ((edition > 0));
CONSTRAINT incident_edition_pkey ON isochron.incident_edition PRIMARY KEY (tenant_key, id, edition);
CONSTRAINT incident_entry_incident_id_fkey ON isochron.incident_entry FOREIGN KEY (incident_id) REFERENCES isochron.incident(id);
CONSTRAINT incident_entry_pkey ON isochron.incident_entry PRIMARY KEY (incident_id, sequence);
CONSTRAINT incident_entry_sequence_check ON isochron.incident_entry CHECK ((sequence > 0));
CONSTRAINT incident_head_incident_id_fkey ON isochron.incident_head FOREIGN KEY (incident_id) REFERENCES isochron.incident(id);
CONSTRAINT incident_head_pkey ON isochron.incident_head PRIMARY KEY (incident_id);
CONSTRAINT incident_publication_incident_id_fkey ON isochron.incident_publication FOREIGN KEY (incident_id) REFERENCES isochron.incident(id);
CONSTRAINT incident_publication_pkey ON isochron.incident_publication PRIMARY KEY (incident_id);
CONSTRAINT legal_hold_check ON isochron.legal_hold CHECK (((entity_key IS NULL) = (control_plane IS NULL)));
CONSTRAINT legal_hold_check1 ON isochron.legal_hold CHECK (((cardinality(tenant_keys) > 0) OR (entity_key IS NOT NULL)));
CONSTRAINT legal_hold_pkey ON isochron.legal_hold PRIMARY KEY (id);
CONSTRAINT maintenance_window_check ON isochron.maintenance_window CHECK ((starts_at < ends_at));
CONSTRAINT maintenance_window_check1 ON isochron.maintenance_window CHECK (((cancelled_at IS NULL) = (cancelled_by IS NULL)));
CONSTRAINT maintenance_window_pkey ON isochron.maintenance_window PRIMARY KEY (id);
CONSTRAINT maintenance_window_things_check ON isochron.maintenance_window CHECK (((jsonb_typeof(things) = 'array'::text) AND (jsonb_array_length(things) > 0)));
CONSTRAINT notice_template_pkey ON isochron.notice_template PRIMARY KEY (name, version);
CONSTRAINT notice_template_version_check ON isochron.notice_template CHECK ((version > 0));
CONSTRAINT notification_delivery_pkey ON isochron.notification_delivery PRIMARY KEY (id);
CONSTRAINT notification_delivery_rule_sequence_key ON isochron.notification_delivery UNIQUE (rule, sequence);
CONSTRAINT notification_delivery_state_check ON isochron.notification_delivery CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'dead'::text, 'withdrawn'::text])));
CONSTRAINT notification_group_pkey ON isochron.notification_group PRIMARY KEY (rule, hash);
CONSTRAINT notification_rule_pkey ON isochron.notification_rule PRIMARY KEY (id, version);
CONSTRAINT notification_rule_version_check ON isochron.notification_rule CHECK ((version > 0));
CONSTRAINT notification_rule_visibility_check ON isochron.notification_rule CHECK ((visibility = ANY (ARRAY['operational'::text, 'security'::text])));
CONSTRAINT notification_standing_pkey ON isochron.notification_standing PRIMARY KEY (rule);
CONSTRAINT notification_told_pkey ON isochron.notification_told PRIMARY KEY (rule, event_id);
CONSTRAINT operation_length_bin_check ON isochron.operation_length CHECK ((bin >= '-1'::integer));
CONSTRAINT operation_length_count_check ON isochron.operation_length CHECK ((count > 0));
CONSTRAINT operation_length_pkey ON isochron.operation_length PRIMARY KEY (key, bin);
CONSTRAINT operation_watch_one_check ON isochron.operation_watch CHECK (one);
CONSTRAINT operation_watch_pkey ON isochron.operation_watch PRIMARY KEY (one);
CONSTRAINT pending_attribution_pkey ON isochron.pending_attribution PRIMARY KEY (control_plane, entity_key, occurred_at, event_id);
CONSTRAINT reattribution_due_pkey ON isochron.reattribution_due PRIMARY KEY (control_plane, entity_key);
CONSTRAINT retention_state_one_check ON isochron.retention_state CHECK (one);
CONSTRAINT retention_state_pkey ON isochron.retention_state PRIMARY KEY (one);
CONSTRAINT retraction_pkey ON isochron.retraction PRIMARY KEY (reader_key, id, tenant_key, visibility);
CONSTRAINT ruling_pkey ON isochron.ruling PRIMARY KEY (id, version);
CONSTRAINT ruling_version_check ON isochron.ruling CHECK ((version > 0));
CONSTRAINT ruling_search_pkey ON isochron.ruling_search PRIMARY KEY (id);
CONSTRAINT ruling_set_one_check ON isochron.ruling_set CHECK (one);
CONSTRAINT ruling_set_pkey ON isochron.ruling_set PRIMARY KEY (one);
CONSTRAINT schema_migration_pkey ON isochron.schema_migration PRIMARY KEY (number);
CONSTRAINT session_check ON isochron.session CHECK ((num_nonnulls(glass_broken_at, glass_until, glass_why) = ANY (ARRAY[0, 3])));
CONSTRAINT session_hash_check ON isochron.session CHECK ((length(hash) = 32));
CONSTRAINT session_pkey ON isochron.session PRIMARY KEY (hash);
CONSTRAINT set_aside_pkey ON isochron.set_aside PRIMARY KEY (id);
CONSTRAINT storm_member_pkey ON isochron.storm_member PRIMARY KEY (id);
CONSTRAINT storm_member_edition_pkey ON isochron.storm_member_edition PRIMARY KEY (tenant_key, id);
CONSTRAINT tenant_event_pkey ON isochron.tenant_event PRIMARY KEY (tenant_key, id, occurred_at);
CONSTRAINT tombstone_pkey ON isochron.tombstone PRIMARY KEY (hash);
CONSTRAINT tombstone_reason_check ON isochron.tombstone CHECK ((reason = ANY (ARRAY['expired'::text, 'erased'::text])));
CONSTRAINT topology_fact_pkey ON isochron.topology_fact PRIMARY KEY (control_plane, from_kind, from_id, relation, at, to_kind, to_id, holds);
CONSTRAINT topology_run_pkey ON isochron.topology_run PRIMARY KEY (control_plane, from_id, from_kind, relation, at, to_kind, to_id, holds);
CONSTRAINT topology_tenant_kind_check ON isochron.topology_tenant CHECK ((kind = ANY (ARRAY['project'::text, 'domain'::text])));
CONSTRAINT topology_tenant_pkey ON isochron.topology_tenant PRIMARY KEY (control_plane, kind, id);
CONSTRAINT type_pair_direction_check ON isochron.type_pair CHECK (((direction >= ('-1'::integer)::double precision) AND (direction <= (1)::double precision)));
CONSTRAINT type_pair_pkey ON isochron.type_pair PRIMARY KEY (effect, cause);
CONSTRAINT type_pair_learnt_only_one_check ON isochron.type_pair_learnt CHECK (only_one);
CONSTRAINT type_pair_learnt_pkey ON isochron.type_pair_learnt PRIMARY KEY (only_one);

-- Indexes
CREATE UNIQUE INDEX alert_split_pkey ON isochron.alert_split USING btree (id);
CREATE UNIQUE INDEX alert_split_standing ON isochron.alert_split USING btree (series) WHERE (undone_at IS NULL);
CREATE UNIQUE INDEX api_token_hash_key ON isochron.api_token USING btree (hash);
CREATE UNIQUE INDEX api_token_pkey ON isochron.api_token USING btree (id);
CREATE UNIQUE INDEX attribution_revision_pkey ON isochron.attribution_revision USING btree (event_id, replaced_xid);
CREATE INDEX audit_entry_by_action ON isochron.audit_entry USING btree (action, sequence);
CREATE INDEX audit_entry_by_object ON isochron.audit_entry USING btree (object, sequence);
CREATE UNIQUE INDEX audit_entry_pkey ON isochron.audit_entry USING btree (sequence);
CREATE UNIQUE INDEX audit_key_pkey ON isochron.audit_key USING btree (id);
CREATE INDEX audit_personal_by_value ON isochron.audit_personal USING btree (field, hashtextextended(value, (0)::bigint), sequence);
CREATE UNIQUE INDEX audit_personal_pkey ON isochron.audit_personal USING btree (sequence, field);
CREATE UNIQUE INDEX audit_tail_pkey ON isochron.audit_tail USING btree (one);
CREATE UNIQUE INDEX claim_key_pkey ON isochron.claim_key USING btree (one);
CREATE UNIQUE INDEX connection_pkey ON isochron.connection USING btree (name);
CREATE UNIQUE INDEX connection_cursor_pkey ON isochron.connection_cursor USING btree (connection, stream);
CREATE UNIQUE INDEX connection_finding_pkey ON isochron.connection_finding USING btree (connection, code);
CREATE UNIQUE INDEX connection_hole_pkey ON isochron.connection_hole USING btree (connection, reason, hole_from);
CREATE INDEX delivery_by_event ON isochron.delivery USING btree (event_id);
CREATE INDEX delivery_by_twin_group ON isochron.delivery USING btree (connection, twin_group) WHERE (twin_group IS NOT NULL);
CREATE UNIQUE INDEX delivery_pkey ON isochron.delivery USING btree (connection, source_id, key);
CREATE UNIQUE INDEX erased_entity_pkey ON isochron.erased_entity USING btree (hash);
CREATE UNIQUE INDEX erasure_pkey ON isochron.erasure USING btree (id);
CREATE INDEX event_by_actor ON ONLY isochron.event USING btree (((actor ->> 'userId'::text)), occurred_at DESC) WHERE ((kind = ANY (ARRAY['change'::text, 'human'::text])) AND ((actor ->> 'userId'::text) IS NOT NULL));
CREATE INDEX event_by_feed ON ONLY isochron.event USING btree (feed_xid, id);
CREATE INDEX event_by_mention ON ONLY isochron.event USING gin (mentions);
CREATE INDEX event_by_subject ON ONLY isochron.event USING btree (subject_id, kind, occurred_at DESC) WHERE ((kind <> 'activity'::text) OR (phase = 'start'::text));
CREATE INDEX event_by_text ON ONLY isochron.event USING gin (search isochron_trigram.gin_trgm_ops) WITH (gin_pending_list_limit='1024') WHERE (visibility = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text]));
CREATE INDEX event_by_time ON ONLY isochron.event USING btree (occurred_at DESC, id DESC);
CREATE INDEX event_by_type ON ONLY isochron.event USING btree (type, occurred_at DESC) INCLUDE (visibility, kind);
CREATE INDEX event_by_withheld_text ON ONLY isochron.event USING gin (search isochron_trigram.gin_trgm_ops) WITH (gin_pending_list_limit='1024') WHERE (visibility <> ALL (ARRAY['operational'::text, 'billing'::text, 'provider'::text]));
CREATE INDEX event_of_estate ON ONLY isochron.event USING btree (occurred_at DESC, id DESC) WHERE ((kind = ANY (ARRAY['change'::text, 'human'::text])) AND (platform OR (category = ANY (ARRAY['platform'::text, 'deployment'::text]))));
CREATE INDEX event_of_symptom ON ONLY isochron.event USING btree (occurred_at DESC, id DESC) WHERE (kind = ANY (ARRAY['symptom'::text, 'recovery'::text]));
CREATE INDEX event_of_trouble ON ONLY isochron.event USING btree (occurred_at DESC, id DESC) WHERE ((kind = ANY (ARRAY['symptom'::text, 'recovery'::text])) AND (subject_kind = ANY (ARRAY['host'::text, 'service'::text, 'agent'::text, 'backend'::text, 'hypervisor'::text, 'component'::text, 'aggregate'::text])));
CREATE UNIQUE INDEX event_pkey ON ONLY isochron.event USING btree (id, occurred_at);
CREATE INDEX event_unproven_by_group ON ONLY isochron.event USING btree (unproven, connection, type, occurred_at, id) WHERE (unproven IS NOT NULL);
CREATE INDEX event_unproven_by_time ON ONLY isochron.event USING btree (occurred_at, id) WHERE (unproven IS NOT NULL);
CREATE UNIQUE INDEX event_revision_pkey ON isochron.event_revision USING btree (event_id, content_hash);
CREATE UNIQUE INDEX feedback_pkey ON isochron.feedback USING btree (symptom, candidate, version);
CREATE UNIQUE INDEX incident_opening_key_key ON isochron.incident USING btree (opening_key);
CREATE UNIQUE INDEX incident_pkey ON isochron.incident USING btree (id);
CREATE INDEX incident_edition_by_domain ON isochron.incident_edition USING btree (domain_key, id);
CREATE UNIQUE INDEX incident_edition_pkey ON isochron.incident_edition USING btree (tenant_key, id, edition);
CREATE UNIQUE INDEX incident_entry_pkey ON isochron.incident_entry USING btree (incident_id, sequence);
CREATE INDEX incident_head_by_window ON isochron.incident_head USING btree (window_from, incident_id);
CREATE UNIQUE INDEX incident_head_pkey ON isochron.incident_head USING btree (incident_id);
CREATE UNIQUE INDEX incident_publication_pkey ON isochron.incident_publication USING btree (incident_id);
CREATE UNIQUE INDEX legal_hold_pkey ON isochron.legal_hold USING btree (id);
CREATE INDEX maintenance_window_by_end ON isochron.maintenance_window USING btree (ends_at, starts_at) WHERE (cancelled_at IS NULL);
CREATE INDEX maintenance_window_by_start ON isochron.maintenance_window USING btree (starts_at, id);
CREATE UNIQUE INDEX maintenance_window_pkey ON isochron.maintenance_window USING btree (id);
CREATE UNIQUE INDEX notice_template_pkey ON isochron.notice_template USING btree (name, version);
CREATE UNIQUE INDEX notification_delivery_pkey ON isochron.notification_delivery USING btree (id);
CREATE UNIQUE INDEX notification_delivery_rule_sequence_key ON isochron.notification_delivery USING btree (rule, sequence);
CREATE INDEX notification_delivery_settled ON isochron.notification_delivery USING btree (settled_at) WHERE (state <> 'waiting'::text);
CREATE INDEX notification_delivery_waiting ON isochron.notification_delivery USING btree (rule, sequence) WHERE (state = 'waiting'::text);
CREATE UNIQUE INDEX notification_group_pkey ON isochron.notification_group USING btree (rule, hash);
CREATE INDEX notification_rule_by_owner ON isochron.notification_rule USING btree (owner_key);
CREATE UNIQUE INDEX notification_rule_pkey ON isochron.notification_rule USING btree (id, version);
CREATE UNIQUE INDEX notification_standing_pkey ON isochron.notification_standing USING btree (rule);
CREATE INDEX notification_told_by_message ON isochron.notification_told USING btree (message);
CREATE INDEX notification_told_by_time ON isochron.notification_told USING btree (told_at);
CREATE UNIQUE INDEX notification_told_pkey ON isochron.notification_told USING btree (rule, event_id);
CREATE UNIQUE INDEX operation_length_pkey ON isochron.operation_length USING btree (key, bin);
CREATE UNIQUE INDEX operation_watch_pkey ON isochron.operation_watch USING btree (one);
CREATE INDEX pending_attribution_by_event ON isochron.pending_attribution USING btree (event_id);
CREATE INDEX pending_attribution_by_id ON isochron.pending_attribution USING btree (control_plane, isochron.id_of_key(entity_key));
CREATE UNIQUE INDEX pending_attribution_pkey ON isochron.pending_attribution USING btree (control_plane, entity_key, occurred_at, event_id);
CREATE UNIQUE INDEX reattribution_due_pkey ON isochron.reattribution_due USING btree (control_plane, entity_key);
CREATE UNIQUE INDEX retention_state_pkey ON isochron.retention_state USING btree (one);
CREATE INDEX retraction_by_feed ON isochron.retraction USING btree (reader_key, feed_xid, id);
CREATE INDEX retraction_by_time ON isochron.retraction USING btree (occurred_at);
CREATE UNIQUE INDEX retraction_pkey ON isochron.retraction USING btree (reader_key, id, tenant_key, visibility);
CREATE INDEX ruling_by_event ON isochron.ruling USING btree (((match ->> 'eventId'::text))) WHERE (match ? 'eventId'::text);
CREATE UNIQUE INDEX ruling_pkey ON isochron.ruling USING btree (id, version);
CREATE UNIQUE INDEX ruling_search_pkey ON isochron.ruling_search USING btree (id);
CREATE UNIQUE INDEX ruling_set_pkey ON isochron.ruling_set USING btree (one);
CREATE UNIQUE INDEX schema_migration_pkey ON isochron.schema_migration USING btree (number);
CREATE INDEX session_by_expiry ON isochron.session USING btree (expires_at);
CREATE INDEX session_by_glass ON isochron.session USING btree (glass_until) WHERE ((glass_until IS NOT NULL) AND (NOT glass_told));
CREATE UNIQUE INDEX session_pkey ON isochron.session USING btree (hash);
CREATE INDEX set_aside_by_connection ON isochron.set_aside USING btree (connection, received_at, id) WHERE (replayed_at IS NULL);
CREATE UNIQUE INDEX set_aside_pkey ON isochron.set_aside USING btree (id);
CREATE INDEX storm_member_by_fold ON isochron.storm_member USING btree (fold_id, occurred_at, id);
CREATE INDEX storm_member_by_subject ON isochron.storm_member USING btree (subject_key, fold_id);
CREATE UNIQUE INDEX storm_member_pkey ON isochron.storm_member USING btree (id);
CREATE INDEX storm_member_edition_by_domain_id ON isochron.storm_member_edition USING btree (domain_key, id);
CREATE INDEX storm_member_edition_by_domain_subject ON isochron.storm_member_edition USING btree (domain_key, subject_key, event_id);
CREATE INDEX storm_member_edition_by_event ON isochron.storm_member_edition USING btree (tenant_key, event_id, occurred_at, id);
CREATE INDEX storm_member_edition_by_subject ON isochron.storm_member_edition USING btree (tenant_key, subject_key, event_id);
CREATE UNIQUE INDEX storm_member_edition_pkey ON isochron.storm_member_edition USING btree (tenant_key, id);
CREATE INDEX tenant_event_by_domain_feed ON ONLY isochron.tenant_event USING btree (domain_key, feed_xid, id);
CREATE INDEX tenant_event_by_domain_id ON ONLY isochron.tenant_event USING btree (domain_key, id);
CREATE INDEX tenant_event_by_domain_subject ON ONLY isochron.tenant_event USING btree (domain_key, subject_id, occurred_at DESC);
CREATE INDEX tenant_event_by_domain_time ON ONLY isochron.tenant_event USING btree (domain_key, occurred_at DESC, id DESC);
CREATE INDEX tenant_event_by_feed ON ONLY isochron.tenant_event USING btree (tenant_key, feed_xid, id);
CREATE INDEX tenant_event_by_subject ON ONLY isochron.tenant_event USING btree (tenant_key, subject_id, occurred_at DESC);
CREATE INDEX tenant_event_by_time ON ONLY isochron.tenant_event USING btree (tenant_key, occurred_at DESC, id DESC);
CREATE UNIQUE INDEX tenant_event_pkey ON ONLY isochron.tenant_event USING btree (tenant_key, id, occurred_at);
CREATE UNIQUE INDEX tombstone_pkey ON isochron.tombstone USING btree (hash);
CREATE INDEX topology_fact_by_target ON isochron.topology_fact USING btree (control_plane, to_kind, to_id, relation, at);
CREATE UNIQUE INDEX topology_fact_pkey ON isochron.topology_fact USING btree (control_plane, from_kind, from_id, relation, at, to_kind, to_id, holds);
CREATE INDEX topology_run_by_change ON isochron.topology_run USING btree (changed_xid);
CREATE INDEX topology_run_by_target ON isochron.topology_run USING btree (control_plane, to_kind, to_id, relation, from_kind, from_id, at, holds);
CREATE UNIQUE INDEX topology_run_pkey ON isochron.topology_run USING btree (control_plane, from_id, from_kind, relation, at, to_kind, to_id, holds);
CREATE UNIQUE INDEX topology_tenant_pkey ON isochron.topology_tenant USING btree (control_plane, kind, id);
CREATE UNIQUE INDEX type_pair_pkey ON isochron.type_pair USING btree (effect, cause);
CREATE UNIQUE INDEX type_pair_learnt_pkey ON isochron.type_pair_learnt USING btree (only_one);

-- Policies
POLICY ingest ON isochron.alert_split FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.alert_split FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.alert_split FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.alert_split FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.api_token FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.api_token FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.attribution_revision FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.attribution_revision FOR SELECT TO isochron_operator USING (((EXISTS ( SELECT
   FROM isochron.event e
  WHERE ((e.id = attribution_revision.event_id) AND (e.occurred_at = attribution_revision.occurred_at)))) OR (EXISTS ( SELECT
   FROM isochron.storm_member m
  WHERE (m.id = attribution_revision.event_id)))));
POLICY owner ON isochron.attribution_revision FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.attribution_revision FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.audit_entry FOR a TO isochron_ingest WITH CHECK (true);
POLICY owner ON isochron.audit_entry FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.audit_entry FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.audit_key FOR a TO isochron_ingest WITH CHECK (true);
POLICY owner ON isochron.audit_key FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.audit_key FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.audit_personal FOR a TO isochron_ingest WITH CHECK (true);
POLICY owner ON isochron.audit_personal FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.audit_personal FOR SELECT TO isochron_provider USING (true);
POLICY owner ON isochron.audit_tail FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.audit_tail FOR SELECT TO isochron_provider USING (true);
POLICY owner ON isochron.claim_key FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.connection FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.connection FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.connection FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.connection FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.connection_cursor FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.connection_cursor FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.connection_finding FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.connection_finding FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.connection_finding FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.connection_finding FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.connection_hole FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.connection_hole FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.connection_hole FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.connection_hole FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.delivery FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.delivery FOR SELECT TO isochron_operator USING (((EXISTS ( SELECT
   FROM isochron.event e
  WHERE ((e.id = delivery.event_id) AND (e.occurred_at = delivery.occurred_at)))) OR (EXISTS ( SELECT
   FROM isochron.storm_member m
  WHERE (m.id = delivery.event_id)))));
POLICY owner ON isochron.delivery FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.delivery FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.erased_entity FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.erased_entity FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.erasure FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.erasure FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.event FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.event FOR SELECT TO isochron_operator USING ((visibility = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text])));
POLICY owner ON isochron.event FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.event FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.event_revision FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.event_revision FOR SELECT TO isochron_operator USING ((((draft ->> 'visibility'::text) = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text])) AND ((EXISTS ( SELECT
   FROM isochron.event e
  WHERE ((e.id = event_revision.event_id) AND (e.occurred_at = event_revision.occurred_at)))) OR (EXISTS ( SELECT
   FROM isochron.storm_member m
  WHERE (m.id = event_revision.event_id))))));
POLICY owner ON isochron.event_revision FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.event_revision FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.feedback FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.feedback FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.feedback FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.feedback FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.incident FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.incident FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.incident FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.incident FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.incident_edition FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.incident_edition FOR SELECT TO isochron_operator USING ((visibility = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text])));
POLICY owner ON isochron.incident_edition FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.incident_edition FOR SELECT TO isochron_provider USING (true);
POLICY tenant ON isochron.incident_edition FOR SELECT TO isochron_tenant USING ((((tenant_key = ANY (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) OR (domain_key = ANY (( SELECT isochron.claimed_keys() AS claimed_keys)::text[]))) AND (('!'::text || tenant_key) <> ALL (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND ((visibility = ANY (ARRAY['operational'::text, 'billing'::text])) OR ((visibility = 'security'::text) AND ((tenant_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])) OR (domain_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])))))));
POLICY ingest ON isochron.incident_entry FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.incident_entry FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.incident_entry FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.incident_entry FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.incident_head FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.incident_head FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.incident_head FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.incident_head FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.incident_publication FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.incident_publication FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.incident_publication FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.incident_publication FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.legal_hold FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.legal_hold FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.maintenance_window FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.maintenance_window FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.maintenance_window FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.maintenance_window FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.notice_template FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.notice_template FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.notice_template FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.notice_template FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.notification_delivery FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.notification_delivery FOR SELECT TO isochron_operator USING ((visibility = 'operational'::text));
POLICY owner ON isochron.notification_delivery FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.notification_delivery FOR SELECT TO isochron_provider USING (true);
POLICY tenant ON isochron.notification_delivery FOR SELECT TO isochron_tenant USING (((owner_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])) AND (('!'::text || owner_key) <> ALL (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND (visibility = ANY (ARRAY['operational'::text, 'security'::text]))));
POLICY ingest ON isochron.notification_group FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.notification_group FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.notification_rule FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.notification_rule FOR SELECT TO isochron_operator USING ((visibility = 'operational'::text));
POLICY owner ON isochron.notification_rule FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.notification_rule FOR SELECT TO isochron_provider USING (true);
POLICY tenant ON isochron.notification_rule FOR SELECT TO isochron_tenant USING (((owner_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])) AND (('!'::text || owner_key) <> ALL (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND (visibility = ANY (ARRAY['operational'::text, 'security'::text]))));
POLICY ingest ON isochron.notification_standing FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.notification_standing FOR SELECT TO isochron_operator USING ((visibility = 'operational'::text));
POLICY owner ON isochron.notification_standing FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.notification_standing FOR SELECT TO isochron_provider USING (true);
POLICY tenant ON isochron.notification_standing FOR SELECT TO isochron_tenant USING (((owner_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])) AND (('!'::text || owner_key) <> ALL (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND (visibility = ANY (ARRAY['operational'::text, 'security'::text]))));
POLICY ingest ON isochron.notification_told FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.notification_told FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.operation_length FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.operation_length FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.operation_watch FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.operation_watch FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.pending_attribution FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.pending_attribution FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.reattribution_due FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.reattribution_due FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.retention_state FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.retention_state FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.retraction FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.retraction FOR SELECT TO isochron_operator USING (((reader_key = 'provider'::text) AND (visibility = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text]))));
POLICY owner ON isochron.retraction FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.retraction FOR SELECT TO isochron_provider USING ((reader_key = 'provider'::text));
POLICY tenant ON isochron.retraction FOR SELECT TO isochron_tenant USING (((reader_key = ANY (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND (('!'::text || tenant_key) <> ALL (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND ((visibility = ANY (ARRAY['operational'::text, 'billing'::text])) OR ((visibility = 'security'::text) AND (reader_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[]))))));
POLICY ingest ON isochron.ruling FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.ruling FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.ruling FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.ruling FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.ruling_search FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.ruling_search FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.ruling_set FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.ruling_set FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.ruling_set FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.ruling_set FOR SELECT TO isochron_provider USING (true);
POLICY owner ON isochron.schema_migration FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.session FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.session FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.set_aside FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.set_aside FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.set_aside FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.set_aside FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.storm_member FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.storm_member FOR SELECT TO isochron_operator USING (((draft ->> 'visibility'::text) = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text])));
POLICY owner ON isochron.storm_member FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.storm_member FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.storm_member_edition FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.storm_member_edition FOR SELECT TO isochron_operator USING ((visibility = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text])));
POLICY owner ON isochron.storm_member_edition FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.storm_member_edition FOR SELECT TO isochron_provider USING (true);
POLICY tenant ON isochron.storm_member_edition FOR SELECT TO isochron_tenant USING ((((tenant_key = ANY (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) OR (domain_key = ANY (( SELECT isochron.claimed_keys() AS claimed_keys)::text[]))) AND (('!'::text || tenant_key) <> ALL (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND ((visibility = ANY (ARRAY['operational'::text, 'billing'::text])) OR ((visibility = 'security'::text) AND ((tenant_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])) OR (domain_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])))))));
POLICY ingest ON isochron.tenant_event FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.tenant_event FOR SELECT TO isochron_operator USING ((visibility = ANY (ARRAY['operational'::text, 'billing'::text, 'provider'::text])));
POLICY owner ON isochron.tenant_event FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.tenant_event FOR SELECT TO isochron_provider USING (true);
POLICY tenant ON isochron.tenant_event FOR SELECT TO isochron_tenant USING ((((tenant_key = ANY (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) OR (domain_key = ANY (( SELECT isochron.claimed_keys() AS claimed_keys)::text[]))) AND (('!'::text || tenant_key) <> ALL (( SELECT isochron.claimed_keys() AS claimed_keys)::text[])) AND ((visibility = ANY (ARRAY['operational'::text, 'billing'::text])) OR ((visibility = 'security'::text) AND ((tenant_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])) OR (domain_key = ANY (( SELECT isochron.claimed_sensitive_keys() AS claimed_sensitive_keys)::text[])))))));
POLICY ingest ON isochron.tombstone FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY owner ON isochron.tombstone FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY ingest ON isochron.topology_fact FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.topology_fact FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.topology_fact FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.topology_fact FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.topology_run FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.topology_run FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.topology_run FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.topology_run FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.topology_tenant FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.topology_tenant FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.topology_tenant FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.topology_tenant FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.type_pair FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.type_pair FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.type_pair FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.type_pair FOR SELECT TO isochron_provider USING (true);
POLICY ingest ON isochron.type_pair_learnt FOR ALL TO isochron_ingest USING (true) WITH CHECK (true);
POLICY operator ON isochron.type_pair_learnt FOR SELECT TO isochron_operator USING (true);
POLICY owner ON isochron.type_pair_learnt FOR ALL TO isochron_owner USING (true) WITH CHECK (true);
POLICY provider ON isochron.type_pair_learnt FOR SELECT TO isochron_provider USING (true);

-- Grants on tables
GRANT DELETE, INSERT, SELECT ON isochron.incident_edition TO isochron_ingest;
GRANT DELETE, INSERT, SELECT ON isochron.type_pair TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.api_token TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.attribution_revision TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.connection TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.connection_cursor TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.connection_finding TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.connection_hole TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.delivery TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.event TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.event_revision TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.notification_delivery TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.notification_group TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.notification_told TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.pending_attribution TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.reattribution_due TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.retraction TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.ruling_search TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.session TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.set_aside TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.storm_member TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.storm_member_edition TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.tenant_event TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.topology_fact TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.topology_run TO isochron_ingest;
GRANT DELETE, INSERT, SELECT, UPDATE ON isochron.topology_tenant TO isochron_ingest;
GRANT INSERT ON isochron.audit_entry TO isochron_ingest;
GRANT INSERT ON isochron.audit_key TO isochron_ingest;
GRANT INSERT ON isochron.audit_personal TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.feedback TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.incident TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.incident_entry TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.incident_publication TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.notice_template TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.notification_rule TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.ruling TO isochron_ingest;
GRANT INSERT, SELECT ON isochron.tombstone TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.alert_split TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.erased_entity TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.erasure TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.incident_head TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.legal_hold TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.maintenance_window TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.notification_standing TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.operation_length TO isochron_ingest;
GRANT INSERT, SELECT, UPDATE ON isochron.type_pair_learnt TO isochron_ingest;
GRANT SELECT ON isochron.alert_split TO isochron_operator;
GRANT SELECT ON isochron.alert_split TO isochron_provider;
GRANT SELECT ON isochron.attribution_revision TO isochron_operator;
GRANT SELECT ON isochron.attribution_revision TO isochron_provider;
GRANT SELECT ON isochron.audit_entry TO isochron_provider;
GRANT SELECT ON isochron.audit_key TO isochron_provider;
GRANT SELECT ON isochron.audit_personal TO isochron_provider;
GRANT SELECT ON isochron.audit_tail TO isochron_provider;
GRANT SELECT ON isochron.connection TO isochron_operator;
GRANT SELECT ON isochron.connection TO isochron_provider;
GRANT SELECT ON isochron.connection_finding TO isochron_operator;
GRANT SELECT ON isochron.connection_finding TO isochron_provider;
GRANT SELECT ON isochron.connection_hole TO isochron_operator;
GRANT SELECT ON isochron.connection_hole TO isochron_provider;
GRANT SELECT ON isochron.delivery TO isochron_operator;
GRANT SELECT ON isochron.delivery TO isochron_provider;
GRANT SELECT ON isochron.event TO isochron_operator;
GRANT SELECT ON isochron.event TO isochron_provider;
GRANT SELECT ON isochron.event_revision TO isochron_operator;
GRANT SELECT ON isochron.event_revision TO isochron_provider;
GRANT SELECT ON isochron.feedback TO isochron_operator;
GRANT SELECT ON isochron.feedback TO isochron_provider;
GRANT SELECT ON isochron.incident TO isochron_operator;
GRANT SELECT ON isochron.incident TO isochron_provider;
GRANT SELECT ON isochron.incident_edition TO isochron_operator;
GRANT SELECT ON isochron.incident_edition TO isochron_provider;
GRANT SELECT ON isochron.incident_edition TO isochron_tenant;
GRANT SELECT ON isochron.incident_entry TO isochron_operator;
GRANT SELECT ON isochron.incident_entry TO isochron_provider;
GRANT SELECT ON isochron.incident_head TO isochron_operator;
GRANT SELECT ON isochron.incident_head TO isochron_provider;
GRANT SELECT ON isochron.incident_publication TO isochron_operator;
GRANT SELECT ON isochron.incident_publication TO isochron_provider;
GRANT SELECT ON isochron.maintenance_window TO isochron_operator;
GRANT SELECT ON isochron.maintenance_window TO isochron_provider;
GRANT SELECT ON isochron.notice_template TO isochron_operator;
GRANT SELECT ON isochron.notice_template TO isochron_provider;
GRANT SELECT ON isochron.notification_delivery TO isochron_operator;
GRANT SELECT ON isochron.notification_delivery TO isochron_provider;
GRANT SELECT ON isochron.notification_delivery TO isochron_tenant;
GRANT SELECT ON isochron.notification_rule TO isochron_operator;
GRANT SELECT ON isochron.notification_rule TO isochron_provider;
GRANT SELECT ON isochron.notification_rule TO isochron_tenant;
GRANT SELECT ON isochron.notification_standing TO isochron_operator;
GRANT SELECT ON isochron.notification_standing TO isochron_provider;
GRANT SELECT ON isochron.notification_standing TO isochron_tenant;
GRANT SELECT ON isochron.retraction TO isochron_operator;
GRANT SELECT ON isochron.retraction TO isochron_provider;
GRANT SELECT ON isochron.retraction TO isochron_tenant;
GRANT SELECT ON isochron.ruling TO isochron_operator;
GRANT SELECT ON isochron.ruling TO isochron_provider;
GRANT SELECT ON isochron.ruling_set TO isochron_operator;
GRANT SELECT ON isochron.ruling_set TO isochron_provider;
GRANT SELECT ON isochron.set_aside TO isochron_operator;
GRANT SELECT ON isochron.set_aside TO isochron_provider;
GRANT SELECT ON isochron.storm_member TO isochron_operator;
GRANT SELECT ON isochron.storm_member TO isochron_provider;
GRANT SELECT ON isochron.storm_member_edition TO isochron_operator;
GRANT SELECT ON isochron.storm_member_edition TO isochron_provider;
GRANT SELECT ON isochron.storm_member_edition TO isochron_tenant;
GRANT SELECT ON isochron.tenant_event TO isochron_operator;
GRANT SELECT ON isochron.tenant_event TO isochron_provider;
GRANT SELECT ON isochron.tenant_event TO isochron_tenant;
GRANT SELECT ON isochron.topology_fact TO isochron_operator;
GRANT SELECT ON isochron.topology_fact TO isochron_provider;
GRANT SELECT ON isochron.topology_run TO isochron_operator;
GRANT SELECT ON isochron.topology_run TO isochron_provider;
GRANT SELECT ON isochron.topology_tenant TO isochron_operator;
GRANT SELECT ON isochron.topology_tenant TO isochron_provider;
GRANT SELECT ON isochron.type_pair TO isochron_operator;
GRANT SELECT ON isochron.type_pair TO isochron_provider;
GRANT SELECT ON isochron.type_pair_learnt TO isochron_operator;
GRANT SELECT ON isochron.type_pair_learnt TO isochron_provider;
GRANT SELECT, UPDATE ON isochron.operation_watch TO isochron_ingest;
GRANT SELECT, UPDATE ON isochron.retention_state TO isochron_ingest;
GRANT SELECT, UPDATE ON isochron.ruling_set TO isochron_ingest;

-- Functions
FUNCTION isochron.claimed_keys() RETURNS text[] OWNER isochron_owner STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT jsonb_array_elements_text(isochron.verified_claim() -> 'keys'));
END $$;
FUNCTION isochron.claimed_sensitive_keys() RETURNS text[] OWNER isochron_owner STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT jsonb_array_elements_text(isochron.verified_claim() -> 'sensitive'));
END $$;
FUNCTION isochron.drop_empty_weeks(timestamp with time zone) RETURNS integer OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  child record;
  week date;
  dropped integer := 0;
  occupied boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('isochron partition'));
  FOR child IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent IN ('isochron.event'::regclass, 'isochron.tenant_event'::regclass) ORDER BY c.relname
  LOOP
    week := to_date(right(child.relname, 8), 'YYYYMMDD');
    CONTINUE WHEN (week + 7)::timestamp AT TIME ZONE 'UTC' > moment;
    EXECUTE format('SELECT EXISTS (SELECT FROM isochron.%I)', child.relname) INTO occupied;
    CONTINUE WHEN occupied;
    -- Again behind the lock: a row may have come since.
    EXECUTE format('LOCK TABLE isochron.%I IN ACCESS EXCLUSIVE MODE', child.relname);
    EXECUTE format('SELECT EXISTS (SELECT FROM isochron.%I)', child.relname) INTO occupied;
    CONTINUE WHEN occupied;
    EXECUTE format('DROP TABLE isochron.%I', child.relname);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
FUNCTION isochron.erase_audit(bigint,bigint[]) RETURNS void OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM isochron.audit_entry e WHERE e.sequence = told_by AND e.action = 'erasure'
                    AND e.xmin = pg_current_xact_id()::xid) THEN
    RAISE EXCEPTION 'no entry of this transaction tells of the erasure';
  END IF;
  DELETE FROM isochron.audit_personal p WHERE p.sequence = ANY (sequences);
END $$;
FUNCTION isochron.erase_rule_maker(text,timestamp with time zone,text) RETURNS void OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
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
FUNCTION isochron.erase_rules(text[]) RETURNS void OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  gone text[] := ARRAY(SELECT s.rule FROM isochron.notification_standing s WHERE s.owner_key = ANY (owners) FOR UPDATE);
BEGIN
  DELETE FROM isochron.notification_delivery d WHERE d.rule = ANY (gone);
  DELETE FROM isochron.notification_told t WHERE t.rule = ANY (gone);
  DELETE FROM isochron.notification_group g WHERE g.rule = ANY (gone);
  DELETE FROM isochron.notification_rule r WHERE r.id = ANY (gone);
  DELETE FROM isochron.notification_standing s WHERE s.rule = ANY (gone);
END $$;
FUNCTION isochron.events_around(text[],text[],timestamp with time zone,timestamp with time zone,integer) RETURNS TABLE(id text, occurred_at timestamp with time zone) OWNER isochron_owner STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
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
FUNCTION isochron.find_audit_actor(text) RETURNS SETOF bigint OWNER isochron_owner STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
  SELECT p.sequence FROM isochron.audit_personal p
   WHERE p.field = 'actor.id' AND hashtextextended(p.value, 0) = hashtextextended(actor, 0) AND p.value = actor ORDER BY 1
$$;
FUNCTION isochron.follow_audit_tail() RETURNS trigger OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  UPDATE isochron.audit_tail SET sequence = NEW.sequence, hash = NEW.hash
   WHERE store_id = NEW.store_id AND sequence = NEW.sequence - 1 AND hash = NEW.previous;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an audit entry must follow the last one';
  END IF;
  RETURN NEW;
END $$;
FUNCTION isochron.forget_runs() RETURNS trigger OWNER isochron_owner VOLATILE SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  TRUNCATE isochron.topology_run, isochron.topology_tenant;
  RETURN NULL;
END $$;
FUNCTION isochron.hmac_block(bytea,integer) RETURNS bytea OWNER isochron_owner IMMUTABLE SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  block bytea := key || decode(repeat('00', 64 - length(key)), 'hex');
BEGIN
  FOR i IN 0..63 LOOP
    block := set_byte(block, i, get_byte(block, i) # pad);
  END LOOP;
  RETURN block;
END $$;
FUNCTION isochron.hold_audit_tail() RETURNS TABLE(store_id uuid, sequence bigint, hash bytea) OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
  SELECT t.store_id, t.sequence, t.hash FROM isochron.audit_tail t FOR UPDATE
$$;
FUNCTION isochron.id_of_key(text) RETURNS text OWNER isochron_owner IMMUTABLE AS $$ SELECT substr(key, strpos(key, ':') + 1) $$;
FUNCTION isochron.is_expiring() RETURNS boolean OWNER isochron_owner STABLE SET search_path=pg_catalog, pg_temp AS $$ SELECT coalesce(current_setting('isochron.expiring', true), '') = 'on' $$;
FUNCTION isochron.join_audit_entry() RETURNS trigger OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM isochron.audit_entry e WHERE e.sequence = NEW.sequence
                    AND e.xmin = pg_current_xact_id()::xid AND e.sealed ? NEW.field) THEN
    RAISE EXCEPTION 'no such audit entry was just written';
  END IF;
  RETURN NEW;
END $$;
FUNCTION isochron.make_partition(text,date) RETURNS void OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  name text := parent || '_' || to_char(week, 'YYYYMMDD');
BEGIN
  IF parent NOT IN ('event', 'tenant_event') OR extract(isodow FROM week) <> 1 THEN
    RAISE EXCEPTION 'no such partition';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('isochron partition'));
  IF to_regclass(format('isochron.%I', name)) IS NOT NULL THEN
    RETURN;
  END IF;
  -- Made beside the table and then attached: that needs no lock that readers or writers would wait for.
  EXECUTE format('CREATE TABLE isochron.%I (LIKE isochron.%I INCLUDING DEFAULTS)', name, parent);
  EXECUTE format('REVOKE ALL ON isochron.%I FROM PUBLIC', name);
  EXECUTE format('ALTER TABLE isochron.%I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE isochron.%I FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY owner ON isochron.%I TO isochron_owner USING (true) WITH CHECK (true)', name);
  EXECUTE format('ALTER TABLE isochron.%I ATTACH PARTITION isochron.%I FOR VALUES FROM (%L) TO (%L)',
                 parent, name, week::timestamp AT TIME ZONE 'UTC', (week + 7)::timestamp AT TIME ZONE 'UTC');
END $$;
FUNCTION isochron.note_lost_edition() RETURNS trigger OWNER isochron_owner VOLATILE SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  lost text[];
BEGIN
  -- What no tenant was ever shown, nobody may hear of.
  IF OLD.visibility NOT IN ('operational', 'billing', 'security') THEN
    RETURN NULL;
  END IF;
  -- Whom a narrower class leaves in, finds the edition where it was and is told nothing.
  IF TG_OP = 'DELETE' OR NEW.visibility <> OLD.visibility THEN
    lost := ARRAY[OLD.tenant_key, OLD.domain_key];
  ELSE
    lost := ARRAY[OLD.domain_key];
  END IF;
  INSERT INTO isochron.retraction (reader_key, tenant_key, id, occurred_at, first_xid, visibility)
  SELECT DISTINCT key, OLD.tenant_key, OLD.id, OLD.occurred_at, OLD.first_xid, OLD.visibility
    FROM unnest(lost) AS key WHERE key IS NOT NULL ORDER BY key
  ON CONFLICT (reader_key, id, tenant_key, visibility)
  DO UPDATE SET feed_xid = excluded.feed_xid, first_xid = least(isochron.retraction.first_xid, excluded.first_xid);
  RETURN NULL;
END $$;
FUNCTION isochron.note_lost_event() RETURNS trigger OWNER isochron_owner VOLATILE SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO isochron.retraction (reader_key, tenant_key, id, occurred_at, first_xid, visibility)
  VALUES ('provider', '', OLD.id, OLD.occurred_at, OLD.first_xid, OLD.visibility)
  ON CONFLICT (reader_key, id, tenant_key, visibility)
  DO UPDATE SET feed_xid = excluded.feed_xid, first_xid = least(isochron.retraction.first_xid, excluded.first_xid);
  RETURN NULL;
END $$;
FUNCTION isochron.place_observations(text,text,jsonb,text[]) RETURNS TABLE(nth bigint, first boolean, since timestamp with time zone) OWNER isochron_owner VOLATILE SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  o record;
  cur isochron.topology_run;
  nxt isochron.topology_run;
  seen isochron.topology_fact;
  ended timestamptz;
  plural boolean;
  changes boolean;
BEGIN
  FOR o IN
    SELECT given.n, x.* FROM jsonb_array_elements(observations) WITH ORDINALITY AS given (item, n)
     CROSS JOIN LATERAL jsonb_to_record(given.item) AS x (from_kind text, from_id text, relation text, to_kind text,
       to_id text, at timestamptz, holds boolean, source_id text)
     ORDER BY given.n
  LOOP
    plural := o.relation = ANY (side_by_side);
    changes := true;
    ended := NULL;
    -- The run that the observation lies in or after, and the one that follows.
    IF plural THEN
      SELECT r.* INTO cur FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.to_kind = o.to_kind AND r.to_id = o.to_id AND r.relation = o.relation
         AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND (r.at, r.holds) <= (o.at, o.holds)
       ORDER BY r.at DESC, r.holds DESC LIMIT 1;
      SELECT r.* INTO nxt FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.to_kind = o.to_kind AND r.to_id = o.to_id AND r.relation = o.relation
         AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND (r.at, r.holds) > (o.at, o.holds)
       ORDER BY r.at, r.holds LIMIT 1;
    ELSE
      SELECT r.* INTO cur FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND r.relation = o.relation
         AND (r.at, r.to_kind, r.to_id, r.holds) <= (o.at, o.to_kind, o.to_id, o.holds)
       ORDER BY r.at DESC, r.to_kind DESC, r.to_id DESC, r.holds DESC LIMIT 1;
      SELECT r.* INTO nxt FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND r.relation = o.relation
         AND (r.at, r.to_kind, r.to_id, r.holds) > (o.at, o.to_kind, o.to_id, o.holds)
       ORDER BY r.at, r.to_kind, r.to_id, r.holds LIMIT 1;
    END IF;

    IF (cur.to_kind, cur.to_id, cur.holds) = (o.to_kind, o.to_id, o.holds) AND o.at > cur.at THEN
      -- Seen again. What lay after the last sight is known better only where something else followed, or where another
      -- run began at the same moment and this one had not been seen since: the tie is broken now. A name counts for whoever had
      -- the thing when it was seen, so its first sight since the thing has a new owner changes something, too.
      changes := o.at > cur.last_at
        AND (nxt.at IS NOT NULL
             OR (cur.last_at = cur.at
                 AND EXISTS (SELECT FROM isochron.topology_run r
                              WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id
                                AND r.relation = o.relation AND r.at = cur.at
                                AND (NOT plural OR (r.to_kind, r.to_id) = (o.to_kind, o.to_id))
                                AND (r.to_kind, r.to_id, r.holds) <> (cur.to_kind, cur.to_id, cur.holds)))
             OR (o.relation = 'named'
                 AND EXISTS (SELECT FROM isochron.topology_run r
                              WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id
                                AND r.relation = 'owned_by' AND r.at > cur.last_at AND r.at <= o.at)));
      ended := cur.last_at;
      IF o.at > cur.last_at THEN
        UPDATE isochron.topology_run r
           SET last_at = o.at, changed_xid = CASE WHEN changes THEN pg_current_xact_id() ELSE r.changed_xid END
         WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
             = (plane, o.from_kind, o.from_id, o.relation, cur.at, cur.to_kind, cur.to_id, cur.holds);
      END IF;
    ELSE
      -- Of the run before `cur`, when it was last seen: from there on answers may tell when `cur` ended.
      SELECT r.last_at INTO ended FROM isochron.topology_run r
       WHERE r.control_plane = plane AND r.from_kind = o.from_kind AND r.from_id = o.from_id AND r.relation = o.relation
         AND (NOT plural OR (r.to_kind, r.to_id) = (o.to_kind, o.to_id))
         AND (r.at, r.to_kind, r.to_id, r.holds) < (cur.at, cur.to_kind, cur.to_id, cur.holds)
       ORDER BY r.at DESC, r.to_kind DESC, r.to_id DESC, r.holds DESC LIMIT 1;
      ended := coalesce(ended, '-infinity');
      IF (cur.to_kind, cur.to_id, cur.holds, cur.at) = (o.to_kind, o.to_id, o.holds, o.at) THEN
        -- The first of a run, of which a record with a smaller name now tells.
        changes := (teller, o.source_id) < (cur.connection, cur.source_id);
        IF changes THEN
          UPDATE isochron.topology_run r
             SET connection = teller, source_id = o.source_id, changed_xid = pg_current_xact_id()
           WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
               = (plane, o.from_kind, o.from_id, o.relation, cur.at, cur.to_kind, cur.to_id, cur.holds);
        END IF;
      ELSIF (o.at, o.to_kind, o.to_id, o.holds) < (cur.last_at, cur.to_kind, cur.to_id, cur.holds) THEN
        -- Amid another run, which is taken apart: the facts tell where its two parts end and begin.
        SELECT f.* INTO STRICT seen FROM isochron.topology_fact f
         WHERE f.control_plane = plane AND f.from_kind = o.from_kind AND f.from_id = o.from_id AND f.relation = o.relation
           AND (f.to_kind, f.to_id, f.holds) = (cur.to_kind, cur.to_id, cur.holds)
           AND (f.at, f.to_kind, f.to_id, f.holds) < (o.at, o.to_kind, o.to_id, o.holds)
         ORDER BY f.at DESC, f.to_kind DESC, f.to_id DESC, f.holds DESC LIMIT 1;
        UPDATE isochron.topology_run r SET last_at = seen.at, changed_xid = pg_current_xact_id()
         WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
             = (plane, o.from_kind, o.from_id, o.relation, cur.at, cur.to_kind, cur.to_id, cur.holds);
        SELECT f.* INTO STRICT seen FROM isochron.topology_fact f
         WHERE f.control_plane = plane AND f.from_kind = o.from_kind AND f.from_id = o.from_id AND f.relation = o.relation
           AND (f.to_kind, f.to_id, f.holds) = (cur.to_kind, cur.to_id, cur.holds)
           AND (f.at, f.to_kind, f.to_id, f.holds) > (o.at, o.to_kind, o.to_id, o.holds)
         ORDER BY f.at, f.to_kind, f.to_id, f.holds LIMIT 1;
        INSERT INTO isochron.topology_run
          (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id, recorded_at)
        VALUES (plane, o.from_kind, o.from_id, o.relation, cur.to_kind, cur.to_id, seen.at, cur.holds, cur.last_at,
                seen.connection, seen.source_id, seen.recorded_at),
               (plane, o.from_kind, o.from_id, o.relation, o.to_kind, o.to_id, o.at, o.holds, o.at,
                teller, o.source_id, now());
      ELSIF (nxt.to_kind, nxt.to_id, nxt.holds) = (o.to_kind, o.to_id, o.holds) THEN
        UPDATE isochron.topology_run r
           SET at = o.at, connection = teller, source_id = o.source_id, recorded_at = now(),
               changed_xid = pg_current_xact_id()
         WHERE (r.control_plane, r.from_kind, r.from_id, r.relation, r.at, r.to_kind, r.to_id, r.holds)
             = (plane, o.from_kind, o.from_id, o.relation, nxt.at, nxt.to_kind, nxt.to_id, nxt.holds);
      ELSE
        INSERT INTO isochron.topology_run
          (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id)
        VALUES (plane, o.from_kind, o.from_id, o.relation, o.to_kind, o.to_id, o.at, o.holds, o.at, teller, o.source_id);
      END IF;
    END IF;
    IF changes THEN
      nth := o.n - 1;
      first := cur.at IS NULL OR cur.at = o.at AND ended = '-infinity';
      since := ended;
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;
FUNCTION isochron.refuse_audit_change() RETURNS trigger OWNER isochron_owner VOLATILE SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'audit entries are not changed';
END $$;
FUNCTION isochron.refuse_incident_loss() RETURNS trigger OWNER isochron_owner VOLATILE SET search_path=pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'entries of an incident are not taken away';
END $$;
FUNCTION isochron.scrub_words(text,text[]) RETURNS bigint OWNER isochron_owner VOLATILE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  found record;
  changed bigint;
  total bigint := 0;
BEGIN
  FOR found IN
    SELECT c.relname, a.attname, format_type(a.atttypid, NULL) AS type,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS is_name
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> ALL (except_tables) AND a.attgenerated = ''
       AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'json', 'jsonb')
     ORDER BY c.relname, a.attnum
  LOOP
    -- Two names must not become one where each is there once only.
    EXECUTE format('UPDATE isochron.%I SET %I = regexp_replace(%I::text, $1, %s, ''gi'')::%s WHERE %I::text ~* $1',
                   found.relname, found.attname, found.attname,
                   CASE WHEN found.is_name THEN '''erased-'' || gen_random_uuid()' ELSE '''erased''' END,
                   found.type, found.attname) USING pattern;
    GET DIAGNOSTICS changed = ROW_COUNT;
    total := total + changed;
  END LOOP;
  RETURN total;
END $$;
FUNCTION isochron.search_events(text,timestamp with time zone,timestamp with time zone,integer) RETURNS TABLE(id text, occurred_at timestamp with time zone) OWNER isochron_owner STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  pattern text := '%' || regexp_replace(wanted, '([\\%_])', '\\\1', 'g') || '%';
BEGIN
  IF wanted !~ '[[:alnum:]]{3}' OR to_regclass('isochron.event_by_text') IS NULL
     OR 10 <= (SELECT count(*) FROM (
                 SELECT e.search FROM isochron.event e
                  WHERE e.visibility IN ('operational', 'billing', 'provider')
                    AND e.occurred_at >= since AND e.occurred_at < until
                  ORDER BY e.occurred_at DESC, e.id DESC LIMIT 500) AS newest
                WHERE strpos(newest.search, wanted) > 0) THEN
    RETURN QUERY SELECT NULL::text, NULL::timestamptz;
    RETURN;
  END IF;
  RETURN QUERY
    SELECT e.id, e.occurred_at FROM isochron.event e
     WHERE e.visibility IN ('operational', 'billing', 'provider') AND e.search LIKE pattern
       AND e.occurred_at >= since AND e.occurred_at < until
     LIMIT most + 1;
  IF session_user = 'isochron_provider' THEN
    RETURN QUERY
      SELECT e.id, e.occurred_at FROM isochron.event e
       WHERE e.visibility NOT IN ('operational', 'billing', 'provider') AND e.search LIKE pattern
         AND e.occurred_at >= since AND e.occurred_at < until
       LIMIT most + 1;
  END IF;
END $$;
FUNCTION isochron.verified_claim() RETURNS jsonb OWNER isochron_owner STABLE SECURITY DEFINER SET search_path=pg_catalog, pg_temp AS $$
DECLARE
  claim text := current_setting('isochron.claim', true);
  payload text;
  body jsonb;
  signature text;
BEGIN
  IF claim IS NULL OR claim !~ '^[0-9a-f]{64}\.([0-9a-f][0-9a-f])+$' THEN
    RETURN NULL;
  END IF;
  payload := substr(claim, 66);
  SELECT encode(sha256(k.outer_block || sha256(k.inner_block || convert_to(payload, 'UTF8'))), 'hex')
    INTO signature FROM isochron.claim_key k;
  IF signature IS DISTINCT FROM left(claim, 64) THEN
    RETURN NULL;
  END IF;
  body := convert_from(decode(payload, 'hex'), 'UTF8')::jsonb;
  IF (body ->> 'pid')::integer IS DISTINCT FROM pg_backend_pid()
     OR body ->> 'tx' IS DISTINCT FROM (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text
     OR coalesce(to_timestamp((body ->> 'exp')::double precision) <= clock_timestamp(), true) THEN
    RETURN NULL;
  END IF;
  RETURN body;
END $$;

-- Grants on functions
GRANT EXECUTE ON isochron.claimed_keys() TO isochron_tenant;
GRANT EXECUTE ON isochron.claimed_sensitive_keys() TO isochron_tenant;
GRANT EXECUTE ON isochron.drop_empty_weeks(timestamp with time zone) TO isochron_ingest;
GRANT EXECUTE ON isochron.erase_audit(bigint,bigint[]) TO isochron_ingest;
GRANT EXECUTE ON isochron.erase_rule_maker(text,timestamp with time zone,text) TO isochron_ingest;
GRANT EXECUTE ON isochron.erase_rules(text[]) TO isochron_ingest;
GRANT EXECUTE ON isochron.events_around(text[],text[],timestamp with time zone,timestamp with time zone,integer) TO isochron_operator;
GRANT EXECUTE ON isochron.events_around(text[],text[],timestamp with time zone,timestamp with time zone,integer) TO isochron_provider;
GRANT EXECUTE ON isochron.find_audit_actor(text) TO isochron_ingest;
GRANT EXECUTE ON isochron.hold_audit_tail() TO isochron_ingest;
GRANT EXECUTE ON isochron.id_of_key(text) TO isochron_ingest;
GRANT EXECUTE ON isochron.is_expiring() TO isochron_ingest;
GRANT EXECUTE ON isochron.make_partition(text,date) TO isochron_ingest;
GRANT EXECUTE ON isochron.place_observations(text,text,jsonb,text[]) TO isochron_ingest;
GRANT EXECUTE ON isochron.scrub_words(text,text[]) TO isochron_ingest;
GRANT EXECUTE ON isochron.search_events(text,timestamp with time zone,timestamp with time zone,integer) TO isochron_operator;
GRANT EXECUTE ON isochron.search_events(text,timestamp with time zone,timestamp with time zone,integer) TO isochron_provider;

-- Others

