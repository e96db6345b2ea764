import type { Category } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { asList, asObject, text } from "./fields.ts";
import type { FactDraft, Reading } from "./reading.ts";
import { fact, kindOf, ref, related, severityOf, splitPhase, statedProject, summarise } from "./reading.ts";

/** Payload spellings of cinder/volume/volume_utils.py: the owner is always `tenant_id`, never the context. */
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
  const stated = statedProject(message.payload, "tenant_id", "payload.tenant_id");
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
    facts: cinderFacts(message.payload, found, id, `${action}.${phase ?? ""}`),
  };
}

function attachments(payload: JsonObject): readonly JsonObject[] {
  return asList(payload["volume_attachment"])
    .map(asObject)
    .filter((item) => item !== undefined);
}

function cinderFacts(payload: JsonObject, family: Family, id: string, step: string): readonly FactDraft[] {
  const subject = ref(family.kind, id);
  const owner = text(payload, "tenant_id");
  const name = text(payload, "display_name");
  const volume = text(payload, "volume_id");
  const facts: FactDraft[] = [];
  if (owner !== undefined) facts.push(fact(subject, "owned_by", ref("project", owner)));
  if (name !== undefined) facts.push(fact(subject, "named", ref("name", name)));
  if (family.kind !== "volume") {
    return volume === undefined ? facts : [...facts, fact(subject, "copy_of", ref("volume", volume))];
  }
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
