import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Attribution, EventDraft, TenantEdition } from "../model/event.ts";
import type { TenantRef } from "../model/tenant.ts";
import { tellAction } from "./action-words.ts";
import { makeNotice, readCause, tenantAsSubject, type NoticeTools } from "./notice.ts";
import { policies as usualPolicies, type Policies } from "./redact-classes.ts";
import { fieldsOf, mayBeShown, showFields, type ShownDraft } from "./redact-fields.ts";

/**
 * What a tenant may know of an event is decided here, once, and stored as the tenant's edition. The owner's edition is
 * made from the fields whose class is shown (`redact-classes.ts`) and from nothing else of the draft: a field that a
 * source invents tomorrow stays inside.
 */

/** Gives the editions of an event. */
export type Redact = (
  draft: EventDraft,
  attribution: Attribution,
  ownEntities: readonly string[],
  /** By entity key: what the affected tenants call their resources. */
  names?: ReadonlyMap<string, string>,
) => readonly TenantEdition[];

/** Makes the editions of an event: one for its owner, one notice for each tenant that a shared cause affected. */
export function createRedactor(tools: NoticeTools, policies: Policies = usualPolicies): Redact {
  return (draft, attribution, ownEntities, names) => {
    if (attribution.status === "shared") {
      if (draft.kind === "activity") return [];
      const cause = readCause(draft, attribution.evidence);
      return attribution.affected.map((one) => makeNotice(cause, one, tools, names));
    }
    if (attribution.status !== "owned" || draft.visibility === "provider") return [];
    const { tenant } = attribution;
    const shown = showFields(fieldsOf(draft, { tenant, own: new Set(ownEntities) }), policies);
    return [ownersEdition(shown, shown.type ?? typeInstead(draft), tenant)];
  };
}

/**
 * Keys of the things beside the subject that the owner's edition shows exactly where they are proven to be the owner's:
 * what is told of whose they are makes it another one.
 */
export function entitiesBeside(draft: EventDraft, attribution: Attribution): readonly string[] {
  if (attribution.status !== "owned" || draft.visibility === "provider") return [];
  return [...new Set(draft.related.filter(mayBeShown).map(({ ref }) => entityKey(ref)))];
}

function ownersEdition(shown: ShownDraft, type: string, tenant: TenantRef): TenantEdition {
  const { kind, category, phase, severity, visibility, subjectName, operation } = shown;
  const subject = shown.subject ?? tenantAsSubject(tenant);
  return {
    tenant,
    notice: false,
    type,
    kind,
    category,
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility,
    subject,
    ...(subjectName === undefined ? {} : { subjectName }),
    related: shown.related,
    ...(operation === undefined ? {} : { operation }),
    because: becauseOwned(subject, subjectName),
    summary: shown.summary ?? tellEvent(shown, type, subject),
    details: shown.details,
  };
}

/** Stands for a type that is somebody's own words. An alert's name is the provider's, and may name a host. */
function typeInstead({ type, kind, category }: EventDraft): string {
  if (!type.startsWith("alert.")) return `${category}.${kind}`;
  return type.endsWith(".resolved") ? "alert.resolved" : "alert.firing";
}

/** Written from what is shown, never from the provider's sentence, which may name hosts or staff. */
function tellEvent(shown: ShownDraft, type: string, subject: EntityRef): string {
  const thing = subject.kind.replaceAll("_", " ");
  const { subjectName, category, kind, phase } = shown;
  const name = `${thing[0]!.toUpperCase()}${thing.slice(1)}${subjectName === undefined ? "" : ` ${subjectName}`}`;
  if (type === "alert.firing") return `${name}: a monitoring alert began`;
  if (type === "alert.resolved") return `${name}: a monitoring alert ended`;
  if (type === "operation.end-missing")
    return `${name}: the end of something that was begun has not been seen`;
  if (type === "operation.end-arrived") return `${name}: the end that was missing has come`;
  if (shown.type === undefined) return `${name}: ${category} ${kind}`;
  const state = shown.changes.find(({ field }) => field === "state");
  if (state !== undefined) return `${name}: state ${String(state.before)} → ${String(state.after)}`;
  return `${name}: ${tellAction(type, phase, subject.kind)}`;
}

function becauseOwned(subject: EntityRef, name: string | undefined): string {
  const thing = subject.kind.replaceAll("_", " ");
  return `Shown because it is about your ${thing}${name === undefined ? "" : ` ${name}`}.`;
}
