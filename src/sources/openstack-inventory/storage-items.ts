import type { EventDraft, Observation } from "../../model/event.ts";
import { duration } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Decoders } from "../source.ts";
import { serviceHealth, serviceName } from "./health.ts";
import { readHealth, readRemoval } from "./health-events.ts";
import { hostNames } from "./host-names.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { asObject, fact, needText, objects, ref, related, stamp, statedProject, text } from "./item.ts";
import { readStatus } from "./status-events.ts";

/** Cinder API v3. Owners stand in prefixed fields of their own, which need the administrator's view. */
const volumeOwner = "os-vol-tenant-attr:tenant_id";
const snapshotOwner = "os-extended-snapshot-attributes:project_id";
const backupOwner = "os-backup-project-attr:project_id";

export function readVolume(record: InventoryRecord, decode: Decoders): Observation {
  const { item, seenAt } = record;
  const volume = ref("volume", needText(item, "id"));
  const servers = objects(item["attachments"]).map((attachment) => text(attachment, "server_id"));
  const stated = statedProject(item, volumeOwner);
  const events = readStatus(
    record,
    {
      stem: "volume.status",
      thing: "Volume",
      category: "storage",
      subject: volume,
      related: servers.flatMap((server) => related("server", "server", server)),
      ...(stated === undefined ? {} : { stated }),
      details: {},
    },
    decode,
  );
  const image = text(asObject(item["volume_image_metadata"]), "image_id");
  return {
    events,
    facts: [
      ...fact(volume, "owned_by", "project", text(item, volumeOwner), seenAt),
      ...fact(volume, "named", "name", text(item, "name"), seenAt),
      // After a migration the disk keeps the name of the volume that it was copied to.
      ...fact(
        volume,
        "known_as",
        "path",
        `volume-${text(item, "os-vol-mig-status-attr:name_id") ?? volume.id}`,
        seenAt,
      ),
      ...fact(volume, "stored_on", "backend", text(item, "os-vol-host-attr:host"), seenAt),
      ...fact(volume, "made_from", "image", image, seenAt),
      ...servers.flatMap((server) => fact(volume, "attached_to", "server", server, seenAt)),
    ],
  };
}

export function readSnapshot(record: InventoryRecord, decode: Decoders): Observation {
  return readCopy(record, decode, "snapshot", snapshotOwner);
}

/** A cancelled restore ends in `available` just as a finished one does; the API does not tell them apart. */
export function readBackup(record: InventoryRecord, decode: Decoders): Observation {
  return readCopy(record, decode, "backup", backupOwner);
}

function readCopy(
  record: InventoryRecord,
  decode: Decoders,
  kind: "snapshot" | "backup",
  ownerField: string,
): Observation {
  const { item, seenAt } = record;
  const copy = ref(kind, needText(item, "id"));
  const volume = text(item, "volume_id");
  const stated = statedProject(item, ownerField);
  const events = readStatus(
    record,
    {
      stem: `volume.${kind}`,
      thing: kind === "backup" ? "Backup" : "Snapshot",
      category: kind === "backup" && record.previous?.[0] === "restoring" ? "restore" : kind,
      subject: copy,
      // A backup outlives a transfer of its volume, which may by now be somebody else's.
      related: related(kind === "backup" ? "source_volume" : "volume", "volume", volume),
      ...(stated === undefined ? {} : { stated }),
      details: {},
    },
    decode,
  );
  return {
    events,
    facts: [
      ...fact(copy, "owned_by", "project", text(item, ownerField), seenAt),
      ...fact(copy, "named", "name", text(item, "name"), seenAt),
      ...fact(copy, "copy_of", "volume", volume, seenAt),
    ],
  };
}

/**
 * Volume transfers (Cinder API 3.57 names the donor). One that vanishes was accepted or cancelled: the volume's
 * own owner tells which.
 */
