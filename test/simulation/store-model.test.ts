import { afterAll, beforeAll, expect, test } from "vitest";
import { IsochronError } from "../../src/errors.ts";
import type { EventDraft } from "../../src/model/event.ts";
import { duration, instant } from "../../src/model/instant.ts";
import { findingMeanings, type FindingCode } from "../../src/model/source-health.ts";
import type { EventStore, ResolvedPage } from "../../src/store/event-store.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { draft, event, page } from "../drafts.ts";
import { ModelStore } from "./model-store.ts";
import { Random } from "./random.ts";
import { World } from "./world.ts";

/** The calls that both stores get, over one connection. */
const callsPerScript = 45;
const lanes = ["main", "live", "reconcile"];
const holders = ["one", "two"];
const hourMs = 3_600_000;

let real: TestStore;
beforeAll(async () => {
  real = await openTestStore();
});
afterAll(() => real.close());

const nothing = () => undefined;
const watch = { stored: nothing, revised: nothing, setAside: nothing, changed: nothing, broken: nothing };
const calm = {
  latencyMs: () => 0,
  isSlow: false,
  lost: () => new Error("lost"),
  requestLoss: 0,
  answerLoss: 0,
};

/** The model, answering as the real store does: when the world has come so far. */
class Model {
  readonly world: World;
  readonly store: ModelStore;
  readonly client: EventStore;

  constructor(nowMs: number) {
    this.world = new World(1, false);
    this.world.nowMs = nowMs;
    this.store = new ModelStore(this.world, watch);
    this.client = this.store.clientOf({ name: "model", state: "alive", clockErrorMs: 0, held: [] }, calm);
  }

  async settle<Result>(call: Promise<Result>): Promise<Result> {
    call.catch(nothing);
    await this.world.runUntil(this.world.nowMs + 1);
    return call;
  }
}

/** One call, as text for a failure, and as something to do on either store. */
interface Call {
  readonly says: string;
  readonly run: (store: EventStore) => Promise<unknown>;
}

/** Writes the script as it goes: leases that were granted are asked for again later, also when they have passed on. */
class Script {
  readonly #random: Random;
  readonly #name: string;
  readonly #startMs: number;
  readonly #epochs: number[] = [];

  constructor(seed: number, name: string, startMs: number) {
    this.#random = new Random(seed);
    this.#name = name;
    this.#startMs = startMs;
  }

  granted(epoch: unknown): void {
    if (typeof epoch === "number") this.#epochs.push(epoch);
  }

  next(): Call {
    const makers = [this.#append, this.#append, this.#append, this.#append, this.#hold, this.#health];
    return this.#random.pick([...makers, this.#reconciled, this.#ask]).call(this);
  }

  #call(what: keyof EventStore, ...given: unknown[]): Call {
    const run = (store: EventStore) => (store[what] as (...values: unknown[]) => Promise<unknown>)(...given);
    return { says: `${what} ${JSON.stringify(given)}`, run };
  }

  #epoch(): number | undefined {
    if (this.#random.chance(0.3)) return undefined;
    return this.#random.chance(0.6) || this.#epochs.length === 0
      ? (this.#epochs.at(-1) ?? 1)
      : this.#random.pick(this.#epochs);
  }

  #at(): ReturnType<typeof instant> {
    return instant(this.#startMs - 2 * hourMs + this.#random.between(0, 100) * 60_000);
  }

  #draft(): EventDraft {
    const random = this.#random;
    const name = `e${random.between(1, 12)}`;
    const ids = random.chance(0.2) ? [name, `${name}-again`] : [name];
    // An occurrence bears one time for ever; what it says may change.
    const occurredAt = instant(this.#startMs - 2 * hourMs + Number(name.slice(1)) * 300_000);
    const twin = {
      group: `g${random.between(1, 2)}`,
      side: random.pick(["a", "b"]),
      within: duration(600_000),
    };
    return draft(name, 0, {
      occurredAt,
      sourceIds: ids,
      kind: "symptom",
      summary: random.pick(["one", "two"]),
      ...(Number(name.slice(1)) > 10 ? { twin } : {}),
    });
  }

  #findings(): ResolvedPage["findings"] {
    const codes = Object.keys(findingMeanings) as FindingCode[];
    return this.#random.chance(0.2) ? [{ code: this.#random.pick(codes), says: "seen" }] : [];
  }

