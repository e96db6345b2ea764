import type { HttpClient, SqlClient } from "../../src/sources/source.ts";
import { sql } from "../../src/sources/sql.ts";
import { tableMappingSchema } from "../../src/sources/sql/mapping.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Ledger } from "./ledger.ts";
import { heldFor } from "./held-commit.ts";
import type { PullScenario, ScenarioPlace } from "./scenario.ts";
import type { Site } from "./site.ts";
import { sqlClientOver, sqlTime } from "./sql-model.ts";
import type { Actor, Weather, World } from "./world.ts";

type Row = Record<string, string | null>;

const commitDelayMs = 60_000;
const clockErrorMs = 5_000;
const tableName = "work";

function mappingOf(by: "serial" | "time"): JsonObject {
  const end = { kind: "change", category: "other", summary: "{id} {note}" } as const;
  return tableMappingSchema.parse({
    table: tableName,
    key: ["id"],
    order: by === "serial" ? { by, column: "id" } : { by, columns: ["changed"] },
    created: "created",
    open: { when: [{ column: "ended", present: false }], revisit: by === "serial" },
    row_kind: "work",
    transitions: [
      { name: "created", stamp: "created", type: "work.created", ...end },
      { name: "ended", stamp: "ended", type: "work.ended", ...end },
      ...(by === "time"
        ? [{ name: "noted", of: "note", at: ["changed"], only_changes: true, type: "work.noted", ...end }]
        : []),
    ],
  }) as unknown as JsonObject;
}

/**
 * A table under transactions that take ids and times as they begin, and show as they commit: late, out of order, or
 * never. Ends of workflows come long after their beginnings.
 */
export class TableModel implements PullScenario {
  readonly name: string;
  readonly source = sql;
  readonly config: JsonObject;
  readonly settleMs = 2 * (commitDelayMs + clockErrorMs);
  readonly workerClockErrorMs = 3_600_000;
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #weather: Weather;
  readonly #active: ReadonlySet<Site>;
  readonly #breaks: boolean;
  readonly #rows = new Map<string, Row>();
  readonly #locked = new Set<string>();
  readonly #deleted = new Set<string>();
  /** Rows that became readable too late; what happens to them later cannot be seen either. */
  readonly #tainted = new Set<string>();
  readonly #told = new Set<string>();
  #lastId = 0;

