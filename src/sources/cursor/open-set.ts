/**
 * Cursor kind *id with gap set and open set*, second half: rows that may still change are remembered by key and asked
 * for again in every pass until they have come to their end, wherever their ids stand. Beside them stand rows of an
 * overlap, remembered only so that they are not told twice.
 */
export interface OpenSetRow {
  /** 1 where it may still change and is therefore kept. */
  readonly open: 0 | 1;
  /** The number of the pass that read it last. */
  readonly pass: number;
}

/** The keys to ask for again, oldest first. */
export function openKeys(rows: Readonly<Record<string, OpenSetRow>>): readonly string[] {
  return Object.entries(rows)
    .filter(([, { open }]) => open === 1)
    .map(([key]) => key);
}

/** What is remembered during a pass; there is always room for open rows, and for so many rows of the overlap. */
export class OpenSet<Row extends OpenSetRow> {
  readonly #rows: Map<string, Row>;
  readonly #recentMax: number;
  #recent: number;

  constructor(rows: Readonly<Record<string, Row>>, recentMax: number) {
    this.#rows = new Map(Object.entries(rows));
    this.#recentMax = recentMax;
    this.#recent = [...this.#rows.values()].filter(({ open }) => open === 0).length;
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  entries(): readonly (readonly [string, Row])[] {
    return [...this.#rows];
  }

  /** Keeps an open row, and one of the overlap while there is room; else the row is forgotten. */
  keep(key: string, row: Row): void {
    const before = this.#rows.get(key);
    if (row.open === 0 && before?.open !== 0 && this.#recent >= this.#recentMax) {
      this.forget(key);
      return;
    }
    this.#recent += (row.open === 0 ? 1 : 0) - (before?.open === 0 ? 1 : 0);
    this.#rows.set(key, row);
  }

  forget(key: string): void {
    if (this.#rows.get(key)?.open === 0) this.#recent -= 1;
    this.#rows.delete(key);
  }

  /** Rows of the overlap that this pass has not read again need no memory any more. */
  forgetUnread(pass: number): void {
    for (const [key, row] of this.entries()) if (row.open === 0 && row.pass !== pass) this.forget(key);
  }

  /** Forgets the oldest open rows beyond so many; gives how many that were. */
  bound(openMax: number): number {
    const open = this.entries().filter(([, row]) => row.open === 1);
    const excess = open.slice(0, Math.max(0, open.length - openMax));
    for (const [key] of excess) this.forget(key);
    return excess.length;
  }

  rows(): Record<string, Row> {
    return Object.fromEntries(this.#rows);
  }
}
