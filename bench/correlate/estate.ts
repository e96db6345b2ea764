import type pg from "pg";

/** A made-up estate of two regions, and so many events over sixty days; everything follows from the numbers of the rows. */
export interface Estate {
  readonly events: number;
  /** The first moment, in milliseconds since 1970; a Monday. */
  readonly beginsAt: number;
}

export const estateDays = 60;
const dayMs = 86_400_000;

/** A Monday, so that weeks are whole. */
export const estateBegin = Date.UTC(2026, 0, 5);

const chunk = 250_000;

/** What text search needs alone is left out of the store: it costs most of the loading and is not asked here. */
const unasked = new Set(["event_by_text", "event_by_withheld_text"]);

const tables = ["event", "tenant_event", "delivery", "topology_run"];

/**
 * Loads an estate of 40 tenants, 200 hosts, 20,000 servers with volumes and ports, and its events, by SQL alone; indexes are
 * made afterwards, as a dump is restored. `sql` is the administrator's.
 */
export async function loadEstate(
  sql: pg.Client,
  { events, beginsAt }: Estate,
  onProgress: (done: number) => void,
): Promise<void> {
  await sql.query("SET synchronous_commit = off");
  await sql.query("SET maintenance_work_mem = '1GB'");
  const restore = await dropIndexes(sql);
  for (let day = -7; day < estateDays + 7; day += 7) {
    const monday = new Date(beginsAt + day * dayMs).toISOString().slice(0, 10);
    await sql.query(
      "SELECT isochron.make_partition('event', $1), isochron.make_partition('tenant_event', $1)",
      [monday],
    );
  }
  await sql.query(topologySql, [new Date(beginsAt).toISOString()]);
  await sql.query(connectionSql);
  for (let first = 1; first <= events; first += chunk) {
    const last = Math.min(events, first + chunk - 1);
    const step = (estateDays * dayMs) / events;
    await sql.query(eventsSql, [first, last, step, new Date(beginsAt).toISOString()]);
    onProgress(last);
  }
  for (const statement of restore) await sql.query(statement);
  for (const table of tables) await sql.query(`VACUUM ANALYZE isochron.${table}`);
}

