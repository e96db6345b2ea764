import type { TableRow } from "../source.ts";
import { holds } from "./condition.ts";
import type { Gap } from "../cursor/gap-set.ts";
import { boundGaps, closeGaps, gapsBetween } from "../cursor/gap-set.ts";
import { usualDrop, weighListing } from "../cursor/listing-diff.ts";
import type { WeighedMissing } from "../cursor/listing-diff.ts";
import { openKeys, OpenSet } from "../cursor/open-set.ts";
import type { TableMapping } from "./mapping.ts";
import type { KnownRow, TablePlace } from "./sql-cursor.ts";
import { freshPlace } from "./sql-cursor.ts";
import type { Told } from "./transitions.ts";
import { readTransitions } from "./transitions.ts";

/** The most open rows that are remembered for one table, and the most rows of one that is listed whole. */
export const knownMax = 20_000;

/** Rows of the overlap that are remembered only so that they are not told twice; the store would know them too. */
const recentMax = 5_000;

/** The source's clock when a page was read, in its own spelling, and how long its transactions may take. */
export interface PageClock {
  readonly now: string;
  /** `now` less the overlap. */
  readonly floor: string;
  /** The moment from which a place reads again, if it does, in the source's spelling. */
  readonly again?: string;
  readonly ms: number;
  readonly gapLifetimeMs: number;
}

/** What to ask for. Looking again at open rows and gaps comes with the first page of a pass only. */
export interface Reads {
  readonly keys: readonly (readonly string[])[];
  readonly gaps: readonly Gap[];
  /** Rows without a time, or with one that will not come for long. */
  readonly strays: boolean;
  readonly from: string | null;
  /** Order by serial: only rows with a time from then on. */
  readonly touchedFrom: string | null;
  readonly until: string;
  readonly after: readonly string[] | null;
}

/** A row as it was read; `place` holds what the order goes by: time and key, id, or key. */
export interface ReadRow {
  readonly row: TableRow;
  readonly place: readonly string[];
  /** True where the next pass will read it again, being within the overlap. */
  readonly isFresh: boolean;
  /** True where it came to be before this pass's beginning. */
  readonly isOld: boolean;
}

export interface TakenRows {
  readonly revisited: readonly ReadRow[];
  readonly late: readonly ReadRow[];
  readonly strays: readonly ReadRow[];
  readonly forward: readonly ReadRow[];
  /** True when there is nothing after the last of `forward`. */
  readonly isLast: boolean;
}

/** What happened to a row, or (with `isGone`) to its key alone. */
export interface RowNews {
  readonly row: TableRow;
  readonly told: readonly Told[];
  readonly isGone: boolean;
  /** Of a row that is gone: between which moments it went, where that is known. */
  readonly wentMs?: readonly [from: number, to: number];
}

export interface Step {
  readonly place: TablePlace;
  readonly news: readonly RowNews[];
  readonly isDone: boolean;
  /** Rows that are missing all at once, so that their absence is not believed. */
  readonly suspected: number;
  /** Open rows that there was no room to remember. */
  readonly forgotten: number;
}

/** The place with a pass under way. */
export function beginPass(place: TablePlace, clock: PageClock): TablePlace {
  if (place.pass !== null) return place;
  const { now, floor, ms, again } = clock;
  return {
    ...place,
    ...(again === undefined ? {} : { floor: place.floor ?? again }),
    pass: { until: now, startedMs: ms, floor, after: null },
  };
}

/** A place that reads again what bears a time from then on, and tells only what has one name for ever. */
export function placeAgain(fromMs: number): TablePlace {
  return { ...freshPlace, again: fromMs };
}

export function planReads(mapping: TableMapping, place: TablePlace, clock?: Pick<PageClock, "again">): Reads {
  const pass = passOf(place);
  const isFirst = pass.after === null;
  const revisits = isFirst && mapping.open?.revisit === true && mapping.series === undefined;
  const keys = revisits ? openKeys(place.known).map((key) => JSON.parse(key) as string[]) : [];
  const { order } = mapping;
  return {
    keys,
    gaps: isFirst ? place.gaps : [],
    strays: isFirst && order.by === "time" && place.again === null,
    from: order.by === "time" && pass.after === null ? place.floor : null,
    touchedFrom: order.by === "serial" ? (clock?.again ?? null) : null,
    until: pass.until,
    after: order.by === "serial" ? (place.through === null ? null : [place.through]) : pass.after,
  };
}

