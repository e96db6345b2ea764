import type { AuditRecord } from "./audit-store.ts";
import type { ResolvedPage } from "./event-store.ts";
import type { NoticeTemplateChange } from "./notice-template-store.ts";
import type { RulingChange } from "./ruling-store.ts";

/** What can be decided; each kind has its writer in the store. */
export type Change = RulingChange | NoticeTemplateChange;

/** What the provider's people decide, each decision with the event that tells of it. */
export interface DecisionStore {
  /**
   * Carries the change out, stores the page that tells of it, and writes it down in the audit trail with the event's id,
   * in one transaction; makes the page's connection known. Throws what the change throws, and then nothing is stored.
   */
  decide(
    change: Change,
    page: ResolvedPage & { readonly source: string },
    record: AuditRecord,
  ): Promise<void>;
}
