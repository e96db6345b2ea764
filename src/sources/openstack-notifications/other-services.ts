import type { Category } from "../../model/event.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asObject, text } from "./fields.ts";
import type { Reading } from "./reading.ts";
import { fact, kindOf, ref, severityOf, splitPhase, statedProject, summarise, words } from "./reading.ts";

/** Where services that need no reader of their own keep the resource's id and its owner. */
interface Shape {
  readonly pattern: RegExp;
  readonly kind: string;
  readonly ids: readonly string[];
  readonly owners?: readonly string[];
  readonly category: Category;
  readonly platform?: boolean;
}

const shapes: readonly Shape[] = [
  {
    pattern: /^octavia\.loadbalancer\./,
    kind: "load_balancer",
    ids: ["loadbalancer_id", "id"],
    owners: ["project_id"],
    category: "network",
  },
  { pattern: /^dns\.(zone|domain)\./, kind: "zone", ids: ["id"], owners: ["tenant_id"], category: "network" },
  {
    pattern: /^dns\.recordset\./,
    kind: "recordset",
    ids: ["id"],
    owners: ["tenant_id"],
    category: "network",
  },
  {
    pattern: /^share\./,
    kind: "share",
    ids: ["share_id", "id"],
    owners: ["project_id"],
    category: "storage",
  },
  {
    pattern: /^(trove\.instance|dbaas)\./,
    kind: "database",
    ids: ["instance_id"],
    owners: ["tenant_id"],
    category: "provisioning",
  },
  {
    pattern: /^volume\.usage$/,
    kind: "volume",
    ids: ["volume_id"],
    owners: ["project_id"],
    category: "usage",
  },
  { pattern: /^baremetal\.node\./, kind: "node", ids: ["uuid"], category: "platform", platform: true },
  {
    pattern: /^(host|segment|notification)\./,
    kind: "host",
    ids: ["uuid", "source_host_uuid"],
    category: "platform",
    platform: true,
  },
];

/** Octavia, Designate, Manila, Trove, Ironic, Masakari and `volume.usage`, by their documented fields. */
export function readOtherService(message: OsloMessage): Reading | undefined {
  const shape = shapes.find((candidate) => candidate.pattern.test(message.eventType));
  const id = shape?.ids.map((field) => text(message.payload, field)).find((found) => found !== undefined);
  if (shape === undefined || id === undefined) return undefined;
  const { stem, phase } = splitPhase(message.eventType);
  const subject = ref(shape.kind, id);
  // Manila builds the end of a transfer from the share as it was before: its owner is the donor's.
  const stale = message.eventType.startsWith("share.transfer.accept.");
  const stated = (stale ? [] : (shape.owners ?? []))
    .map((field) => statedProject(message.payload, field, `payload.${field}`))
    .find((found) => found !== undefined);
  const severity = severityOf(message, phase);
  const name = text(message.payload, "name");
  return {
    type: message.eventType.toLowerCase(),
    kind: shape.category === "usage" ? "activity" : kindOf(severity, phase),
    category: shape.category,
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility: shape.platform === true ? "provider" : "operational",
    subject,
    ...(name === undefined ? {} : { subjectName: name }),
    ...(stated === undefined ? {} : { stated }),
    ...(shape.platform === true ? { platform: true } : {}),
    summary: summarise(words(shape.kind), name, stem.split(".").slice(1).join(" "), phase),
    facts: stated === undefined ? [] : [fact(subject, "owned_by", stated.owner)],
  };
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
