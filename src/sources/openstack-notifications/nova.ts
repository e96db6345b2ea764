import type { EntityRef, Related } from "../../model/entity.ts";
import type { Category, FieldChange } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asList, asObject, objectData, text, unwrapped } from "./fields.ts";
import { readOwnerPath } from "./owner-path.ts";
import type { FactDraft, Reading } from "./reading.ts";
import {
  fact,
  kindOf,
  namedFacts,
  ownedFacts,
  ref,
  related,
  severityOf,
  splitPhase,
  summarise,
  words,
} from "./reading.ts";

/** Legacy spellings of actions that the versioned format spells otherwise (nova/notifications/objects). */
const legacyActions: Readonly<Record<string, string>> = {
  finish_resize: "resize_finish",
  "live_migration._post": "live_migration_post",
  "volume.attach": "volume_attach.end",
  "volume.detach": "volume_detach.end",
};

const activityActions = new Set(["exists", "update", "trigger_crash_dump", "unlock", "lock"]);

function categoryOf(action: string): Category {
  if (/migrat|evacuate/.test(action)) return "migration";
  if (/^(create|delete|soft_delete|force_delete|restore|rebuild|resize|shelve|unshelve)/.test(action))
    return "provisioning";
  if (action.startsWith("snapshot")) return "snapshot";
  if (action.startsWith("volume")) return "storage";
  if (action.startsWith("interface")) return "network";
  return action === "exists" ? "usage" : "lifecycle";
}

/** `compute.instance.*` (legacy) and `instance.*` (versioned). */
export function readInstance(message: OsloMessage): Reading | undefined {
  const name = /^(?:compute\.)?instance\.(.+)$/.exec(message.eventType)?.[1];
  const id = text(message.payload, message.versioned ? "uuid" : "instance_id");
  if (name === undefined || id === undefined) return undefined;
  const split = splitPhase(legacyActions[name] ?? name);
  const action = (legacyActions[split.stem] ?? split.stem).replaceAll(".", "_");
  const phase = split.phase;
  const type = `compute.instance.${action}${phase === undefined ? "" : `.${phase}`}`;
  const state = stateChange(message);
  const failed = state?.after === "error" && state.before !== "error";
  const severity = failed ? "error" : severityOf(message, phase);
  const quiet = activityActions.has(action) && state === undefined;
  const displayName = text(message.payload, "display_name");
  const stated = readOwnerPath(message);
  const step = `${action}.${phase ?? ""}`;
  const gone = isGone(message.payload, step);
  return {
    type,
    kind: quiet && severity === "info" ? "activity" : kindOf(severity, phase),
    category: categoryOf(action),
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility: action === "exists" ? "billing" : "operational",
    subject: ref("server", id),
    ...(displayName === undefined ? {} : { subjectName: displayName }),
    related: instanceRelated(message),
    ...(stated === undefined ? {} : { stated }),
    twinOf: `${type}|${id}|${updateMark(message)}`,
    summary: instanceSummary(message, displayName, action, phase, state),
    ...(state === undefined ? {} : { changes: [state] }),
    facts: [
      ...ownedFacts(ref("server", id), stated),
      ...instanceFacts(message, ref("server", id), { step, gone }),
    ],
    ...(gone ? { removedFrom: "compute" } : {}),
  };
}

function isGone(payload: JsonObject, step: string): boolean {
  return (
    step === "delete.end" || text(payload, "state") === "deleted" || text(payload, "deleted_at") !== undefined
  );
}

function updateState(message: OsloMessage): JsonObject | undefined {
  if (!message.eventType.endsWith("instance.update")) return undefined;
  const wrapped = asObject(message.payload["state_update"]);
  return message.versioned ? objectData(wrapped) : message.payload;
}

/** A change of the VM state (not of the task state, which is a step on the way). */
function stateChange(message: OsloMessage): FieldChange | undefined {
  const state = updateState(message);
  const before = text(state, "old_state");
  const after = text(state, "state");
  return before === undefined || after === undefined || before === after
    ? undefined
    : { field: "state", before, after };
}

/** Tells the many updates of one request apart; both formats carry these four fields. */
function updateMark(message: OsloMessage): string {
  const state = updateState(message);
  if (state === undefined) return "";
  return ["old_state", "state", "old_task_state", "new_task_state"]
    .map((field) => text(state, field) ?? "-")
    .join(",");
}

function instanceSummary(
  message: OsloMessage,
  name: string | undefined,
  action: string,
  phase: Reading["phase"],
  state: FieldChange | undefined,
): string {
  if (state !== undefined) {
    return `Server ${name ?? ""}: state ${String(state.before)} → ${String(state.after)}`.replace("  ", " ");
  }
  const fault = objectData(message.payload["fault"]);
  const cause = text(fault, "exception_message") ?? text(message.payload, "message");
  const sentence = summarise("server", name, action, phase);
  return phase === "error" && cause !== undefined ? `${sentence}: ${cause}` : sentence;
}

function flavorId(payload: JsonObject): string | undefined {
  const flavor = objectData(payload["flavor"]);
  return text(flavor, "flavorid") ?? text(payload, "instance_flavor_id");
}

