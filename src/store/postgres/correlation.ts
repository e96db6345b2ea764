import type pg from "pg";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { CorrelationReader, NearEvents, PointedAt, Pointing } from "../correlation-reader.ts";
import type { Keyset, VisibleEvent } from "../event-reader.ts";
import { changePoints } from "./change-points.ts";
import type { EventRow } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import { readNearEditions } from "./near-editions.ts";
import { readNearEvents } from "./near-events.ts";
import type { Pools } from "./pools.ts";
import { readMember } from "./storm-reads.ts";
import { readUsual } from "./usual-rates.ts";
import { openView, toVisible, type View } from "./view.ts";

/** The reads behind "what else changed?". */
export function correlationReader(pools: Pools, claimKey: Uint8Array): CorrelationReader {
  const within = <T>(scope: Scope, empty: T, read: (client: pg.ClientBase, view: View) => Promise<T>) =>
    openView(pools, claimKey, scope, empty, read, "newest-first");
  return {
    events: (scope, ids) => within(scope, [], (client, view) => readEvents(client, view, ids)),
    eventsAt: (scope, places) => within(scope, [], (client, view) => readAt(client, view, places)),
    near: async (scope, question) => {
      const usual = (near: Omit<NearEvents, "usual">) => (client: pg.ClientBase, view: View) =>
        readUsual(client, view, near.earlier, question);
      if (scope.kind === "provider") {
        const near = await readNearEvents((empty, read) => within(scope, empty, read), question);
        return { ...near, usual: await within(scope, [], usual(near)) };
      }
      const nothing: NearEvents = { earlier: [], later: [], cut: [], usual: [] };
      return within(scope, nothing, async (client, view) => {
        const near = await readNearEditions(client, view, question);
        return { ...near, usual: await usual(near)(client, view) };
      });
    },
    facts: (controlPlane, things, only) =>
      things.length === 0
        ? Promise.resolve([])
        : pools.transact("provider", "each", (client) =>
            changePoints(client, controlPlane, things, { only, used: [] }),
          ),
    pointing: (controlPlane, targets, most) =>
      targets.length === 0
        ? Promise.resolve({ refs: [], cut: [] })
        : pools.transact("provider", "each", (client) => readPointing(client, controlPlane, targets, most)),
  };
}

/** When events were, told by their deliveries, and of folds by their members. */
const momentsSql = `SELECT event_id AS id, min(occurred_at) AS occurred_at FROM isochron.delivery
   WHERE event_id = ANY($1) GROUP BY event_id
  UNION ALL
  SELECT given.id, date_trunc('minute', member.occurred_at) FROM unnest($1::text[]) AS given (id) CROSS JOIN LATERAL (
    SELECT occurred_at FROM isochron.storm_member WHERE fold_id = given.id LIMIT 1) AS member`;

async function readEvents(
  client: pg.ClientBase,
  view: View,
  ids: readonly string[],
): Promise<readonly VisibleEvent[]> {
  const wanted = [...new Set(ids)];
  const found = new Map((await readById(client, view, wanted)).map((one) => [one.event.id, one]));
  for (const id of wanted.filter((one) => !found.has(one))) {
    const member = await readMember(client, view, id);
    // Whoever lacks one of several is told of none of them: there is nothing to gain from looking for the others.
    if (member === undefined) break;
    found.set(id, member);
  }
  return [...found.values()];
}

async function readById(
  client: pg.ClientBase,
  view: View,
  ids: readonly string[],
): Promise<readonly VisibleEvent[]> {
  if (view.audience === "provider") {
    const { rows } = await client.query<{ id: string; occurred_at: number }>(momentsSql, [ids]);
    return readAt(
      client,
      view,
      rows.map(({ id, occurred_at }) => ({ id, occurredAt: instant(occurred_at) })),
    );
  }
  const parameters = new Parameters();
  const conditions = [`id = ANY(${parameters.add(ids, "text[]")})`];
  const sql = view.select(view.columns, conditions, parameters, `LIMIT ${eventsMax}`);
  return (await client.query<EventRow>(sql, parameters.values)).rows.map((row) => toVisible(view, row));
}

const eventsMax = 1_000;

/** The first and the last moment stand in the statement so that no other week need be thought of. */
async function readAt(
  client: pg.ClientBase,
  view: View,
  places: readonly Keyset[],
): Promise<readonly VisibleEvent[]> {
  if (places.length === 0) return [];
  const times = places.map(({ occurredAt }) => occurredAt);
  const parameters = new Parameters();
  const ids = parameters.add(
    places.map(({ id }) => id),
    "text[]",
  );
  const first = parameters.add(iso(Math.min(...times)), "timestamptz");
  const last = parameters.add(iso(Math.max(...times)), "timestamptz");
  const conditions = [`id = ANY(${ids})`, `occurred_at BETWEEN ${first} AND ${last}`];
  const sql = view.select(view.columns, conditions, parameters, `LIMIT ${eventsMax}`);
  return (await client.query<EventRow>(sql, parameters.values)).rows.map((row) => toVisible(view, row));
}

async function readPointing(
  client: pg.ClientBase,
  controlPlane: string,
  targets: readonly PointedAt[],
  most: number,
): Promise<Pointing> {
  const { rows } = await client.query<{ nth: number; from_kind: string; from_id: string }>(
    `SELECT given.nth::integer AS nth, origin.from_kind, origin.from_id
       FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS given (kind, id, relation, nth)
      CROSS JOIN LATERAL (
        SELECT DISTINCT from_kind, from_id FROM isochron.topology_run
         WHERE control_plane = $1 AND to_kind = given.kind AND to_id = given.id AND relation = given.relation
         LIMIT $5) AS origin`,
    [
      controlPlane,
      targets.map(({ ref }) => ref.kind),
      targets.map(({ ref }) => ref.id),
      targets.map(({ relation }) => relation),
      most + 1,
    ],
  );
  const byTarget = Map.groupBy(rows, ({ nth }) => nth - 1);
  const refs = [...byTarget.values()].flatMap((origins) => origins.slice(0, most));
  return {
    refs: refs.map((row) => ({ kind: row.from_kind, id: row.from_id })),
    cut: targets.flatMap(({ ref }, index) => ((byTarget.get(index)?.length ?? 0) > most ? [ref] : [])),
  };
}
