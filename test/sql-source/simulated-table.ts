import type { TableMapping } from "../../src/sources/sql/mapping.ts";
import { tableMappingSchema } from "../../src/sources/sql/mapping.ts";
import type { PageClock, ReadRow, Reads, RowNews, TakenRows } from "../../src/sources/sql/place.ts";
import { beginPass, planReads, takeRows } from "../../src/sources/sql/place.ts";
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

class World {
  readonly #mapping: TableMapping;
  readonly #pageSize: number;
  readonly #weakness: Weakness | undefined;
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
    const expected = [...this.#rows.values()].flatMap((row) => [
      `${row.id}/created/${row.created}`,
      ...(row.ended === null ? [] : [`${row.id}/ended/${row.ended}`]),
    ]);
    const told = new Set(this.#told);
    return {
      lost: expected.filter((key) => !told.has(key)),
      duplicate: this.#told.filter((key, index) => this.#told.indexOf(key) !== index),
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
    };
    const begun = beginPass(this.#place, clock);
    const rows = this.#answers(begun, planReads(this.#mapping, begun));
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

  #isAhead(row: Row, { from, after, until }: Reads): boolean {
    if (!this.#isByTime()) return after === null || row.id > Number(after[0]);
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
  return told
    .filter(({ name }) => name !== "changed")
    .map(({ name, version }) => `${row["id"]}/${name}/${version}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function asText(ms: number): string {
  return String(ms).padStart(8, "0");
}
