import type { EntityRef } from "../../model/entity.ts";
import type { StatedOwner } from "../../model/event.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asObject, text } from "./fields.ts";
import { cadfActor } from "./keystone.ts";
import type { Reading } from "./reading.ts";
import { ref, related, words } from "./reading.ts";

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const project = "[0-9a-f]{32}";

/** What a request path points at. */
interface Target {
  readonly subject?: EntityRef;
  readonly stated?: StatedOwner;
  readonly platform?: boolean;
  /** The collection that the call works on, for the summary. */
  readonly what: string;
  /** True where the resource is the caller's own account's, as Nova's key pairs are. */
  readonly ofAccount?: boolean;
}

/** Resources that a path names by id, by the collection before it. */
const collections: Readonly<Record<string, string>> = {
  servers: "server",
  volumes: "volume",
  snapshots: "snapshot",
  backups: "backup",
  attachments: "attachment",
  "volume-transfers": "transfer",
  "os-server-groups": "server_group",
  images: "image",
  networks: "network",
  subnets: "subnet",
  ports: "port",
  routers: "router",
  floatingips: "floating_ip",
  "security-groups": "security_group",
  "security-group-rules": "security_group_rule",
};

/** Collections of the provider's own estate, and the call by which one service tells another. */
const platformPath =
  /^\/v[\d.]+\/(?:[0-9a-f]{32}\/)?(flavors|os-aggregates|os-services|os-hypervisors|os-hosts|types|qos-specs|scheduler-stats|os-server-external-events)\b/;

/** Collections in which Cinder creates for the project that the URL names; it refuses any other. */
const scopedCreate = new RegExp(`^/v3/(${project})/(volumes|snapshots|backups)$`);

/** Reads what a request path proves. The initiator's project is not looked at. */
export function readPath(path: string): Target {
  const bare = path.split("?")[0]!;
  const platform = platformPath.exec(bare);
  if (platform !== null) return { platform: true, what: platform[1]! };
  const quota = new RegExp(`/os-quota-sets/(${project})(?:/|$)`).exec(bare);
  if (quota !== null) {
    const owner = { kind: "project", id: quota[1]! } as const;
    return { subject: owner, stated: { owner, path: "payload.requestPath (quota set)" }, what: "quota set" };
  }
  for (const [collection, kind] of Object.entries(collections)) {
    const found = new RegExp(`/${collection}/(${uuid})(?:/(.*))?$`).exec(bare);
    if (found !== null) return { subject: ref(kind, found[1]!), what: words(kind) };
  }
  const created = scopedCreate.exec(bare);
  if (created !== null) {
    const owner = { kind: "project", id: created[1]! } as const;
    return { stated: { owner, path: "payload.requestPath (collection of the project)" }, what: created[2]! };
  }
  const keypair = /\/os-keypairs(?:\/([^/]+))?$/.exec(bare);
  if (keypair !== null) return { what: "key pairs", ofAccount: true };
  return { what: bare.split("/").pop() ?? bare };
}

/** Answers to a call that was turned away before its path was checked against the caller's rights. */
const unproven = new Set([400, 401, 403, 404, 405]);

/** What remains of a path's proof while nobody has checked it: the resource that it names, if any. */
function withoutClaim(target: Target): Target {
  const { stated, subject, ...rest } = target;
  const named = stated === undefined && subject !== undefined ? { subject } : {};
  return { ...rest, ...named };
}

/**
 * keystonemiddleware's audit filter: an API call as it came (`request`) and as it was answered
 * (`response`). The tenant in `initiator` is the caller's; what the call is about stands in the path.
 */
export function readAudit(message: OsloMessage): Reading | undefined {
  const step = /^audit\.http\.(request|response)$/.exec(message.eventType)?.[1];
  const path = text(message.payload, "requestPath");
  if (step === undefined || path === undefined) return undefined;
  const initiator = asObject(message.payload["initiator"]);
  const operation = operationOf(message, initiator);
  const actor = cadfActor(initiator);
  const code = Number(text(asObject(message.payload["reason"]), "reasonCode") ?? Number.NaN);
  const refused = code >= 400;
  // What the caller may do is known once it was answered: before that, a path proves only what it names.
  const target = step === "response" && !unproven.has(code) ? readPath(path) : withoutClaim(readPath(path));
  const verb = text(message.payload, "action") ?? "call";
  const request = operation?.requestId ?? message.messageId;
  const account = text(initiator, "user_id") ?? text(initiator, "id");
  return {
    type: refused ? "audit.http.response.refused" : message.eventType,
    kind: refused ? "symptom" : "activity",
    category: "api",
    phase: step === "request" ? "start" : refused ? "error" : "end",
    severity: code >= 500 ? "error" : refused ? "warning" : "info",
    visibility: target.platform === true ? "provider" : unproven.has(code) ? "security" : "operational",
    subject: target.subject ?? ref("request", request),
    related: target.ofAccount === true ? related("account", "user", account) : [],
    ...(target.stated === undefined ? {} : { stated: target.stated }),
    ...(target.platform === true ? { platform: true } : {}),
    ...(actor === undefined ? {} : { actor }),
    ...(operation === undefined ? {} : { operation }),
    summary: `API call: ${words(verb.replace("/", " "))} ${target.what}${Number.isNaN(code) ? "" : ` answered ${code}`}`,
  };
}
