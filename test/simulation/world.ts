import { AsyncLocalStorage } from "node:async_hooks";
import { Random } from "./random.ts";

/** A process of the product: it may die at any await, or sleep past its lease and wake up. */
export interface Actor {
  readonly name: string;
  state: "alive" | "asleep" | "dead";
  /** How far its own clock is off, in milliseconds. */
  readonly clockErrorMs: number;
  readonly held: Due[];
}

interface Due {
  readonly atMs: number;
  readonly order: number;
  /** Who waits for it; nothing happens when that process has died. */
  readonly owner: Actor | undefined;
  readonly label: string;
  readonly run: () => void | Promise<void>;
}

/** What may go wrong with one call over the wire. */
export interface Weather {
  readonly latencyMs: () => number;
  /** True where some calls take long. */
  readonly isSlow: boolean;
  /** The error that the caller sees when the request or the answer is lost. */
  readonly lost: () => Error;
  readonly requestLoss: number;
  readonly answerLoss: number;
}

/** The latest moment that a history begins at; far from any edge of years, zones and months. */
export const epochMs = Date.UTC(2026, 10, 21, 1, 0, 0);

/** Where the code that is running now belongs. */
export const running = new AsyncLocalStorage<{ readonly world: World; readonly actor: Actor }>();

/**
 * Virtual time and everything that waits for it. One thing happens at a time, in an order that the seed decides;
 * between two of them every promise that can settle has settled.
 */
export class World {
  readonly random: Random;
  nowMs = epochMs;
  /** Set where faults are to stop, so that the end can be compared. */
  calm = false;
  readonly trace: string[] = [];
  readonly #keepTrace: boolean;
  readonly #queue: Due[] = [];
  readonly #cancelled = new Set<number>();
  readonly #mourners = new Map<Actor, () => void>();
  #order = 0;
  #hash = 0x811c9dc5;
  /** What is done to a process as it calls out, in this history. */
  crashRate = 0;
  sleepRate = 0;
  sleeps = 0;

  constructor(seed: number, keepTrace: boolean) {
    this.random = new Random(seed);
    this.#keepTrace = keepTrace;
  }

  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  note(what: string): void {
    const line = `${((this.nowMs - epochMs) / 1000).toFixed(3)} ${what}`;
    for (let at = 0; at < line.length; at += 1) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(at), 0x01000193);
    }
    if (this.#keepTrace) this.trace.push(line);
  }

  /** Gives a number to cancel it by. */
  schedule(afterMs: number, label: string, run: Due["run"], owner?: Actor): number {
    this.#order += 1;
    this.#push({
      atMs: this.nowMs + Math.max(0, Math.round(afterMs)),
      order: this.#order,
      owner,
      label,
      run,
    });
    return this.#order;
  }

  cancel(order: number): void {
    this.#cancelled.add(order);
  }

  sleep(ms: number, owner?: Actor): Promise<void> {
    return new Promise((resolve) => this.schedule(ms, "", resolve, owner));
  }

  /** Runs everything that is due until the moment; what is due later stays. */
  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      const [first] = this.#queue;
      if (first === undefined || first.atMs > untilMs) break;
      this.#pop();
      if (this.#cancelled.delete(first.order)) continue;
      if (first.owner?.state === "dead") continue;
      if (first.owner?.state === "asleep") {
        first.owner.held.push(first);
        continue;
      }
      this.nowMs = Math.max(this.nowMs, first.atMs);
      if (first.label !== "") this.note(first.label);
      void first.run();
      await settled();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** A call of a process over the wire: it may never be sent, never be answered, or outlive its caller. */
  call<Result>(
    actor: Actor,
    label: string,
    weather: Weather,
    effect: () => Result | Promise<Result>,
  ): Promise<Result> {
    this.#endanger(actor);
    const { random } = this;
    return new Promise((resolve, reject) => {
      const fail = (what: string) => {
        const answer = () => reject(weather.lost());
        this.schedule(weather.latencyMs(), `${actor.name} ${label} ${what}`, answer, actor);
      };
      if (!this.calm && random.chance(weather.requestLoss)) {
        fail("was never sent");
        return;
      }
      this.schedule(weather.latencyMs(), `${actor.name} ${label}`, async () => {
        let answer: () => void;
        try {
          const result = await effect();
          answer = () => resolve(result);
        } catch (error) {
          answer = () => reject(error as Error);
          this.note(`${label}: ${(error as { code?: string }).code ?? String(error)}`);
        }
        this.#endanger(actor);
        if (!this.calm && random.chance(weather.answerLoss)) fail("was never answered");
        else this.schedule(weather.latencyMs(), "", answer, actor);
      });
    });
  }

  kill(actor: Actor): void {
    if (actor.state === "dead") return;
    actor.state = "dead";
    this.note(`${actor.name} dies`);
    this.#mourners.get(actor)?.();
  }

  onDeath(actor: Actor, run: () => void): void {
    this.#mourners.set(actor, run);
  }

  /** What a sleeping process waited for comes all at once when it wakes. */
  putToSleep(actor: Actor, ms: number): void {
    if (actor.state !== "alive") return;
    actor.state = "asleep";
    this.sleeps += 1;
    this.note(`${actor.name} sleeps ${ms} ms`);
    this.schedule(ms, `${actor.name} wakes`, () => {
      if (actor.state !== "asleep") return;
      actor.state = "alive";
      for (const due of actor.held.splice(0)) this.#push({ ...due, atMs: this.nowMs });
    });
  }

  #endanger(actor: Actor): void {
    if (this.calm || actor.state !== "alive") return;
    if (this.crashRate > 0 && this.random.chance(this.crashRate)) this.kill(actor);
    else if (this.sleepRate > 0 && this.random.chance(this.sleepRate)) {
      this.putToSleep(actor, this.random.pick([3_000, 12_000, 20_000, 45_000]));
    }
  }

  #push(due: Due): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(due, queue[above]!)) break;
      queue[at] = queue[above]!;
      at = above;
    }
    queue[at] = due;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop();
    if (last === undefined || queue.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= queue.length) break;
      if (below + 1 < queue.length && isBefore(queue[below + 1]!, queue[below]!)) below += 1;
      if (!isBefore(queue[below]!, last)) break;
      queue[at] = queue[below]!;
      at = below;
    }
    queue[at] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

const realImmediate = globalThis.setImmediate;

/** Resolves when no promise can settle any more without the world's doing. */
function settled(): Promise<void> {
  return new Promise((resolve) => void realImmediate(resolve));
}
