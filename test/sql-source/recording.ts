import type { Json, JsonObject } from "../../src/model/json.ts";
import type { SourceIo, SqlClient, SqlQuery, TableRow } from "../../src/sources/source.ts";
import { sql } from "../../src/sources/sql.ts";
import type { SqlCursor } from "../../src/sources/sql/sql-cursor.ts";
import { sqlIo } from "./table-reader.ts";

/** When a recording was made, whenever it is made again. */
const clock: TableRow = {
  now: "2026-11-21 04:00:00+00",
  floor: "2026-11-21 03:44:00+00",
  horizon: "2026-11-22 04:00:00+00",
  ms: "1795233600000",
};

interface Query {
  readonly text: string;
  readonly values: readonly (string | null)[];
  readonly rows: readonly TableRow[];
}

export interface Recording {
  readonly queries: readonly Query[];
  readonly records: readonly {
    readonly text: string;
    readonly position: string;
    readonly meta: JsonObject;
  }[];
}

/** What a real server answers to two passes, by statement; only its clock stands still. */
export async function recordPasses(url: string, config: JsonObject): Promise<Recording> {
  const queries = new Map<string, Query>();
  const live = sqlIo(url);
  const io: SourceIo = { ...live, sql: (of) => recorded(live.sql(of), queries) };
  const records: Recording["records"][number][] = [];
  let cursor: SqlCursor | undefined;
  for (let passes = 0; passes < 2;) {
    const page = await sql.fetch(config, cursor, io);
    cursor = sql.cursor.parse(JSON.parse(JSON.stringify(page.cursor)) as Json) as SqlCursor;
    const texts = page.records.map(({ bytes, position, meta }) => ({
      text: new TextDecoder().decode(bytes),
      position,
      meta,
    }));
    records.push(...texts);
    if (page.done) passes += 1;
  }
  return { queries: [...queries.values()], records };
}

function recorded(client: SqlClient, into: Map<string, Query>): SqlClient {
  return {
    dialect: client.dialect,
    read: (zone, work) =>
      client.read(zone, (query) => {
        const remember: SqlQuery = async (text, values = []) => {
          const rows = text.startsWith("SELECT statement_timestamp()") ? [clock] : await query(text, values);
          const given = values.map((value) => (value === null ? null : String(value)));
          into.set(JSON.stringify([text, given]), { text, values: given, rows });
          return rows;
        };
        return work(remember);
      }),
  };
}
