import type { EntityKind, EntityRef } from "../../model/entity.ts";
import type { Actor, Category } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asObject, text } from "./fields.ts";
import { readOwnerPath } from "./owner-path.ts";
import type { FactDraft, Reading } from "./reading.ts";
import { fact, ref, related, words } from "./reading.ts";

const kinds: Readonly<Record<string, EntityKind>> = {
  project: "project",
  domain: "domain",
  user: "user",
  group: "group",
  role: "role",
  trust: "trust",
  application_credential: "application_credential",
  credential: "credential",
};

/**
 * Keystone, CADF (with an initiator) and basic (`resource_info` alone). The initiator is the actor;
 * whose the target is, only the target's own record tells.
 * CADF: DMTF DSP0262; Keystone's use of it: keystone/notifications.py.
 */
export function readKeystone(message: OsloMessage): Reading | undefined {
  const name = /^identity\.(.+)$/.exec(message.eventType)?.[1];
  if (name === undefined) return undefined;
  const initiator = asObject(message.payload["initiator"]);
  const common = {
    ...(cadfActor(initiator) === undefined ? {} : { actor: cadfActor(initiator)! }),
    ...operationPart(message, initiator),
  };
  if (name.startsWith("authenticate")) return { ...readSignIn(message, initiator), ...common };
  const assignment = readRoleAssignment(message, name);
  if (assignment !== undefined) return { ...assignment, ...common };
  const target = readTarget(message, name, initiator);
  return target === undefined ? undefined : { ...target, ...common };
}

function operationPart(
  message: OsloMessage,
  initiator: JsonObject | undefined,
): Pick<Reading, "operation"> | object {
  const own = initiator ?? message.payload;
  const operation = operationOf(message, own);
  return operation === undefined ? {} : { operation };
}

/** A CADF initiator as the actor; `id` is only a hash for LDAP users, `user_id` is the real one. */
export function cadfActor(initiator: JsonObject | undefined): Actor | undefined {
  const userId = text(initiator, "user_id") ?? text(initiator, "id");
  if (userId === undefined) return undefined;
  const userName = text(initiator, "username") ?? text(initiator, "name");
  const projectId = text(initiator, "project_id");
  const domainId = text(initiator, "domain_id");
  const address = text(asObject(initiator?.["host"]), "address");
  return {
    userId,
    ...(userName === undefined ? {} : { userName }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(domainId === undefined ? {} : { domainId }),
    ...(address === undefined ? {} : { address }),
  };
}

/** A sign-in concerns the account, and so whoever owns the account; the project it was for is not told. */
function readSignIn(message: OsloMessage, initiator: JsonObject | undefined): Reading {
  const outcome = text(message.payload, "outcome") ?? "unknown";
  const failed = outcome === "failure";
  const user = text(initiator, "user_id");
  const name = text(initiator, "username");
  const request = operationOf(message, initiator)?.requestId ?? message.messageId;
  return {
    type: failed ? "identity.authenticate.failure" : "identity.authenticate",
    kind: failed ? "symptom" : "activity",
    category: "auth",
    severity: failed ? "warning" : "info",
    visibility: "security",
    subject: user === undefined ? ref("request", request) : ref("user", user),
    ...(name === undefined ? {} : { subjectName: name }),
    summary: `Sign-in of ${name ?? "an unknown user"}: ${outcome}`,
  };
}

function readRoleAssignment(message: OsloMessage, name: string): Reading | undefined {
  const action = /^role_assignment\.(created|deleted)$/.exec(name)?.[1];
  if (action === undefined) return undefined;
  const project = text(message.payload, "project");
  const domain = text(message.payload, "domain");
  const user = text(message.payload, "user");
  const group = text(message.payload, "group");
  const subject =
    user !== undefined ? ref("user", user) : group !== undefined ? ref("group", group) : undefined;
  if (subject === undefined) return undefined;
  const stated = readOwnerPath(message);
  const granted = action === "created" ? workFacts(subject, message.payload) : [];
  return {
    type: `identity.role_assignment.${action}`,
    kind: "change",
    category: "tenancy",
    visibility: "security",
    subject,
    related: [
      ...related("role", "role", text(message.payload, "role")),
      ...related("scope", "project", project),
      ...related("scope", "domain", domain),
    ],
    ...(stated === undefined ? {} : { stated }),
    summary: `Role ${action === "created" ? "granted to" : "taken from"} a ${subject.kind} on ${whereWords(message.payload)}`,
    facts: granted,
  };
}

function whereWords(payload: JsonObject): string {
  if (text(payload, "project") !== undefined) return "a project";
  return text(payload, "domain") === undefined ? "the whole system" : "a domain";
}

/**
 * Where the account may work from now on. That a role is taken away ends nothing: the account may hold another in the
 * same place, and the record does not say; a listing of all assignments does. What is inherited holds below the
 * project and not in it, and what is for the whole system is for no project in particular.
 */
function workFacts(account: EntityRef, payload: JsonObject): readonly FactDraft[] {
  const project = text(payload, "project");
  const domain = text(payload, "domain");
  if (project !== undefined) {
    const kind = payload["inherited_to_projects"] === true ? "project_tree" : "project";
    return [fact(account, "works_in", ref(kind, project))];
  }
  return [fact(account, "works_in", domain === undefined ? ref("system", "all") : ref("domain", domain))];
}

function readTarget(
  message: OsloMessage,
  name: string,
  initiator: JsonObject | undefined,
): Reading | undefined {
  const dot = name.lastIndexOf(".");
  const family = name.slice(0, dot).replace(/^OS-TRUST:/, "");
  const action = name.slice(dot + 1);
  const id = text(message.payload, "resource_info") ?? text(asObject(message.payload["target"]), "id");
  if (dot < 0 || id === undefined) return undefined;
  const kind = kinds[family] ?? family.toLowerCase().replaceAll(/[^a-z0-9_]/g, "_");
  const subject = ref(kind, id);
  const account = text(initiator, "user_id");
  // Keystone lets only the user itself make its application credentials and trusts.
  const ownAccount = action === "created" && (kind === "application_credential" || kind === "trust");
  const facts: FactDraft[] = [
    ...(ownAccount && account !== undefined ? [fact(subject, "part_of", ref("user", account))] : []),
    ...membershipFacts(subject, message.payload),
  ];
  const tenancy = kind === "project" || kind === "domain";
  return {
    type: `identity.${kind}.${action}`,
    kind: "change",
    category: (tenancy ? "tenancy" : "auth") satisfies Category,
    visibility: tenancy ? "operational" : "security",
    subject,
    related: ownAccount ? related("account", "user", account) : [],
    ...(kind === "role" ? { platform: true } : {}),
    summary: `${words(kind)[0]!.toUpperCase()}${words(kind).slice(1)} ${words(action)}`,
    facts,
    ...(action === "deleted" ? { removedFrom: "identity" } : {}),
  };
}

/** `_send_notification` of keystone/notifications.py tells, in the basic format, who was added to a group or removed. */
function membershipFacts(group: EntityRef, payload: JsonObject): readonly FactDraft[] {
  const user = text(payload, "actor_id");
  const operation = text(payload, "actor_operation");
  if (group.kind !== "group" || user === undefined || text(payload, "actor_type") !== "user") return [];
  if (operation !== "added" && operation !== "removed") return [];
  return [fact(ref("user", user), "member_of", group, operation === "added")];
}
