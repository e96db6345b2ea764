import { instant } from "../../src/model/instant.ts";
import type { Instant } from "../../src/model/instant.ts";
import type { Json } from "../../src/model/json.ts";
import type { Finding, FindingCode, Hole } from "../../src/model/source-health.ts";
import type { HealthNote, ResolvedPage } from "../../src/store/event-store.ts";
import { IsochronError } from "../../src/errors.ts";

/** A row of `connection`, with its cursors, findings and holes; the caller gives the database's clock. */
export class ModelConnection {
  readonly source: string;
  readonly controlPlane: string;
  readonly cursors = new Map<string, Json>();
  readonly findings = new Map<
    FindingCode,
    { readonly says: string; readonly sinceMs: number; count: number }
  >();
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
  /** New events of pages that read the past again. */
  createdAgain = 0;
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

  /** What a page proves against its source, beside what it tells. */
  notePage(nowMs: number, page: ResolvedPage, late: readonly number[], revised: number): void {
    const { findings = [], holes = [], settled = [], completeTo, retentionMs } = page;
    const proved: { findings: Finding[]; holes: Hole[] } = { findings: [...findings], holes: [...holes] };
    const prove = (code: Finding["code"] & Hole["reason"], fromMs: number, toMs: number): void => {
      proved.findings.push({ code, says: code });
      proved.holes.push({ from: instant(fromMs), to: instant(toMs), reason: code, says: code });
    };
    if (page.recordsAreFinal === true && revised > 0) {
      proved.findings.push({ code: "changed-in-place", says: `${revised} records` });
    }
    if (late.length > 0 && page.reconciling !== true)
      prove("late-commit", Math.min(...late), this.completeToMs!);
    if (
      retentionMs !== undefined &&
      this.lastSuccessMs !== undefined &&
      this.lastSuccessMs < nowMs - retentionMs
    ) {
      const fromMs = Math.min(this.completeToMs ?? this.lastSuccessMs, this.lastSuccessMs);
      prove("outlived-retention", fromMs, nowMs - retentionMs);
    }
    this.lastSuccessMs = nowMs;
    this.lastHeardMs = nowMs;
    this.note(nowMs, { ...proved, settled, ...(completeTo === undefined ? {} : { completeTo }) });
  }

  note(nowMs: number, { heard, completeTo, findings = [], holes = [], settled = [] }: HealthNote): void {
    if (completeTo !== undefined) this.claims += 1;
    if (completeTo !== undefined) this.completeToMs = Math.max(this.completeToMs ?? completeTo, completeTo);
    if (heard === true) this.lastHeardMs = nowMs;
    for (const finding of findings) this.#find(nowMs, finding);
    this.holes.push(...holes);
    this.everHoles.push(...holes);
    for (const code of settled) this.findings.delete(code);
  }

  reconciled({ from, to }: { readonly from: Instant; readonly to: Instant }): void {
    this.holes = this.holes.flatMap((hole) => {
      if (hole.reason === "outlived-retention" || hole.from >= to || hole.to <= from) return [hole];
      return [
        ...(hole.from < from ? [{ ...hole, to: from }] : []),
        ...(hole.to > to ? [{ ...hole, from: to }] : []),
      ];
    });
  }

  #find(nowMs: number, { code, says }: Finding): void {
    this.everFound.add(code);
    const before = this.findings.get(code);
    this.findings.set(code, {
      says,
      sinceMs: before?.sinceMs ?? nowMs,
      count: (before?.count ?? 0) + 1,
    });
  }
}
