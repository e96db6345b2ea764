import type { SqlClient, SqlValue } from "../source.ts";
import type { Gap } from "../cursor/gap-set.ts";
import type { TableMapping } from "./mapping.ts";
import { columnsOf, timeColumnsOf } from "./mapping.ts";
import type { Reads } from "./place.ts";

type Dialect = SqlClient["dialect"];

export interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** How many keys or ranges one statement asks for. */
export const batchMax = 500;

/** Rows whose time is empty or far ahead are few, or a sign that the mapping is wrong. */
export const straysMax = 1_000;

/** Names of what is selected beside the columns. */
export const extra = { place: "isochron_place", fresh: "isochron_fresh", old: "isochron_old" } as const;

/** Statements over one table. All values come as text, and are given as parameters. */
export class TableStatements {
  readonly #dialect: Dialect;
  readonly #mapping: TableMapping;
  readonly #values: SqlValue[] = [];

  private constructor(dialect: Dialect, mapping: TableMapping) {
    this.#dialect = dialect;
    this.#mapping = mapping;
  }

  /** The table as statements name it. */
  static nameOf(dialect: Dialect, mapping: TableMapping): string {
    return new TableStatements(dialect, mapping).#tableName();
  }

  /** The rows after the place, in order, at most `limit`. */
  static forward(
    dialect: Dialect,
    mapping: TableMapping,
    reads: Reads,
    floors: Floors,
    limit: number,
  ): Statement {
    const statement = new TableStatements(dialect, mapping);
    const select = statement.#select(floors);
    const conditions = statement.#forwardConditions(reads);
    const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    return statement.#end(`${select}${where} ORDER BY ${statement.#orderTerms().join(", ")} LIMIT ${limit}`);
  }

