import type { AuditEntryJson } from "../../api/audit-contract.ts";

/** Which entries are shown; everything where nothing is said. */
export interface AuditConditions {
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly before?: number | undefined;
}

export function auditQuery(conditions: AuditConditions): string {
  const query = new URLSearchParams({ limit: "100" });
  for (const [name, value] of Object.entries(conditions))
    if (value !== undefined) query.set(name, String(value));
  return query.toString();
}

/** Who it was, as far as it is still known. */
export function tellActor({ actor, erased }: Pick<AuditEntryJson, "actor" | "erased">): string {
  return actor.name ?? actor.id ?? (erased ? "erased" : "not told");
}

/** What else the entry holds, for people to read; empty where there is nothing. */
export function detailsText({ details, personal }: Pick<AuditEntryJson, "details" | "personal">): string {
  // All the settings in force stand in the entry; those that changed are what one looks for.
  const { settings: _settings, ...shown } = details;
  const all = { ...personal, ...shown };
  return Object.keys(all).length === 0 ? "" : JSON.stringify(all, undefined, 2);
}
