import type { HttpClient, SqlClient, TableRow } from "../../src/sources/source.ts";
import { sql } from "../../src/sources/sql.ts";
import { tableMappingSchema } from "../../src/sources/sql/mapping.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { StoredRow } from "./model-store.ts";
import type { PullScenario, ScenarioPlace } from "./scenario.ts";
import { sqlClientOver } from "./sql-model.ts";
import type { Actor } from "./world.ts";

interface Flag {
  readonly name: string;
  /** What it was set to, and from when; undefined where it was deleted. */
  readonly states: { readonly value: string | undefined; readonly fromMs: number; told: boolean }[];
  /** What was told of it last, and of which look. */
  latest: { readonly value: string | undefined; readonly at: string } | undefined;
  hidden: "no" | "once" | "dropped";
  /** A whole pass has seen it since it was hidden last, so that it may be hidden again. */
  shown: boolean;
  /** A whole pass has seen it at some time. */
  seen: boolean;
  /** When a look showed it last, and when one did not although it was there. */
  shownMs: number;
  hiddenMs: number;
  /** Whole passes that have seen its present state. */
  passes: number;
  /** What the first whole listing found, which is no news. */
  baseline: boolean;
}

/** How much later than its clock says a slow transaction may take its snapshot. */
const snapshotLagMs = 45_000;

const never = Number.NEGATIVE_INFINITY;

/** A table that is listed whole: settings that change, come and go, or are not shown for a while. */
export class ListingModel implements PullScenario {
  readonly name = "sql by listing";
  readonly source = sql;
  readonly config: JsonObject;
  readonly settleMs = 60_000;
  readonly workerClockErrorMs = 3_600_000;
  readonly #place: ScenarioPlace;
  readonly #flags = new Map<string, Flag>();
  #count = 0;
  #wholePasses = 0;

