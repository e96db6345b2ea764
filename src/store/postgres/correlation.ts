import type pg from "pg";
import type { Scope } from "../../model/scope.ts";
import type { CorrelationReader, PointedAt, Pointing } from "../correlation-reader.ts";
import type { VisibleEvent } from "../event-reader.ts";
import { changePoints } from "./change-points.ts";
import type { EventRow } from "./event-row.ts";
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
    openView(pools, claimKey, scope, empty, read);
  return {
    events: (scope, ids) => within(scope, [], (client, view) => readEvents(client, view, ids)),
    near: (scope, question) =>
      within(scope, { earlier: [], later: [], cut: [] }, (client, view) =>
        view.audience === "provider"
          ? readNearEvents(client, question, view.own(new Parameters()))
          : readNearEditions(client, view, question),
      ),
    usual: (scope, types, span) => within(scope, [], (client, view) => readUsual(client, view, types, span)),
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

/** Which weeks events lie in, told by their deliveries, and of folds by their members. */
const momentsSql = `ARRAY(SELECT occurred_at FROM isochron.delivery WHERE event_id = ANY($1)
  UNION ALL
  SELECT date_trunc('minute', member.occurred_at) FROM unnest($1) AS given (id) CROSS JOIN LATERAL (
    SELECT occurred_at FROM isochron.storm_member WHERE fold_id = given.id LIMIT 1) AS member)`;

async function readEvents(
  client: pg.ClientBase,
  view: View,
  ids: readonly string[],
): Promise<readonly VisibleEvent[]> {
  const wanted = [...new Set(ids)];
  const parameters = new Parameters();
  const conditions = [`id = ANY(${parameters.add(wanted, "text[]")})`];
  if (view.audience === "provider") conditions.push(`occurred_at = ANY(${momentsSql})`);
  const { rows } = await client.query<EventRow>(
    view.select(view.columns, conditions, parameters, "LIMIT 1000"),
    parameters.values,
  );
  const found = new Map(rows.map((row) => [row.id, toVisible(view, row)]));
  for (const id of wanted.filter((one) => !found.has(one))) {
    const member = await readMember(client, view, id);
    // Whoever lacks one of several is told of none of them: there is nothing to gain from looking for the others.
    if (member === undefined) break;
    found.set(id, member);
  }
  return [...found.values()];
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
