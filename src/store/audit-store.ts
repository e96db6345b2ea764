import type { Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { AuditEntry, AuditHead, AuditVerdict, TrustedKey } from "./audit-chain.ts";

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
  "incident",
  "feedback",
  "maintenance",
  "notification",
] as const;
export type AuditAction = (typeof auditActions)[number];

/** One thing that somebody did, or was refused. Never a credential, and never a byte of an event's content. */
export interface AuditRecord {
  readonly at: Instant;
  readonly action: AuditAction;
  readonly outcome: "done" | "refused";
  /** Who: kept apart, so that it can be erased and leave a keyed hash. */
  readonly actor: { readonly id: string; readonly name?: string; readonly address?: string };
  /** What it was done to, such as `token:tok_1` or `GET /api/v1/events/{id}`; never a person's name, which stays. */
  readonly object: string;
  /** In the actor's words; erased with the actor. */
  readonly why?: string;
  /** What is not about a person, and stays. */
  readonly details?: JsonObject;
  /** What else is about a person, erased with the actor, by a name of its own. */
  readonly personal?: Readonly<Record<string, string>>;
  /** How many like it are told by this one; 1 where absent. */
  readonly count?: number;
}

/** Writing to the audit trail. */
export interface AuditTrail {
  /**
   * Settles after the commit; all of one call, or nothing. What was refused is the exception: it is counted in memory by
   * action, principal, address and minute, so that nobody floods the trail, and written with its count when the minute is
   * over or the store is closed. Callers need not, and should not, thin it out themselves.
   */
  append(records: readonly AuditRecord[]): Promise<void>;
}

/** Which entries; every condition has to hold. */
export interface AuditFilter {
  readonly action?: AuditAction;
  /** The id or the name of who did it. */
  readonly actor?: string;
  readonly object?: string;
  readonly from?: Instant;
  /** Not part of it. */
  readonly to?: Instant;
}

/** The whole trail: written by everybody, read by auditors. */
export interface AuditStore extends AuditTrail {
  /** The latest first, those before the sequence number where one is given. */
  list(
    filter: AuditFilter,
    limit: number,
    before?: number,
  ): Promise<{ readonly entries: readonly AuditEntry[]; readonly more: boolean }>;
  find(sequence: number): Promise<AuditEntry | undefined>;
  /** Those after the sequence number, in their order, for whoever follows. */
  following(sequence: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Where the trail stands, signed anew: to be kept where nobody who can write to the store can. */
  head(): Promise<AuditHead>;
  /** The public key that this process signs with. */
  readonly key: TrustedKey;
  /** The lines of a file that can be verified without the store; one snapshot. Each ends with a line break. */
  exportLines(): AsyncIterable<string>;
  /** Verifies what is stored, against this process's key and those given, and against a head kept elsewhere. */
  verify(trust?: { readonly keys?: readonly TrustedKey[]; readonly head?: AuditHead }): Promise<AuditVerdict>;
  /**
   * Erases who did what, why, and what else is about them from every entry whose actor has the id, leaving keyed hashes;
   * the record, which is written in the same transaction, tells which entries that were. Gives their number.
   */
  eraseActor(id: string, record: AuditRecord): Promise<number>;
  /** Calls back after each commit of this process. */
  onAppended(listener: () => void): void;
  /** What waits in memory to be written, and how often writing failed and is tried again. */
  state(): { readonly waiting: number; readonly failures: number };
}
