import type { EntityRef, Related } from "../../model/entity.ts";
import type { StatedOwner } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asObject, text } from "./fields.ts";
import { cadfActor } from "./keystone.ts";
import type { FactDraft, Reading } from "./reading.ts";
import { fact, ref, related, words } from "./reading.ts";

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
  /** Things that the path names besides the subject, each by its id. */
  readonly mentioned?: readonly EntityRef[];
}

/** Resources that a path names by id, by the collection before it. */
const collections: Readonly<Record<string, string>> = {
  servers: "server",
  volumes: "volume",
  snapshots: "snapshot",
  backups: "backup",
  attachments: "attachment",
  "volume-transfers": "transfer",
  "os-volume-transfer": "transfer",
  "os-server-groups": "server_group",
  groups: "group",
  group_snapshots: "group_snapshot",
  stacks: "stack",
  loadbalancers: "load_balancer",
  listeners: "listener",
  pools: "pool",
  zones: "zone",
  recordsets: "recordset",
  shares: "share",
  secrets: "secret",
  containers: "secret_container",
  images: "image",
  "os-volume_attachments": "volume",
  "os-interface": "port",
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

/** Whoever accepts a volume does so for the project that the URL names, whose volume it then is. */
const accepted = new RegExp(`^/v3/(${project})/(?:volume-transfers|os-volume-transfer)/(${uuid})/accept$`);

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
  const taken = accepted.exec(bare);
  if (taken !== null) {
    const owner = { kind: "project", id: taken[1]! } as const;
    const path = "payload.requestPath (project that accepts)";
    return { subject: ref("transfer", taken[2]!), stated: { owner, path }, what: "transfer" };
  }
  const [subject, ...mentioned] = thingsOf(bare);
  if (subject !== undefined) return { subject, mentioned, what: words(subject.kind) };
  const created = scopedCreate.exec(bare);
  if (created !== null) {
    const owner = { kind: "project", id: created[1]! } as const;
    return { stated: { owner, path: "payload.requestPath (collection of the project)" }, what: created[2]! };
  }
  const keypair = /\/os-keypairs(?:\/([^/]+))?$/.exec(bare);
  if (keypair !== null) return { what: "key pairs", ofAccount: true };
  return { what: bare.split("/").pop() ?? bare };
}

/** The things that a path names by collection and id, in the order of the path: the first is what it is about. */
function thingsOf(path: string): readonly EntityRef[] {
  const segments = path.split("/");
  return segments.flatMap((segment, index) => {
    const before = segments[index - 1] ?? "";
    const kind = Object.hasOwn(collections, before) ? collections[before] : undefined;
    return kind !== undefined && isUuid.test(segment) ? [ref(kind, segment)] : [];
  });
}

const isUuid = new RegExp(`^${uuid}$`);

/** Answers by which the caller was denied what the path names. */
const denied = new Set([400, 401, 403, 404, 405]);

/**
 * Whether the path was checked against the caller's rights: it was done, or the thing's own state was in the way. Any
 * other refusal (a body of the wrong type, a rate limit, a fault) may come before anybody looked.
 */
function isChecked(code: number): boolean {
  return (code >= 200 && code < 400) || code === 409;
}

/**
 * What remains of a path's proof while nobody has checked it: the resource that it names, if any. A project in the path
 * counts where Keystone has vouched for it: there the caller's token is for that very project.
 */
function withoutClaim(target: Target, tokenProject: string | undefined): Target {
  const { stated, subject, ...rest } = target;
  const named = subject === undefined || subject.kind === "project" ? rest : { ...rest, subject };
  if (stated === undefined || subject?.kind === "project") return named;
  return stated.owner.id === tokenProject ? target : named;
}

/** Each hour in which somebody used a thing is stated once. */
const hourMs = 3_600_000;

/** Who used what: only where the service let the caller get to it, since anybody may ask for anything. */
function usedFacts(
  target: Target,
  account: string | undefined,
  { occurredAt }: OsloMessage,
): readonly FactDraft[] {
  if (account === undefined) return [];
  const things = [...(target.subject === undefined ? [] : [target.subject]), ...(target.mentioned ?? [])];
  const at = instant(occurredAt - (occurredAt % hourMs));
  return things
    .filter(({ kind }) => kind !== "project")
    .map((thing) => ({ ...fact(thing, "used_by", ref("user", account)), at }));
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
  const isProven = step === "response" && isChecked(code);
  const target = isProven ? readPath(path) : withoutClaim(readPath(path), text(initiator, "project_id"));
  const verb = text(message.payload, "action") ?? "call";
  const request = operation?.requestId ?? message.messageId;
  const account = text(initiator, "user_id") ?? text(initiator, "id");
  return {
    type: refused ? "audit.http.response.refused" : message.eventType,
    kind: refused ? "symptom" : "activity",
    category: "api",
    phase: step === "request" ? "start" : refused ? "error" : "end",
    severity: code >= 500 ? "error" : refused ? "warning" : "info",
    visibility: target.platform === true ? "provider" : denied.has(code) ? "security" : "operational",
    subject: target.subject ?? ref("request", request),
    related: [
      ...related(target.ofAccount === true ? "account" : "caller", "user", account),
      ...(target.mentioned ?? []).map((thing): Related => ({ role: "mentioned", ref: thing })),
    ],
    ...(target.stated === undefined ? {} : { stated: target.stated }),
    ...(target.platform === true ? { platform: true } : {}),
    ...(actor === undefined ? {} : { actor }),
    ...(operation === undefined ? {} : { operation }),
    summary: `API call: ${words(verb.replace("/", " "))} ${target.what}${Number.isNaN(code) ? "" : ` answered ${code}`}`,
    facts: isProven && target.platform !== true ? usedFacts(target, account, message) : [],
  };
}
