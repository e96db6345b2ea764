import type { Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";

/** What is written down of those who use and run Isochron. */
export const auditActions = [
  "sign-in",
  "sign-out",
  "denied",
  "break-glass",
  "look-as-tenant",
  "rule",
  "notice-template",
  "export",
  "token",
  "retention",
  "hold",
  "erasure",
  "configuration",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** One thing that somebody did, or was refused. Never a credential, and never a byte of an event's content. */
export interface AuditRecord {
  readonly at: Instant;
  readonly action: AuditAction;
  readonly outcome: "done" | "refused";
  /** Who: kept apart, so that it can be erased and leave a keyed hash. */
  readonly actor: { readonly id: string; readonly name?: string; readonly address?: string };
  /** What it was done to, such as `token:tok_1` or `GET /api/v1/events/{id}`. */
  readonly object: string;
  readonly why?: string;
  readonly details?: JsonObject;
  /** How many like it are told by this one; 1 where absent. */
  readonly count?: number;
}

/** Writing to the audit trail; settles after the commit. */
export interface AuditTrail {
  append(records: readonly AuditRecord[]): Promise<void>;
}
