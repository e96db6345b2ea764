import type { EntityRef } from "../../model/entity.ts";
import type { Category } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asObject, text } from "./fields.ts";
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

/** Where services that need no reader of their own keep the resource's id. */
interface Shape {
  readonly pattern: RegExp;
  readonly kind: string;
  readonly ids: readonly string[];
  readonly category: Category;
  /** The service's type in the catalog. */
  readonly service: string;
  readonly platform?: true;
  /** Other things that the payload names: role, kind, field. */
  readonly others?: readonly (readonly [role: string, kind: string, field: string])[];
  readonly facts?: (payload: JsonObject, subject: EntityRef, gone: boolean) => readonly FactDraft[];
}

const shapes: readonly Shape[] = [
  {
    pattern: /^octavia\.loadbalancer\./,
    kind: "load_balancer",
    ids: ["loadbalancer_id", "id"],
    category: "network",
    service: "load-balancer",
    others: [
      ["port", "port", "vip_port_id"],
      ["network", "network", "vip_network_id"],
    ],
    facts: balancerFacts,
  },
  {
    pattern: /^share\./,
    kind: "share",
    ids: ["share_id", "id"],
    category: "storage",
    service: "shared-file-system",
  },
  {
    pattern: /^(share_?type|qos_?type)/i,
    kind: "share_type",
    ids: ["id", "share_type_id", "name"],
    category: "platform",
    service: "shared-file-system",
    platform: true,
  },
  {
    pattern: /^(trove\.instance|dbaas)\./,
    kind: "database",
    ids: ["instance_id"],
    category: "provisioning",
    service: "database",
    others: [["server", "server", "nova_instance_id"]],
  },
  {
    pattern: /^volume\.usage$/,
    kind: "volume",
    ids: ["volume_id"],
    category: "usage",
    service: "block-storage",
    others: [["server", "server", "instance_uuid"]],
  },
  { pattern: /^task\./, kind: "image_task", ids: ["task_id", "id"], category: "image", service: "image" },
  {
    pattern: /^metadef_namespace\./,
    kind: "metadef",
    ids: ["namespace"],
    category: "image",
    service: "image",
  },
  {
    pattern: /^metadef_/,
    kind: "metadef",
    ids: ["namespace", "name"],
    category: "image",
    service: "image",
  },
  {
    pattern: /^alarm\./,
    kind: "alarm",
    ids: ["alarm_id"],
    category: "monitoring",
    service: "alarming",
  },
];

function balancerFacts(payload: JsonObject, balancer: EntityRef, gone: boolean): readonly FactDraft[] {
  const port = text(payload, "vip_port_id");
  const address = text(payload, "vip_address")?.toLowerCase();
  // Until Neutron has given a port, the address is only what was asked for.
  if (port === undefined) return [];
  return [
    fact(ref("port", port), "attached_to", balancer, !gone),
    ...(address === undefined ? [] : [fact(balancer, "has_address", ref("ip", address), !gone)]),
  ];
}

/** Octavia, Manila, Trove, Aodh, Glance's tasks and metadata definitions, and `volume.usage`, by their documented fields. */
export function readOtherService(message: OsloMessage): Reading | undefined {
  const shape = shapes.find((candidate) => candidate.pattern.test(message.eventType));
  const id = shape?.ids.map((field) => text(message.payload, field)).find((found) => found !== undefined);
  if (shape === undefined || id === undefined) return undefined;
  const { stem, phase } = splitPhase(message.eventType);
  const subject = ref(shape.kind, id);
  const stated = readOwnerPath(message);
  const severity = severityOf(message, phase);
  const name = text(message.payload, "name");
  const gone = /\.(delete|deletion)$/.test(stem) && phase !== "start" && phase !== "error";
  const usage = shape.category === "usage" || stem.endsWith(".consumed.size");
  return {
    type: message.eventType.toLowerCase(),
    kind: usage ? "activity" : (alarmKind(message) ?? kindOf(severity, phase)),
    category: usage ? "usage" : shape.category,
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility: shape.platform === true ? "provider" : "operational",
    subject,
    ...(name === undefined ? {} : { subjectName: name }),
    related: (shape.others ?? []).flatMap(([role, kind, field]) =>
      related(role, kind, text(message.payload, field)),
    ),
    ...(stated === undefined ? {} : { stated }),
    ...(shape.platform === true ? { platform: true } : {}),
    summary: summarise(words(shape.kind), name, stem.split(".").slice(1).join(" "), phase),
    facts: [
      ...ownedFacts(subject, stated),
      ...namedFacts(subject, name),
      ...lostByDonor(message, subject),
      ...(shape.facts?.(message.payload, subject, gone) ?? []),
    ],
    ...(gone ? { removedFrom: shape.service } : {}),
  };
}

/** An alarm that changes its state tells of something else's trouble. */
function alarmKind({ eventType, payload }: OsloMessage): Reading["kind"] | undefined {
  if (eventType !== "alarm.state_transition") return undefined;
  const state = text(asObject(payload["detail"]), "state");
  return state === "alarm" ? "symptom" : state === "ok" ? "recovery" : "activity";
}

/** Manila builds the end of a transfer from the share as it was before: it names whose the share no longer is. */
function lostByDonor({ eventType, payload }: OsloMessage, share: EntityRef): readonly FactDraft[] {
  const donor = text(payload, "project_id");
  if (eventType !== "share.transfer.accept.end" || donor === undefined) return [];
  return [fact(share, "owned_by", ref("project", donor), false)];
}

/** Any type that no reader knows: kept as it is, about its request, and attributed only through that. */
export function readUnknown(message: OsloMessage): Reading {
  const { phase } = splitPhase(message.eventType);
  const severity = severityOf(message, phase);
  const request = operationOf(message, asObject(message.payload["initiator"]))?.requestId;
  return {
    type: message.eventType.toLowerCase().replaceAll(/[^a-z0-9_.:-]/g, "_"),
    kind: severity === "info" ? "activity" : "symptom",
    category: "other",
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility: "provider",
    subject:
      request === undefined ? ref("service", message.publisherId || "unknown") : ref("request", request),
    summary: `${message.eventType} from ${message.publisherId || "an unnamed publisher"}`,
  };
}
