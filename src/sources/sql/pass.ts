import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Finding } from "../../model/source-health.ts";
import type { Page, RawRecord, SourceIo, SqlClient, SqlQuery, TableRow } from "../source.ts";
import type { TableMapping } from "./mapping.ts";
import type { PageClock, ReadRow, Reads, Step } from "./place.ts";
import { beginPass, knownMax, placeAgain, planReads, takeRows } from "./place.ts";
import { writeRecord } from "./row-record.ts";
import type { MappedTable, SqlSettings } from "./settings.ts";
import { mappedTables, readSettings } from "./settings.ts";
import type { SqlCursor, TablePlace } from "./sql-cursor.ts";
import { freshCursor, freshPlace } from "./sql-cursor.ts";
import type { Floors, Statement } from "./statement.ts";
import { batchMax, clockStatement, extra, straysMax, TableStatements } from "./statement.ts";

/**
 * Reads one page of the table whose turn it is. Everything of a page is read in one snapshot. A table that cannot be
 * read is given up for this pass with a warning and keeps its place; the pass then names no moment up to which it is
 * complete. Throws when no table can be read.
 */
export async function fetchTables(
  config: JsonObject,
  from: SqlCursor | undefined,
  io: SourceIo,
): Promise<Page<SqlCursor>> {
  const settings = readSettings(config);
  const tables = mappedTables(settings);
  const saved = from ?? freshCursor;
  const todo = saved.todo ?? tables.map(({ name }) => name);
  const begun =
    saved.todo === null ? { ...saved, todo, read: [], failed: [], completeMs: null } : { ...saved, todo };
  const [name = "", ...rest] = todo;
  const table = tables.find((one) => one.name === name);
  if (table === undefined) return endOrGoOn({ ...begun, todo: rest }, []);
  const place = begun.tables[name] ?? freshPlace;
  try {
    const { step, clock, isWhole } = await readPage(io, settings, table, place);
    warnOf(step, table, io);
    const found = findingsOf(step, table);
    const records = step.news.map((news) => writeRecord(table, news, clock.ms, place.passedMs));
    const kept = { ...begun, tables: { ...begun.tables, [name]: step.place } };
    if (!step.isDone) return { records, cursor: kept, done: false, ...found };
    const isComplete = isWhole && step.suspected === 0 && step.forgotten === 0;
    // What began before the pass may still commit after it.
    const completeMs = (step.place.passedMs ?? 0) - clock.gapLifetimeMs;
    const ended = endTable(kept, rest, { name, isComplete, completeMs });
    return endOrGoOn(ended, records, found.findings);
  } catch (error) {
    if (!(error instanceof IsochronError) || error.kind !== "unavailable") throw error;
    // Without the database, asking it for each of its tables would only take time.
    if (error.code === "source-unavailable") throw error;
    io.warn("a table could not be read and waits for the next pass", {
      table: name,
      code: error.code,
      problem: error.problem,
    });
    if (begun.read.length === 0 && rest.length === 0) throw error;
    return endOrGoOn({ ...begun, todo: rest, failed: [...begun.failed, name] }, []);
  }
}

/**
 * Reads again, in every table, the rows that bear a time from `at` on (a listing: all rows), and tells of them only
 * what has the same key at every look: what is dated by a column that each change moves, or by the look alone, is
 * left to the main place, which remembers under which name it told it.
 */
export function startTablesAt(config: JsonObject, at: Instant): SqlCursor {
  const names = mappedTables(readSettings(config)).map(({ name }) => name);
  return { ...freshCursor, tables: Object.fromEntries(names.map((name) => [name, placeAgain(at)])) };
}

function endTable(
  cursor: SqlCursor,
  todo: string[],
  { name, isComplete, completeMs }: { name: string; isComplete: boolean; completeMs: number },
): SqlCursor {
  return {
    ...cursor,
    todo,
    completeMs: Math.min(cursor.completeMs ?? Number.MAX_SAFE_INTEGER, completeMs),
    read: [...cursor.read, name],
    failed: isComplete ? cursor.failed : [...cursor.failed, name],
  };
}

function endOrGoOn(
  cursor: SqlCursor,
  records: readonly RawRecord[],
  found: readonly Finding[] = [],
): Page<SqlCursor> {
  if (cursor.todo !== null && cursor.todo.length > 0) {
    return { records, cursor, done: false, ...(found.length > 0 && { findings: found }) };
  }
  const { completeMs, failed, read } = cursor;
  const unread = failed.filter((name) => !read.includes(name));
  const findings = [...found, ...(unread.length === 0 ? [] : [unreadable(unread)])];
  return {
    records,
    cursor: { ...cursor, todo: null, read: [], failed: [], completeMs: null },
    done: true,
    ...(completeMs === null || failed.length > 0 ? {} : { completeTo: instant(completeMs) }),
    ...(findings.length > 0 && { findings }),
  };
}

/** Said when the pass is over, so that it stands until a pass has read all tables. */
function unreadable(tables: readonly string[]): Finding {
  const says = `${tables.join(", ")} could not be read as mapped, and waits; the warnings say why.`;
  return { code: "schema-drift", says };
}

interface ReadPage {
  readonly step: Step;
  readonly clock: PageClock;
  /** False where more strays were there than are read. */
  readonly isWhole: boolean;
}