function imageId(payload: JsonObject): string | undefined {
  const legacy = text(payload, "image_ref_url")?.split("/").pop();
  return text(payload, "image_uuid") ?? (legacy === "" ? undefined : legacy);
}

function instanceRelated(message: OsloMessage): readonly Related[] {
  const payload = message.payload;
  return [
    ...related("host", "host", text(payload, "host")),
    ...related("volume", "volume", text(payload, "volume_id")),
    ...related("image", "image", imageId(payload)),
    ...related("flavor", "flavor", flavorId(payload)),
  ];
}

/** Steps after which a server has the name and the addresses that its message gives, and is likely to keep them. */
const settledStep =
  /^(create\.end|rebuild\.end|unshelve\.end|interface_(attach|detach)\.end|delete\.end|exists\.)$/;

/** Steps of the host that lets a server go: it ends after the other took it over, and still gives itself as the host. */
const staleHostStep = /^live_migration_post\./;

function instanceFacts(
  message: OsloMessage,
  server: EntityRef,
  { step, gone }: { readonly step: string; readonly gone: boolean },
): readonly FactDraft[] {
  const payload = message.payload;
  const facts: FactDraft[] = staleHostStep.test(step) ? [] : [...placementFacts(payload, server, gone)];
  // An update is how Nova tells of another name; most of them tell of something else.
  if (step.startsWith("update"))
    return text(payload, "old_display_name") === undefined
      ? facts
      : [...facts, ...namedFacts(server, text(payload, "display_name"))];
  facts.push(...namedFacts(server, text(payload, "display_name")));
  if (gone || settledStep.test(step)) facts.push(...aliasFacts(message, server, gone));
  const image = imageId(payload);
  if (image !== undefined) facts.push(fact(server, "made_from", ref("image", image)));
  const flavor = flavorId(payload);
  if (flavor !== undefined) facts.push(fact(server, "sized_by", ref("flavor", flavor)));
  return [
    ...facts,
    ...addressFacts(payload, server, gone),
    ...fixedAddressFacts(payload, server, gone),
    ...attachmentFacts(message, server, step),
  ];
}

/**
 * Where the server is. `host: null` says that it is nowhere (not yet placed, shelved, deleted while in
 * error), which ends whatever place was known.
 */
function placementFacts(payload: JsonObject, server: EntityRef, gone: boolean): readonly FactDraft[] {
  const host = text(payload, "host");
  if (host !== undefined) return [fact(server, "runs_on", ref("host", host), !gone)];
  return payload["host"] === null ? [fact(server, "runs_on", ref("host", "none"), false)] : [];
}

function addressFacts(payload: JsonObject, server: EntityRef, gone: boolean): readonly FactDraft[] {
  return asList(payload["ip_addresses"]).flatMap((item) => {
    const address = objectData(item);
    const ip = text(address, "address")?.toLowerCase();
    const mac = text(address, "mac")?.toLowerCase();
    const port = text(address, "port_uuid");
    return [
      ...(ip === undefined ? [] : [fact(server, "has_address", ref("ip", ip), !gone)]),
      ...(mac === undefined ? [] : [fact(server, "has_address", ref("mac", mac), !gone)]),
      ...(port === undefined ? [] : [fact(ref("port", port), "attached_to", server, !gone)]),
    ];
  });
}

/** What guests and monitors call the server: its own host name, and Libvirt's name of its domain. */
function aliasFacts(
  { payload, versioned }: OsloMessage,
  server: EntityRef,
  gone: boolean,
): readonly FactDraft[] {
  const hostName = text(payload, versioned ? "host_name" : "hostname")?.toLowerCase();
  const domain = text(payload, "instance_name");
  return [
    ...(hostName === undefined ? [] : [fact(server, "known_as", ref("hostname", hostName), !gone)]),
    ...(domain === undefined ? [] : [fact(server, "known_as", ref("libvirt_domain", domain), !gone)]),
  ];
}

/** The legacy format's spelling of the same (nova/notifications/base.py, `info_from_instance` with its network). */
function fixedAddressFacts(payload: JsonObject, server: EntityRef, gone: boolean): readonly FactDraft[] {
  return asList(payload["fixed_ips"]).flatMap((item) => {
    const ip = text(asObject(item), "address")?.toLowerCase();
    const mac = text(asObject(item), "vif_mac")?.toLowerCase();
    return [
      ...(ip === undefined ? [] : [fact(server, "has_address", ref("ip", ip), !gone)]),
      ...(mac === undefined ? [] : [fact(server, "has_address", ref("mac", mac), !gone)]),
    ];
  });
}

function attachmentFacts(message: OsloMessage, server: EntityRef, step: string): readonly FactDraft[] {
  const volume = text(message.payload, "volume_id");
  if (volume === undefined || !/^volume_(attach|detach)\.end$/.test(step)) return [];
  return [fact(ref("volume", volume), "attached_to", server, step === "volume_attach.end")];
}

