import type { EntityRef } from "../../model/entity.ts";
import type { OsloMessage } from "./envelope.ts";
import { objectData, text, unwrapped } from "./fields.ts";
import { readOwnerPath } from "./owner-path.ts";
import type { Reading } from "./reading.ts";
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

/** Services that work on the provider's machines, and by them on tenants' servers: Ironic, Masakari, Watcher. */
export function readEstateService(message: OsloMessage): Reading | undefined {
  return readNode(message) ?? readFailover(message) ?? readStrategy(message);
}

function base(message: OsloMessage): Pick<Reading, "type" | "kind" | "phase" | "severity"> {
  const { phase } = splitPhase(message.eventType);
  const severity = severityOf(message, phase);
  return {
    type: message.eventType.toLowerCase(),
    kind: kindOf(severity, phase),
    ...(phase === undefined ? {} : { phase }),
    severity,
  };
}

/**
 * Ironic's nodes (ironic/objects/node.py): a lessee or an owner has the whole machine; else it is the provider's, and
 * what happens to it happens to the server on it.
 */
function readNode(message: OsloMessage): Reading | undefined {
  const { stem, phase } = splitPhase(message.eventType);
  const action = /^baremetal\.node\.(.+)$/.exec(stem)?.[1];
  const id = text(message.payload, "uuid");
  if (action === undefined || id === undefined) return undefined;
  const node = ref("node", id);
  const server = text(message.payload, "instance_uuid");
  const stated = readOwnerPath(message);
  const name = text(message.payload, "name");
  const isServers = stated === undefined && server !== undefined;
  return {
    ...base(message),
    category: "platform",
    visibility: "provider",
    subject: isServers ? ref("server", server) : node,
    ...(isServers || name === undefined ? {} : { subjectName: name }),
    related: isServers ? related("node", "node", id, name) : related("server", "server", server),
    ...(stated === undefined ? {} : { stated }),
    ...(stated === undefined && server === undefined ? { platform: true } : {}),
    summary: summarise("bare-metal node", name, action, phase),
    facts: [...ownedFacts(node, stated), ...namedFacts(node, name)],
    ...(action === "delete" && phase === "end" && !isServers ? { removedFrom: "baremetal" } : {}),
  };
}

/** Masakari's hosts are the compute hosts under ids of its own; its notifications tell what failed on which. */
function readFailover(message: OsloMessage): Reading | undefined {
  const { stem, phase } = splitPhase(message.eventType);
  const [, family, action] = /^(host|segment|notification)\.(.+)$/.exec(stem) ?? [];
  if (family === undefined || action === undefined) return undefined;
  const { payload } = message;
  const common = { ...base(message), category: "platform", visibility: "provider" } as const;
  const name = text(payload, "name");
  if (family === "host") {
    const machine = text(payload, "uuid");
    if (name === undefined) return undefined;
    const host = ref("host", name);
    return {
      ...common,
      subject: host,
      subjectName: name,
      platform: true,
      summary: summarise("failover host", name, action, phase),
      facts: machine === undefined ? [] : [fact(failoverHost(machine), "serves", host)],
    };
  }
  if (family === "segment") {
    const id = text(payload, "uuid");
    if (id === undefined) return undefined;
    return {
      ...common,
      subject: ref("failover_segment", id),
      ...(name === undefined ? {} : { subjectName: name }),
      platform: true,
      summary: summarise("failover segment", name, action, phase),
    };
  }
  const machine = text(payload, "source_host_uuid");
  const server = text(unwrapped(payload["payload"]), "instance_uuid");
  if (machine === undefined && server === undefined) return undefined;
  return {
    ...common,
    subject: server === undefined ? failoverHost(machine!) : ref("server", server),
    related:
      server === undefined || machine === undefined ? [] : [{ role: "host", ref: failoverHost(machine) }],
    ...(server === undefined ? { platform: true } : {}),
    summary: summarise(
      `failure notification (${text(payload, "type") ?? "unknown"})`,
      undefined,
      action,
      phase,
    ),
  };
}

/** A service that `serves` its host, so that what stands on the host is found by it. */
function failoverHost(id: string): EntityRef {
  return ref("service", `masakari-host:${id}`);
}

/** Watcher's audits, plans and actions; an action names the thing that it is about to move. */
function readStrategy(message: OsloMessage): Reading | undefined {
  const { stem, phase } = splitPhase(message.eventType);
  const [, family, action] = /^(audit|action_plan|action)\.(.+)$/.exec(stem) ?? [];
  const id = text(message.payload, "uuid");
  if (family === undefined || action === undefined || id === undefined) return undefined;
  const parameters =
    objectData(message.payload["input_parameters"]) ?? unwrapped(message.payload["input_parameters"]);
  const thing = text(parameters, "resource_id");
  const own = ref(family, id);
  return {
    ...base(message),
    category: "platform",
    visibility: "provider",
    subject: thing === undefined ? own : ref("resource", thing),
    related: thing === undefined ? [] : [{ role: family, ref: own }],
    ...(thing === undefined ? { platform: true } : {}),
    summary: summarise(`optimisation ${words(family)}`, undefined, action, phase),
  };
}
