import type { OsloMessage } from "./envelope.ts";
import { text, unwrapped } from "./fields.ts";
import { cadfActor } from "./keystone.ts";
import { readOwnerPath } from "./owner-path.ts";
import type { Reading } from "./reading.ts";
import { kindOf, namedFacts, ownedFacts, ref, related, summarise, words } from "./reading.ts";

/** Magnum's clusters, as CADF records: the cluster's project is in an attachment, the initiator is the actor. */
export function readCluster(message: OsloMessage): Reading | undefined {
  const action = /^magnum\.cluster\.(.+)$/.exec(message.eventType)?.[1];
  const target = unwrapped(message.payload["target"]);
  const id = text(target, "id");
  if (action === undefined || id === undefined) return undefined;
  const outcome = text(message.payload, "outcome") ?? "unknown";
  const stated = readOwnerPath(message);
  const cluster = ref("cluster", id);
  const name = text(target, "name");
  const failed = outcome === "failure";
  const phase = failed ? "error" : outcome === "pending" ? "start" : "end";
  return {
    type: message.eventType,
    kind: kindOf(failed ? "error" : "info", phase),
    category: "provisioning",
    phase,
    severity: failed ? "error" : "info",
    subject: cluster,
    ...actorPart(message),
    ...(name === undefined ? {} : { subjectName: name }),
    ...(stated === undefined ? {} : { stated }),
    summary: summarise("cluster", name, action, phase),
    facts: [...ownedFacts(cluster, stated), ...namedFacts(cluster, name)],
    ...(action === "delete" && phase === "end" ? { removedFrom: "container-infrastructure" } : {}),
  };
}

/** ceilometermiddleware's record of a call to Swift: the account in the path owns what is in it, whoever calls. */
export function readObjectStore(message: OsloMessage): Reading | undefined {
  if (message.eventType !== "objectstore.http.request") return undefined;
  const target = unwrapped(message.payload["target"]);
  const stated = readOwnerPath(message);
  const account = stated?.owner.id ?? text(target, "id");
  if (account === undefined) return undefined;
  const { actor } = actorPart(message);
  const outcome = text(message.payload, "outcome") ?? "unknown";
  return {
    type: message.eventType,
    kind: outcome === "success" ? "activity" : "symptom",
    category: "api",
    severity: outcome === "success" ? "info" : "warning",
    subject: ref("object_account", account),
    related: related("caller", "user", actor?.userId),
    ...(stated === undefined ? {} : { stated }),
    ...actorPart(message),
    summary: `Object store: ${words(text(message.payload, "action") ?? "call").replace("/", " ")} ${outcome}`,
    facts: ownedFacts(ref("object_account", account), stated),
  };
}

function actorPart({ payload }: OsloMessage): Pick<Reading, "actor"> {
  const actor = cadfActor(unwrapped(payload["initiator"]));
  return actor === undefined ? {} : { actor };
}