/** `scheduler.select_destinations.*` and `compute_task.*`. */
export function readScheduling(message: OsloMessage): Reading | undefined {
  if (!/^(scheduler|compute_task)\./.test(message.eventType)) return undefined;
  const { stem, phase } = splitPhase(message.eventType);
  const wrapped = unwrapped(message.payload["request_spec"]);
  const spec = message.versioned ? wrapped : asObject(wrapped?.["instance_properties"]);
  const id =
    text(message.payload, "instance_uuid") ??
    text(message.payload, "instance_id") ??
    text(spec, "instance_uuid") ??
    text(spec, "uuid");
  if (id === undefined) return undefined;
  const failed = stem.startsWith("compute_task") || phase === "error";
  const ended = failed ? "error" : phase;
  const type = failed ? `${stem}.error` : message.eventType;
  const stated = readOwnerPath(message);
  const reason = objectData(message.payload["reason"]);
  const cause = text(reason, "exception_message");
  return {
    type,
    kind: failed ? "symptom" : "activity",
    category: "provisioning",
    ...(ended === undefined ? {} : { phase: ended }),
    severity: failed ? "error" : "info",
    visibility: failed ? "operational" : "provider",
    subject: ref("server", id),
    ...(stated === undefined ? {} : { stated }),
    twinOf: `${type}|${id}`,
    summary: `${summarise("scheduling", undefined, stem.split(".").pop()!, ended)}${cause === undefined ? "" : `: ${cause}`}`,
    facts: ownedFacts(ref("server", id), stated),
  };
}

/** `keypair.*`: a key pair belongs to a user, who may work in many projects. */
export function readKeypair(message: OsloMessage): Reading | undefined {
  if (!message.eventType.startsWith("keypair.")) return undefined;
  const { stem, phase } = splitPhase(message.eventType);
  const user = text(message.payload, "user_id");
  const name = text(message.payload, "name") ?? text(message.payload, "key_name");
  if (user === undefined || name === undefined) return undefined;
  const keypair = ref("keypair", `${user}/${name}`);
  return {
    type: message.eventType,
    kind: kindOf(severityOf(message, phase), phase),
    category: "lifecycle",
    ...(phase === undefined ? {} : { phase }),
    subject: keypair,
    subjectName: name,
    related: related("account", "user", user),
    twinOf: `${message.eventType}|${keypair.id}`,
    summary: summarise("key pair", name, stem.split(".").pop()!, phase),
    ...(stem.endsWith(".delete") && phase === "end" ? { removedFrom: "compute" } : {}),
  };
}

/** `server_group.*` / `servergroup.*`, with the servers that are its members. */
export function readServerGroup(message: OsloMessage): Reading | undefined {
  const action = /^server_?group\.(.+)$/.exec(message.eventType)?.[1]?.replace("addmember", "add_member");
  const id = text(message.payload, "uuid") ?? text(message.payload, "server_group_id");
  if (action === undefined || id === undefined) return undefined;
  const group = ref("server_group", id);
  const stated = readOwnerPath(message);
  const name = text(message.payload, "name");
  // The legacy format names only those that were added just now.
  const members = [...asList(message.payload["members"]), ...asList(message.payload["instance_uuids"])];
  return {
    type: `server_group.${action}`,
    kind: "change",
    category: "lifecycle",
    subject: group,
    ...(name === undefined ? {} : { subjectName: name }),
    ...(stated === undefined ? {} : { stated }),
    twinOf: `server_group.${action}|${id}`,
    summary: summarise("server group", name, action),
    facts: [
      ...ownedFacts(group, stated),
      ...namedFacts(group, name),
      ...members
        .filter((member) => typeof member === "string" && member !== "")
        .map((member) => fact(ref("server", member as string), "member_of", group, action !== "delete")),
    ],
    ...(action === "delete" ? { removedFrom: "compute" } : {}),
  };
}

/** Errors that Nova wraps around a failing function: no owner in the payload, only the request tells. */
export function readException(message: OsloMessage): Reading | undefined {
  const wrapped = !message.versioned && "exception" in message.payload && "args" in message.payload;
  if (message.eventType !== "compute.exception" && !wrapped) return undefined;
  const request = operationOf(message)?.requestId ?? message.messageId;
  const said =
    text(message.payload, "exception_message") ?? text(message.payload, "exception") ?? message.eventType;
  const raised = text(message.payload, "function_name") ?? message.eventType;
  return {
    type: "compute.exception",
    kind: "symptom",
    category: "lifecycle",
    phase: "error",
    severity: "error",
    visibility: "provider",
    subject: ref("request", request),
    related: related("account", "user", keyPairAccount(message, raised)),
    twinOf: `compute.exception|${request}`,
    summary: `Nova raised an error in ${words(raised)}: ${said.slice(0, 300)}`,
  };
}

/** Whose key pair could not be made: what Nova's function was called with says it (nova/compute/api.py). */
function keyPairAccount(message: OsloMessage, raised: string): string | undefined {
  return /^(import|create)_key_pair$/.test(raised)
    ? text(asObject(message.payload["args"]), "user_id")
    : undefined;
}
