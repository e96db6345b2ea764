import type pg from "pg";
import type { Attribution } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import type { RulingHistory, RulingSet, RulingStore, RulingVersion } from "../ruling-store.ts";
import type { Pools } from "./pools.ts";
import { readMatched, type MatchRow } from "./ruling-search.ts";
import { rulingKey } from "./ruling-keys.ts";

interface VersionRow {
  readonly id: string;
  readonly version: number;
  readonly match: MatchRow;
  readonly answer: RulingVersion["answer"];
  readonly decided_by: string;
  readonly why: string;
  readonly decided_at: number;
  readonly withdrawn: boolean;
}

const columns = "id, version, match, answer, decided_by, why, decided_at, withdrawn";

export function rulingStore(pools: Pools): RulingStore {
  const read = <T>(action: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    pools.transact("provider", "read", action);
  return {
    version: () => pools.transact("ingest", "read", readVersion),
    current: () => pools.transact("ingest", "read", readCurrent),
    list: (limit) => read((client) => listRulings(client, limit)),
    find: (id) =>
      read(async (client) => {
        const { rows } = await client.query<VersionRow>(
          `SELECT ${columns} FROM isochron.ruling WHERE id = $1 ORDER BY version DESC`,
          [id],
        );
        return toHistories(rows)[0];
      }),
    // What waits for what is none of the provider's tables, but the pipeline's.
    resting: (ids, most) => pools.transact("ingest", "read", (client) => countResting(client, ids, most)),
    matched: (match, limit, after) => read((client) => readMatched(client, match, limit, after)),
    earlierAnswers: (eventIds) =>
      read(async (client) => {
        const { rows } = await client.query<{ event_id: string; attribution: Attribution }>(
          `SELECT event_id, attribution FROM isochron.attribution_revision WHERE event_id = ANY($1::text[])
            ORDER BY event_id, replaced_xid`,
          [eventIds],
        );
        return rows.map((row) => ({ eventId: row.event_id, attribution: row.attribution }));
      }),
  };
}

async function readVersion(client: pg.ClientBase): Promise<number> {
  const { rows } = await client.query<{ version: number }>("SELECT version FROM isochron.ruling_set");
  return rows[0]?.version ?? 0;
}

/** The number before the rulings: what is decided in between makes the set newer than its number, never older. */
async function readCurrent(client: pg.ClientBase): Promise<RulingSet> {
  const version = await readVersion(client);
  const { rows } = await client.query<VersionRow>(
    `SELECT * FROM (SELECT DISTINCT ON (id) ${columns} FROM isochron.ruling ORDER BY id, version DESC) AS latest
      WHERE NOT withdrawn ORDER BY id`,
  );
  return { version, rulings: rows.map(toVersion) };
}

async function listRulings(client: pg.ClientBase, limit: number): Promise<readonly RulingHistory[]> {
  const { rows } = await client.query<VersionRow>(
    `SELECT ${columns} FROM isochron.ruling
      WHERE id IN (SELECT id FROM isochron.ruling GROUP BY id ORDER BY max(decided_at) DESC, id LIMIT $1)
      ORDER BY id, version DESC`,
    [limit],
  );
  return toHistories(rows).toSorted(
    (a, b) => b.versions[0].decidedAt - a.versions[0].decidedAt || (a.id < b.id ? -1 : 1),
  );
}

async function countResting(
  client: pg.ClientBase,
  ids: readonly string[],
  most: number,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ id: string; events: number }>(
    `SELECT given.id, sum(counted.events)::bigint AS events
       FROM unnest($1::text[], $2::text[]) AS given (id, key)
      CROSS JOIN (SELECT DISTINCT control_plane FROM isochron.connection) AS plane
      CROSS JOIN LATERAL (
        SELECT count(*) AS events FROM (
          SELECT FROM isochron.pending_attribution p
           WHERE p.control_plane = plane.control_plane AND p.entity_key = given.key LIMIT $3) AS few) AS counted
      GROUP BY given.id`,
    [ids, ids.map(rulingKey), most],
  );
  return new Map(rows.map(({ id, events }) => [id, events]));
}

/** Rows of one ruling follow one another, its latest version first. */
function toHistories(rows: readonly VersionRow[]): readonly RulingHistory[] {
  return [...Map.groupBy(rows, ({ id }) => id)].flatMap(([id, versions]) => {
    const [latest, ...earlier] = versions.map(toVersion);
    return latest === undefined ? [] : [{ id, versions: [latest, ...earlier] as const }];
  });
}

function toVersion(row: VersionRow): RulingVersion {
  return {
    id: row.id,
    version: row.version,
    match: row.match,
    answer: row.answer,
    by: row.decided_by,
    why: row.why,
    decidedAt: instant(row.decided_at),
    withdrawn: row.withdrawn,
  };
}