/** Gives the statements that make them again. */
async function dropIndexes(sql: pg.Client): Promise<readonly string[]> {
  const { rows } = await sql.query<{
    name: string;
    definition: string;
    constraint: string | null;
    table: string;
  }>(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition, t.relname AS table,
            (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS constraint
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
      WHERE t.relnamespace = 'isochron'::regnamespace AND t.relname = ANY($1)`,
    [tables],
  );
  const restore: string[] = [];
  for (const { name, definition, constraint, table } of rows) {
    if (constraint === null) await sql.query(`DROP INDEX isochron.${name}`);
    else await sql.query(`ALTER TABLE isochron.${table} DROP CONSTRAINT ${name}`);
    if (unasked.has(name)) continue;
    restore.push(
      constraint === null
        ? definition.replace(" ON ONLY ", " ON ")
        : `ALTER TABLE isochron.${table} ADD CONSTRAINT ${name} ${constraint}`,
    );
  }
  return restore;
}

/** Two regions, each a control plane: even and odd hosts, and what stands on them. */
const plane = (nth: string): string => `CASE WHEN (${nth}) % 2 = 0 THEN 'region-1' ELSE 'region-2' END`;
const serverId = (nth: string): string => `md5('server ' || (${nth}))::uuid::text`;
const volumeId = (nth: string): string => `md5('volume ' || (${nth}))::uuid::text`;
const portId = (nth: string): string => `md5('port ' || (${nth}))::uuid::text`;
/** Of forty projects the first have most. */
const projectOf = (nth: string): string =>
  `'project-' || (((${nth}) / 2 % 100) * ((${nth}) / 2 % 100) / 250)`;
const hostOf = (nth: string): string => `'host-' || (${nth}) % 200`;

const topologySql = `
  INSERT INTO isochron.topology_run
    (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id)
  SELECT plane, from_kind, from_id, relation, to_kind, to_id, $1::timestamptz, true, $1::timestamptz + interval '60 days',
         'inventory', 'made' FROM (
    SELECT ${plane("n")} AS plane, 'server' AS from_kind, ${serverId("n")} AS from_id, way.relation, way.to_kind, way.to_id
      FROM generate_series(1, 20000) AS n CROSS JOIN LATERAL (VALUES
        ('runs_on', 'host', ${hostOf("n")}), ('owned_by', 'project', ${projectOf("n")}),
        ('made_from', 'image', 'image-' || n % 20), ('sized_by', 'flavor', 'flavor-' || n % 12)) AS way (relation, to_kind, to_id)
    UNION ALL
    SELECT ${plane("n")}, 'volume', ${volumeId("n")}, way.relation, way.to_kind, way.to_id
      FROM generate_series(1, 30000) AS n CROSS JOIN LATERAL (VALUES
        ('stored_on', 'backend', 'backend-' || n % 10), ('owned_by', 'project', ${projectOf("n % 20000")}),
        ('attached_to', 'server', ${serverId("n % 20000")})) AS way (relation, to_kind, to_id)
    UNION ALL
    SELECT ${plane("n")}, 'port', ${portId("n")}, way.relation, way.to_kind, way.to_id
      FROM generate_series(1, 20000) AS n CROSS JOIN LATERAL (VALUES
        ('on_network', 'network', 'net-' || ${projectOf("n")} || '-' || n % 2), ('owned_by', 'project', ${projectOf("n")}),
        ('attached_to', 'server', ${serverId("n")})) AS way (relation, to_kind, to_id)
    UNION ALL
    SELECT ${plane("n")}, 'service', role || '@host-' || n, 'serves', 'host', 'host-' || n
      FROM generate_series(0, 199) AS n, unnest(ARRAY['compute', 'agent', 'metrics']) AS role
    UNION ALL
    SELECT ${plane("n")}, 'host', 'host-' || n, 'member_of', 'aggregate', 'rack-' || n / 20 FROM generate_series(0, 199) AS n
    UNION ALL
    SELECT plane, 'project', 'project-' || n, 'part_of', 'domain', 'domain-' || n % 8
      FROM generate_series(0, 39) AS n, unnest(ARRAY['region-1', 'region-2']) AS plane) AS made
  ON CONFLICT DO NOTHING`;

const connectionSql = `INSERT INTO isochron.connection (name, source, control_plane, config)
  VALUES ('bus-1', 'openstack-notifications', 'region-1', '{}'), ('bus-2', 'openstack-notifications', 'region-2', '{}'),
         ('monitor-1', 'alertmanager', 'region-1', '{}'), ('monitor-2', 'alertmanager', 'region-2', '{}')`;

/**
 * Of a hundred events a third are mere activity; a fifth come at two in the night, when snapshots are made; symptoms come in
 * bursts of one host. $1 to $2 are their numbers, $3 is what lies between two in milliseconds, $4 the beginning.
 */
const eventsSql = `
  WITH drawn AS (
    SELECT n, (hashint8(n) & 2147483647) AS h, (hashint8(n + 1000000007) & 2147483647) AS g,
           $4::timestamptz + (n * $3::float8) * interval '1 millisecond' AS t
      FROM generate_series($1::bigint, $2::bigint) AS n
  ), placed AS (
    SELECT n, h, g, h % 100 AS lot, 1 + g % 20000 AS s, n / 40 % 200 AS shaken,
           CASE WHEN h % 100 < 20 THEN date_trunc('day', t) + interval '2 hours' + (g % 1800000) * interval '1 millisecond'
                ELSE date_trunc('milliseconds', t) END AS at
      FROM drawn
  ), typed AS (
    SELECT placed.*, what.* FROM placed CROSS JOIN LATERAL (
      SELECT CASE WHEN lot < 20 THEN 'snapshot.create.' || CASE WHEN g % 2 = 0 THEN 'start' ELSE 'end' END
                  WHEN lot < 45 THEN 'compute.instance.' || (ARRAY['update','exists','metrics'])[1 + g % 3]
                  WHEN lot < 70 THEN 'compute.instance.' || (ARRAY['create','delete','resize','reboot','rebuild','power_off',
                       'power_on','volume.attach','live_migration','shelve','pause','soft_delete'])[1 + g % 12] || '.end'
                  WHEN lot < 80 THEN 'volume.' || (ARRAY['create','attach','detach','resize','delete'])[1 + g % 5] || '.end'
                  WHEN lot < 90 THEN (ARRAY['port','network','subnet','router','floatingip','security_group'])[1 + g % 6]
                       || (ARRAY['.create','.update','.delete'])[1 + g % 3] || '.end'
                  WHEN lot < 95 THEN 'alert.' || (ARRAY['ServerDown','HighLatency','DiskFull','PacketLoss','NoMetrics'])[1 + g % 5]
                  WHEN lot < 99 THEN 'alert.resolved.' || g % 5
                  WHEN g % 50 = 0 THEN 'rare.maintenance.' || g % 397
                  WHEN g % 5 = 0 THEN 'deploy.' || (ARRAY['compute','network','storage','identity'])[1 + g % 4]
                  ELSE 'service.' || (ARRAY['update','restart','disable','enable'])[1 + g % 4] END AS type,
             CASE WHEN lot < 20 THEN 'change' WHEN lot < 45 THEN 'activity' WHEN lot < 90 THEN 'change'
                  WHEN lot < 95 THEN 'symptom' WHEN lot < 99 THEN 'recovery' ELSE 'change' END AS kind,
             CASE WHEN lot < 20 OR lot BETWEEN 70 AND 79 THEN 'volume' WHEN lot < 70 THEN 'server' WHEN lot < 90 THEN 'port'
                  WHEN lot < 99 THEN CASE WHEN g % 40 = 0 THEN 'host' ELSE 'server' END ELSE 'host' END AS subject_kind,
             lot = 99 AS platform,
             -- What breaks, breaks on one host for a while.
             CASE WHEN lot BETWEEN 90 AND 98 THEN shaken + 200 * (g % 100) ELSE s END AS thing) AS what
  ), named AS (
    SELECT typed.*, ${plane("thing")} AS plane, ${hostOf("thing")} AS host, ${projectOf("thing")} AS project,
           ${serverId("1 + (thing - 1) % 20000")} AS server, ${volumeId("thing")} AS volume, ${portId("thing")} AS port
      FROM typed
  ), made AS (
    SELECT named.*, 'evt_' || lpad(n::text, 26, '0') AS id,
           CASE subject_kind WHEN 'server' THEN server WHEN 'volume' THEN volume WHEN 'port' THEN port ELSE host END AS subject_id,
           CASE subject_kind
             WHEN 'server' THEN jsonb_build_array(jsonb_build_object('role', 'host', 'ref', jsonb_build_object('kind', 'host', 'id', host)))
             WHEN 'volume' THEN jsonb_build_array(jsonb_build_object('role', 'server', 'ref', jsonb_build_object('kind', 'server', 'id', server)))
             WHEN 'port' THEN jsonb_build_array(jsonb_build_object('role', 'server', 'ref', jsonb_build_object('kind', 'server', 'id', server)))
             ELSE '[]'::jsonb END AS related,
           jsonb_build_object('requestId', 'req-' || md5((n / 3)::text)) AS operation,
           jsonb_build_object('state', 'active', 'size', g % 100, 'words', md5(n::text), 'more', repeat('x', 120)) AS details
      FROM named
  ), stored AS (
    INSERT INTO isochron.event (id, connection, source, control_plane, stream, key, source_ids, occurred_at, precision_ms, type,
        kind, category, phase, severity, visibility, subject_kind, subject_id, related, mentions, actor, operation, summary,
        details, platform, attribution_status, owner_project_id, attribution, edition_keys, edition_ids, search)
    SELECT id, CASE WHEN kind IN ('symptom', 'recovery') THEN 'monitor-' ELSE 'bus-' END || right(plane, 1), 'made', plane, 's',
           n::text, ARRAY[n::text], at, 0, type, kind,
           CASE WHEN kind IN ('symptom', 'recovery') THEN 'monitoring' WHEN platform THEN 'platform' ELSE 'lifecycle' END,
           CASE WHEN type LIKE '%.start' THEN 'start' WHEN type LIKE '%.end' THEN 'end' END,
           CASE WHEN kind = 'symptom' THEN 2 ELSE 0 END,
           CASE WHEN platform THEN 'provider' WHEN g % 200 = 0 THEN 'security' ELSE 'operational' END,
           subject_kind, subject_id, related,
           ARRAY[subject_kind || ':' || subject_id, CASE subject_kind WHEN 'server' THEN 'host:' || host ELSE 'server:' || server END,
                 'request:req-' || md5((n / 3)::text), 'tenant/project:' || project],
           CASE WHEN kind = 'change' THEN jsonb_build_object('userId', 'user-' || project || '-' || g % 20) END,
           operation, type || ' of ' || subject_kind || ' ' || subject_id, details, platform,
           CASE WHEN platform THEN 'provider' ELSE 'owned' END, CASE WHEN platform THEN NULL ELSE project END,
           CASE WHEN platform THEN '{"status": "provider", "evidence": []}'::jsonb
                ELSE jsonb_build_object('status', 'owned', 'evidence', '[]'::jsonb,
                       'tenant', jsonb_build_object('controlPlane', plane, 'projectId', project)) END,
           CASE WHEN platform THEN '{}' ELSE ARRAY['project/' || plane || '/' || project] END,
           CASE WHEN platform THEN '{}' ELSE ARRAY[id] END, type
      FROM made
  ), delivered AS (
    INSERT INTO isochron.delivery (connection, source_id, key, event_id, occurred_at, content_hash)
    SELECT 'bus-1', n::text, n::text, id, at, '\\x00' FROM made
  )
  INSERT INTO isochron.tenant_event (tenant_key, id, occurred_at, precision_ms, type, kind, category, phase, severity, visibility,
      subject_kind, subject_id, related, mentions, operation, domain_id, project_id, notice, because, summary, details, search,
      domain_key)
  SELECT 'project/' || plane || '/' || project, id, at, 0, type, kind, 'lifecycle', NULL, CASE WHEN kind = 'symptom' THEN 2 ELSE 0 END,
         CASE WHEN g % 200 = 0 THEN 'security' ELSE 'operational' END, subject_kind, subject_id, '[]',
         ARRAY[subject_kind || ':' || subject_id], operation, NULL, project, false, 'it is yours', type || ' of yours', '{}', type, NULL
    FROM made WHERE NOT platform`;
