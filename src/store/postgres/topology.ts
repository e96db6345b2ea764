import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { entityKey } from "../../model/entity.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, projectKey } from "../../model/tenant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import type { KnownTenant, TopologyReader } from "../topology-reader.ts";
import { changePoints } from "./change-points.ts";
import { Parameters } from "./filter.ts";
import type { Pools } from "./pools.ts";
import { readHistoryOf } from "./resource-history.ts";
import { readAdjoining } from "./topology-adjoining.ts";
import { walk } from "./topology-walk.ts";
import { openView, poolOf } from "./view.ts";

/** An entity that a tenant can see among at most so many others. */
const mentionsMax = 5_000;

export function topologyReader(pools: Pools, claimKey: Uint8Array): TopologyReader {
  return {
    mark: () =>
      pools.transact("provider", "each", async (client) => {
        const { rows } = await client.query<{ mark: string }>("SELECT pg_current_snapshot()::text AS mark");
        return rows[0]?.mark ?? "";
      }),
    neighbourhood: (controlPlane, keys, hops) =>
      pools.transact(
        "provider",
        "read",
        async (client) => (await walk(client, controlPlane, { keys }, hops)).facts,
      ),
    surroundings: (controlPlane, start, hops) =>
      pools.transact("provider", "each", (client) => walk(client, controlPlane, start, hops)),
    about: (scope, controlPlane, entity) => readAbout(pools, claimKey, scope, controlPlane, entity),
    history: (controlPlane, entity, knownAt) =>
      pools.transact("provider", "read", (client) => readHistoryOf(client, controlPlane, entity, knownAt)),
    adjoining: (controlPlane, ways, at, eachMax) =>
      pools.transact("provider", "each", (client) => readAdjoining(client, controlPlane, ways, at, eachMax)),
    tenants: () => pools.transact("provider", "read", readTenants),
  };
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
  const pool = scope.kind === "provider" ? poolOf(scope) : "provider";
  return pools.transact(pool, "read", async (client) => {
    const { rows } = await client.query<{ from_kind: string; from_id: string }>(
      `SELECT DISTINCT from_kind, from_id FROM isochron.topology_run
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
  readonly region_id: string | null;
}

/** The last name, domain and region that were observed count. */
async function readTenants(client: pg.ClientBase): Promise<readonly KnownTenant[]> {
  const last = (plane: string, kind: string, id: string, relation: Relation): string =>
    `(SELECT f.to_id FROM isochron.topology_run f
       WHERE f.control_plane = ${plane} AND f.from_kind = ${kind} AND f.from_id = ${id}
         AND f.relation = '${relation}' AND f.holds
       ORDER BY f.last_at DESC, f.to_id LIMIT 1)`;
  const { rows } = await client.query<TenantRow>(
    `WITH placed AS (
       SELECT tenant.*, CASE kind WHEN 'domain' THEN id
                ELSE ${last("tenant.control_plane", "tenant.kind", "tenant.id", "part_of")} END AS domain_id
         FROM isochron.topology_tenant AS tenant
     )
     SELECT placed.*, ${last("placed.control_plane", "placed.kind", "placed.id", "named")} AS name,
            CASE kind WHEN 'domain'
                 THEN ${last("placed.control_plane", "placed.kind", "placed.id", "part_of")} END AS region_id,
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
    ...(row.region_id === null ? {} : { regionId: row.region_id }),
  };
}
