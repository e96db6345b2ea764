import { instant } from "../../src/model/instant.ts";
import type { Json } from "../../src/model/json.ts";
import type { Finding, FindingCode, Hole } from "../../src/model/source-health.ts";
import { findingSettlements, lastingReasons, settledBy } from "../../src/model/source-health.ts";
import type { Appended, HealthNote, Reconciled, ResolvedPage } from "../../src/store/event-store.ts";
import { IsochronError } from "../../src/errors.ts";

interface Found {
  readonly says: string;
  readonly lastMs: number;
  readonly count: number;
}

/** What is older than this when it comes proves nothing. */
const lateAgeMsMax = 7 * 86_400_000;

/** A row of `connection`, with its cursors, findings and holes; the caller gives the database's clock. */
export class ModelConnection {
  readonly source: string;
  readonly controlPlane: string;
  readonly cursors = new Map<string, Json>();
  readonly findings = new Map<FindingCode, Found>();
  /** Every code that was ever found, also where it was settled since. */
  readonly everFound = new Set<FindingCode>();
  holes: Hole[] = [];
  /** Every hole that was ever declared. */
  readonly everHoles: Hole[] = [];
  completeToMs: number | undefined;
  epoch = 0;
  holder: string | undefined;
  leaseUntilMs = Number.NEGATIVE_INFINITY;
  /** How often it was called complete to some moment. */
  claims = 0;
  /** When the new events happened of pages that read the past again. */
  readonly createdAgain: number[] = [];
  readonly counts = { events: 0, folded: 0, repeated: 0, revised: 0, setAside: 0, late: 0 };
  foundLateEver = 0;
  lastSuccessMs: number | undefined;
  lastHeardMs: number | undefined;
  #leaseMs = 0;
  #passedMs = Number.NEGATIVE_INFINITY;
  #restMs = 0;

  constructor(source: string, controlPlane: string) {
    this.source = source;
    this.controlPlane = controlPlane;
  }

