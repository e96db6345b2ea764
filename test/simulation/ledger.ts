import type { EventDraft } from "../../src/model/event.ts";
import type { HoleReason } from "../../src/model/source-health.ts";
import type { Reject } from "../../src/store/event-store.ts";
import type { Fault, FaultKind } from "./history-outcome.ts";
import type { ModelConnection } from "./model-connection.ts";
import type { StoredRow, StoreWatch } from "./model-store.ts";
import type { World } from "./world.ts";

/** One thing that a source really told, and that has to be one event. */
export interface Element {
  /** The event's key, or a test of it where the source's look dates it. */
  readonly key: string;
  readonly atMs: number;
  /** Since when it can be read. */
  readonly readableMs: number;
  /** Until when; absent where it stays. */
  goneMs?: number;
  /** How the source broke its contract with it. */
  breach?: HoleReason;
  /** True once it was set aside with the reason why it cannot be read. */
  excused?: true;
  /** True once it was there for a whole pass, or will stay until one. */
  due: boolean;
  stored: number;
  /** Whole passes that began after it could be read, and did not bring it. */
  missed: number;
  /** Stored although its time had been called complete, by a page that did not read the past again. */
  late: boolean;
}

/** So much before what was called complete an event is late beyond any doubt, whatever the source promises. */
const lateMs = 5_000;

/** Whole passes after which what can be read has to be there; the second covers what became readable during the first. */
const passesMax = 2;

/**
 * What was told, what was stored, what was claimed, compared at every change (after Jepsen's set checker). Each
 * element ends *stable*, *lost*, *duplicate*, *never read* (it went before a pass could see it) or *stale*.
 */
export class Ledger implements StoreWatch {
  readonly faults: Fault[] = [];
  readonly elements = new Map<string, Element>();
  /** Keys that may come but need not: what a source shows only to whoever looks at the right moment. */
  readonly #allowed = new Set<string>();
  readonly #patterns: ((row: StoredRow) => "known" | "duplicate" | "extra" | undefined)[] = [];
  readonly #pending = new Set<Element>();
  readonly #poison = new Map<string, { readonly atMs: number; isKept: boolean }>();
  readonly #contents = new Map<string, Set<string>>();
  readonly #seenContents = new Map<string, Set<string>>();
  readonly #world: World;
  #completeToMs = Number.NEGATIVE_INFINITY;
  #state: ModelConnection | undefined;
  worstMissed = 0;
  claims = 0;
  breaches = 0;
  revisions = 0;

  constructor(world: World) {
    this.#world = world;
  }