  /** Rows by key; at most {@link batchMax}. */
  static byKey(
    dialect: Dialect,
    mapping: TableMapping,
    keys: readonly (readonly string[])[],
    floors: Floors,
  ): Statement {
    const statement = new TableStatements(dialect, mapping);
    const select = statement.#select(floors);
    const names = mapping.key.map((name) => statement.#quote(name));
    const wanted = keys.map((key) => `(${key.map((value) => statement.#value(value)).join(", ")})`);
    return statement.#end(`${select} WHERE (${names.join(", ")}) IN (${wanted.join(", ")})`);
  }

  /** Rows whose ids lie in the ranges; at most {@link batchMax}. */
  static inGaps(dialect: Dialect, mapping: TableMapping, gaps: readonly Gap[], floors: Floors): Statement {
    const statement = new TableStatements(dialect, mapping);
    const select = statement.#select(floors);
    const [id = ""] = statement.#orderTerms();
    const ranges = gaps.map(
      ([from, to]) => `${id} BETWEEN ${statement.#value(BigInt(from))} AND ${statement.#value(BigInt(to))}`,
    );
    return statement.#end(`${select} WHERE ${ranges.join(" OR ")} ORDER BY ${id}`);
  }

  /** Rows that an order by time cannot place. */
  static strays(dialect: Dialect, mapping: TableMapping, horizon: string, floors: Floors): Statement {
    const statement = new TableStatements(dialect, mapping);
    const select = statement.#select(floors);
    const time = statement.#time();
    const keys = mapping.key.map((name) => statement.#quote(name)).join(", ");
    const late = `${time} > ${statement.#timeValue(horizon)}`;
    return statement.#end(`${select} WHERE ${time} IS NULL OR ${late} ORDER BY ${keys} LIMIT ${straysMax}`);
  }

  #end(text: string): Statement {
    return { text, values: this.#values };
  }

  #select(floors: Floors): string {
    const columns = columnsOf(this.#mapping).map((name) => this.#quote(name));
    const extras = [...this.#orderSelect(), ...this.#floorSelect(floors)];
    return `SELECT ${[...columns, ...extras].join(", ")} FROM ${this.#tableName()}`;
  }

  #tableName(): string {
    const { table, schema } = this.#mapping;
    return [schema, table].flatMap((name) => (name === undefined ? [] : [this.#quote(name)])).join(".");
  }

  #orderSelect(): readonly string[] {
    return this.#mapping.order.by === "time" ? [`${this.#time()} AS ${this.#quote(extra.place)}`] : [];
  }

  #floorSelect({ next, last }: Floors): readonly string[] {
    const { order, created } = this.#mapping;
    if (order.by !== "time") return [];
    const flag = (condition: string, name: string) =>
      `CASE WHEN ${condition} THEN 1 ELSE 0 END AS ${this.#quote(name)}`;
    const fresh = flag(`${this.#time()} >= ${this.#timeValue(next)}`, extra.fresh);
    if (created === undefined || last === null) return [fresh];
    return [fresh, flag(`${this.#quote(created)} < ${this.#timeValue(last)}`, extra.old)];
  }

  #forwardConditions(reads: Reads): readonly string[] {
    const { order } = this.#mapping;
    const after = reads.after === null || reads.after.length === 0 ? null : reads.after;
    if (order.by === "serial") {
      const beyond =
        after === null ? [] : [`${this.#quote(order.column)} > ${this.#value(BigInt(after[0]!))}`];
      return [...beyond, ...this.#touchedSince(reads.touchedFrom)];
    }
    if (order.by === "listing") return after === null ? [] : [this.#past(after, 0)];
    const time = this.#time();
    const begin = reads.from === null ? [] : [`${time} >= ${this.#timeValue(reads.from)}`];
    const beyond = after === null ? [] : [this.#past(after, 1)];
    return [...begin, ...beyond, `${time} <= ${this.#timeValue(reads.until)}`];
  }

  /** One of the row's times lies at or after the given one; a table without times is read whole. */
  #touchedSince(from: string | null): readonly string[] {
    const columns = timeColumnsOf(this.#mapping);
    if (from === null || columns.length === 0) return [];
    return [`(${columns.map((name) => `${this.#quote(name)} >= ${this.#timeValue(from)}`).join(" OR ")})`];
  }

  /** Strictly after a row, by time and key or by key, so that ties at a page's edge are neither lost nor repeated. */
  #past(after: readonly string[], times: number): string {
    const values = after.map((value, index) => (index < times ? this.#timeValue(value) : this.#value(value)));
    return `(${this.#orderTerms().join(", ")}) > (${values.join(", ")})`;
  }

  #orderTerms(): readonly string[] {
    const { order, key } = this.#mapping;
    if (order.by === "serial") return [this.#quote(order.column)];
    const keys = key.map((name) => this.#quote(name));
    return order.by === "time" ? [this.#time(), ...keys] : keys;
  }

  /** The latest of the columns that tell of a change. */
  #time(): string {
    const { order } = this.#mapping;
    if (order.by !== "time") throw new TypeError("the table is not ordered by time");
    const columns = order.columns.map((name) => this.#quote(name));
    if (columns.length === 1) return columns[0]!;
    if (this.#dialect === "postgresql") return `GREATEST(${columns.join(", ")})`;
    // MySQL's GREATEST is NULL as soon as one argument is.
    const beginning = "CAST('1000-01-01' AS DATETIME(6))";
    const filled = columns.map((name) => `COALESCE(${name}, ${beginning})`);
    return `NULLIF(GREATEST(${filled.join(", ")}), ${beginning})`;
  }

  #timeValue(value: string): string {
    const place = this.#value(value);
    return this.#dialect === "mysql" ? `CAST(${place} AS DATETIME(6))` : place;
  }

  /** A number goes unquoted to MySQL, which would compare a quoted one as a double. */
  #value(value: SqlValue): string {
    this.#values.push(value);
    return this.#dialect === "mysql" ? "?" : `$${this.#values.length}`;
  }

  #quote(name: string): string {
    return this.#dialect === "mysql" ? `\`${name}\`` : `"${name}"`;
  }
}

/** Where the pass after this one begins, and where this one did. */
export interface Floors {
  readonly next: string;
  readonly last: string | null;
}

/**
 * The server's clock in the spelling of its columns, what it was `overlapSeconds` before, and at `againMs`. It has to be
 * the transaction's first statement, because it takes the snapshot: a clock that is read before or after the snapshot
 * would date gaps too early, or close them too early.
 */
export function clockStatement(
  dialect: Dialect,
  mapping: TableMapping,
  overlapSeconds: number,
  againMs: number | null,
): Statement {
  const seconds = Math.ceil(overlapSeconds);
  const again = (function_: string): string =>
    againMs === null ? "" : `${function_}(${(againMs / 1000).toFixed(3)}) AS again, `;
  // `now()` would be when the transaction began, which may be long before its snapshot is taken by this statement.
  const clock = "statement_timestamp()";
  // Without a way through the connection's zone, in which an hour a year is told twice.
  const epochMs = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000";
  const text =
    dialect === "postgresql"
      ? `SELECT ${clock} AS now, ${clock} - interval '${seconds} seconds' AS floor, ${clock} + interval '1 day' AS horizon, ` +
        again("to_timestamp") +
        `floor(extract(epoch FROM ${clock}) * 1000) AS ms`
      : `SELECT NOW(6) AS now, NOW(6) - INTERVAL ${seconds} SECOND AS floor, NOW(6) + INTERVAL 1 DAY AS horizon, ` +
        again("FROM_UNIXTIME") +
        // MySQL takes its snapshot when a table is read first; whether there is a row does not matter.
        `${epochMs} AS ms, (SELECT 1 FROM ${TableStatements.nameOf(dialect, mapping)} LIMIT 1) AS seen`;
  return { text, values: [] };
}
