import type { Related } from "../../model/entity.ts";
import type { Category, FieldChange } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asList, asObject, text } from "./fields.ts";
import type { FactDraft, Reading } from "./reading.ts";
import {
  fact,
  kindOf,
  ref,
  related,
  severityOf,
  splitPhase,
  statedProject,
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

/** `compute.instance.*` (legacy, owner in `tenant_id`) and `instance.*` (versioned, the same field). */
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
  const stated = statedProject(message.payload, "tenant_id", "payload.tenant_id");
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
    facts: instanceFacts(message, id, `${action}.${phase ?? ""}`),
  };
}

function updateState(message: OsloMessage): JsonObject | undefined {
  if (!message.eventType.endsWith("instance.update")) return undefined;
  const wrapped = asObject(message.payload["state_update"]);
  return message.versioned ? asObject(wrapped?.["nova_object.data"]) : message.payload;
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
  const fault = asObject(asObject(message.payload["fault"])?.["nova_object.data"]);
  const cause = text(fault, "exception_message") ?? text(message.payload, "message");
  const sentence = summarise("server", name, action, phase);
  return phase === "error" && cause !== undefined ? `${sentence}: ${cause}` : sentence;
}

function flavorId(payload: JsonObject): string | undefined {
  const flavor = asObject(asObject(payload["flavor"])?.["nova_object.data"]);
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

function instanceFacts(message: OsloMessage, id: string, step: string): readonly FactDraft[] {
  const payload = message.payload;
  const server = ref("server", id);
  const owner = text(payload, "tenant_id");
  const gone =
    step === "delete.end" ||
    text(payload, "state") === "deleted" ||
    text(payload, "deleted_at") !== undefined;
  const facts: FactDraft[] = [];
  if (owner !== undefined) facts.push(fact(server, "owned_by", ref("project", owner)));
  facts.push(...placementFacts(payload, server, gone));
  if (step.startsWith("update")) return facts;
  const name = text(payload, "display_name");
  if (name !== undefined) facts.push(fact(server, "named", ref("name", name)));
  const image = imageId(payload);
  if (image !== undefined) facts.push(fact(server, "made_from", ref("image", image)));
  const flavor = flavorId(payload);
  if (flavor !== undefined) facts.push(fact(server, "sized_by", ref("flavor", flavor)));
  return [...facts, ...addressFacts(payload, server, gone), ...attachmentFacts(message, id, step)];
}

/**
 * Where the server is. `host: null` says that it is nowhere (not yet placed, shelved, deleted while in
 * error), which ends whatever place was known.
 */
function placementFacts(
  payload: JsonObject,
  server: ReturnType<typeof ref>,
  gone: boolean,
): readonly FactDraft[] {
  const host = text(payload, "host");
  if (host !== undefined) return [fact(server, "runs_on", ref("host", host), !gone)];
  return payload["host"] === null ? [fact(server, "runs_on", ref("host", "none"), false)] : [];
}

function addressFacts(
  payload: JsonObject,
  server: ReturnType<typeof ref>,
  gone: boolean,
): readonly FactDraft[] {
  return asList(payload["ip_addresses"]).flatMap((item) => {
    const address = asObject(asObject(item)?.["nova_object.data"]);
    const ip = text(address, "address");
    const mac = text(address, "mac");
    const port = text(address, "port_uuid");
    return [
      ...(ip === undefined ? [] : [fact(server, "has_address", ref("ip", ip), !gone)]),
      ...(mac === undefined ? [] : [fact(server, "has_address", ref("mac", mac), !gone)]),
      ...(port === undefined ? [] : [fact(ref("port", port), "attached_to", server, !gone)]),
    ];
  });
}

function attachmentFacts(message: OsloMessage, id: string, step: string): readonly FactDraft[] {
  const volume = text(message.payload, "volume_id");
  if (volume === undefined || !/^volume_(attach|detach)\.end$/.test(step)) return [];
  return [fact(ref("volume", volume), "attached_to", ref("server", id), step === "volume_attach.end")];
}

/** `scheduler.select_destinations.*` and `compute_task.*`: the owner is the request spec's project. */
export function readScheduling(message: OsloMessage): Reading | undefined {
  if (!/^(scheduler|compute_task)\./.test(message.eventType)) return undefined;
  const { stem, phase } = splitPhase(message.eventType);
  const wrapped = asObject(message.payload["request_spec"]);
  const spec = message.versioned
    ? (asObject(wrapped?.["nova_object.data"]) ?? message.payload)
    : asObject(wrapped?.["instance_properties"]);
  const path = message.versioned
    ? wrapped === undefined
      ? "payload.project_id"
      : "payload.request_spec.project_id"
    : "payload.request_spec.instance_properties.project_id";
  const id =
    text(message.payload, "instance_uuid") ??
    text(message.payload, "instance_id") ??
    text(spec, "instance_uuid") ??
    text(spec, "uuid");
  if (id === undefined) return undefined;
  const failed = stem.startsWith("compute_task") || phase === "error";
  const ended = failed ? "error" : phase;
  const type = failed ? `${stem}.error` : message.eventType;
  const stated = statedProject(spec, "project_id", path);
  const reason = asObject(asObject(message.payload["reason"])?.["nova_object.data"]);
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
    facts: stated === undefined ? [] : [fact(ref("server", id), "owned_by", stated.owner)],
  };
}

/** `keypair.*`: a keypair belongs to a user, who may work in many projects; `tenant_id` is the actor's. */
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
  };
}

/** `server_group.*` / `servergroup.*`: the owner is `project_id`, absent from the legacy delete. */
export function readServerGroup(message: OsloMessage): Reading | undefined {
  const action = /^server_?group\.(.+)$/.exec(message.eventType)?.[1]?.replace("addmember", "add_member");
  const id = text(message.payload, "uuid") ?? text(message.payload, "server_group_id");
  if (action === undefined || id === undefined) return undefined;
  const group = ref("server_group", id);
  const stated = statedProject(message.payload, "project_id", "payload.project_id");
  const name = text(message.payload, "name");
  return {
    type: `server_group.${action}`,
    kind: "change",
    category: "lifecycle",
    subject: group,
    ...(name === undefined ? {} : { subjectName: name }),
    ...(stated === undefined ? {} : { stated }),
    twinOf: `server_group.${action}|${id}`,
    summary: summarise("server group", name, action),
    facts: stated === undefined ? [] : [fact(group, "owned_by", stated.owner)],
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
    twinOf: `compute.exception|${request}`,
    summary: `Nova raised an error in ${words(raised)}: ${said.slice(0, 300)}`,
  };
}
