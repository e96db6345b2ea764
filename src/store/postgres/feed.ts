import type pg from "pg";
import type { FeedPage, FeedPosition } from "../event-reader.ts";
import type { EditionRow, EventRow } from "./event-row.ts";
import { Parameters } from "./filter.ts";
import { toVisible, type View } from "./view.ts";

/** `transaction:id`: the last row seen in the order of the feed. */
interface Mark {
  readonly xid: string;
  readonly id: string;
}

/**
 * Rows in the order of the transactions that wrote them, and only those before which no transaction is
 * still under way: so a late commit comes later in the feed instead of behind the reader's back.
 */
export async function readFeed(
  client: pg.ClientBase,
  view: View,
  after: FeedPosition | undefined,
  limit: number,
): Promise<FeedPage> {
  const start = parseMark(after?.mark) ?? (await findEvent(client, view, after?.event));
  if (start === undefined) {
    const now = { mark: spellMark({ xid: await oldestUnderWay(client), id: "" }) };
    return { events: [], position: after?.event === undefined ? now : { event: after.event, ...now } };
  }
  const parameters = new Parameters();
  const xid = parameters.add(start.xid, "xid8");
  const conditions = [
    `(feed_xid, id) > (${xid}, ${parameters.add(start.id, "text")})`,
    "feed_xid < pg_snapshot_xmin(pg_current_snapshot())",
  ];
  const tail = `ORDER BY feed_xid, id LIMIT ${parameters.add(limit, "integer")}`;
  const sql = view.select(`${view.columns}, feed_xid`, conditions, parameters, tail);
  const { rows } = await client.query<(EventRow | EditionRow) & { feed_xid: string }>(sql, parameters.values);
  const last = rows.at(-1);
  const place = last === undefined ? start : { xid: last.feed_xid, id: last.id };
  const event = last?.id ?? after?.event;
  return {
    events: rows.map((row) => toVisible(view, row)),
    position: { ...(event === undefined ? {} : { event }), mark: spellMark(place) },
  };
}

/**
 * Where an event first stood in the feed. It may stand further on by now, having been written again; what
 * lies between has to be read (again) all the same, since nobody knows which of the two was seen.
 */
async function findEvent(
  client: pg.ClientBase,
  view: View,
  id: string | undefined,
): Promise<Mark | undefined> {
  if (id === undefined) return undefined;
  const parameters = new Parameters();
  const sql = view.select("first_xid, id", [`id = ${parameters.add(id, "text")}`], parameters, "LIMIT 1");
  const { rows } = await client.query<{ first_xid: string }>(sql, parameters.values);
  return rows[0] === undefined ? undefined : { xid: rows[0].first_xid, id };
}

async function oldestUnderWay(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ xid: string }>(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid",
  );
  return rows[0]?.xid ?? "0";
}

function spellMark({ xid, id }: Mark): string {
  return `${xid}:${id}`;
}

function parseMark(text: string | undefined): Mark | undefined {
  const match = /^(\d{1,20}):(.*)$/.exec(text ?? "");
  return match === null ? undefined : { xid: match[1] ?? "0", id: match[2] ?? "" };
}
