import { entityKey, type EntityRef, type Related } from "../model/entity.ts";
import type { EventDraft, FieldChange, OperationKey } from "../model/event.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { TenantRef } from "../model/tenant.ts";
import {
  actorFields,
  draftFields,
  namedFields,
  payloadShown,
  type FieldClass,
  type Policies,
} from "./redact-classes.ts";
import { isTenantKind } from "./tenant-kinds.ts";

/** One field of a draft, or one part of a field, with the class that it falls in. */
export interface Field {
  readonly path: readonly string[];
  readonly class: FieldClass;
  readonly value: unknown;
}

/** What is known of whom the edition is for. */
export interface Reader {
  readonly tenant: TenantRef;
  /** Keys of the things that are proven to be the tenant's. */
  readonly own: ReadonlySet<string>;
}

/** Roles whose entity the subject's owner may see; a resource of somebody else's can stand in any other. */
const tenantRoles = new Set(["volume", "server", "source", "port", "security_group", "subnet", "account"]);

const placeKinds = new Set(
  "host service agent hypervisor aggregate backend region component cell".split(" "),
);
const addressKinds = new Set("ip mac path hostname libvirt_domain".split(" "));
const accountKinds = new Set("user group role".split(" "));

/** The vocabulary that OpenStack publishes; any other type is somebody's own words and may name anything. */
const publicTypes =
  /^(compute|volume|snapshot|backup|port|network|subnet|router|floatingip|security_group|security_group_rule|image|orchestration|identity|audit|keypair|server_group|octavia|dns|share|group)\./;
/** Its words are made of letters, but for Keystone's extensions (`identity.os-oauth1:consumer.created`). */
const publicWords = /^[a-z_]+(\.(os-[a-z0-9]+:)?[a-z_]+)*$/;

/** What Isochron itself finds about a thing, in words of its own; their details are the provider's all the same. */
const ownFindings: ReadonlySet<string> = new Set(["operation.end-missing", "operation.end-arrived"]);

export function isPublicType(type: string): boolean {
  return publicTypes.test(type) && publicWords.test(type);
}

/** Every field of the draft, part by part, each in its class for this reader. None is left out. */
export function fieldsOf(draft: EventDraft, reader: Reader): readonly Field[] {
  return (Object.keys(draftFields) as (keyof EventDraft)[]).flatMap((name) => {
    const value = draft[name];
    if (value === undefined) return [];
    const rule = draftFields[name];
    if (rule !== "by what it says") return [{ path: [name], class: rule, value }];
    return partsOf(name, draft, reader);
  });
}

function partsOf(name: keyof EventDraft, draft: EventDraft, reader: Reader): readonly Field[] {
  switch (name) {
    case "type":
      return [
        {
          path: [name],
          class: isPublicType(draft.type) || ownFindings.has(draft.type) ? "public-vocabulary" : "free-text",
          value: draft.type,
        },
      ];
    case "subject":
      return [{ path: [name], class: classOfSubject(draft, reader), value: draft.subject }];
    case "subjectName": {
      const own = classOfSubject(draft, reader) === "own-thing";
      return [{ path: [name], class: own ? "own-name" : nameClass(draft.subject), value: draft.subjectName }];
    }
    case "related":
      return draft.related.flatMap((item, index) => relatedFields(item, String(index), reader));
    case "actor":
      return namedParts(name, draft.actor, actorFields);
    case "operation":
      return operationFields(draft, reader);
    case "details":
      return detailFields(draft);
    case "changes":
      return (draft.changes ?? []).map((change, index) => ({
        path: [name, String(index)],
        class: classOfChange(change, draft),
        value: change,
      }));
    default:
      return [{ path: [name], class: "unknown", value: draft[name] }];
  }
}

function namedParts(
  name: string,
  whole: object | undefined,
  classes: Readonly<Record<string, FieldClass>>,
): readonly Field[] {
  return Object.entries(whole ?? {}).flatMap(([part, value]) =>
    value === undefined ? [] : [{ path: [name, part], class: classes[part] ?? "unknown", value }],
  );
}

/**
 * The subject's class. Whoever is granted a role on a project may be staff or of another domain: an account is the
 * tenant's only where the account itself decided the owner, and a request only where the tenant made it.
 */
function classOfSubject(draft: EventDraft, { tenant }: Reader): FieldClass {
  const { subject } = draft;
  const granted = (subject.kind === "user" || subject.kind === "group") && draft.stated !== undefined;
  const foreign =
    subject.kind === "request" && !(isOwnAct(draft, tenant) && draft.operation?.requestId !== undefined);
  return isTenantKind(subject.kind) && !granted && !foreign ? "own-thing" : classOfForeign(subject);
}

function classOfForeign({ kind }: EntityRef): FieldClass {
  if (placeKinds.has(kind)) return "place";
  if (addressKinds.has(kind)) return "address";
  return accountKinds.has(kind) ? "account" : "other-id";
}

/** A name is no less than the id that it stands for. */
function nameClass(ref: EntityRef): FieldClass {
  return classOfForeign(ref);
}

/** Whether an owner may be shown the thing where it is proven to be its own. */
export function mayBeShown({ role, ref }: Related): boolean {
  return isTenantKind(ref.kind) && tenantRoles.has(role);
}