  constructor(by: "serial" | "time", place: ScenarioPlace) {
    this.name = `sql by ${by}`;
    this.#world = place.world;
    this.#ledger = place.ledger;
    this.#weather = place.weather;
    this.#active = place.active;
    this.#breaks = place.breaks;
    this.config = {
      url: "env:URL",
      tables: [mappingOf(by)],
      commit_delay_seconds: commitDelayMs / 1000,
      clock_error_seconds: clockErrorMs / 1000,
      page_size: this.#world.random.pick([1, 2, 3, 5, 20]),
    };
    if (this.#active.has("backlog")) this.#fill();
    this.#ledger.judge((row) => this.#judgeGone(row.key));
  }

  reach(actor: Actor): { readonly http: HttpClient; readonly sql: () => SqlClient } {
    const http = () => Promise.reject(new Error("a database speaks no HTTP"));
    return {
      http,
      sql: () => sqlClientOver(this.#world, this.#weather, actor, () => [...this.#rows.values()]),
    };
  }

  act(): void {
    const { random } = this.#world;
    const rows = this.#active.has("bursts") && random.chance(0.2) ? random.between(4, 9) : 1;
    const what = random.next();
    if (what < 0.5) this.#insert(rows);
    else if (what < 0.9) for (let count = 0; count < rows; count += 1) this.#update();
    else if (this.#active.has("deletions")) this.#delete();
  }

  /** Nothing begins any more; what is open commits by itself, within the delay. */
  calm(): void {
    this.#world.note("the table is left alone");
  }

  /** Rows of two hours before the first pass, so that what happens now has to be read beside them. */
  #fill(): void {
    for (let age = 40; age > 0; age -= 1) {
      const stamp = sqlTime(this.#world.nowMs - age * 180_000);
      const row = {
        id: String((this.#lastId += 1)),
        created: stamp,
        changed: stamp,
        ended: stamp,
        note: "old",
      };
      this.#rows.set(row.id, row);
      this.#tell(row);
    }
  }

  #insert(count: number): void {
    const { random } = this.#world;
    const stamp = this.#stamp();
    const ids = Array.from({ length: count }, () => String((this.#lastId += 1)));
    const rows = ids.map((id): Row => {
      const isPoison = this.#active.has("poison") && random.chance(0.1);
      const ended = !isPoison && random.chance(0.2) ? stamp : null;
      return { id, created: isPoison ? "infinity" : stamp, changed: stamp, ended, note: "new" };
    });
    this.#transact(ids, 0, () => rows);
  }

  #update(): void {
    const { random } = this.#world;
    const free = [...this.#rows.values()].filter(
      ({ id, ended, created }) => ended === null && created !== "infinity" && !this.#locked.has(id!),
    );
    if (free.length === 0) return;
    const { id } = random.pick(free);
    // A transaction may have begun long before it touches the row, so that a row's time may also go back.
    const beganMs = this.#active.has("held commits") && random.chance(0.3) ? random.between(0, 40_000) : 0;
    const stamp = this.#stamp(beganMs);
    const ends = random.chance(0.5);
    const note = this.#active.has("recomputed") ? `note ${random.between(1, 3)}` : "new";
    this.#transact([id!], beganMs, () => {
      const row = this.#rows.get(id!);
      return row === undefined ? [] : [{ ...row, changed: stamp, note, ended: ends ? stamp : null }];
    });
  }

  #transact(ids: readonly string[], beganMs: number, rowsOf: () => readonly Row[]): void {
    const { random } = this.#world;
    for (const id of ids) this.#locked.add(id);
    const isLate = this.#breaks && random.chance(0.1);
    const heldMs = isLate
      ? commitDelayMs + random.between(20_000, 150_000)
      : heldFor({ world: this.#world, active: this.#active }, commitDelayMs - beganMs - 100, 1_500);
    const fails = this.#active.has("rollbacks") && random.chance(0.2);
    this.#world.schedule(heldMs, `commit of ${ids.join()}${fails ? " fails" : ""}`, () => {
      for (const id of ids) this.#locked.delete(id);
      if (fails) return;
      for (const row of rowsOf()) {
        if (isLate) this.#tainted.add(row["id"]!);
        this.#rows.set(row["id"]!, row);
        this.#tell(row);
      }
    });
  }

  #delete(): void {
    const { random } = this.#world;
    const free = [...this.#rows.values()].filter(
      ({ id, created }) => !this.#locked.has(id!) && created !== "infinity",
    );
    if (free.length === 0) return;
    const { id } = random.pick(free);
    this.#world.note(`row ${id} is deleted`);
    this.#rows.delete(id!);
    this.#deleted.add(id!);
    for (const what of ["created", "ended"]) {
      for (const element of this.#ledger.elements.values()) {
        if (element.key.startsWith(`${tableName}/${id}/${what}/`)) element.goneMs ??= this.#world.nowMs;
      }
    }
  }

  /** The time that a writer's clock gives; others give the same one, or an earlier one a moment later. */
  #stamp(beganMs = 0): string {
    const { random } = this.#world;
    const off = this.#active.has("clock error") ? random.between(-clockErrorMs + 1_000, clockErrorMs - 1) : 0;
    const ms = this.#world.nowMs - beganMs + off;
    return sqlTime(this.#active.has("ties") ? Math.floor(ms / 1_000) * 1_000 : ms);
  }

  #tell(row: Row): void {
    const { id, created, ended, note, changed } = row;
    if (created === "infinity") {
      this.#ledger.tellPoison(`${tableName} ${id}\n`, this.#tainted.has(id!));
      return;
    }
    const breach = this.#tainted.has(id!) ? ({ breach: "late-commit" } as const) : {};
    for (const [what, stamp] of Object.entries({ created, ended })) {
      const key = `${tableName}/${id}/${what}/${stamp}`;
      if (stamp == null || this.#told.has(key)) continue;
      this.#told.add(key);
      this.#ledger.tell({ key, atMs: Date.parse(`${stamp}:00`), ...breach });
    }
    this.#ledger.allow(`${tableName}/${id}/noted:${note}/${changed}`);
  }

  /** A row may be called gone once, and only where it is. */
  #judgeGone(key: string): "known" | "extra" | "duplicate" | undefined {
    const [, id = ""] = /^work\/(\d+)\/gone\//.exec(key) ?? [];
    if (id === "") return undefined;
    if (!this.#deleted.has(id)) return "extra";
    if (this.#told.has(`gone ${id}`)) return "duplicate";
    this.#told.add(`gone ${id}`);
    return "known";
  }
}
