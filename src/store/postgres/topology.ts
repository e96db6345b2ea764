import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { entityKey, parseEntityKey } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, projectKey } from "../../model/tenant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import type { KnownTenant, TopologyReader } from "../topology-reader.ts";
import { Parameters } from "./filter.ts";
import type { Pools } from "./pools.ts";
import { hubKinds, pluralRelations } from "./topology-writes.ts";
import { openView } from "./view.ts";

/** The only ways on from what everything points at; every other kind is followed along all its facts. */
const waysOutOfHubs: Readonly<Record<string, readonly Relation[]>> = {
  project: ["part_of", "named"],
  user: ["owned_by"],
  image: ["owned_by"],
  network: ["owned_by"],
};

/** Kinds that are also walked against the arrow, and along which relations (all where none are named). */
const backwardKinds: Readonly<Record<string, readonly Relation[] | undefined>> = {
  host: ["runs_on", "serves"],
  backend: ["stored_on"],
  request: undefined,
  ip: undefined,
  mac: undefined,
};

/** An entity that a tenant can see among at most so many others. */
const mentionsMax = 5_000;

interface FactRow {
  readonly control_plane: string;
  readonly from_kind: string;
  readonly from_id: string;
  readonly relation: Relation;
  readonly to_kind: string;
  readonly to_id: string;
  readonly at: number;
  readonly last_at: number;
  readonly holds: boolean;
  readonly connection: string;
  readonly source_id: string;
  readonly recorded_at: number;
}

export function topologyReader(pools: Pools, claimKey: Uint8Array): TopologyReader {
  return {
    mark: () =>
      pools.transact("provider", "read", async (client) => {
        const { rows } = await client.query<{ mark: string }>("SELECT pg_current_snapshot()::text AS mark");
        return rows[0]?.mark ?? "";
      }),
    neighbourhood: (controlPlane, keys, hops) =>
      pools.transact("provider", "read", (client) => walk(client, controlPlane, keys, hops)),
    about: (scope, controlPlane, entity) => readAbout(pools, claimKey, scope, controlPlane, entity),
    tenants: () => pools.transact("provider", "read", readTenants),
  };
}

/**
 * The change points of the topology observed for `origins` (`from` is among them, where `ways` allows the
 * relation). Equal observations that follow one another are one run: its first, and when it was last seen.
 */
const changePointSql = `
  WITH origin AS (
    SELECT * FROM unnest($2::text[], $3::text[]) AS given (from_kind, from_id)
  ), observed AS (
    SELECT f.*, CASE WHEN f.relation = ANY($4::text[]) THEN f.to_kind || ':' || f.to_id END AS target
      FROM origin JOIN isochron.topology_fact f
        ON f.control_plane = $1 AND f.from_kind = origin.from_kind AND f.from_id = origin.from_id
  ), compared AS (
    SELECT *, (lag(to_kind) OVER run, lag(to_id) OVER run, lag(holds) OVER run)
              IS DISTINCT FROM (to_kind, to_id, holds) AS changed
      FROM observed
    WINDOW run AS (PARTITION BY from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds)
  ), numbered AS (
    SELECT *, count(*) FILTER (WHERE changed) OVER run AS number
      FROM compared
    WINDOW run AS (PARTITION BY from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds)
  ), spanned AS (
    SELECT *, max(at) OVER (PARTITION BY from_kind, from_id, relation, target, number) AS last_at
      FROM numbered
  )
  SELECT control_plane, from_kind, from_id, relation, to_kind, to_id, at, last_at, holds, connection,
         source_id, recorded_at
    FROM spanned WHERE changed
   ORDER BY from_kind, from_id, relation, at, to_kind, to_id, holds`;

async function changePoints(
  client: pg.ClientBase,
  controlPlane: string,
  origins: readonly EntityRef[],
): Promise<readonly KnownFact[]> {
  if (origins.length === 0) return [];
  const { rows } = await client.query<FactRow>(changePointSql, [
    controlPlane,
    origins.map(({ kind }) => kind),
    origins.map(({ id }) => id),
    pluralRelations,
  ]);
  return rows.map(toKnownFact);
}

