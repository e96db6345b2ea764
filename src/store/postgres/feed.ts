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

/** What stands at one place of the feed: a row as it is seen, or the id of one that is seen no more. */
type Entry =
  | { readonly mark: Mark; readonly row: EventRow | EditionRow; readonly repeated: boolean }
  | { readonly mark: Mark; readonly row?: undefined };

/** Rows of transactions before which no other is still under way. */
const settled = "feed_xid < pg_snapshot_xmin(pg_current_snapshot())";

/**
 * Rows in the order of the transactions that wrote them, and only those before which no transaction is
 * still under way: so a late commit comes later in the feed instead of behind the reader's back. What was taken away
 * stands in the same order, unless it is to be seen (again) by now.
 */
export async function readFeed(
  client: pg.ClientBase,
  view: View,
  after: FeedPosition | undefined,
  limit: number,
): Promise<FeedPage> {
  const start = parseMark(after?.mark) ?? (await findPlace(client, view, after?.event));
  if (start === undefined) {
    const now = { mark: spellMark({ xid: await oldestUnderWay(client), id: "" }) };
    const position = after?.event === undefined ? now : { event: after.event, ...now };
    return { events: [], repeated: [], retracted: [], position };
  }
  const written = await readWritten(client, view, start, limit);
  const entries = [...written, ...(await readRetracted(client, view, start, limit))]
    .sort((a, b) => compareMarks(a.mark, b.mark))
    .slice(0, limit);
  const shown = entries.filter((entry) => entry.row !== undefined);
  const event = shown.at(-1)?.row.id ?? after?.event;
  return {
    events: shown.map(({ row }) => toVisible(view, row)),
    repeated: shown.filter(({ repeated }) => repeated).map(({ row }) => row.id),
    retracted: [...new Set(entries.filter(({ row }) => row === undefined).map(({ mark }) => mark.id))],
    position: {
      ...(event === undefined ? {} : { event }),
      mark: spellMark(entries.at(-1)?.mark ?? start),
    },
  };
}

async function readWritten(
  client: pg.ClientBase,
  view: View,
  start: Mark,
  limit: number,
): Promise<readonly Entry[]> {
  const parameters = new Parameters();
  const conditions = [beyond(start, parameters), settled];
  const tail = `ORDER BY feed_xid, id LIMIT ${parameters.add(limit, "integer")}`;
  const sql = view.select(`${view.columns}, feed_xid, first_xid`, conditions, parameters, tail);
  const { rows } = await client.query<(EventRow | EditionRow) & { feed_xid: string; first_xid: string }>(
    sql,
    parameters.values,
  );
  return rows.map((row) => ({
    mark: { xid: row.feed_xid, id: row.id },
    row,
    repeated: row.feed_xid !== row.first_xid,
  }));
}

/** Ids that were to be seen and no longer are, once for each of the scope's keys that has lost one. */
async function readRetracted(
  client: pg.ClientBase,
  view: View,
  start: Mark,
  limit: number,
): Promise<readonly Entry[]> {
  const parameters = new Parameters();
  const readers = parameters.add(view.readers, "text[]");
  const table = view.audience === "provider" ? "event" : "tenant_event";
  const { rows } = await client.query<{ id: string; feed_xid: string }>(
    `SELECT gone.id, gone.feed_xid FROM unnest(${readers}) AS reader CROSS JOIN LATERAL (
       SELECT lost.id, lost.feed_xid FROM isochron.retraction AS lost
        WHERE lost.reader_key = reader AND ${beyond(start, parameters)} AND ${settled}
          AND ${view.retracted(parameters)} AND NOT EXISTS (SELECT FROM isochron.${table}
                           WHERE id = lost.id AND occurred_at = lost.occurred_at AND ${view.own(parameters)})
        ORDER BY lost.feed_xid, lost.id LIMIT ${parameters.add(limit, "integer")}) AS gone`,
    parameters.values,
  );
  return rows.map(({ id, feed_xid: xid }) => ({ mark: { xid, id } }));
}

function beyond({ xid, id }: Mark, parameters: Parameters): string {
  return `(feed_xid, id) > (${parameters.add(xid, "xid8")}, ${parameters.add(id, "text")})`;
}

/** Whether the id can be resumed after: it is to be seen, or was. */
export async function standsInFeed(client: pg.ClientBase, view: View, id: string): Promise<boolean> {
  return (await findPlace(client, view, id)) !== undefined;
}

/**
 * Where an event first stood in the feed, which it may have left since. It may stand further on by now, having been
 * written again; what lies between has to be read (again) all the same, since nobody knows which of the two was seen.
 */
async function findPlace(
  client: pg.ClientBase,
  view: View,
  id: string | undefined,
): Promise<Mark | undefined> {
  if (id === undefined) return undefined;
  const parameters = new Parameters();
  const [wanted, readers] = [parameters.add(id, "text"), parameters.add(view.readers, "text[]")];
  const sql = view.select("first_xid, id", [`id = ${wanted}`], parameters, "LIMIT 1");
  const { rows } = await client.query<{ first_xid: string }>(
    `SELECT first_xid FROM ((${sql}) UNION ALL
       SELECT first_xid, id FROM isochron.retraction
        WHERE reader_key = ANY(${readers}) AND id = ${wanted} AND ${view.retracted(parameters)}) AS place
      ORDER BY first_xid LIMIT 1`,
    parameters.values,
  );
  return rows[0] === undefined ? undefined : { xid: rows[0].first_xid, id };
}

async function oldestUnderWay(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ xid: string }>(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid",
  );
  return rows[0]?.xid ?? "0";
}

/** As the database orders them: numbers, then bytes. */
function compareMarks(a: Mark, b: Mark): number {
  const [left, right] = [BigInt(a.xid), BigInt(b.xid)];
  if (left !== right) return left < right ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function spellMark({ xid, id }: Mark): string {
  return `${xid}:${id}`;
}

function parseMark(text: string | undefined): Mark | undefined {
  const match = /^(\d{1,20}):(.*)$/.exec(text ?? "");
  return match === null ? undefined : { xid: match[1] ?? "0", id: match[2] ?? "" };
}