  lease(nowMs: number, holder: string, ttlMs: number, restMs: number | undefined): number | undefined {
    if (this.holder !== undefined && this.holder !== holder && this.leaseUntilMs > nowMs) return undefined;
    if (restMs !== undefined && this.#passedMs + Math.min(this.#restMs, restMs) > nowMs) return undefined;
    this.epoch += 1;
    this.holder = holder;
    this.#leaseMs = ttlMs;
    this.extend(nowMs);
    return this.epoch;
  }

  extend(nowMs: number): void {
    this.leaseUntilMs = nowMs + this.#leaseMs;
  }

  renew(nowMs: number, epoch: number): boolean {
    if (epoch !== this.epoch || this.holder === undefined) return false;
    this.extend(nowMs);
    return true;
  }

  release(nowMs: number, epoch: number, restMs: number | undefined): void {
    if (epoch !== this.epoch) return;
    this.holder = undefined;
    this.leaseUntilMs = Number.NEGATIVE_INFINITY;
    if (restMs === undefined) return;
    this.#passedMs = nowMs;
    this.#restMs = restMs;
  }

  waitFor(nowMs: number, holder: string, restMs: number): number {
    const free = this.holder === undefined || this.holder === holder ? nowMs : this.leaseUntilMs;
    const due = this.#passedMs + Math.min(this.#restMs, restMs);
    return Math.max(0, Math.ceil(Math.max(free, due) - nowMs));
  }

  /** Throws `fenced`. */
  fence(epoch: number | undefined): void {
    if (epoch === undefined || epoch === this.epoch) return;
    throw new IsochronError("fenced", `The lease ${epoch} has passed on (now ${this.epoch}).`, "Read again.");
  }

  /** What a page proves against its source, beside what it tells, and how far it moves its connection. */
  notePage(
    nowMs: number,
    page: ResolvedPage,
    appended: Omit<Appended, "refused">,
    late: readonly number[],
  ): void {
    const { findings = [], holes = [], settled = [], completeTo, retentionMs } = page;
    const proved: { findings: Finding[]; holes: Hole[] } = { findings: [...findings], holes: [...holes] };
    const prove = (code: Finding["code"] & Hole["reason"], fromMs: number, toMs: number): void => {
      proved.findings.push({ code, says: code });
      proved.holes.push({ from: instant(fromMs), to: instant(toMs), reason: code, says: code });
    };
    const { revised } = appended;
    if (page.recordsAreFinal === true && revised > 0) {
      proved.findings.push({ code: "changed-in-place", says: `${revised} records` });
    }
    const to = this.claimedToMs;
    const proving = to === undefined ? [] : late.filter((atMs) => atMs >= to - lateAgeMsMax);
    if (proving.length > 0 && page.reconciling !== true && to !== undefined)
      prove("late-commit", Math.min(to, ...proving), to);
    if (
      retentionMs !== undefined &&
      this.lastSuccessMs !== undefined &&
      this.lastSuccessMs < nowMs - retentionMs
    ) {
      const fromMs = Math.min(this.completeToMs ?? this.lastSuccessMs, this.lastSuccessMs);
      prove("outlived-retention", fromMs, nowMs - retentionMs);
    }
    const isSecondHand = page.secondHand === true;
    const claims = completeTo !== undefined && !(isSecondHand && this.lastHeardMs !== undefined);
    this.note(nowMs, {
      ...proved,
      settled,
      heard: !isSecondHand,
      ...(claims ? { completeTo } : {}),
    });
    if (!isSecondHand) this.lastSuccessMs = nowMs;
    this.#count(page, appended);
  }

  note(nowMs: number, { heard, completeTo, findings = [], holes = [], settled = [] }: HealthNote): void {
    if (heard === true) this.completeToMs = this.claimedToMs;
    if (completeTo !== undefined) {
      this.claims += 1;
      const claimed = Math.min(completeTo, nowMs);
      this.completeToMs = Math.max(this.completeToMs ?? claimed, claimed);
    }
    if (heard === true) this.lastHeardMs = nowMs;
    const seen = new Set(findings.map(({ code }) => code));
    for (const code of settled) if (!seen.has(code)) this.findings.delete(code);
    for (const finding of findings) this.#find(nowMs, finding);
    for (const hole of holes) this.#open(hole);
  }

  /** Nothing once the lease has passed on. */
  reconciled(
    nowMs: number,
    { from, to, foundLate }: Pick<Reconciled, "from" | "to" | "foundLate">,
    epoch: number | undefined,
  ): void {
    if (epoch !== undefined && epoch !== this.epoch) return;
    this.foundLateEver += foundLate;
    this.holes = this.holes.flatMap((hole) => {
      if (lastingReasons.includes(hole.reason) || hole.from >= to || hole.to <= from || from >= to)
        return [hole];
      return [
        ...(hole.from < from ? [{ ...hole, to: from }] : []),
        ...(hole.to > to ? [{ ...hole, from: to }] : []),
      ];
    });
    const open = new Set<string>(this.holes.map(({ reason }) => reason));
    const settled = settledBy("reconcile").filter(
      (code) => lastingReasons.some((reason) => reason === code) || !open.has(code),
    );
    this.note(nowMs, { settled });
  }

  /** What an import said alone is no claim of the far end's. */
  get claimedToMs(): number | undefined {
    return this.lastHeardMs === undefined ? undefined : this.completeToMs;
  }

  #count({ reconciling }: ResolvedPage, appended: Omit<Appended, "refused">): void {
    const { counts } = this;
    counts.events += appended.created;
    counts.folded += appended.folded;
    counts.repeated += appended.repeated;
    counts.revised += appended.revised;
    counts.late += reconciling === true ? 0 : appended.late;
  }

  /** One that time has settled begins anew. */
  #find(nowMs: number, { code, says }: Finding): void {
    this.everFound.add(code);
    const { afterMs = Number.POSITIVE_INFINITY } = findingSettlements[code];
    const before = this.findings.get(code);
    const standing = before !== undefined && before.lastMs + afterMs >= nowMs ? before.count : 0;
    this.findings.set(code, { says, lastMs: nowMs, count: standing + 1 });
  }

  /** As one with those of its reason that it meets. */
  #open(hole: Hole): void {
    if (hole.to <= hole.from) return;
    this.everHoles.push(hole);
    const met = this.holes.filter(
      ({ reason, from, to }) => reason === hole.reason && from <= hole.to && to >= hole.from,
    );
    const from = instant(Math.min(hole.from, ...met.map((one) => one.from)));
    const to = instant(Math.max(hole.to, ...met.map((one) => one.to)));
    this.holes = [...this.holes.filter((one) => !met.includes(one)), { ...hole, from, to }];
  }
}
