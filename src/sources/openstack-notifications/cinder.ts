import type { Category, StatedOwner } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { asList, asObject, text } from "./fields.ts";
import type { FactDraft, Reading } from "./reading.ts";
import { readOwnerPath } from "./owner-path.ts";
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

/** Payload spellings of cinder/volume/volume_utils.py. */
interface Family {
  readonly kind: "volume" | "snapshot" | "backup" | "group" | "group_snapshot";
  readonly id: string;
  readonly category: Category;
}

const families: Readonly<Record<string, Family>> = {
  volume: { kind: "volume", id: "volume_id", category: "storage" },
  snapshot: { kind: "snapshot", id: "snapshot_id", category: "snapshot" },
  backup: { kind: "backup", id: "backup_id", category: "backup" },
  group: { kind: "group", id: "group_id", category: "storage" },
  consistencygroup: { kind: "group", id: "group_id", category: "storage" },
  cgsnapshot: { kind: "group_snapshot", id: "cgsnapshot_id", category: "snapshot" },
  group_snapshot: { kind: "group_snapshot", id: "group_snapshot_id", category: "snapshot" },
};

export function readCinder(message: OsloMessage): Reading | undefined {
  const { stem, phase: ended } = splitPhase(message.eventType);
  const [family, ...rest] = stem.split(".");
  const found = families[family ?? ""];
  if (found === undefined || rest.length === 0) return undefined;
  const id = text(message.payload, found.id);
  if (id === undefined) return undefined;
  const action = rest.join(".").replace("createprogress", "create");
  const phase = message.eventType.endsWith("createprogress") ? "progress" : ended;
  const type = `${found.kind === "group" ? family : found.kind}.${action}${phase === undefined ? "" : `.${phase}`}`;
  const status = text(message.payload, "status");
  const broken = status?.startsWith("error") ?? false;
  const severity = broken ? "error" : severityOf(message, phase);
  const name = text(message.payload, "display_name");
  const stated = readOwnerPath(message);
  const usage = action === "exists";
  return {
    type,
    kind: usage ? "activity" : kindOf(severity, phase),
    category: usage ? "usage" : action.startsWith("restore") ? "restore" : found.category,
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility: usage ? "billing" : "operational",
    subject: ref(found.kind, id),
    ...(name === undefined ? {} : { subjectName: name }),
    related: [
      ...(found.kind === "volume" ? [] : related("source", "volume", text(message.payload, "volume_id"))),
      ...related("backend", "backend", text(message.payload, "host")),
      ...attachments(message.payload).flatMap((item) =>
        related("server", "server", text(item, "instance_uuid")),
      ),
    ],
    ...(stated === undefined ? {} : { stated }),
    summary: `${summarise(found.kind.replace("_", " "), name, action, phase)}${broken ? ` (status ${status})` : ""}`,
    facts: cinderFacts(message.payload, found, id, { stated, step: `${action}.${phase ?? ""}` }),
    ...(action === "delete" && phase === "end" ? { removedFrom: "block-storage" } : {}),
  };
}

function attachments(payload: JsonObject): readonly JsonObject[] {
  return asList(payload["volume_attachment"])
    .map(asObject)
    .filter((item) => item !== undefined);
}

function cinderFacts(
  payload: JsonObject,
  family: Family,
  id: string,
  { stated, step }: { readonly stated: StatedOwner | undefined; readonly step: string },
): readonly FactDraft[] {
  const subject = ref(family.kind, id);
  const volume = text(payload, "volume_id");
  const facts: FactDraft[] = [
    ...ownedFacts(subject, stated),
    ...namedFacts(subject, text(payload, "display_name")),
  ];
  if (family.kind !== "volume") {
    return volume === undefined ? facts : [...facts, fact(subject, "copy_of", ref("volume", volume))];
  }
  // What Cinder calls the disk, and so do Libvirt and whoever watches devices; said where a life begins, and each day.
  if (/^(create\.end|exists\.|manage_existing\.end)$/.test(step))
    facts.push(fact(subject, "known_as", ref("path", `volume-${id}`)));
  const backend = text(payload, "host");
  if (backend !== undefined) facts.push(fact(subject, "stored_on", ref("backend", backend)));
  for (const item of attachments(payload)) {
    const attachment = text(item, "id");
    const server = text(item, "instance_uuid");
    const holds = item["attach_status"] === "attached" && step !== "detach.end";
    if (attachment !== undefined) facts.push(fact(ref("attachment", attachment), "part_of", subject));
    if (server !== undefined) facts.push(fact(subject, "attached_to", ref("server", server), holds));
  }
  return facts;
}

/** `volume_type_project.access.add|remove`: the type is the provider's, but whose access changed is told. */
export function readVolumeTypeAccess(message: OsloMessage): Reading | undefined {
  const action = /^volume_type_project\.access\.(\w+)$/.exec(message.eventType)?.[1];
  const type = text(message.payload, "volume_type_id");
  const stated = readOwnerPath(message);
  if (action === undefined || type === undefined || stated === undefined) return undefined;
  return {
    type: message.eventType,
    kind: "change",
    category: "tenancy",
    subject: stated.owner,
    related: related("volume_type", "volume_type", type),
    stated,
    summary: `Volume type: access ${action === "add" ? "granted" : "taken away"}`,
  };
}

/** A volume that Cinder's scheduler could not place (cinder/scheduler/manager.py); the volume tells whose it is. */
export function readVolumeScheduling(message: OsloMessage): Reading | undefined {
  const method = /^scheduler\.(\w+)$/.exec(message.eventType)?.[1];
  const volume = text(message.payload, "volume_id");
  if (method === undefined || volume === undefined) return undefined;
  return {
    type: message.eventType,
    kind: "symptom",
    category: "storage",
    phase: "error",
    severity: "error",
    visibility: "provider",
    subject: ref("volume", volume),
    summary: `Scheduling: ${words(method)} failed`,
  };
}

/** What only the provider is concerned with: capacity, schedulers, quality-of-service specs, volume types. */
export function readCinderPlatform(message: OsloMessage): Reading | undefined {
  const { stem, phase } = splitPhase(message.eventType);
  const family = /^(capacity|scheduler|qos_specs|volume_type)\b/.exec(stem)?.[1];
  if (family === undefined) return undefined;
  const id =
    text(message.payload, "id") ?? text(message.payload, "name_to_id") ?? text(message.payload, "name");
  const severity = severityOf(message, phase);
  return {
    type: message.eventType,
    kind: family === "capacity" || family === "scheduler" ? "activity" : kindOf(severity, phase),
    category: "platform",
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility: "provider",
    subject: ref(family === "capacity" ? "backend" : family, id ?? message.publisherId),
    platform: true,
    summary: summarise(family.replaceAll("_", " "), id, stem.slice(family.length + 1) || "reported", phase),
  };
}