/** What the rows of a page mean, and where to go on. Pure: the database's answers and its clock are all it knows. */
export function takeRows(mapping: TableMapping, place: TablePlace, clock: PageClock, rows: TakenRows): Step {
  const reading = new PageReading(mapping, place, clock);
  reading.missRevisited(rows.revisited);
  // Gaps come before newer rows, so that a series is read in its order where that is still possible.
  for (const part of [rows.revisited, rows.late, rows.strays, rows.forward]) {
    for (const row of part) reading.take(row);
  }
  return reading.end(rows);
}

function passOf(place: TablePlace): NonNullable<TablePlace["pass"]> {
  if (place.pass === null) throw new TypeError("no pass is under way");
  return place.pass;
}

class PageReading {
  readonly #mapping: TableMapping;
  readonly #place: TablePlace;
  readonly #clock: PageClock;
  readonly #known: OpenSet<KnownRow>;
  readonly #news: RowNews[] = [];
  readonly #number: number;
  readonly #isAgain: boolean;
  #drop: TablePlace["drop"];

  constructor(mapping: TableMapping, place: TablePlace, clock: PageClock) {
    this.#mapping = mapping;
    this.#place = place;
    this.#clock = clock;
    this.#known = new OpenSet(place.known, recentMax);
    this.#number = place.passes + 1;
    this.#isAgain = place.again !== null;
    this.#drop = place.drop;
  }

