import type { TableMapping } from "../../src/sources/sql/mapping.ts";
import { tableMappingSchema } from "../../src/sources/sql/mapping.ts";
import type { PageClock, ReadRow, Reads, RowNews, TakenRows } from "../../src/sources/sql/place.ts";
import { beginPass, placeAgain, planReads, takeRows } from "../../src/sources/sql/place.ts";
import type { TablePlace } from "../../src/sources/sql/sql-cursor.ts";
import { freshPlace } from "../../src/sources/sql/sql-cursor.ts";

/** What somebody does to the table, or the reader's next page. */
export type Action =
  | { readonly do: "insert"; readonly ends: boolean }
  | { readonly do: "update"; readonly pick: number; readonly ends: boolean }
  | { readonly do: "commit" | "rollback"; readonly pick: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "page"; readonly crashes: boolean };

/** A reader that lacks one of its safeguards. */
export type Weakness =
  | "no gap set"
  | "no open set"
  | "gaps closed unread"
  | "no overlap"
  | "strict lower bound"
  | "no signpost"
  | "ties ignored"
  | "no memory";

interface Row {
  readonly id: number;
  readonly created: string;
  readonly changed: string;
  readonly ended: string | null;
}

/** How long a transaction stays open at most; after that the simulation commits it. */
const commitDelayMs = 8;

function mappingOf(by: "serial" | "time"): TableMapping {
  const end = { kind: "change", category: "other", summary: "x" } as const;
  return tableMappingSchema.parse({
    table: "work",
    key: ["id"],
    order: by === "serial" ? { by, column: "id" } : { by, columns: ["changed"] },
    created: "created",
    open: { when: [{ column: "ended", present: false }], revisit: by === "serial" },
    row_kind: "work",
    transitions: [
      { name: "created", stamp: "created", type: "work.created", ...end },
      { name: "ended", stamp: "ended", type: "work.ended", ...end },
      ...(by === "time"
        ? [{ name: "changed", of: "changed", only_changes: true, type: "work.changed", ...end }]
        : []),
    ],
  });
}

/**
 * A table under transactions that take ids and times when they begin and show when they commit, and a reader of it.
 * Gives the transitions that were never told although their rows were there, and those that were told twice.
 */
export function simulate(
  by: "serial" | "time",
  actions: readonly Action[],
  pageSize: number,
  weakness?: Weakness,
): { readonly lost: readonly string[]; readonly duplicate: readonly string[] } {
  const world = new World(by, pageSize, weakness);
  for (const action of actions) world.act(action);
  return world.settle();
}

/**
 * The same, and then the table is read again from a moment on beside the first reader. Gives the transitions since that
 * moment that neither told, and what the second told under a key that no look at the truth gives.
 */
export function simulateAgain(
  by: "serial" | "time",
  actions: readonly Action[],
  pageSize: number,
  share: number,
  weakness?: Weakness,
): { readonly lost: readonly string[]; readonly extra: readonly string[]; readonly foundLate: number } {
  const world = new World(by, pageSize, weakness);
  for (const action of actions) world.act(action);
  world.settle();
  return world.readAgain(share);
}

class World {
  readonly #mapping: TableMapping;
  readonly #pageSize: number;
  #weakness: Weakness | undefined;
  readonly #rows = new Map<number, Row>();
  readonly #told: string[] = [];
  #open: { readonly row: Row; readonly sinceMs: number }[] = [];
  #place: TablePlace = freshPlace;
  #nowMs = 1_000;
  #lastId = 0;

  constructor(by: "serial" | "time", pageSize: number, weakness: Weakness | undefined) {
    this.#mapping = mappingOf(by);
    this.#pageSize = pageSize;
    this.#weakness = weakness;
  }

