import type pg from "pg";
import type { NearEvent, NearQuestion, TypeUsual } from "../correlation-reader.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import type { View } from "./view.ts";

/** So many of the newest of a type tell how often it occurs; what lies before them need not be counted. */
const newestMax = 150;
const sliceMax = 60;
const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
const weeks = 4;
/** Of a tenant so many of its newest editions are looked through, and so many of each hour. */
const editionsMax = 400;
const editionsOfHour = 80;

interface SliceRow {
  readonly type: string;
  /** 0 for all that lies before, else so many weeks back. */
  readonly week: number;
  readonly count: number;
  /** The oldest of those counted; what is older was not counted where `full`. */
  readonly oldest: number;
  readonly full: boolean;
}

interface Slice {
  readonly week: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Of each type how often it occurs at all, and at this hour of the week. A type that occurs often is judged by its newest:
 * so many in however short a time, which an index gives without counting the rest.
 */
export async function readUsual(
  client: pg.ClientBase,
  view: View,
  events: readonly NearEvent[],
  question: NearQuestion,
): Promise<readonly TypeUsual[]> {
  const types = [...new Set(events.map(({ type }) => type))];
  if (types.length === 0) return [];
  const slices = slicesOf(await historyOf(client, view, question), question.at);
  const rows =
    view.audience === "provider"
      ? await countByType(client, view, types, slices)
      : await countOwn(client, view, types, slices);
  const known = Map.groupBy(rows, ({ type }) => type);
  return [...known].map(([type, counted]) => toUsual(type, counted, slices));
}

/**
 * What was not harvested yet was unknown, not quiet: usual time begins with the first event. With less of it than a window,
 * the window itself is the only usual time there is.
 */
async function historyOf(
  client: pg.ClientBase,
  view: View,
  { usualFrom, window, at }: NearQuestion,
): Promise<Stretch> {
  const parameters = new Parameters();
  const conditions = [
    `occurred_at >= ${parameters.add(iso(usualFrom), "timestamptz")}`,
    `occurred_at < ${parameters.add(iso(window.to), "timestamptz")}`,
  ];
  const tail = "ORDER BY occurred_at, id LIMIT 1";
  const sql = view.select("occurred_at, id", conditions, parameters, tail);
  const { rows } = await client.query<{ occurred_at: number }>(sql, parameters.values);
  const from = rows[0]?.occurred_at ?? window.from;
  return { from, to: window.from - from > at - window.from ? window.from : at };
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** The stretch before, and the hour around the moment in each of the weeks before that lie within it. */
function slicesOf({ from, to }: Stretch, at: number): readonly Slice[] {
  const hours = Array.from({ length: weeks }, (_, index) => {
    const middle = at - (index + 1) * weekMs;
    return { week: index + 1, from: middle - hourMs, to: middle + hourMs };
  });
  return [{ week: 0, from, to }, ...hours.filter((hour) => hour.from >= from && hour.to <= to)];
}

function toUsual(type: string, counted: readonly SliceRow[], slices: readonly Slice[]): TypeUsual {
  const of = (week: number): SliceRow | undefined => counted.find((row) => row.week === week);
  const rateOf = (slice: Slice): number => {
    const row = of(slice.week);
    if (row === undefined) return 0;
    return row.count / Math.max(60_000, slice.to - (row.full ? row.oldest : slice.from));
  };
  const [all, ...hours] = slices;
  const perMs = all === undefined ? 0 : rateOf(all);
  if (hours.length < 2) return { type, perMs };
  const sum = hours.reduce((total, slice) => total + rateOf(slice), 0);
  return { type, perMs, sameHoursPerMs: sum / hours.length };
}

async function countByType(
  client: pg.ClientBase,
  view: View,
  types: readonly string[],
  slices: readonly Slice[],
): Promise<readonly SliceRow[]> {
  const classes = view.own(new Parameters());
  const { rows } = await client.query<SliceRow>(
    `SELECT given.type, slice.week, counted.count::integer AS count, counted.oldest, counted.count >= slice.most AS full
       FROM unnest($1::text[]) AS given (type)
      CROSS JOIN unnest($2::integer[], $3::timestamptz[], $4::timestamptz[], $5::integer[])
              AS slice (week, since, until, most)
      CROSS JOIN LATERAL (
        SELECT count(*) AS count, min(e.occurred_at) AS oldest FROM (
          SELECT occurred_at FROM isochron.event
           WHERE type = given.type AND occurred_at >= slice.since AND occurred_at < slice.until AND ${classes}
           ORDER BY occurred_at DESC LIMIT slice.most) AS e) AS counted
      WHERE counted.count > 0`,
    [
      types,
      slices.map(({ week }) => week),
      slices.map(({ from }) => iso(from)),
      slices.map(({ to }) => iso(to)),
      slices.map(({ week }) => (week === 0 ? newestMax : sliceMax)),
    ],
  );
  return rows;
}

/** Over a tenant's own editions alone: their newest, and those of the same hours. */
async function countOwn(
  client: pg.ClientBase,
  view: View,
  types: readonly string[],
  slices: readonly Slice[],
): Promise<readonly SliceRow[]> {
  const counted: SliceRow[] = [];
  for (const { week, from, to } of slices) {
    const parameters = new Parameters();
    const most = week === 0 ? editionsMax : editionsOfHour;
    const conditions = [
      `occurred_at >= ${parameters.add(iso(from), "timestamptz")}`,
      `occurred_at < ${parameters.add(iso(to), "timestamptz")}`,
    ];
    const tail = `ORDER BY occurred_at DESC, id DESC LIMIT ${parameters.add(most, "integer")}`;
    const newest = view.select("type, occurred_at, id", conditions, parameters, tail);
    const wanted = parameters.add(types, "text[]");
    const { rows } = await client.query<Omit<SliceRow, "week" | "full"> & { readonly all: number }>(
      `SELECT * FROM (
         SELECT type, count(*)::integer AS count, min(min(occurred_at)) OVER () AS oldest,
                (sum(count(*)) OVER ())::integer AS all
           FROM (${newest}) AS newest GROUP BY type) AS counted WHERE type = ANY(${wanted})`,
      parameters.values,
    );
    counted.push(...rows.map(({ all, ...row }) => ({ ...row, week, full: all >= most })));
  }
  return counted;
}
