import type pg from "pg";
import type { EventPage, PageRequest, VisibleEvent } from "../event-reader.ts";
import { toTenantEvent } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import { toStoredMember, type StormEditionRow, type StormMemberRow } from "./storm-fold.ts";
import { memberSelect } from "./storm-writes.ts";
import type { View } from "./view.ts";

interface Shape {
  readonly select: string;
  readonly fold: string;
  readonly own: (parameters: Parameters) => readonly string[];
  /** Leads to the members of one fold by the index. */
  readonly ofFold: (id: string) => readonly string[];
  readonly toVisible: (row: never) => VisibleEvent;
}

function shapeOf(view: View): Shape {
  if (view.audience === "provider") {
    return {
      select: `SELECT ${memberSelect}, recorded_at FROM isochron.storm_member`,
      fold: "fold_id",
      own: () => [],
      ofFold: () => [],
      toVisible: (row: StormMemberRow & { recorded_at: number }) => ({
        audience: "provider",
        event: toStoredMember(row),
      }),
    };
  }
  return {
    select: "SELECT id, occurred_at, recorded_at, edition FROM isochron.storm_member_edition",
    fold: "event_id",
    // For the index, and as a second lock on the same door.
    own: (parameters) => [view.own(parameters)],
    ofFold: (id) => [
      `tenant_key = ANY(ARRAY(SELECT tenant_key FROM isochron.tenant_event WHERE id = ${id}))`,
    ],
    toVisible: ({ edition, recorded_at }: StormEditionRow & { recorded_at: number }) => ({
      audience: "tenant",
      event: toTenantEvent({ ...edition, mentions: [], search: "", recorded_at }),
    }),
  };
}

/** A page of what a fold stands for, each as the event that it would have been; empty for what is no fold in view. */
export async function readMembers(
  client: pg.ClientBase,
  view: View,
  eventId: string,
  page: PageRequest,
): Promise<EventPage> {
  const shape = shapeOf(view);
  const parameters = new Parameters();
  const id = parameters.add(eventId, "text");
  const conditions = [`${shape.fold} = ${id}`, ...shape.own(parameters), ...shape.ofFold(id)];
  const [sign, direction] = page.order === "newest" ? ["<", "DESC"] : [">", "ASC"];
  if (page.after !== undefined) {
    const at = parameters.add(iso(page.after.occurredAt), "timestamptz");
    conditions.push(`(occurred_at, id) ${sign} (${at}, ${parameters.add(page.after.id, "text")})`);
  }
  const limit = parameters.add(page.limit + 1, "integer");
  const { rows } = await client.query<never>(
    `${shape.select} WHERE ${conditions.join(" AND ")}
      ORDER BY occurred_at ${direction}, id ${direction} LIMIT ${limit}`,
    parameters.values,
  );
  return { events: rows.slice(0, page.limit).map(shape.toVisible), more: rows.length > page.limit };
}

/** One member by its own id. */
export async function readMember(
  client: pg.ClientBase,
  view: View,
  id: string,
): Promise<VisibleEvent | undefined> {
  const shape = shapeOf(view);
  const parameters = new Parameters();
  const conditions = [`id = ${parameters.add(id, "text")}`, ...shape.own(parameters)];
  const { rows } = await client.query<never>(
    `${shape.select} WHERE ${conditions.join(" AND ")} LIMIT 1`,
    parameters.values,
  );
  return rows[0] === undefined ? undefined : shape.toVisible(rows[0]);
}

/** The minute of a fold, of which no delivery tells: `$1` is its id. */
export const foldMinute = `SELECT date_trunc('minute', occurred_at) FROM (
  SELECT occurred_at FROM isochron.storm_member WHERE fold_id = $1 LIMIT 1) AS member`;