export function readTransfer(record: InventoryRecord, decode: Decoders): Observation {
  if (record.gone === true) return { events: [makeTransferGone(record)], facts: [] };
  const { item, seenAt } = record;
  const id = needText(item, "id");
  const transfer = ref("transfer", id);
  const donor = text(item, "source_project_id");
  const name = text(item, "name");
  const made = stamp(item, "created_at", decode);
  const stated = statedProject(item, "source_project_id");
  const key = `transfer:${id}:created`;
  const created: EventDraft = {
    key,
    sourceIds: [key],
    occurredAt: made?.at ?? seenAt,
    precision: made?.precision ?? duration(0),
    type: "volume.transfer.created",
    kind: "change",
    category: "tenancy",
    severity: "info",
    visibility: "operational",
    subject: transfer,
    ...(name === undefined ? {} : { subjectName: name }),
    related: related("volume", "volume", text(item, "volume_id")),
    ...(stated === undefined ? {} : { stated }),
    summary: `Volume transfer ${name ?? id}: offered`,
    details: { seen_by: "polling", accepted: item["accepted"] === true },
  };
  return {
    events: [created],
    facts: [
      ...fact(transfer, "owned_by", "project", donor, seenAt),
      ...fact(transfer, "named", "name", name, seenAt),
    ],
  };
}

function makeTransferGone(record: InventoryRecord): EventDraft {
  const id = needText(record.item, "id");
  const [volume, name, donor] = (record.previous ?? []).map((field) =>
    typeof field === "string" ? field : undefined,
  );
  const notBefore = record.previousSeenAt ?? record.seenAt;
  const key = `transfer:${id}:gone`;
  return {
    key,
    sourceIds: [key],
    occurredAt: notBefore,
    precision: duration(Math.max(0, record.seenAt - notBefore)),
    type: "volume.transfer.gone",
    kind: "change",
    category: "tenancy",
    severity: "info",
    visibility: "operational",
    subject: ref("transfer", id),
    ...(name === undefined ? {} : { subjectName: name }),
    related: related("volume", "volume", volume),
    ...(donor === undefined
      ? {}
      : { stated: { owner: { kind: "project", id: donor }, path: "item.source_project_id" } as const }),
    summary: `Volume transfer ${name ?? id}: accepted or cancelled`,
    details: { seen_by: "polling" },
  };
}

/**
 * Cinder's services. Their subject is the service and not its host, and no host is said to be served: a volume
 * service that stops harms no server for running on the same machine.
 */
export function readVolumeService(record: InventoryRecord, decode: Decoders): Observation {
  const { item } = record;
  const base = { stem: "volume.service", category: "platform", writesMoveHeartbeat: false } as const;
  if (record.gone === true) {
    const id = needText(item, "id");
    return {
      events: readRemoval(record, { ...base, id, ...volumeServiceParts(id), details: {} }),
      facts: [],
    };
  }
  const id = serviceName(item) ?? needText(item, "binary");
  const details: JsonObject = {
    binary: text(item, "binary") ?? null,
    host: text(item, "host") ?? null,
    zone: text(item, "zone") ?? null,
    ...(text(item, "backend_state") === undefined
      ? {}
      : { backend_state: text(item, "backend_state") ?? null }),
  };
  const bearer = { ...base, id, ...volumeServiceParts(id), health: serviceHealth(item), details };
  const host = text(item, "host")?.split("@")[0];
  return {
    events: readHealth(record, bearer, decode),
    facts: host === undefined ? [] : hostNames(host, host, record.seenAt),
  };
}

function volumeServiceParts(id: string) {
  const [binary = id, host = "", backend] = id.split("@");
  return {
    label: `${binary} on ${host}${backend === undefined ? "" : `@${backend}`}`,
    subject: ref("service", id),
    subjectName: id,
    related: related("host", "host", host === "" ? undefined : host),
    downSeverity: binary === "cinder-volume" ? ("critical" as const) : ("error" as const),
  };
}
