import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { KnownFact } from "../model/topology.ts";
import type { HeldFact } from "./resolver.ts";

/** An observation on a line, with what its run was found to be. */
interface Sight {
  readonly fact: KnownFact;
  readonly target: string;
  /** The first observation of its run, with when the run was last seen; filled in as the line is made. */
  run: KnownFact;
  /** Where on the line the next run begins. */
  nextRun: number;
}

/**
 * The observations of one relation of one entity in order of time, sorted once: which held at a moment is then found by
 * halving, however often something was looked at.
 */
export class FactLine {
  readonly #sights: Sight[];

  constructor(facts: readonly KnownFact[]) {
    const sights: Sight[] = [];
    for (const fact of facts) {
      const target = entityKey(fact.to);
      sights.push({ fact, target, run: fact, nextRun: 1 });
      // A run's last sight counts as well: what was seen in between by somebody else has ended by then.
      if (fact.lastAt !== undefined && fact.lastAt > fact.at)
        sights.push({ fact: { ...fact, at: fact.lastAt }, target, run: fact, nextRun: 1 });
    }
    this.#sights = sights.length > 1 ? sights.sort(byTimeThenTarget) : sights;
    this.#findRuns();
  }

  /** The latest observations not after `at`; several only where different ones bear the very same time. */
  heldAt(at: Instant, extends_: boolean): readonly HeldFact[] {
    const end = this.#after(at);
    if (end > 0) return this.#held(this.#sights[end - 1]!.fact.at, end, false);
    const first = this.#sights[0];
    if (first === undefined || !extends_) return [];
    return this.#held(first.fact.at, this.#after(first.fact.at), true);
  }

  /** The latest observation not after `at`, where all of the line has one target. */
  heldOneAt(at: Instant): HeldFact | undefined {
    const index = this.#after(at) - 1;
    return this.#sights[index]?.fact.holds === true ? this.#asHeld(index, false) : undefined;
  }

  /** Of each target that was ever seen, since when; when that ended says nothing to who asks regardless of time. */
  everHeld(): readonly HeldFact[] {
    const first = new Map<string, number>();
    for (const [index, { fact, target }] of this.#sights.entries()) {
      if (fact.holds && !first.has(target)) first.set(target, index);
    }
    return [...first.values()].map((index) => {
      const { run } = this.#sights[index]!;
      return { fact: run, validFrom: run.at, extended: false };
    });
  }

  /** How many observations are not after `at`. */
  #after(at: Instant): number {
    let low = 0;
    let high = this.#sights.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sights[middle]!.fact.at <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What was seen to hold at `moment`; those sights end before `end`. */
  #held(moment: Instant, end: number, extended: boolean): readonly HeldFact[] {
    const distinct = new Map<string, number>();
    for (let index = end - 1; index >= 0 && this.#sights[index]!.fact.at === moment; index--) {
      const { fact, target } = this.#sights[index]!;
      if (fact.holds && !distinct.has(target)) distinct.set(target, index);
    }
    return [...distinct.values()].toReversed().map((index) => this.#asHeld(index, extended));
  }

  #asHeld(index: number, extended: boolean): HeldFact {
    const { run } = this.#sights[index]!;
    const until = this.#endOf(index);
    return {
      fact: run,
      validFrom: run.at,
      extended,
      ...(until === undefined ? {} : { validUntil: until }),
    };
  }

  /** When something else was first seen after this; what contradicts it at its own moment does not end it. */
  #endOf(index: number): Instant | undefined {
    const own = this.#sights[index]!;
    let next = own.nextRun;
    for (let other = this.#sights[next]; other !== undefined; other = this.#sights[next]) {
      if (isSameStatement(other, own)) next = other.nextRun;
      else if (other.fact.at > own.fact.at) return other.fact.at;
      else next += 1;
    }
    return undefined;
  }

  #findRuns(): void {
    for (let start = 0; start < this.#sights.length;) {
      const first = this.#sights[start]!;
      let last = first.fact.lastAt ?? first.fact.at;
      let end = start + 1;
      for (; end < this.#sights.length && isSameStatement(this.#sights[end]!, first); end++) {
        const { fact } = this.#sights[end]!;
        last = Math.max(last, fact.lastAt ?? fact.at) as Instant;
      }
      const run = { ...first.fact, lastAt: last };
      for (let index = start; index < end; index++) {
        this.#sights[index]!.run = run;
        this.#sights[index]!.nextRun = end;
      }
      start = end;
    }
  }
}

function isSameStatement(a: Sight, b: Sight): boolean {
  return a.fact.holds === b.fact.holds && a.target === b.target;
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byTimeThenTarget(a: Sight, b: Sight): number {
  return (
    a.fact.at - b.fact.at ||
    compareText(a.target, b.target) ||
    Number(a.fact.holds) - Number(b.fact.holds) ||
    compareText(a.fact.connection, b.fact.connection) ||
    compareText(a.fact.sourceId, b.fact.sourceId)
  );
}
