import type pg from "pg";
import type { EventFilter } from "../event-reader.ts";
import { iso } from "./event-writes.ts";
import type { View } from "./view.ts";

/** So many are looked up by their ids; of a text that is found more often, going through the rows finds enough soon. */
const hitsMax = 1_000;

/**
 * The ids of what holds the filter's text, among what is in view and between the filter's times; undefined where rows
 * have to be looked through instead. What else the filter asks is not asked here.
 */
export async function findText(
  client: pg.ClientBase,
  view: View,
  { text, from, to }: EventFilter,
): Promise<readonly string[] | undefined> {
  if (text === undefined || text === "" || view.finder === undefined) return undefined;
  const { rows } = await client.query<{ id: string | null }>(
    `SELECT id FROM isochron.${view.finder}($1, $2::timestamptz, $3::timestamptz, $4)`,
    [
      text.toLowerCase(),
      from === undefined ? "-infinity" : iso(from),
      to === undefined ? "infinity" : iso(to),
      hitsMax,
    ],
  );
  if (rows.length > hitsMax) return undefined;
  const ids = rows.flatMap(({ id }) => (id === null ? [] : [id]));
  return ids.length < rows.length ? undefined : ids;
}
