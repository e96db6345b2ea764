import { createHash } from "node:crypto";
import type pg from "pg";
import { foldIncident, type FoldedIncident } from "../../model/incident-fold.ts";
import type { IncidentChange, IncidentEntry, IncidentOrigin } from "../../model/incident.ts";
import { instant } from "../../model/instant.ts";
import type { TenantKey } from "../../model/tenant.ts";
import type { FrozenIncident, IncidentEdition, IncidentFilter } from "../incident-store.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import type { View } from "./view.ts";

/** Ids of those that match, the newest window first. */
export async function listHeads(
  client: pg.ClientBase,
  { states, from, to }: IncidentFilter,
  limit: number,
): Promise<readonly string[]> {
  const parameters = new Parameters();
  const conditions = ["true"];
  if (states !== undefined) conditions.push(`state = ANY(${parameters.add(states, "text[]")})`);
  if (from !== undefined)
    conditions.push(`coalesce(window_to, 'infinity') >= ${parameters.add(iso(from), "timestamptz")}`);
  if (to !== undefined) conditions.push(`window_from < ${parameters.add(iso(to), "timestamptz")}`);
  const { rows } = await client.query<{ id: string }>(
    `SELECT incident_id AS id FROM isochron.incident_head WHERE ${conditions.join(" AND ")}
      ORDER BY window_from DESC, incident_id DESC LIMIT ${parameters.add(limit, "integer")}`,
    parameters.values,
  );
  return rows.map(({ id }) => id);
}

/** Folded, in the order of their ids as they are given; those that are not there are left out. */
export async function readIncidents(
  client: pg.ClientBase,
  ids: readonly string[],
): Promise<readonly FoldedIncident[]> {
  const { rows } = await client.query<{
    id: string;
    origin: IncidentOrigin;
    opened_by: string;
    opened_at: number;
  }>("SELECT id, origin, opened_by, opened_at FROM isochron.incident WHERE id = ANY($1::text[])", [ids]);
  const entries = Map.groupBy(await readEntries(client, ids), ({ incident }) => incident);
  return ids.flatMap((id) => {
    const row = rows.find((one) => one.id === id);
    if (row === undefined) return [];
    const { origin, opened_by: openedBy, opened_at: openedAt } = row;
    const own = (entries.get(id) ?? []).map(({ entry }) => entry);
    return [foldIncident({ id, origin, openedBy, openedAt: instant(openedAt) }, own)];
  });
}

/** In the order of their numbers. */
export async function readEntries(
  client: pg.ClientBase,
  ids: readonly string[],
): Promise<readonly { readonly incident: string; readonly entry: IncidentEntry }[]> {
  const { rows } = await client.query<{
    incident_id: string;
    sequence: number;
    recorded_at: number;
    recorded_by: string;
    change: IncidentChange;
  }>(
    `SELECT incident_id, sequence, recorded_at, recorded_by, change FROM isochron.incident_entry
      WHERE incident_id = ANY($1::text[]) ORDER BY incident_id, sequence`,
    [ids],
  );
  return rows.map(({ incident_id: incident, sequence, recorded_at: at, recorded_by: by, change }) => {
    return { incident, entry: { sequence, recordedAt: instant(at), by, change } };
  });
}

export async function readFrozen(client: pg.ClientBase, id: string): Promise<FrozenIncident | undefined> {
  const { rows } = await client.query<{ hash: string; export: string }>(
    "SELECT hash, export FROM isochron.incident_publication WHERE incident_id = $1",
    [id],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return { text: row.export, hash: row.hash, intact: hashes(row.export, row.hash) };
}

interface EditionRow {
  readonly tenant_key: TenantKey;
  readonly id: string;
  readonly edition: number;
  readonly published_at: number;
  readonly title: string;
  readonly markdown: string;
  readonly hash: string;
}

/** Under one id all of them, otherwise the latest of each; newest first. */
export async function readEditions(
  client: pg.ClientBase,
  view: View,
  { id, limit }: { readonly id?: string; readonly limit: number },
): Promise<readonly IncidentEdition[]> {
  const parameters = new Parameters();
  const conditions = [view.own(parameters)];
  if (id !== undefined) conditions.push(`id = ${parameters.add(id, "text")}`);
  const { rows } = await client.query<EditionRow>(
    `SELECT * FROM (
       SELECT ${id === undefined ? "DISTINCT ON (tenant_key, id)" : ""}
              tenant_key, id, edition, published_at, title, markdown, hash
         FROM isochron.incident_edition WHERE ${conditions.join(" AND ")}
        ORDER BY tenant_key, id, edition DESC) AS found
      ORDER BY published_at DESC, edition DESC, id LIMIT ${parameters.add(limit, "integer")}`,
    parameters.values,
  );
  return rows.map(({ tenant_key: tenant, published_at: at, ...row }) => {
    return { ...row, tenant, publishedAt: instant(at), intact: hashes(row.markdown, row.hash) };
  });
}

function hashes(text: string, hash: string): boolean {
  return createHash("sha256").update(text).digest("hex") === hash;
}
