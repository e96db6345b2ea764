import type pg from "pg";
import type { Relation } from "../../model/topology.ts";
import { notExtended, pluralRelations, timeless } from "./topology-kinds.ts";
import { factColumns, type FactRow, type NewsRow } from "./topology-writes.ts";

/** A new observation that can change answers, and from which moment on it can. */
export interface PlacedFact extends FactRow {
  /** RFC 3339, or `-infinity`. */
  readonly since: string;
}

/**
 * The common cases of a page, set-based: all that it tells of a relation says the same, and either nothing was known of
 * it, or the last run says so too. `rest` is what has to be placed one by one.
 */
const commonSql = `
  WITH given AS (
    SELECT x.*, x.relation = ANY($4::text[]) AS plural,
           CASE WHEN x.relation = ANY($4::text[]) THEN x.to_kind || ':' || x.to_id ELSE '' END AS target
      FROM jsonb_to_recordset($3::jsonb) AS x (${factColumns}, fresh boolean)
  ), told AS (
    SELECT from_kind, from_id, relation, target, plural,
           bool_and(fresh) AND count(DISTINCT (to_kind, to_id, holds)) = 1 AS uniform,
           min(to_kind) AS to_kind, min(to_id) AS to_id, bool_and(holds) AS holds, min(at) AS at, max(at) AS last_at,
           (array_agg(source_id ORDER BY at))[1] AS source_id
      FROM given GROUP BY from_kind, from_id, relation, target, plural
  ), met AS (
    SELECT told.*, latest.at AS run_at, latest.last_at AS run_last_at,
           CASE WHEN NOT uniform THEN 'rest'
                WHEN latest.at IS NULL THEN 'first'
                WHEN (latest.to_kind, latest.to_id, latest.holds) = (told.to_kind, told.to_id, told.holds)
                     AND told.at > latest.at
                     -- Where another run began at the same moment, the first sight since breaks the tie.
                     AND (latest.last_at > latest.at OR NOT EXISTS (
                       SELECT FROM isochron.topology_run o
                        WHERE o.control_plane = $1 AND o.from_kind = told.from_kind AND o.from_id = told.from_id
                          AND o.relation = told.relation AND o.at = latest.at
                          AND (NOT told.plural OR (o.to_kind, o.to_id) = (told.to_kind, told.to_id))
                          AND (o.to_kind, o.to_id, o.holds) <> (latest.to_kind, latest.to_id, latest.holds)))
                     -- A name counts for whoever had the thing when it was seen; a new owner is shown it from then on.
                     AND (told.relation <> 'named' OR NOT EXISTS (
                       SELECT FROM isochron.topology_run o
                        WHERE o.control_plane = $1 AND o.from_kind = told.from_kind AND o.from_id = told.from_id
                          AND o.relation = 'owned_by' AND o.at > latest.last_at AND o.at <= told.last_at))
                     THEN 'again'
                ELSE 'rest' END AS what
      FROM told LEFT JOIN LATERAL (
        (SELECT r.at, r.last_at, r.to_kind, r.to_id, r.holds FROM isochron.topology_run r
          WHERE NOT told.plural AND r.control_plane = $1 AND r.from_kind = told.from_kind AND r.from_id = told.from_id
            AND r.relation = told.relation
          ORDER BY r.at DESC, r.to_kind DESC, r.to_id DESC, r.holds DESC LIMIT 1)
        UNION ALL
        (SELECT r.at, r.last_at, r.to_kind, r.to_id, r.holds FROM isochron.topology_run r
          WHERE told.plural AND r.control_plane = $1 AND r.to_kind = told.to_kind AND r.to_id = told.to_id
            AND r.relation = told.relation AND r.from_kind = told.from_kind AND r.from_id = told.from_id
          ORDER BY r.at DESC, r.holds DESC LIMIT 1)) AS latest ON told.uniform
  ), started AS (
    INSERT INTO isochron.topology_run
      (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, connection, source_id)
    SELECT $1, from_kind, from_id, relation, to_kind, to_id, at, holds, last_at, $2, source_id FROM met WHERE what = 'first'
     -- What a record tells of a thing lies side by side, so that whoever asks for the thing reads one page.
     ORDER BY from_kind, from_id, relation
  ), prolonged AS (
    UPDATE isochron.topology_run r SET last_at = met.last_at
      FROM met
     WHERE what = 'again' AND met.last_at > met.run_last_at
       AND r.control_plane = $1 AND r.from_kind = met.from_kind AND r.from_id = met.from_id AND r.relation = met.relation
       AND r.at = met.run_at AND r.to_kind = met.to_kind AND r.to_id = met.to_id AND r.holds = met.holds
  )
  SELECT from_kind, from_id, relation, target, what FROM met WHERE what <> 'again'`;

