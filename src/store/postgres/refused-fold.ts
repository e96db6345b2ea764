import type { Instant } from "../../model/instant.ts";
import type { AuditRecord } from "../audit-store.ts";

const minuteMs = 60_000;
const objectsMax = 10;

interface Fold {
  readonly first: AuditRecord;
  readonly objects: Set<string>;
  count: number;
}

/**
 * Refusals by action, principal, address and minute, so that a scanner is one entry a minute, however much it asks. Beyond
 * `foldsMax` principals the rest of the minute is counted together, so that neither memory nor a count is lost.
 */
export class RefusedFold {
  readonly #foldsMax: number;
  #folds = new Map<string, Fold>();

  constructor(foldsMax = 1_000) {
    this.#foldsMax = foldsMax;
  }

  get waiting(): number {
    return this.#folds.size;
  }

  note(record: AuditRecord): void {
    const minute = Math.floor(record.at / minuteMs);
    const own = JSON.stringify([record.action, record.actor.id, record.actor.address, minute]);
    const isKnown = this.#folds.has(own);
    const key = isKnown || this.#folds.size < this.#foldsMax ? own : `others ${record.action}`;
    const count = record.count ?? 1;
    const fold = this.#folds.get(key);
    if (fold !== undefined) {
      fold.count += count;
      if (fold.objects.size < objectsMax) fold.objects.add(record.object);
      return;
    }
    const first = key === own ? record : { ...record, actor: { id: "others" } };
    this.#folds.set(key, { first, objects: new Set([record.object]), count });
  }

  /** Takes out what is over: all that was first refused before the minute of `now`, or everything. */
  take(now: Instant | "all"): readonly AuditRecord[] {
    const minute = now === "all" ? Infinity : Math.floor(now / minuteMs);
    const taken: AuditRecord[] = [];
    for (const [key, { first, objects, count }] of this.#folds) {
      if (Math.floor(first.at / minuteMs) >= minute) continue;
      this.#folds.delete(key);
      const details = { ...first.details, objects: [...objects] };
      taken.push({ ...first, count, ...(objects.size > 1 ? { details } : {}) });
    }
    return taken;
  }
}
