import type { ErasureCounts, ErasureTarget, LegalHold } from "../../model/retention.ts";
import type { AuditRecord } from "../../store/audit-store.ts";
import type { ErasureRecord } from "../../store/retention-store.ts";

/** Legal holds and erasures, as those who administer ask for them. */
export interface Erasures {
  holds(): Promise<readonly LegalHold[]>;
  placeHold(hold: Omit<LegalHold, "id" | "lifted" | "placedAt">): Promise<LegalHold>;
  liftHold(id: string, lifted: { readonly by: string; readonly why: string }): Promise<LegalHold | undefined>;
  erasures(): Promise<readonly ErasureRecord[]>;
  count(target: ErasureTarget): Promise<ErasureCounts>;
  /** Settles when it is asked for, or carried out where a command waits for it. */
  erase(order: {
    readonly target: ErasureTarget;
    readonly why: string;
    readonly by: string;
    readonly actor: AuditRecord["actor"];
  }): Promise<ErasureRecord>;
}
