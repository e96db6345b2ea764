import type { FieldChange } from "../../model/event.ts";
import type { OsloMessage } from "./envelope.ts";
import { asList, text } from "./fields.ts";
import type { Reading } from "./reading.ts";
import { fact, kindOf, ref, related, severityOf, splitPhase, summarise } from "./reading.ts";

/** Types about the provider's own estate: no owner in the payload, and none to be looked for. */
export function readPlatform(message: OsloMessage): Reading | undefined {
  return (
    readMetrics(message) ??
    readService(message) ??
    readAggregate(message) ??
    readFlavor(message) ??
    readLibvirt(message)
  );
}

function readMetrics(message: OsloMessage): Reading | undefined {
  if (!/^(compute\.)?metrics\.update$/.test(message.eventType)) return undefined;
  const host = text(message.payload, "host");
  if (host === undefined) return undefined;
  return {
    type: "compute.metrics.update",
    kind: "activity",
    category: "usage",
    visibility: "provider",
    subject: ref("host", host),
    subjectName: host,
    platform: true,
    twinOf: `compute.metrics.update|${host}`,
    summary: `Host ${host}: metrics reported`,
  };
}

/** `service.create|update|delete`: a compute service's own record, e.g. disabled or forced down by an operator. */
function readService(message: OsloMessage): Reading | undefined {
  const action = /^service\.(create|update|delete)$/.exec(message.eventType)?.[1];
  const host = text(message.payload, "host");
  const binary = text(message.payload, "binary");
  if (action === undefined || host === undefined || binary === undefined) return undefined;
  const disabled = message.payload["disabled"] === true;
  const forcedDown = message.payload["forced_down"] === true;
  const reason = text(message.payload, "disabled_reason");
  const states = [disabled ? "disabled" : "enabled", ...(forcedDown ? ["forced down"] : [])].join(", ");
  const changes: readonly FieldChange[] = [{ field: "state", before: null, after: states }];
  const service = ref("service", `${binary}@${host}`);
  return {
    type: `compute.service.${action}`,
    kind: "change",
    category: "platform",
    severity: forcedDown ? "error" : disabled ? "warning" : "info",
    visibility: "provider",
    subject: service,
    subjectName: `${binary} on ${host}`,
    related: related("host", "host", host),
    platform: true,
    summary: `Service ${binary} on ${host}: ${states}${reason === undefined ? "" : ` (${reason})`}`,
    ...(action === "delete" ? { removedFrom: "compute" } : {}),
    changes,
    facts: [fact(service, "serves", ref("host", host))],
  };
}

const legacyAggregateActions: Readonly<Record<string, string>> = {
  addhost: "add_host",
  removehost: "remove_host",
  updatemetadata: "update_metadata",
  updateprop: "update_prop",
};

function readAggregate(message: OsloMessage): Reading | undefined {
  const { stem, phase } = splitPhase(message.eventType);
  const found = /^aggregate\.(.+)$/.exec(stem)?.[1];
  if (found === undefined) return undefined;
  const action = legacyAggregateActions[found] ?? found;
  const id =
    text(message.payload, "id") ?? text(message.payload, "aggregate_id") ?? text(message.payload, "name");
  if (id === undefined) return undefined;
  // A create names no id before it ends, so that both formats are told apart by the name there.
  const key = action === "create" ? (text(message.payload, "name") ?? id) : id;
  const name = text(message.payload, "name");
  const hosts = [
    ...asList(message.payload["hosts"]).filter((host) => typeof host === "string"),
    ...(text(message.payload, "host_name") === undefined ? [] : [text(message.payload, "host_name")!]),
  ];
  const type = `aggregate.${action}${phase === undefined ? "" : `.${phase}`}`;
  return {
    type,
    kind: kindOf(severityOf(message, phase), phase),
    category: "platform",
    ...(phase === undefined ? {} : { phase }),
    visibility: "provider",
    subject: ref("aggregate", id),
    ...(name === undefined ? {} : { subjectName: name }),
    related: hosts.flatMap((host) => related("host", "host", host)),
    platform: true,
    twinOf: `${type}|${key}`,
    ...(action === "delete" && phase === "end" ? { removedFrom: "compute" } : {}),
    summary: `${summarise("aggregate", name ?? id, action, phase)}${action.endsWith("host") && hosts.length > 0 ? ` (${hosts.at(-1)})` : ""}`,
    facts: [
      ...(name === undefined ? [] : [fact(ref("aggregate", id), "named", ref("name", name))]),
      ...hosts.map((host) =>
        fact(
          ref("host", host),
          "member_of",
          ref("aggregate", id),
          !(action === "remove_host" && phase === "end" && text(message.payload, "host_name") === host),
        ),
      ),
    ],
  };
}

function readFlavor(message: OsloMessage): Reading | undefined {
  const action = /^flavor\.(.+)$/.exec(message.eventType)?.[1];
  const id = text(message.payload, "flavorid");
  if (action === undefined || id === undefined) return undefined;
  const name = text(message.payload, "name");
  return {
    type: message.eventType,
    kind: "change",
    category: "platform",
    visibility: "provider",
    subject: ref("flavor", id),
    ...(name === undefined ? {} : { subjectName: name }),
    platform: true,
    summary: summarise("flavor", name ?? id, action),
    ...(action === "delete" ? { removedFrom: "compute" } : {}),
  };
}

function readLibvirt(message: OsloMessage): Reading | undefined {
  if (!message.eventType.startsWith("libvirt.")) return undefined;
  // Nova names its hosts in the publisher's id, `nova-compute:NAME` or `compute.NAME`; the address is Libvirt's.
  const host = message.publisherId.replace(/^[a-z_-]+[:.]/, "") || (text(message.payload, "ip") ?? "unknown");
  return {
    type: message.eventType,
    kind: "symptom",
    category: "platform",
    severity: "error",
    visibility: "provider",
    subject: ref("host", host),
    related: related("address", "ip", text(message.payload, "ip")),
    platform: true,
    summary: `Host ${host}: libvirt connection failed`,
  };
}