  #holes(): ResolvedPage["holes"] {
    if (!this.#random.chance(0.25)) return [];
    const from = this.#at();
    const to = instant(from + this.#random.between(0, 20) * 60_000);
    return [
      { from, to, reason: this.#random.pick(["outage", "late-commit", "outlived-retention"]), says: "away" },
    ];
  }

  #append(): Call {
    const random = this.#random;
    const drafts = new Map(
      Array.from({ length: random.between(0, 4) }, () => this.#draft()).map((one) => [one.key, one]),
    );
    const events = [...drafts.values()].map((one) =>
      event(one, undefined, random.chance(0.2) ? { storm: true } : {}),
    );
    const epoch = this.#epoch();
    const reject = {
      position: `row ${random.between(1, 3)}`,
      bytes: new TextEncoder().encode("?"),
      meta: {},
    };
    const bad = { ...reject, receivedAt: this.#at(), code: "record-invalid", reason: "no record" };
    const counted: Partial<ResolvedPage> = random.chance(0.3)
      ? {
          cursorAfter: (outcomes) => ({
            created: [...outcomes.values()].filter((one) => one === "created").length,
          }),
        }
      : {};
    const given = page(events, {
      connection: this.#name,
      rejects: random.chance(0.2) ? [bad] : [],
      findings: this.#findings()!,
      holes: this.#holes()!,
      settled: random.chance(0.2) ? ["clock-off", "sudden-drop"] : [],
      lane: random.pick(lanes),
      ...(random.chance(0.8) ? { cursor: { at: random.between(1, 99) } } : {}),
      ...counted,
      ...(random.chance(0.4)
        ? { completeTo: random.chance(0.1) ? instant(this.#startMs + hourMs) : this.#at() }
        : {}),
      ...(random.chance(0.6) ? { lateAfterMs: random.pick([0, 600_000]) } : {}),
      ...(random.chance(0.3) ? { recordsAreFinal: true } : {}),
      ...(random.chance(0.15) ? { secondHand: true } : {}),
      ...(random.chance(0.2) ? { reconciling: true } : {}),
      ...(epoch === undefined ? {} : { epoch }),
    });
    return this.#call("append", given);
  }

  #hold(): Call {
    const pick = this.#random.next();
    const holder = this.#random.pick(holders);
    const restMs = this.#random.chance(0.4) ? undefined : this.#random.pick([0, 10 * hourMs]);
    if (pick < 0.5) return this.#call("lease", this.#name, holder, this.#random.pick([0, hourMs]), restMs);
    const epoch = this.#epoch() ?? 1;
    if (pick < 0.7) return this.#call("renew", this.#name, epoch);
    return this.#call("release", this.#name, epoch, restMs);
  }

  #health(): Call {
    const note = { findings: this.#findings(), holes: this.#holes(), heard: this.#random.chance(0.5) };
    return this.#call("noteHealth", this.#name, {
      ...note,
      ...(this.#random.chance(0.3) ? { completeTo: this.#at() } : {}),
      ...(this.#random.chance(0.3) ? { settled: ["place-lost", "schema-drift"] } : {}),
    });
  }

  #reconciled(): Call {
    const from = this.#at();
    const to = instant(from + this.#random.between(1, 60) * 60_000);
    const outcome = { from, to, records: 7, foundLate: this.#random.between(0, 3) };
    return this.#call("reconciled", this.#name, outcome, this.#epoch());
  }

  #ask(): Call {
    const lane = this.#random.pick(lanes);
    const pick = this.#random.next();
    if (pick < 0.4) return this.#call("cursor", this.#name, lane);
    if (pick < 0.7) return this.#call("endLane", this.#name, lane, this.#epoch() ?? 1);
    return this.#call("waitFor", this.#name, this.#random.pick(holders), this.#random.pick([0, 10 * hourMs]));
  }
}

/** What became of a call, without what only a clock can say. */
async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    const value = await call();
    // How long it is to be waited depends on what the calls took.
    if (typeof value === "number" && value > 1_000) return `about ${Math.round(value / hourMs)} h`;
    if (value === null || typeof value !== "object" || !("outcomes" in value)) return value;
    const { outcomes, refused, ...counts } = value as Awaited<ReturnType<EventStore["append"]>>;
    const named = [...outcomes].map(([{ key }, outcome]) => [key, outcome]);
    return { ...counts, outcomes: named, refused: [...refused] };
  } catch (error) {
    if (error instanceof IsochronError) return error.code;
    throw error;
  }
}

/** A moment, or that it is about now. */
function momentOf(ms: number | undefined): number | string | undefined {
  return ms !== undefined && Math.abs(ms - Date.now()) < 600_000 ? "now" : ms;
}

async function realState(name: string): Promise<unknown> {
  const { connections } = await real.store.reader.coverage({ kind: "provider" });
  const state = connections.find(({ connection }) => connection === name)!;
  // A fold is no event of the source's.
  const ids = async (table: string) => {
    const of = `FROM isochron.${table} WHERE connection = $1 AND key NOT LIKE 'storm/%'`;
    return (await real.sql<{ id: string }>(`SELECT id ${of} ORDER BY id`, [name])).map(({ id }) => id);
  };
  const cursors = await Promise.all(lanes.map((lane) => real.store.events.cursor(name, lane)));
  return {
    cursors,
    completeTo: momentOf(state.completeTo),
    heard: state.lastHeardAt !== undefined,
    counts: state.counts,
    foundLateEver: state.reconciled?.foundLateEver ?? 0,
    findings: state.findings.map(({ code, count }) => `${code} ${count}`).toSorted(),
    holes: state.holes.map(({ reason, from, to }) => `${reason} ${from} ${momentOf(to)}`).toSorted(),
    events: await ids("event"),
    members: await ids("storm_member"),
  };
}

function modelState({ store }: Model, name: string): unknown {
  const state = store.connections.get(name)!;
  return {
    cursors: lanes.map((lane) => state.cursors.get(lane)),
    completeTo: momentOf(state.completeToMs),
    heard: state.lastHeardMs !== undefined,
    counts: { ...state.counts, late: state.counts.late + state.foundLateEver },
    foundLateEver: state.foundLateEver,
    findings: [...state.findings].map(([code, { count }]) => `${code} ${count}`).toSorted(),
    holes: state.holes.map(({ reason, from, to }) => `${reason} ${from} ${momentOf(to)}`).toSorted(),
    events: [...store.events.keys()].toSorted(),
    members: [...store.members.keys()].toSorted(),
  };
}

test.each([1, 2, 3, 4, 5, 6])(
  "the model store does what the real one does, in script %i",
  async (seed) => {
    const name = `far-${seed}`;
    const startMs = Math.floor(Date.now() / 60_000) * 60_000;
    const model = new Model(Date.now());
    const script = new Script(seed, name, startMs);
    const given = { name, source: "sql", controlPlane: "default", config: {} };
    await real.store.events.connect(given);
    await model.settle(model.client.connect(given));
    const said: string[] = [];
    for (let count = 0; count < callsPerScript; count += 1) {
      const { says, run } = script.next();
      said.push(says);
      const expected = await outcomeOf(() => run(real.store.events));
      const outcome = await outcomeOf(() => model.settle(run(model.client)));
      expect(outcome, said.slice(-3).join("\n")).toEqual(expected);
      if (says.startsWith("lease")) script.granted(expected);
      expect(modelState(model, name), said.slice(-3).join("\n")).toEqual(await realState(name));
    }
  },
  120_000,
);
