import type pg from "pg";
import type { EventStore, Reject, ResolvedPage, SetAsideRecord } from "../event-store.ts";
import type { JsonObject } from "../../model/json.ts";
import { instant } from "../../model/instant.ts";
import { compareText } from "./canonical.ts";
import { setAsideId } from "./event-id.ts";
import { iso } from "./event-writes.ts";

interface SetAsideRow {
  readonly id: string;
  readonly connection: string;
  readonly source: string;
  readonly control_plane: string;
  readonly stream: string;
  readonly position: string;
  readonly bytes: Buffer;
  readonly meta: JsonObject;
  readonly received_at: number;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
}

/** Keeps records whole. The same record set aside again is kept once. Gives how many are new. */
export async function writeSetAside(
  client: pg.ClientBase,
  page: Pick<ResolvedPage, "connection" | "stream" | "rejects">,
): Promise<number> {
  if (page.rejects.length === 0) return 0;
  const rows = page.rejects.map((reject) => toRow(page, reject)).sort((a, b) => compareText(a.id, b.id));
  const { rows: written } = await client.query(
    `INSERT INTO isochron.set_aside (id, connection, stream, position, bytes, meta, received_at, code, reason)
     SELECT id, $1, $2, position, decode(bytes, 'base64'), meta, received_at, code, reason
       FROM jsonb_to_recordset($3::jsonb)
         AS given (id text, position text, bytes text, meta jsonb, received_at timestamptz, code text, reason text)
     ON CONFLICT DO NOTHING RETURNING id`,
    [page.connection, page.stream, JSON.stringify(rows)],
  );
  return written.length;
}

function toRow(page: Pick<ResolvedPage, "connection" | "stream">, reject: Reject) {
  const bytes = Buffer.from(reject.bytes);
  return {
    id: setAsideId(page.connection, page.stream, reject.position, bytes),
    position: storable(reject.position),
    bytes: bytes.toString("base64"),
    meta: JSON.parse(storable(wellFormed(JSON.stringify(reject.meta)))) as JsonObject,
    received_at: iso(reject.receivedAt),
    code: reject.code,
    reason: storable(reject.reason),
  };
}

/** Half characters, which JSON may spell as escapes, as the replacement character: `jsonb` refuses the whole page for one. */
function wellFormed(json: string): string {
  if (!/\\ud[89a-f]/i.test(json)) return json;
  return JSON.stringify(JSON.parse(json), (_, value: unknown) => {
    if (typeof value === "string") return value.toWellFormed();
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), inner]));
  });
}

/** These words come from records that are broken already: what PostgreSQL cannot hold is spelt out. */
function storable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("\0", "\\0")
    .replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, "$1\\\\u0000");
}

export async function listSetAside(
  client: pg.ClientBase,
  connection: string,
  limit: number,
  after: string | undefined,
): ReturnType<EventStore["setAside"]> {
  const { rows } = await client.query<SetAsideRow>(
    `SELECT s.id, s.connection, c.source, c.control_plane, s.stream, s.position, s.bytes, s.meta,
            s.received_at, s.code, s.reason, s.attempts
       FROM isochron.set_aside s JOIN isochron.connection c ON c.name = s.connection
      WHERE s.connection = $1 AND s.replayed_at IS NULL
        AND ($3::text IS NULL
             OR (s.received_at, s.id) > ((SELECT received_at FROM isochron.set_aside WHERE id = $3), $3))
      ORDER BY s.received_at, s.id LIMIT $2`,
    [connection, limit, after ?? null],
  );
  return rows.map((row): SetAsideRecord => ({
    id: row.id,
    connection: row.connection,
    source: row.source,
    controlPlane: row.control_plane,
    stream: row.stream,
    position: row.position,
    bytes: row.bytes,
    meta: row.meta,
    receivedAt: instant(row.received_at),
    code: row.code,
    reason: row.reason,
    attempts: row.attempts,
  }));
}

export async function noteReplay(
  client: pg.ClientBase,
  id: string,
  outcome: Parameters<EventStore["replayed"]>[1],
): Promise<void> {
  if (outcome.ok) {
    await client.query(
      "UPDATE isochron.set_aside SET replayed_at = now(), attempts = attempts + 1 WHERE id = $1",
      [id],
    );
    return;
  }
  await client.query(
    "UPDATE isochron.set_aside SET attempts = attempts + 1, code = $2, reason = $3 WHERE id = $1",
    [id, outcome.code, storable(outcome.reason)],
  );
}