  take({ row, isFresh, isOld, place }: ReadRow): void {
    const mapping = this.#mapping;
    const key = memoryKey(mapping, row);
    const before = this.#known.get(key);
    // What comes back shows that the listing does not stand still.
    if (before !== undefined && before.misses > 0 && this.#drop !== null)
      this.#drop = { sinceMs: this.#clock.ms, listings: 0 };
    const isLate = before !== undefined && isBefore(mapping, place, before);
    const { tokens, told } = readTransitions(mapping, row, {
      ...(before === undefined ? {} : { before: before.tokens }),
      // What was created before a place that reads again was not therefore read before.
      returned: before === undefined ? isOld && !this.#isAgain : before.open === 0,
      again: this.#isAgain,
      baseline: this.#place.passes === 0 && mapping.order.by === "listing",
      at: this.#clock.now,
      nowMs: this.#clock.ms,
    });
    if (told.length > 0) this.#news.push({ row, told, isGone: false });
    // A row that committed after its successor in the series tells of itself, but not of how things stand.
    if (isLate) return;
    const isOpen = this.#isOpen(row, tokens.length);
    if (!isOpen && !isFresh) {
      this.#known.forget(key);
      return;
    }
    this.#known.keep(key, {
      tokens: tokens.map((token) => [...token]),
      open: isOpen ? 1 : 0,
      pass: this.#number,
      misses: 0,
      latest: mapping.series === undefined ? null : (place[0] ?? null),
    });
  }

  #isOpen(row: TableRow, tokens: number): boolean {
    const { order, series, open } = this.#mapping;
    if (order.by === "listing") return true;
    if (series !== undefined) return tokens > 0;
    return open !== undefined && holds(open.when, row, this.#clock.ms);
  }

  /** Open rows that were asked for by key and are not there: over once two passes agree. */
  missRevisited(found: readonly ReadRow[]): void {
    const asked = planReads(this.#mapping, this.#place).keys;
    if (asked.length === 0) return;
    const there = new Set(found.map(({ row }) => memoryKey(this.#mapping, row)));
    for (const key of asked.map((values) => JSON.stringify(values))) if (!there.has(key)) this.#miss(key);
  }

  #miss(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    if (known.misses === 0) {
      this.#doubt(key, known);
      return;
    }
    this.#known.forget(key);
    this.#tellGone(key, known);
  }

  /** The pass before still had it. */
  #doubt(key: string, known: KnownRow): void {
    const { passedMs } = this.#place;
    const missing: [number, number] | undefined = passedMs === null ? undefined : [passedMs, this.#clock.ms];
    this.#known.keep(key, { ...known, misses: 1, ...(missing === undefined ? {} : { missing }) });
  }

  #tellGone(key: string, { missing }: KnownRow): void {
    if (this.#isAgain) return;
    const values = JSON.parse(key) as string[];
    const row = Object.fromEntries(this.#mapping.key.map((name, index) => [name, values[index] ?? null]));
    const version = this.#clock.now;
    this.#news.push({
      row,
      told: [{ name: "gone", value: null, version, live: true }],
      isGone: true,
      ...(missing && { wentMs: missing }),
    });
  }

  end({ late, forward, isLast }: TakenRows): Step {
    const pass = passOf(this.#place);
    const last = forward.at(-1);
    const after = last === undefined ? pass.after : [...last.place];
    const { suspected, drop } = isLast ? this.#endListing() : { suspected: 0, drop: this.#drop };
    if (isLast && this.#mapping.order.by !== "listing") this.#known.forgetUnread(this.#number);
    const forgotten = this.#known.bound(knownMax);
    const base: TablePlace = {
      ...this.#place,
      ...this.#serialPlace(late, forward),
      known: this.#known.rows(),
      drop,
      // An empty list still says that the first page of the pass has been read.
      pass: { ...pass, after: after ?? [] },
    };
    if (!isLast) return { place: base, news: this.#news, isDone: false, suspected, forgotten };
    const place = {
      ...base,
      floor: this.#mapping.order.by === "time" ? pass.floor : null,
      passes: this.#number,
      passedMs: pass.startedMs,
      pass: null,
    };
    return { place, news: this.#news, isDone: true, suspected, forgotten };
  }

  #serialPlace(late: readonly ReadRow[], forward: readonly ReadRow[]): Pick<TablePlace, "through" | "gaps"> {
    const { through, gaps } = this.#place;
    if (this.#mapping.order.by !== "serial") return { through, gaps };
    // Among rows that are chosen by their times, a missing id means nothing.
    if (this.#isAgain) return { through: forward.at(-1)?.place[0] ?? through, gaps: [] };
    const isFirst = passOf(this.#place).after === null;
    const { ms, gapLifetimeMs } = this.#clock;
    const found = late.map(({ place }) => place[0] ?? "0");
    const still = isFirst ? closeGaps(gaps, found, ms, gapLifetimeMs) : gaps;
    const ids = forward.map(({ place }) => place[0] ?? "0");
    const opened = gapsBetween(through, ids, ms);
    return {
      through: ids.at(-1) ?? through,
      gaps: boundGaps([...still, ...opened]).map((gap) => [...gap]),
    };
  }

  /** What a complete listing no longer holds; told once a second listing agrees, and all at once only after long. */
  #endListing(): Pick<WeighedMissing, "suspected" | "drop"> {
    if (this.#mapping.order.by !== "listing") return { suspected: 0, drop: null };
    const known = new Map(this.#known.entries());
    const misses = new Map([...known].map(([key, row]) => [key, row.misses]));
    const isListed = (key: string) => known.get(key)?.pass === this.#number;
    const { once, gone, doubted, ...weighed } = weighListing(misses, isListed, usualDrop, {
      before: this.#drop,
      nowMs: this.#clock.ms,
    });
    for (const key of [...once, ...doubted]) if (misses.get(key) === 0) this.#doubt(key, known.get(key)!);
    for (const key of gone) this.#miss(key);
    return weighed;
  }
}

function memoryKey(mapping: TableMapping, row: TableRow): string {
  return JSON.stringify((mapping.series ?? mapping.key).map((name) => row[name] ?? null));
}

function isBefore(mapping: TableMapping, place: readonly string[], known: KnownRow): boolean {
  if (mapping.series === undefined || known.latest === null || mapping.order.by !== "serial") return false;
  return BigInt(place[0] ?? "0") < BigInt(known.latest);
}
