import { createHash } from "node:crypto";
import type pg from "pg";

/** How large the parts of a cloud of so many resources are: each has a constant share, none grows by itself. */
export interface Cloud {
  readonly resources: number;
  readonly servers: number;
  readonly ports: number;
  readonly volumes: number;
  readonly projects: number;
  readonly hosts: number;
}

export const controlPlane = "default";
/** When everything was first observed. */
export const builtAt = Date.UTC(2026, 10, 16);

export const serversPerHost = 40;
/** So many servers, of as many tenants, have the same name, and so many ports the same private address. */
const namesakes = 8;
const addressBearers = 4;

export function cloudOf(resources: number): Cloud {
  const servers = Math.floor(resources * 0.4);
  return {
    resources,
    servers,
    ports: servers,
    volumes: resources - 2 * servers,
    projects: Math.max(1, Math.floor(resources / 100)),
    hosts: Math.max(1, Math.ceil(servers / serversPerHost)),
  };
}

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
/** The same id as the statements below make. */
export const idOf = (kind: string, n: number): string =>
  md5(`${kind}-${n}`).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
export const projectIdOf = (cloud: Cloud, server: number): string =>
  md5(`project-${server % cloud.projects}`);
export const userIdOf = (cloud: Cloud, server: number): string => md5(`user-${server % cloud.projects}`);
export const hostOf = (server: number): string => `compute-${Math.floor(server / serversPerHost)}`;
/** One name in twenty is one of fifty that everybody uses, every other one is its server's alone. */
export const nameOf = (server: number): string =>
  server % 20 === 7
    ? `web-${Math.floor(server / 20) % 50}`
    : server % 2 === 0
      ? `vm-${server}`
      : `app-${Math.floor(server / (2 * namesakes))}`;
export const addressOf = (cloud: Cloud, port: number): string => {
  const n = port % Math.max(1, Math.floor(cloud.ports / addressBearers));
  return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
};

/** One relation of one kind, in SQL over `n` from 0. */
interface Stretch {
  readonly count: number;
  readonly from: readonly [kind: string, id: string];
  readonly relation: string;
  readonly to: readonly [kind: string, id: string];
}

function stretchesOf(cloud: Cloud): readonly Stretch[] {
  const id = (kind: string, n = "n"): string => `md5('${kind}-' || ${n})::uuid::text`;
  const owner = (n: string): string => `md5('project-' || (${n}) % ${cloud.projects})`;
  const address = `n % ${Math.max(1, Math.floor(cloud.ports / addressBearers))}`;
  const stretch = (count: number, from: Stretch["from"], relation: string, to: Stretch["to"]): Stretch => ({
    count,
    from,
    relation,
    to,
  });
  const server = ["server", id("server")] as const;
  const port = ["port", id("port")] as const;
  const volume = ["volume", id("volume")] as const;
  return [
    stretch(cloud.servers, server, "owned_by", ["project", owner("n")]),
    stretch(cloud.servers, server, "runs_on", ["host", `'compute-' || n / ${serversPerHost}`]),
    stretch(cloud.servers, server, "named", [
      "name",
      `CASE WHEN n % 20 = 7 THEN 'web-' || n / 20 % 50 WHEN n % 2 = 0 THEN 'vm-' || n ELSE 'app-' || n / ${2 * namesakes} END`,
    ]),
    stretch(cloud.ports, port, "owned_by", ["project", owner("n")]),
    stretch(cloud.ports, port, "attached_to", ["server", id("server")]),
    stretch(cloud.ports, port, "has_address", [
      "ip",
      `'10.' || (${address} >> 16 & 255) || '.' || (${address} >> 8 & 255) || '.' || (${address} & 255)`,
    ]),
    stretch(cloud.volumes, volume, "owned_by", ["project", owner("n")]),
    stretch(cloud.volumes, volume, "attached_to", ["server", id("server")]),
    stretch(cloud.volumes, volume, "stored_on", ["backend", `'pool-' || n / 500`]),
    stretch(cloud.projects, ["project", owner("n")], "part_of", ["domain", "'domain-' || n / 10"]),
    stretch(cloud.projects, ["user", `md5('user-' || n)`], "works_in", ["project", owner("n")]),
  ];
}

/**
 * Writes the observations and their runs straight into the tables, without their indexes, which are made afterwards.
 * A tenth of all was observed five times, an hour apart.
 */
export async function buildCloud(client: pg.Client, cloud: Cloud): Promise<void> {
  await client.query("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'");
  const restore = await dropIndexes(client, ["topology_fact", "topology_run"]);
  const first = `to_timestamp(${builtAt / 1000})`;
  for (const { count, from, relation, to } of stretchesOf(cloud)) {
    const columns = `'${controlPlane}', '${from[0]}', ${from[1]}, '${relation}', '${to[0]}', ${to[1]}`;
    const numbers = `generate_series(0, ${count - 1}) AS n`;
    await client.query(
      `INSERT INTO isochron.topology_fact
         (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, connection, source_id)
       SELECT ${columns}, ${first} + k * interval '1 hour', true, 'inventory', 'snapshot-' || k
         FROM ${numbers} CROSS JOIN LATERAL generate_series(0, CASE WHEN n % 10 = 3 THEN 4 ELSE 0 END) AS k`,
    );
    await client.query(
      `INSERT INTO isochron.topology_run
         (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id)
       SELECT ${columns}, ${first}, true,
              ${first} + CASE WHEN n % 10 = 3 THEN 4 ELSE 0 END * interval '1 hour', 'inventory', 'snapshot-0'
         FROM ${numbers}`,
    );
  }
  await client.query(`INSERT INTO isochron.topology_tenant
    SELECT DISTINCT control_plane, to_kind, to_id FROM isochron.topology_run WHERE to_kind IN ('project', 'domain')`);
  for (const statement of restore) await client.query(statement);
  await client.query("VACUUM (ANALYZE) isochron.topology_fact, isochron.topology_run");
  await client.query("CHECKPOINT");
}

/** Gives the statements that make them again. */
async function dropIndexes(client: pg.Client, tables: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ drop: string; make: string }>(
    `SELECT CASE WHEN c.conname IS NULL THEN format('DROP INDEX isochron.%I', i.relname)
                 ELSE format('ALTER TABLE isochron.%I DROP CONSTRAINT %I', t.relname, c.conname) END AS drop,
            CASE WHEN c.conname IS NULL THEN pg_get_indexdef(i.oid)
                 ELSE format('ALTER TABLE isochron.%I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid)) END AS make
       FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
       LEFT JOIN pg_constraint c ON c.conindid = i.oid
      WHERE t.relnamespace = 'isochron'::regnamespace AND t.relname = ANY($1::text[]) ORDER BY i.relname`,
    [tables],
  );
  for (const { drop } of rows) await client.query(drop);
  return rows.map(({ make }) => make);
}