  fault(kind: FaultKind, says: string): void {
    this.#world.note(`FAULT ${kind}: ${says}`);
    this.faults.push({ kind, says, atMs: this.#world.nowMs });
  }

  /** The source has told something, or has told it again. */
  tell(given: { key: string; atMs: number; goneMs?: number; breach?: HoleReason }): Element {
    const known = this.elements.get(given.key);
    if (known !== undefined) return known;
    const readableMs = this.#world.nowMs;
    const element: Element = { ...given, readableMs, due: false, stored: 0, missed: 0, late: false };
    this.elements.set(given.key, element);
    this.#pending.add(element);
    if (given.breach !== undefined) this.breaches += 1;
    else if (given.atMs < this.#completeToMs) this.#checkClaim(element);
    return element;
  }

  allow(key: string): void {
    this.#allowed.add(key);
  }

  /** Judges events whose key nobody can know before, such as those that the source's look dates. */
  judge(pattern: (row: StoredRow) => "known" | "duplicate" | "extra" | undefined): void {
    this.#patterns.push(pattern);
  }

  /** A record that nobody can read was shown; `mark` is a text in its bytes or its position. */
  tellPoison(mark: string, isLate = false): void {
    if (!this.#poison.has(mark)) this.#poison.set(mark, { atMs: this.#world.nowMs, isKept: isLate });
  }

  /** The sender was told that these are kept; from now on they have to be. */
  acked(keys: readonly string[]): void {
    for (const key of keys) {
      if (this.elements.get(key)?.stored === 0) this.fault("acked unstored", key);
    }
  }

  /** Recognises what is rightly set aside although it could be read later, and gives the beginning of the keys behind it. */
  excuse: (reject: Reject) => string | undefined = () => undefined;

  /** What a record may truly say under this key; more than one where it is revised. */
  tellContent(key: string, content: string): void {
    this.#contents.set(key, (this.#contents.get(key) ?? new Set()).add(content));
  }

  /** What an event says, as the scenario spells contents. */
  contentOf: (draft: Pick<EventDraft, "summary">) => string = ({ summary }) => summary;

  stored(_connection: string, row: StoredRow, isAgain: boolean): void {
    this.#sawContent(row.key, row);
    const element = this.elements.get(row.key);
    if (element !== undefined) {
      element.stored += 1;
      this.#pending.delete(element);
      element.late = !isAgain && row.occurred_at + row.precision_ms + lateMs < this.#completeToMs;
      if (element.stored > 1) this.fault("duplicate", row.key);
      return;
    }
    for (const pattern of this.#patterns) {
      const answer = pattern(row);
      if (answer === "duplicate" || answer === "extra") this.fault(answer, row.key);
      if (answer !== undefined) return;
    }
    if (!this.#allowed.has(row.key)) this.fault("extra", row.key);
  }

  /** True where no record ever says something else. */
  isFinal = false;

  revised(_connection: string, draft: EventDraft): void {
    this.revisions += 1;
    if (this.isFinal) this.fault("wrong revision", `${draft.key} never said anything else`);
    this.#sawContent(draft.key, draft);
  }

  setAside(_connection: string, reject: Reject): void {
    const text = `${reject.position}\n${new TextDecoder().decode(reject.bytes)}`;
    let isKnown = false;
    for (const [mark, poison] of this.#poison) {
      if (!text.includes(mark)) continue;
      poison.isKept = true;
      isKnown = true;
    }
    const excused = this.excuse(reject);
    if (excused !== undefined) {
      for (const element of this.#pending) if (element.key.startsWith(excused)) element.excused = true;
    } else if (!isKnown) this.fault("extra", `set aside: ${reject.position}: ${reject.reason}`);
  }

  changed(_connection: string, state: ModelConnection): void {
    this.#state = state;
    const completeToMs = state.completeToMs ?? Number.NEGATIVE_INFINITY;
    if (completeToMs === this.#completeToMs) return;
    this.#completeToMs = completeToMs;
    this.claims += 1;
    for (const element of this.#pending) {
      if (element.atMs < completeToMs && element.breach === undefined && !this.#isGone(element)) {
        this.#checkClaim(element);
      }
    }
  }

  broken(what: string): void {
    this.fault("unfenced", what);
  }

  /** One whole pass that was begun and ended well. */
  passed(sinceMs: number): void {
    for (const element of this.#pending) {
      if (element.readableMs >= sinceMs || this.#isGone(element)) continue;
      element.missed += 1;
      // The first may have gone on with a pass that another process had begun before.
      if (element.missed >= passesMax) element.due = true;
      if (element.breach !== undefined || element.excused === true) continue;
      this.worstMissed = Math.max(this.worstMissed, element.missed);
      if (element.missed === passesMax + 1)
        this.fault("stale", `${element.key} after ${element.missed} passes`);
    }
  }

  /** The end, after everything had time to come. */
  settle(): void {
    for (const element of this.#pending) {
      if (this.#isGone(element) && (!element.due || element.breach !== undefined)) continue;
      if (element.excused === true) continue;
      if (element.breach === undefined) this.fault("lost", element.key);
      else if (!this.#isSaid(element)) this.fault("not said", `${element.breach}: ${element.key}`);
    }
    for (const element of this.elements.values()) {
      if (element.breach !== undefined && element.late && !this.#isSaid(element)) {
        this.fault("not said", `${element.breach}, although it came: ${element.key}`);
      }
    }
    for (const [mark, { isKept }] of this.#poison) {
      if (!isKept) this.fault("lost", `the record that cannot be read: ${mark}`);
    }
    for (const [key, contents] of this.#contents) {
      const last = [...contents].at(-1)!;
      if (this.elements.get(key)?.stored !== 1 || this.#seenContents.get(key)?.has(last) === true) continue;
      this.fault("wrong revision", `${key} never said ${last}`);
    }
  }

  /** The elements that were stored once, and those that nobody could read in time. */
  count(): { readonly stable: number; readonly neverRead: number; readonly setAside: number } {
    const all = [...this.elements.values()];
    return {
      stable: all.filter(({ stored }) => stored === 1).length,
      neverRead: all.filter((element) => element.stored === 0 && this.#isGone(element) && !element.due)
        .length,
      setAside: [...this.#poison.values()].filter(({ isKept }) => isKept).length,
    };
  }

  #isGone({ goneMs }: Element): boolean {
    return goneMs !== undefined && goneMs <= this.#world.nowMs;
  }

  #sawContent(key: string, draft: Pick<EventDraft, "summary">): void {
    const known = this.#contents.get(key);
    if (known === undefined) return;
    const content = this.contentOf(draft);
    const seen = this.#seenContents.get(key) ?? new Set<string>();
    if (!known.has(content)) this.fault("wrong revision", `${key} was never ${content}`);
    else if (seen.has(content)) this.fault("duplicate", `${key} said ${content} twice`);
    this.#seenContents.set(key, seen.add(content));
  }

  #checkClaim(element: Element): void {
    if (element.excused === true || this.#isCovered(element.atMs)) return;
    const claim = new Date(this.#completeToMs).toISOString();
    this.fault(
      "false claim",
      `complete to ${claim}, without ${element.key} of ${new Date(element.atMs).toISOString()}`,
    );
  }

  #isCovered(atMs: number): boolean {
    return this.#state?.holes.some(({ from, to }) => from <= atMs && atMs < to) === true;
  }

  /** A breach is said where a hole covers it, or a finding of its kind stands or stood. */
  #isSaid({ atMs, breach }: Element): boolean {
    const state = this.#state;
    if (state === undefined || breach === undefined) return false;
    if (state.everHoles.some(({ from, to }) => from <= atMs && atMs < to)) return true;
    return breach !== "outage" && state.everFound.has(breach);
  }
}
