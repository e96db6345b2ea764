import type { EntityRef, Related } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Attribution, EventDraft, TenantEdition } from "../model/event.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { TenantRef } from "../model/tenant.ts";
import { tellAction } from "./action-words.ts";
import { makeNotice, tenantAsSubject, type NoticeTools } from "./notice.ts";
import { isTenantKind } from "./tenant-kinds.ts";

/**
 * What a tenant may know of an event is decided here, once, and stored as the tenant's edition.
 * Everything that is not named below is withheld: a field that a source invents tomorrow stays inside.
 */

/** Roles whose entity the subject's owner may see; a resource of somebody else's can stand in any other. */
const tenantRoles = new Set(["volume", "server", "source", "port", "security_group", "subnet", "account"]);

/** Gives the editions of an event. */
export type Redact = (
  draft: EventDraft,
  attribution: Attribution,
  ownEntities: readonly string[],
) => readonly TenantEdition[];

/** Makes the editions of an event: one for its owner, one notice for each tenant that a shared cause affected. */
export function createRedactor(tools: NoticeTools): Redact {
  return (draft, attribution, ownEntities) => {
    if (attribution.status === "shared") {
      const { affected, evidence } = attribution;
      return draft.kind === "activity" ? [] : affected.map((one) => makeNotice(draft, evidence, one, tools));
    }
    if (attribution.status !== "owned" || draft.visibility === "provider") return [];
    return [ownersEdition(draft, attribution.tenant, new Set(ownEntities))];
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

function ownersEdition(draft: EventDraft, tenant: TenantRef, own: ReadonlySet<string>): TenantEdition {
  const subject = tenantSubject(draft, tenant);
  const named = subject === draft.subject && draft.subjectName !== undefined;
  return {
    tenant,
    notice: false,
    type: tenantType(draft),
    kind: draft.kind,
    category: draft.category,
    ...(draft.phase === undefined ? {} : { phase: draft.phase }),
    severity: draft.severity,
    visibility: draft.visibility,
    subject,
    ...(named ? { subjectName: draft.subjectName! } : {}),
    related: ownRelated(draft.related, own),
    ...ownOperation(draft, tenant),
    because: becauseOwned(subject, named ? draft.subjectName : undefined),
    summary: tenantSummary(draft, subject, named ? draft.subjectName : undefined),
    details: ownDetails(draft),
  };
}

/**
 * The subject if a tenant may know it, else the tenant itself. Whoever is granted a role on a project may be
 * staff or of another domain: an account is shown only where the account itself decided the owner.
 */
function tenantSubject(draft: EventDraft, tenant: TenantRef): EntityRef {
  const foreign =
    (draft.subject.kind === "user" || draft.subject.kind === "group") && draft.stated !== undefined;
  const othersRequest =
    draft.subject.kind === "request" && ownOperation(draft, tenant).operation === undefined;
  if (isTenantKind(draft.subject.kind) && !foreign && !othersRequest) return draft.subject;
  return tenantAsSubject(tenant);
}

/** A request is shown to whoever made it; somebody else's request on the resource is somebody else's. */
function ownOperation(draft: EventDraft, tenant: TenantRef): Pick<TenantEdition, "operation"> {
  const requestId = draft.operation?.requestId;
  const own = tenant.projectId !== undefined && draft.actor?.projectId === tenant.projectId;
  return own && requestId !== undefined ? { operation: { requestId } } : {};
}

function ownRelated(related: readonly Related[], own: ReadonlySet<string>): readonly Related[] {
  return related
    .filter((item) => mayBeShown(item) && own.has(entityKey(item.ref)))
    .map((item) => ({ role: item.role, ref: item.ref }));
}

function mayBeShown({ role, ref }: Related): boolean {
  return isTenantKind(ref.kind) && tenantRoles.has(role);
}

/** The vocabulary that OpenStack publishes; any other type is somebody's own words and may name anything. */
const publicTypes =
  /^(compute|volume|snapshot|backup|port|network|subnet|router|floatingip|security_group|security_group_rule|image|orchestration|identity|audit|keypair|server_group|octavia|dns|share|group)\./;

function tenantType(draft: EventDraft): string {
  if (publicTypes.test(draft.type)) return draft.type;
  return draft.type.startsWith("alert.") ? `alert.${alertStep(draft)}` : `${draft.category}.${draft.kind}`;
}

function alertStep(draft: EventDraft): "firing" | "resolved" {
  return draft.type.endsWith(".resolved") ? "resolved" : "firing";
}

/** Numbers and states that OpenStack shows the owner of the resource in its own API. */
const ownFields = ["size", "status", "state", "old_state", "new_task_state", "progress", "volume_size"];

function ownDetails(draft: EventDraft): JsonObject {
  const payload = draft.details["payload"];
  const kept: Record<string, Json> = {};
  if (typeof payload === "object" && payload !== null && !Array.isArray(payload)) {
    for (const field of ownFields) {
      const value = (payload as JsonObject)[field];
      if (typeof value === "string" || typeof value === "number") kept[field] = value;
    }
  }
  return kept;
}

/** Written from classes of fields, never from the provider's sentence, which may name hosts or staff. */
function tenantSummary(draft: EventDraft, shown: EntityRef, name: string | undefined): string {
  const thing = shown.kind.replaceAll("_", " ");
  const subject = `${thing[0]!.toUpperCase()}${thing.slice(1)}${name === undefined ? "" : ` ${name}`}`;
  // An alert's name is the provider's, and may name a host.
  if (draft.type.startsWith("alert.")) {
    return `${subject}: a monitoring alert ${alertStep(draft) === "firing" ? "began" : "ended"}`;
  }
  if (!publicTypes.test(draft.type)) return `${subject}: ${draft.category} ${draft.kind}`;
  const state = draft.changes?.find((change) => change.field === "state");
  if (state !== undefined) return `${subject}: state ${String(state.before)} → ${String(state.after)}`;
  return `${subject}: ${tellAction(draft.type, draft.phase, shown.kind)}`;
}

function becauseOwned(subject: EntityRef, name: string | undefined): string {
  const thing = subject.kind.replaceAll("_", " ");
  return `Shown because it is about your ${thing}${name === undefined ? "" : ` ${name}`}.`;
}