function readPage(
  io: SourceIo,
  settings: SqlSettings,
  table: MappedTable,
  saved: TablePlace,
): Promise<ReadPage> {
  const client = io.sql(io.secret(settings.url));
  return client.read(settings.zone, async (query) => {
    const askedAt = io.now();
    const { horizon, ...clock } = await readClock(client, { settings, table, query }, saved.again);
    const answeredAt = io.now();
    io.noteClock?.({ aheadMs: clock.ms - (askedAt + answeredAt) / 2, errorMs: answeredAt - askedAt + 1 });
    const place = beginPass(saved, clock);
    const page = new TablePage(client, table.mapping, place, query);
    // A row whose time moves on while the pass is under way still belongs to it, or it would be put off pass after pass.
    const reads = { ...planReads(table.mapping, place, clock), until: horizon };
    const revisited = await page.revisit(reads);
    const late = await page.late(reads);
    const strays = reads.strays ? await page.strays(horizon) : [];
    const forward = await page.forward(reads, settings.page_size);
    const isLast = forward.length < settings.page_size;
    const step = takeRows(table.mapping, place, clock, { revisited, late, strays, forward, isLast });
    if (table.mapping.order.by === "listing" && step.forgotten > 0) {
      throw new IsochronError(
        "source-malformed",
        `${table.name} has too many rows to be compared whole.`,
        "Map it by a serial id or by a time.",
      );
    }
    return { step, clock, isWhole: strays.length < straysMax };
  });
}

async function readClock(
  { dialect }: SqlClient,
  reading: { readonly settings: SqlSettings; readonly table: MappedTable; readonly query: SqlQuery },
  againMs: number | null,
): Promise<PageClock & { readonly horizon: string }> {
  const { settings, table, query } = reading;
  const overlap = settings.commit_delay_seconds + settings.clock_error_seconds;
  const { text, values } = clockStatement(dialect, table.mapping, overlap, againMs);
  const [row] = await query(text, values);
  const { now, floor, horizon, ms, again } = row ?? {};
  if (now == null || floor == null || horizon == null || ms == null) {
    throw new IsochronError(
      "source-malformed",
      "The database told no time.",
      "Check what answers at its URL.",
    );
  }
  return {
    now,
    floor,
    horizon,
    ms: Math.floor(Number(ms)),
    gapLifetimeMs: overlap * 1000,
    ...(again == null ? {} : { again }),
  };
}

/** The statements of one page, and their rows as the order sees them. */
class TablePage {
  readonly #client: SqlClient;
  readonly #mapping: TableMapping;
  readonly #query: SqlQuery;
  readonly #floors: Floors;

  constructor(client: SqlClient, mapping: TableMapping, place: TablePlace, query: SqlQuery) {
    this.#client = client;
    this.#mapping = mapping;
    this.#query = query;
    this.#floors = { next: place.pass?.floor ?? "", last: place.floor };
  }

  async revisit({ keys }: Reads): Promise<readonly ReadRow[]> {
    const rows = await inBatches(keys, (batch) =>
      this.#run(TableStatements.byKey(this.#client.dialect, this.#mapping, batch, this.#floors)),
    );
    // The rest of the pass may read them again; until then they stay in mind.
    return rows.map((row) => ({ ...this.#asRead(row), isFresh: this.#mapping.order.by === "time" }));
  }

  async late({ gaps }: Reads): Promise<readonly ReadRow[]> {
    const rows = await inBatches(gaps, (batch) =>
      this.#run(TableStatements.inGaps(this.#client.dialect, this.#mapping, batch, this.#floors)),
    );
    return rows.map((row) => this.#asRead(row));
  }

  async strays(horizon: string): Promise<readonly ReadRow[]> {
    const statement = TableStatements.strays(this.#client.dialect, this.#mapping, horizon, this.#floors);
    const rows = await this.#run(statement);
    return rows.map((row) => ({ ...this.#asRead(row), isFresh: true, isOld: false }));
  }

  async forward(reads: Reads, limit: number): Promise<readonly ReadRow[]> {
    const { dialect } = this.#client;
    const rows = await this.#run(TableStatements.forward(dialect, this.#mapping, reads, this.#floors, limit));
    return rows.map((row) => this.#asRead(row));
  }

  #run({ text, values }: Statement): Promise<readonly TableRow[]> {
    return this.#query(text, values);
  }

  #asRead(found: TableRow): ReadRow {
    const { [extra.place]: time, [extra.fresh]: fresh, [extra.old]: old, ...row } = found;
    const { order, key } = this.#mapping;
    const keys = key.map((name) => row[name] ?? "");
    const place =
      order.by === "serial" ? [row[order.column] ?? "0"] : order.by === "time" ? [time ?? "", ...keys] : keys;
    return { row, place, isFresh: fresh === "1", isOld: old === "1" };
  }
}

async function inBatches<Item, Found>(
  items: readonly Item[],
  read: (batch: readonly Item[]) => Promise<readonly Found[]>,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (let start = 0; start < items.length; start += batchMax) {
    found.push(...(await read(items.slice(start, start + batchMax))));
  }
  return found;
}

/** What the table did that its contract excludes, for whoever reads its events. */
function findingsOf(
  { suspected, forgotten }: Step,
  { name }: MappedTable,
): Pick<Page<SqlCursor>, "findings"> {
  const findings: Finding[] = [];
  if (suspected > 0) {
    const says = `${name} lacks ${suspected} of the rows that it had at once; check what the login may see.`;
    findings.push({ code: "sudden-drop", says });
  }
  if (forgotten > 0) {
    const says = `${name} has ${forgotten} open rows beyond the ${knownMax} that are watched; their ends may go unseen.`;
    findings.push({ code: "unwatched", says });
  }
  return findings.length === 0 ? {} : { findings };
}

function warnOf({ suspected, forgotten }: Step, { name }: MappedTable, io: SourceIo): void {
  if (suspected > 0)
    io.warn("so many rows are missing at once that none is taken for deleted", {
      table: name,
      rows: suspected,
    });
  if (forgotten > 0) io.warn("more rows are open than can be watched", { table: name, rows: forgotten });
}