  constructor(place: ScenarioPlace) {
    this.#place = place;
    const mapping = tableMappingSchema.parse({
      table: "flag",
      key: ["name"],
      order: { by: "listing" },
      row_kind: "flag",
      transitions: [
        {
          name: "set",
          of: "value",
          type: "flag.set",
          kind: "change",
          category: "platform",
          summary: "{value}",
        },
      ],
    });
    this.config = {
      url: "env:URL",
      tables: [mapping as unknown as JsonObject],
      commit_delay_seconds: 5,
      clock_error_seconds: 1,
      // Where rows are hidden from one look, one look has to see all of them.
      page_size: place.active.has("flicker") ? 100 : place.world.random.pick([2, 5, 50]),
    };
    const first = place.active.has("bursts") ? 24 : 6;
    for (let made = 0; made < first; made += 1) this.#set(this.#newName(), true);
    place.ledger.judge((row) => this.#judge(row));
  }

  reach(actor: Actor): { readonly http: HttpClient; readonly sql: () => SqlClient } {
    const { world, weather } = this.#place;
    const http = () => Promise.reject(new Error("a database speaks no HTTP"));
    return { http, sql: () => sqlClientOver(world, weather, actor, () => this.#listed()) };
  }

  act(): void {
    const { world, active } = this.#place;
    const { random } = world;
    const live = [...this.#flags.values()].filter((flag) => valueOf(flag) !== undefined);
    const what = random.next();
    if (what < 0.25 || live.length === 0) this.#set(this.#newName(), false);
    else if (what < 0.7) this.#set(random.pick(live).name, false);
    else if (what < 0.8 && active.has("deletions")) this.#delete(random.pick(live));
    else if (what < 0.95 && active.has("flicker")) {
      const flag = random.pick(live);
      if (flag.shown && flag.hidden === "no") Object.assign(flag, { hidden: "once", shown: false });
    } else if (active.has("flicker") && live.length >= 20) this.#drop(live);
  }

  calm(): void {
    for (const flag of this.#flags.values()) flag.hidden = "no";
  }

  passed(sinceMs: number): void {
    this.#wholePasses += 1;
    for (const flag of this.#flags.values()) {
      if (flag.states.at(-1)!.fromMs < sinceMs) flag.passes += 1;
      // What a look showed whose pass was lost, nobody has seen.
      const isSeen = flag.shownMs >= sinceMs && flag.hiddenMs < sinceMs;
      if (isSeen) flag.seen = true;
      if (isSeen && flag.hidden === "no") flag.shown = true;
    }
  }

  /** What is told last of each is what is. */
  settle(): void {
    for (const flag of this.#flags.values()) {
      const value = valueOf(flag);
      if (flag.latest?.value === value && flag.latest !== undefined) continue;
      const isSilent = flag.latest === undefined && (flag.baseline || flag.passes < 2 || value === undefined);
      if (!isSilent) this.#place.ledger.fault("lost", `${flag.name} is ${value}, told ${flag.latest?.value}`);
    }
  }

  #newName(): string {
    this.#count += 1;
    return `flag-${String(this.#count).padStart(3, "0")}`;
  }

  #set(name: string, baseline: boolean): void {
    const { world } = this.#place;
    const flag = this.#flags.get(name) ?? {
      name,
      states: [],
      latest: undefined,
      hidden: "no",
      shown: false,
      seen: false,
      shownMs: never,
      hiddenMs: never,
      passes: 0,
      baseline: false,
    };
    this.#flags.set(name, flag);
    const value = `value-${flag.states.length}`;
    world.note(`${name} is set to ${value}`);
    flag.states.push({ value, fromMs: world.nowMs, told: false });
    flag.passes = 0;
    // Until a listing has surely been whole, nobody can know whether it was in it.
    flag.baseline = baseline || this.#wholePasses < 1;
  }

  #delete(flag: Flag): void {
    this.#place.world.note(`${flag.name} is deleted`);
    flag.states.push({ value: undefined, fromMs: this.#place.world.nowMs, told: false });
    flag.passes = 0;
  }

  /** As when a login lost its grants: an answer with fewer rows, and no error. */
  #drop(live: readonly Flag[]): void {
    const { world } = this.#place;
    if (live.some(({ hidden }) => hidden === "dropped")) return;
    // A few rows that vanish are no sudden drop, and of rows that nobody saw nobody can tell.
    if (live.filter(({ seen }) => seen).length < Math.max(20, live.length * 0.9)) return;
    world.note("most rows are not shown for a while");
    const dropped = live.slice(0, Math.ceil(live.length * 0.85));
    for (const flag of dropped) flag.hidden = "dropped";
    world.schedule(90_000, "they are shown again", () => {
      for (const flag of dropped) flag.hidden = "no";
    });
  }

  #listed(): readonly TableRow[] {
    return [...this.#flags.values()].flatMap((flag) => {
      const value = valueOf(flag);
      if (value === undefined || flag.hidden === "dropped") return [];
      if (flag.hidden === "once") {
        flag.hidden = "no";
        flag.hiddenMs = this.#place.world.nowMs;
        return [];
      }
      flag.shownMs = this.#place.world.nowMs;
      return [{ name: flag.name, value }];
    });
  }

  #judge({ key }: StoredRow): "known" | "extra" | "duplicate" | undefined {
    const [, name = "", what = "", at = ""] = /^flag\/([^/]+)\/(gone|set:[^/]+)\/(.+)$/.exec(key) ?? [];
    const flag = this.#flags.get(name);
    if (flag === undefined) return undefined;
    const value = what === "gone" ? undefined : what.slice("set:".length);
    const lookMs = Date.parse(`${at}:00`);
    const index = flag.states.findIndex(
      (state, place) =>
        state.value === value &&
        state.fromMs <= lookMs + snapshotLagMs &&
        (flag.states[place + 1]?.fromMs ?? Number.POSITIVE_INFINITY) >= lookMs - snapshotLagMs,
    );
    const state = flag.states[index];
    if (state === undefined) return "extra";
    if (flag.latest === undefined || at > flag.latest.at) flag.latest = { value, at };
    if (state.told) return "duplicate";
    state.told = true;
    return "known";
  }
}

function valueOf({ states }: Flag): string | undefined {
  return states.at(-1)?.value;
}