function relatedFields(item: Related, index: string, { own }: Reader): readonly Field[] {
  const isOwn = mayBeShown(item) && own.has(entityKey(item.ref));
  const { role, ref, name } = item;
  const path = ["related", index];
  const thing: Field = { path, class: isOwn ? "own-thing" : classOfForeign(ref), value: { role, ref } };
  if (name === undefined) return [thing];
  return [thing, { path: [...path, "name"], class: isOwn ? "own-name" : nameClass(ref), value: name }];
}

/** The act was the tenant's own project's. */
function isOwnAct({ actor }: EventDraft, { projectId }: TenantRef): boolean {
  return projectId !== undefined && actor?.projectId === projectId;
}

/** A request is shown to whoever made it; somebody else's request on the resource is somebody else's. */
function operationFields(draft: EventDraft, { tenant }: Reader): readonly Field[] {
  const classes: { readonly [Part in keyof Required<OperationKey>]: FieldClass } = {
    requestId: isOwnAct(draft, tenant) ? "own-request" : "other-id",
    // Its caller chooses it, and may give somebody else's.
    globalRequestId: "other-id",
    workflowId: "raw",
  };
  return namedParts("operation", draft.operation, classes);
}

/** States are words, numbers are figures; anything else under such a name is not what the name says. */
const stateWord = /^(?:[A-Za-z][A-Za-z_, -]{0,63}|\d{1,20})$/;

function isStateValue(value: unknown): boolean {
  return typeof value === "number" || (typeof value === "string" && stateWord.test(value));
}

function classOfChange({ field, before, after }: FieldChange, { type }: EventDraft): FieldClass {
  const isState = [before, after].every((value) => value === null || isStateValue(value));
  if (isPublicType(type) && field === "state") return isState ? "own-state" : "free-text";
  return namedFields.get(field) ?? "unknown";
}

/** Everything below `details`, down to what holds nothing more; a list is one field. */
function detailFields(draft: EventDraft): readonly Field[] {
  const isPublic = isPublicType(draft.type);
  const found: Field[] = [];
  const walk = (value: Json, path: readonly string[], named: FieldClass | undefined): void => {
    const name = path.at(-1)!;
    const inherited = named ?? namedFields.get(name);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const isPayload = path.length === 2 && name === "payload";
      for (const [part, inner] of Object.entries(value as JsonObject))
        walk(inner, [...path, part], isPayload ? undefined : inherited);
      return;
    }
    found.push({
      path,
      class: (isPublic ? classOfPayload(path, value) : undefined) ?? inherited ?? "unknown",
      value,
    });
  };
  for (const [name, value] of Object.entries(draft.details)) walk(value, ["details", name], undefined);
  return found;
}

function classOfPayload(path: readonly string[], value: Json): FieldClass | undefined {
  const rule = shownRule(path);
  if (rule === undefined) return undefined;
  if (rule.class === "own-state") return isStateValue(value) ? "own-state" : "free-text";
  return typeof value === "string" || typeof value === "number" ? rule.class : "unknown";
}

/** How a detail is called in the edition, if it is of a kind that can be shown. */
export function shownRule(path: readonly string[]): (typeof payloadShown)[string] | undefined {
  const [details, payload, ...rest] = path;
  if (details !== "details" || payload !== "payload") return undefined;
  // A name that holds a dot itself is no path.
  if (rest.some((part) => part.includes("."))) return undefined;
  const name = rest.join(".");
  return Object.hasOwn(payloadShown, name) ? payloadShown[name] : undefined;
}

/** The fields of a draft that may be shown, and nothing else of it: all that an edition is made from. */
export interface ShownDraft
  extends
    Pick<EventDraft, "kind" | "category" | "severity" | "visibility">,
    Partial<Pick<EventDraft, "type" | "phase" | "subject" | "subjectName" | "operation" | "summary">> {
  readonly related: readonly Related[];
  readonly details: JsonObject;
  readonly changes: readonly FieldChange[];
}

/** Puts together what the policies let through. */
export function showFields(fields: readonly Field[], policies: Policies): ShownDraft {
  const whole: Record<string, unknown> = {};
  const related = new Map<string, Related>();
  const names = new Map<string, string>();
  const details: Record<string, Json> = {};
  const changes: FieldChange[] = [];
  for (const { path, class: of, value } of fields) {
    if (policies[of] !== "shown") continue;
    const [name = "", part, last] = path;
    if (name === "related") {
      if (last === "name") names.set(part!, String(value));
      else related.set(part!, value as Related);
    } else if (name === "details") {
      details[shownRule(path)?.as ?? path.slice(1).join(".")] ??= value as Json;
    } else if (name === "changes") changes.push(value as FieldChange);
    else if (part === undefined) whole[name] = value;
    else whole[name] = { ...(whole[name] as object | undefined), [part]: value };
  }
  return {
    ...(whole as unknown as Pick<EventDraft, "kind" | "category" | "severity" | "visibility">),
    related: [...related].map(([index, item]) =>
      names.has(index) ? { ...item, name: names.get(index)! } : item,
    ),
    details,
    changes,
  };
}