/**
 * Puts a page's news into the runs and gives those that can change answers: an observation amid equal ones, or another
 * sight of what nothing followed, changes none. In the same order whatever the order of arrival was, because a run is
 * made of all observations in the order of their own times. One transaction at a time.
 */
export async function placeNews(
  client: pg.ClientBase,
  page: { readonly connection: string; readonly controlPlane: string },
  news: readonly NewsRow[],
): Promise<readonly PlacedFact[]> {
  if (news.length === 0) return [];
  const { rows } = await client.query<{
    from_kind: string;
    from_id: string;
    relation: string;
    target: string;
    what: "first" | "rest";
  }>(commonSql, [page.controlPlane, page.connection, JSON.stringify(news), pluralRelations]);
  const what = new Map(
    rows.map((row) => [JSON.stringify([row.from_kind, row.from_id, row.relation, row.target]), row.what]),
  );
  const placed: PlacedFact[] = [];
  const rest: NewsRow[] = [];
  for (const fact of news) {
    const target = pluralRelations.includes(fact.relation as Relation) ? `${fact.to_kind}:${fact.to_id}` : "";
    const how = what.get(JSON.stringify([fact.from_kind, fact.from_id, fact.relation, target]));
    if (how === "first") placed.push({ ...fact, since: sinceFirst(fact) });
    else if (how === "rest") rest.push(fact);
  }
  return [...placed, ...(await placeOneByOne(client, page, rest))];
}

/** In the order of their times, as a run is made. */
async function placeOneByOne(
  client: pg.ClientBase,
  page: { readonly connection: string; readonly controlPlane: string },
  rest: readonly NewsRow[],
): Promise<readonly PlacedFact[]> {
  if (rest.length === 0) return [];
  const inOrder = rest.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const { rows } = await client.query<{ nth: number; first: boolean; since: string }>(
    "SELECT nth, first, since::text AS since FROM isochron.place_observations($1, $2, $3::jsonb, $4::text[])",
    [page.controlPlane, page.connection, JSON.stringify(inOrder), pluralRelations],
  );
  return rows.flatMap(({ nth, first, since }) => {
    const fact = inOrder[nth];
    if (fact === undefined) return [];
    if (timeless.includes(fact.relation as Relation)) return [{ ...fact, since: "-infinity" }];
    return [{ ...fact, since: first ? sinceFirst(fact) : since }];
  });
}

/** Since when the first observation of all can change answers. */
function sinceFirst({ relation, at }: FactRow): string {
  return notExtended.includes(relation as Relation) ? at : "-infinity";
}

/** Keeps the list of all projects and domains that facts name. */
export async function noteTenants(
  client: pg.ClientBase,
  controlPlane: string,
  facts: readonly FactRow[],
): Promise<void> {
  const ends = facts.flatMap((fact) => [
    { kind: fact.from_kind, id: fact.from_id },
    { kind: fact.to_kind, id: fact.to_id },
  ]);
  const tenants = ends.filter(({ kind }) => kind === "project" || kind === "domain");
  if (tenants.length === 0) return;
  await client.query(
    `INSERT INTO isochron.topology_tenant (control_plane, kind, id)
     SELECT DISTINCT $1, kind, id FROM unnest($2::text[], $3::text[]) AS given (kind, id)
     ON CONFLICT DO NOTHING`,
    [controlPlane, tenants.map(({ kind }) => kind), tenants.map(({ id }) => id)],
  );
}