function toKnownFact(row: FactRow): KnownFact {
  return {
    controlPlane: row.control_plane,
    from: { kind: row.from_kind, id: row.from_id },
    relation: row.relation,
    to: { kind: row.to_kind, id: row.to_id },
    at: instant(row.at),
    lastAt: instant(row.last_at),
    holds: row.holds,
    connection: row.connection,
    sourceId: row.source_id,
    recordedAt: instant(row.recorded_at),
  };
}

/** Everything that points at one of `targets`, along relations that are walked backward from its kind. */
async function originsOf(
  client: pg.ClientBase,
  controlPlane: string,
  targets: readonly EntityRef[],
): Promise<readonly EntityRef[]> {
  const walked = targets.filter(({ kind }) => kind in backwardKinds);
  if (walked.length === 0) return [];
  const { rows } = await client.query<{ from_kind: string; from_id: string }>(
    `SELECT DISTINCT f.from_kind, f.from_id
       FROM jsonb_to_recordset($2::jsonb) AS target (kind text, id text, relations jsonb)
       JOIN isochron.topology_fact f
         ON f.control_plane = $1 AND f.to_kind = target.kind AND f.to_id = target.id
      WHERE target.relations IS NULL OR target.relations ? f.relation
      ORDER BY f.from_kind, f.from_id`,
    [
      controlPlane,
      JSON.stringify(walked.map(({ kind, id }) => ({ kind, id, relations: backwardKinds[kind] }))),
    ],
  );
  return rows.map((row) => ({ kind: row.from_kind, id: row.from_id }));
}

/** Goes out from the keys round by round; what it comes upon is followed on, unless everything meets there. */
async function walk(
  client: pg.ClientBase,
  controlPlane: string,
  keys: readonly string[],
  hops: number,
): Promise<readonly KnownFact[]> {
  const visited = new Set<string>();
  const found: KnownFact[] = [];
  const visit = (entities: readonly EntityRef[]): EntityRef[] => {
    const fresh = new Map(entities.map((entity) => [entityKey(entity), entity]));
    for (const key of fresh.keys()) {
      if (visited.has(key)) fresh.delete(key);
      else visited.add(key);
    }
    return [...fresh.values()];
  };
  let frontier = visit(keys.map(parseEntityKey));
  for (let hop = 0; hop <= hops && frontier.length > 0; hop += 1) {
    // Those who point here count as one step with where else they point, or nobody could tell if they still do.
    const origins = visit(await originsOf(client, controlPlane, frontier));
    const facts = await changePoints(client, controlPlane, [...frontier, ...origins]);
    const given = hop === 0 ? new Set(keys) : new Set<string>();
    const allowed = facts.filter(
      ({ from, relation }) => given.has(entityKey(from)) || leadsOn(from, relation),
    );
    found.push(...allowed);
    frontier = visit(allowed.map(({ to }) => to));
  }
  return found;
}

function leadsOn(from: EntityRef, relation: Relation): boolean {
  return !hubKinds.includes(from.kind) || (waysOutOfHubs[from.kind]?.includes(relation) ?? false);
}

/** All that was observed of one entity. A tenant learns only of relations between things that its own events name. */
async function readAbout(
  pools: Pools,
  claimKey: Uint8Array,
  scope: Scope,
  controlPlane: string,
  entity: EntityRef,
): Promise<readonly KnownFact[]> {
  const named =
    scope.kind === "provider"
      ? undefined
      : await mentionedBeside(pools, claimKey, scope, controlPlane, entity);
  if (named?.has(entityKey(entity)) === false) return [];
  return pools.transact("provider", "read", async (client) => {
    const { rows } = await client.query<{ from_kind: string; from_id: string }>(
      `SELECT DISTINCT from_kind, from_id FROM isochron.topology_fact
        WHERE control_plane = $1 AND to_kind = $2 AND to_id = $3 ORDER BY from_kind, from_id`,
      [controlPlane, entity.kind, entity.id],
    );
    const origins = rows.map((row) => ({ kind: row.from_kind, id: row.from_id }));
    const facts = await changePoints(client, controlPlane, [entity, ...origins]);
    const key = entityKey(entity);
    return facts.filter(({ from, to }) => {
      const ends = [entityKey(from), entityKey(to)];
      return ends.includes(key) && (named === undefined || ends.every((end) => named.has(end)));
    });
  });
}

