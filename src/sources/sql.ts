import type { z } from "zod";
import { duration } from "../model/instant.ts";
import type { Observation } from "../model/event.ts";
import type { JsonObject } from "../model/json.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";
import { fetchTables, startTablesAt } from "./sql/pass.ts";
import { RowReading } from "./sql/row-event.ts";
import { readRecord } from "./sql/row-record.ts";
import { sqlSettings } from "./sql/settings.ts";
import type { SqlCursor } from "./sql/sql-cursor.ts";
import { sqlCursor } from "./sql/sql-cursor.ts";

function normalise(raw: RawRecord, decode: Decoders): Observation {
  const { record, mapping, zone } = readRecord(raw, decode);
  return { events: new RowReading(mapping, record, zone, decode).drafts(), facts: [] };
}

/** Tables of a PostgreSQL, MySQL or MariaDB database, read by a mapping that says what their rows mean. */
export const sql: PullSource<SqlCursor> = {
  name: "sql",
  title: "Tables of a database",
  summary:
    "What becomes true of the rows of any PostgreSQL, MySQL or MariaDB table, by a mapping of its columns; with presets for pf9-mngt and for Bacula's catalog.",
  delivery: "pull",
  contract: {
    identity: "table, primary key, transition, and the time or value that dates it",
    version: "the transition's own time column, else the row's time of change, else its value",
    ordering: "unsorted",
    commitDelayMax: duration(900_000),
    clockErrorMax: duration(60_000),
    delivery: "pull",
    revisions: "allowed",
    completeness: "settled",
    blindSpots:
      "A state that came and went between two passes without a column of its own to date it; transactions that take " +
      "longer than commit_delay_seconds; rows deleted before they were read; changes of a row that had come to its " +
      "end, where no column tells of changes; names of owners are handed on, never used.",
  },
  config: sqlSettings as unknown as z.ZodType<JsonObject>,
  cursor: sqlCursor,
  fetch: fetchTables,
  startAt: startTablesAt,
  normalise,
};
