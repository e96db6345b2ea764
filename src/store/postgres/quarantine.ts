import type pg from "pg";
import type { Attribution } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import type { Quarantine } from "../event-reader.ts";
import { Parameters } from "./filter.ts";

/** So many groups are told apart; further ones are known to be there and no more. */
const groupsMax = 500;

/** So many events (or folds of storms) of a group are counted; beyond them its count is a least one. */
const countedMax = 10_000;

/** So many answers of a group are looked into. */
const sampledMax = 25;

interface GroupRow {
  readonly unproven: string;
  readonly connection: string;
  readonly type: string;
  readonly control_plane: string;
  readonly rows: number;
  readonly count: number;
  readonly oldest: number;
  readonly newest: number;
  readonly example_id: string;
}

/**
 * What waits, by reason, connection and type. However much waits, each group costs a few looks into the index by group
 * and a count that ends at a bound: the next group is found from the one before, not by reading all that lies between.
 */
export async function readQuarantine(
  client: pg.ClientBase,
  limit: number,
  reason: string | undefined,
): Promise<Quarantine> {
  const { rows } = await client.query<GroupRow>(groupsSql(reason), reason === undefined ? [] : [reason]);
  const told = rows
    .slice(0, groupsMax)
    .toSorted((a, b) => b.count - a.count || compare(a.type, b.type) || compare(a.unproven, b.unproven));
  const groups = [];
  for (const row of told.slice(0, limit)) groups.push(await toGroup(client, row));
  return { groups, more: rows.length > groupsMax || told.length > limit };
}

async function toGroup(client: pg.ClientBase, row: GroupRow): Promise<Quarantine["groups"][number]> {
  return {
    reason: row.unproven,
    type: row.type,
    connection: row.connection,
    controlPlane: row.control_plane,
    count: row.count,
    atLeast: row.rows >= countedMax,
    oldest: instant(row.oldest),
    newest: instant(row.newest),
    exampleId: row.example_id,
    sampled: await readSample(client, row),
  };
}

async function readSample(client: pg.ClientBase, row: GroupRow): Promise<readonly Attribution[]> {
  const parameters = new Parameters();
  const { rows } = await client.query<{ attribution: Attribution }>(
    `SELECT attribution FROM isochron.event
      WHERE unproven = ${parameters.add(row.unproven, "text")} AND unproven IS NOT NULL
        AND connection = ${parameters.add(row.connection, "text")} AND type = ${parameters.add(row.type, "text")}
      ORDER BY occurred_at DESC, id DESC LIMIT ${sampledMax}`,
    parameters.values,
  );
  return rows.map(({ attribution }) => attribution);
}

const own = "unproven = g.unproven AND connection = g.connection AND type = g.type AND unproven IS NOT NULL";
/** What rests on an operator's word does not wait; the index has it for those who look for it. */
const waits = "unproven IS NOT NULL AND unproven <> 'ruled'";

function groupsSql(reason: string | undefined): string {
  const first = `SELECT unproven, connection, type FROM isochron.event
    WHERE ${waits}${reason === undefined ? "" : " AND unproven = $1::text"}`;
  const order = "ORDER BY unproven, connection, type LIMIT 1";
  return `WITH RECURSIVE g (unproven, connection, type) AS (
     (${first} ${order})
     UNION ALL
     SELECT after.* FROM g CROSS JOIN LATERAL (
       ${first} AND (unproven, connection, type) > (g.unproven, g.connection, g.type) ${order}) AS after
   )
   SELECT g.*, newest.control_plane, counted.rows, counted.count, oldest.at AS oldest, newest.at AS newest,
          newest.id AS example_id
     FROM (SELECT * FROM g LIMIT ${groupsMax + 1}) AS g
    CROSS JOIN LATERAL (
      SELECT count(*) AS rows, sum(events)::bigint AS count FROM (
        SELECT CASE WHEN key LIKE 'storm/%' AND jsonb_typeof(details #> '{storm,count}') = 'number'
                    THEN (details #>> '{storm,count}')::numeric::bigint ELSE 1 END AS events
          FROM isochron.event WHERE ${own} LIMIT ${countedMax}) AS few) AS counted
    CROSS JOIN LATERAL (
      SELECT occurred_at AS at FROM isochron.event WHERE ${own} ORDER BY occurred_at, id LIMIT 1) AS oldest
    CROSS JOIN LATERAL (
      SELECT occurred_at AS at, id, control_plane FROM isochron.event WHERE ${own}
       ORDER BY occurred_at DESC, id DESC LIMIT 1) AS newest`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