  act(action: Action): void {
    this.#commitOverdue();
    const now = asText(this.#nowMs);
    if (action.do === "wait") this.#nowMs += action.ms;
    else if (action.do === "page") this.#page(action.crashes);
    else if (action.do === "insert") {
      this.#lastId += 1;
      this.#begin({ id: this.#lastId, created: now, changed: now, ended: action.ends ? now : null });
    } else if (action.do === "update") {
      // A row that ended is done, and one that somebody is changing is locked.
      const free = [...this.#rows.values()].filter(
        (row) => row.ended === null && !this.#open.some((one) => one.row.id === row.id),
      );
      const row = free[action.pick % Math.max(1, free.length)];
      if (row !== undefined) this.#begin({ ...row, changed: now, ended: action.ends ? now : null });
    } else this.#finish(action.pick, action.do === "commit");
  }

  /** Lets everything commit, reads until nothing is new, and compares. */
  settle(): { readonly lost: readonly string[]; readonly duplicate: readonly string[] } {
    while (this.#open.length > 0) this.#finish(0, true);
    for (let passes = 0; passes < 3; passes += 1) {
      this.#nowMs += 1;
      do this.#page(false);
      while (this.#place.pass !== null);
    }
    const told = this.#told.filter((key) => !key.includes("/changed/"));
    return {
      lost: this.#expected().filter((key) => !told.includes(key)),
      duplicate: told.filter((key, index) => told.indexOf(key) !== index),
    };
  }

  #expected(): readonly string[] {
    return [...this.#rows.values()].flatMap((row) => [
      `${row.id}/created/${row.created}`,
      ...(row.ended === null ? [] : [`${row.id}/ended/${row.ended}`]),
    ]);
  }

  /** Reads again from `share` of the time that has passed on. */
  readAgain(share: number): {
    readonly lost: readonly string[];
    readonly extra: readonly string[];
    readonly foundLate: number;
  } {
    const atMs = 1_000 + Math.floor((this.#nowMs - 1_000) * share);
    const first = new Set(this.#told);
    this.#told.length = 0;
    this.#weakness = undefined;
    this.#place = placeAgain(atMs);
    // Twice, as a lane that goes on does.
    for (let passes = 0; passes < 2; passes += 1) {
      do this.#page(false);
      while (this.#place.pass !== null);
    }
    const again = new Set(this.#told);
    const truth = this.#expected();
    return {
      lost: truth.filter((key) => timeOf(key) >= asText(atMs) && !first.has(key) && !again.has(key)),
      extra: this.#told.filter((key) => !truth.includes(key) && !first.has(key)),
      foundLate: [...again].filter((key) => !first.has(key)).length,
    };
  }

  #begin(row: Row): void {
    this.#open.push({ row, sinceMs: this.#nowMs });
  }

  #finish(pick: number, commits: boolean): void {
    const index = pick % Math.max(1, this.#open.length);
    const found = this.#open[index];
    if (found === undefined) return;
    this.#open = this.#open.filter((one) => one !== found);
    if (commits) this.#rows.set(found.row.id, found.row);
  }

  #commitOverdue(): void {
    const overdue = this.#open.filter(({ sinceMs }) => this.#nowMs - sinceMs > commitDelayMs);
    for (const { row } of overdue) this.#rows.set(row.id, row);
    this.#open = this.#open.filter((one) => !overdue.includes(one));
  }

  #page(crashes: boolean): void {
    this.#commitOverdue();
    const overlap = this.#weakness === "no overlap" ? 0 : commitDelayMs;
    const clock: PageClock = {
      now: asText(this.#weakness === "no signpost" ? this.#nowMs + 1_000 : this.#nowMs),
      floor: asText(this.#weakness === "no signpost" ? this.#nowMs : this.#nowMs - overlap),
      ms: this.#nowMs,
      gapLifetimeMs: commitDelayMs + 1,
      ...(this.#place.again === null ? {} : { again: asText(this.#place.again) }),
    };
    const begun = beginPass(this.#place, clock);
    const rows = this.#answers(begun, planReads(this.#mapping, begun, clock));
    const step = takeRows(this.#mapping, begun, clock, rows);
    // What was read is committed with the place, or neither is.
    if (crashes) return;
    this.#place = this.#weaken(step.place);
    this.#told.push(...step.news.flatMap(keysOf));
  }

  #answers(place: TablePlace, reads: Reads): TakenRows {
    const rows = [...this.#rows.values()].toSorted(
      (a, b) => (this.#isByTime() ? compare(a.changed, b.changed) : 0) || a.id - b.id,
    );
    const asRead = (row: Row): ReadRow => this.#asRead(row, place);
    const wanted = new Set(reads.keys.map(([id]) => Number(id)));
    const isLate = ({ id }: Row) => reads.gaps.some(([from, to]) => id >= Number(from) && id <= Number(to));
    const forward = rows.filter((row) => this.#isAhead(row, reads)).slice(0, this.#pageSize);
    return {
      revisited: rows.filter(({ id }) => wanted.has(id)).map(asRead),
      late: rows.filter(isLate).map(asRead),
      strays: [],
      forward: forward.map(asRead),
      isLast: forward.length < this.#pageSize,
    };
  }

  #asRead(row: Row, place: TablePlace): ReadRow {
    return {
      row: { ...row, id: String(row.id) },
      place: this.#isByTime() ? [row.changed, String(row.id)] : [String(row.id)],
      isFresh: this.#isByTime() && row.changed >= (place.pass?.floor ?? ""),
      isOld: place.floor !== null && row.created < place.floor,
    };
  }

  #isAhead(row: Row, { from, after, until, touchedFrom }: Reads): boolean {
    const isTouched = touchedFrom === null || row.created >= touchedFrom || (row.ended ?? "") >= touchedFrom;
    if (!this.#isByTime()) return isTouched && (after === null || row.id > Number(after[0]));
    if (row.changed > until) return false;
    if (from !== null && row.changed < from) return false;
    if (from !== null && this.#weakness === "strict lower bound" && row.changed === from) return false;
    if (after === null || after.length === 0) return true;
    const [time = "", id = "0"] = after;
    if (this.#weakness === "ties ignored") return row.changed > time;
    return row.changed > time || (row.changed === time && row.id > Number(id));
  }

  #weaken(place: TablePlace): TablePlace {
    if (this.#weakness === "no gap set") return { ...place, gaps: [] };
    if (this.#weakness === "gaps closed unread") {
      return { ...place, gaps: place.gaps.filter(([, , sinceMs]) => this.#nowMs < sinceMs + 2) };
    }
    const forgets = (this.#weakness === "no open set" && !this.#isByTime()) || this.#weakness === "no memory";
    return forgets ? { ...place, known: {} } : place;
  }

  #isByTime(): boolean {
    return this.#mapping.order.by === "time";
  }
}

function keysOf({ row, told }: RowNews): readonly string[] {
  return told.map(({ name, version }) => `${row["id"]}/${name}/${version}`);
}

function timeOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function asText(ms: number): string {
  return String(ms).padStart(8, "0");
}
