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

/** One kind of things, in SQL over `n` from 0, each with all that its records state of it. */
interface Stretch {
  readonly count: number;
  readonly from: readonly [kind: string, id: string];
  readonly states: readonly (readonly [relation: string, toKind: string, toId: string])[];
}

function stretchesOf(cloud: Cloud): readonly Stretch[] {
  const id = (kind: string, n = "n"): string => `md5('${kind}-' || ${n})::uuid::text`;
  const owner = (n: string): string => `md5('project-' || (${n}) % ${cloud.projects})`;
  const address = `n % ${Math.max(1, Math.floor(cloud.ports / addressBearers))}`;
  const name = `CASE WHEN n % 20 = 7 THEN 'web-' || n / 20 % 50 WHEN n % 2 = 0 THEN 'vm-' || n ELSE 'app-' || n / ${2 * namesakes} END`;
  const ip = `'10.' || (${address} >> 16 & 255) || '.' || (${address} >> 8 & 255) || '.' || (${address} & 255)`;
  return [
    {
      count: cloud.servers,
      from: ["server", id("server")],
      states: [
        ["owned_by", "project", owner("n")],
        ["runs_on", "host", `'compute-' || n / ${serversPerHost}`],
        ["named", "name", name],
      ],
    },
    {
      count: cloud.ports,
      from: ["port", id("port")],
      states: [
        ["owned_by", "project", owner("n")],
        ["attached_to", "server", id("server")],
        ["has_address", "ip", ip],
      ],
    },
    {
      count: cloud.volumes,
      from: ["volume", id("volume")],
      states: [
        ["owned_by", "project", owner("n")],
        ["attached_to", "server", id("server")],
        ["stored_on", "backend", `'pool-' || n / 500`],
      ],
    },
    {
      count: cloud.projects,
      from: ["project", owner("n")],
      states: [["part_of", "domain", "'domain-' || n / 10"]],
    },
    {
      count: cloud.projects,
      from: ["user", `md5('user-' || n)`],
      states: [["works_in", "project", owner("n")]],
    },
  ];
}

/**
 * Writes the observations and their runs straight into the tables, without their indexes, which are made afterwards.
 * A thing's runs lie side by side, as a page of an inventory leaves them: a record states all relations of its thing. A
 * tenth of all was observed five times, an hour apart. At the end all that answers are made from was read once, because
 * a store that takes in such a cloud had it in memory as far as its settings let it; reading it at first touch from a
 * file that another process has just written tells of the disk.
 */
export async function buildCloud(client: pg.Client, cloud: Cloud): Promise<void> {
  await client.query("SET synchronous_commit = off; SET maintenance_work_mem = '256MB'");
  const restore = await dropIndexes(client, ["topology_fact", "topology_run"]);
  const first = `to_timestamp(${builtAt / 1000})`;
  for (const { count, from, states } of stretchesOf(cloud)) {
    const stated = states.map((state) => `('${state[0]}', '${state[1]}', ${state[2]})`).join(", ");
    const numbers = `generate_series(0, ${count - 1}) AS n
      CROSS JOIN LATERAL (VALUES ${stated}) AS stated (relation, to_kind, to_id)`;
    const columns = `'${controlPlane}', '${from[0]}', ${from[1]}, relation, to_kind, to_id`;
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
  await readOnce(client);
}

/** Reads the runs along both ways by which answers ask for them; a scan of the table would pass memory by. */
async function readOnce(client: pg.Client): Promise<void> {
  await client.query("BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off");
  for (const column of ["from_id", "to_kind"]) {
    await client.query(
      `SELECT count(length(source_id)) FROM (
         SELECT source_id FROM isochron.topology_run WHERE control_plane = $1 ORDER BY control_plane, ${column} OFFSET 0) AS run`,
      [controlPlane],
    );
  }
  await client.query("COMMIT");
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