/** What stands in the tenant's own editions that name the entity. */
async function mentionedBeside(
  pools: Pools,
  claimKey: Uint8Array,
  scope: Scope,
  controlPlane: string,
  entity: EntityRef,
): Promise<ReadonlySet<string>> {
  if (scope.kind !== "tenant") return new Set();
  const keys = scope.keys.filter((key) => key.split("/", 2)[1] === controlPlane);
  const owned = new Set(keys.map((key) => `${key.split("/", 1)[0]}:${key.slice(key.lastIndexOf("/") + 1)}`));
  const named = await openView(pools, claimKey, { ...scope, keys }, [], async (client, view) => {
    const parameters = new Parameters();
    const mentions = `mentions @> ARRAY[${parameters.add(entityKey(entity), "text")}]`;
    const tail = `ORDER BY occurred_at DESC, id DESC LIMIT ${parameters.add(mentionsMax, "integer")}`;
    const sql = view.select("mentions, occurred_at, id", [mentions], parameters, tail);
    return (await client.query<{ mentions: string[] }>(sql, parameters.values)).rows.flatMap(
      (row) => row.mentions,
    );
  });
  return new Set(named.length === 0 ? [] : [...named, ...owned]);
}

interface TenantRow {
  readonly control_plane: string;
  readonly kind: "project" | "domain";
  readonly id: string;
  readonly name: string | null;
  readonly domain_id: string | null;
  readonly domain_name: string | null;
}

/** The last name and the last domain that were observed count. */
async function readTenants(client: pg.ClientBase): Promise<readonly KnownTenant[]> {
  const last = (plane: string, kind: string, id: string, relation: Relation): string =>
    `(SELECT f.to_id FROM isochron.topology_fact f
       WHERE f.control_plane = ${plane} AND f.from_kind = ${kind} AND f.from_id = ${id}
         AND f.relation = '${relation}' AND f.holds
       ORDER BY f.at DESC, f.to_id LIMIT 1)`;
  const { rows } = await client.query<TenantRow>(
    `WITH tenant AS (
       SELECT control_plane, from_kind AS kind, from_id AS id FROM isochron.topology_fact
        WHERE from_kind IN ('project', 'domain')
       UNION
       SELECT control_plane, to_kind, to_id FROM isochron.topology_fact WHERE to_kind IN ('project', 'domain')
     ), placed AS (
       SELECT tenant.*, CASE kind WHEN 'domain' THEN id
                ELSE ${last("tenant.control_plane", "tenant.kind", "tenant.id", "part_of")} END AS domain_id
         FROM tenant
     )
     SELECT placed.*, ${last("placed.control_plane", "placed.kind", "placed.id", "named")} AS name,
            ${last("placed.control_plane", "'domain'", "placed.domain_id", "named")} AS domain_name
       FROM placed ORDER BY control_plane, kind, id`,
  );
  return rows.map(toKnownTenant);
}

function toKnownTenant(row: TenantRow): KnownTenant {
  return {
    key:
      row.kind === "project" ? projectKey(row.control_plane, row.id) : domainKey(row.control_plane, row.id),
    controlPlane: row.control_plane,
    ...(row.domain_id === null ? {} : { domainId: row.domain_id }),
    ...(row.kind === "project" ? { projectId: row.id } : {}),
    ...(row.name === null ? {} : { name: row.name }),
    ...(row.domain_name === null ? {} : { domainName: row.domain_name }),
  };
}
