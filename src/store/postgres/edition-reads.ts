import type pg from "pg";
import type { StoredEvent } from "../../model/event.ts";
import type { EditionPage } from "../event-reader.ts";
import { toTenantEvent, type EditionRow } from "./event-row.ts";
import { editionSelect, iso } from "./event-writes.ts";
import type { StormEditionRow } from "./storm-fold.ts";

type Shown = EditionRow & { readonly recorded_at: number };

/** The tenants' editions of an event, or of a member of a storm, as they are stored, in the order of the tenants' keys. */
export async function readEditions(
  client: pg.ClientBase,
  { id, occurredAt }: Pick<StoredEvent, "id" | "occurredAt">,
  limit: number,
): Promise<EditionPage> {
  const { rows } = await client.query<Shown>(
    `SELECT ${editionSelect}, recorded_at FROM isochron.tenant_event
      WHERE occurred_at = $2 AND (tenant_key, id) IN (
        SELECT place.tenant, place.edition FROM isochron.event e
         CROSS JOIN LATERAL unnest(e.edition_keys, e.edition_ids) AS place (tenant, edition)
         WHERE e.id = $1 AND e.occurred_at = $2)
      ORDER BY tenant_key LIMIT $3`,
    [id, iso(occurredAt), limit + 1],
  );
  const found = rows.length > 0 ? rows : await readMemberEditions(client, id, limit);
  return { editions: found.slice(0, limit).map(toTenantEvent), more: found.length > limit };
}

async function readMemberEditions(
  client: pg.ClientBase,
  id: string,
  limit: number,
): Promise<readonly Shown[]> {
  const { rows } = await client.query<Pick<StormEditionRow, "edition"> & { readonly recorded_at: number }>(
    `SELECT e.edition, e.recorded_at FROM isochron.storm_member m
      CROSS JOIN LATERAL unnest(m.edition_keys, m.edition_ids) AS place (tenant, edition)
       JOIN isochron.storm_member_edition e ON e.tenant_key = place.tenant AND e.id = place.edition
      WHERE m.id = $1 ORDER BY e.tenant_key LIMIT $2`,
    [id, limit + 1],
  );
  return rows.map(({ edition, recorded_at }) => ({ ...edition, mentions: [], search: "", recorded_at }));
}
