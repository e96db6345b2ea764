import type { EntityRef } from "../../model/entity.ts";

/** A name that a request used for a thing, with the kind that its place in the path proves. */
export interface PathName {
  readonly name: string;
  readonly kind: string;
}

/** A request's line as API services log it, and what its path proves. */
export interface RequestPath {
  readonly method: string;
  readonly path: string;
  /** The HTTP status, where the line tells it. */
  readonly status?: number;
  readonly things: readonly EntityRef[];
  /** Of these, the ones that the path itself leads to; a query may ask for anything and find nothing. */
  readonly reached: readonly EntityRef[];
  readonly names: readonly PathName[];
  /** Things that the path names both by id and by name. */
  readonly named: readonly { readonly ref: EntityRef; readonly name: string }[];
  readonly segments: readonly string[];
}

export const idSource = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f-])[0-9a-f]{32}(?![0-9a-f-])";
const wholeId = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64})$/;

/** What the APIs' collections hold; of a kind that the model has no word for, the singular. */
const collections: Readonly<Record<string, string>> = {
  servers: "server",
  "os-volume_attachments": "volume",
  "os-interface": "port",
  "os-keypairs": "keypair",
  "os-server-groups": "server_group",
  "os-aggregates": "aggregate",
  "os-hypervisors": "hypervisor",
  "os-migrations": "migration",
  migrations: "migration",
  "os-quota-sets": "project",
  quotas: "project",
  flavors: "flavor",
  volumes: "volume",
  snapshots: "snapshot",
  backups: "backup",
  types: "volume_type",
  attachments: "attachment",
  "os-volume-transfer": "transfer",
  "volume-transfers": "transfer",
  groups: "group",
  group_snapshots: "group_snapshot",
  shares: "share",
  images: "image",
  networks: "network",
  subnets: "subnet",
  ports: "port",
  routers: "router",
  floatingips: "floating_ip",
  "security-groups": "security_group",
  "security-group-rules": "security_group_rule",
  trunks: "trunk",
  agents: "agent",
  projects: "project",
  tenants: "project",
  users: "user",
  roles: "role",
  domains: "domain",
  regions: "region",
  stacks: "stack",
  loadbalancers: "load_balancer",
  listeners: "listener",
  pools: "pool",
  zones: "zone",
  recordsets: "recordset",
  resource_providers: "resource_provider",
  instances: "database",
  clusters: "cluster",
};

/** Which thing a query's field names; `id` is of the collection itself. */
const queryKinds: Readonly<Record<string, string>> = {
  network_id: "network",
  subnet_id: "subnet",
  port_id: "port",
  router_id: "router",
  volume_id: "volume",
  server_id: "server",
  instance_uuid: "server",
  device_id: "resource",
};

/** What follows a collection and is none of its things. */
const actions =
  /^(?:detail|details|action|actions|summary|summaries|defaults?|metadata|tags|members|file|import|stage|create_temporary|add_router_interface|remove_router_interface|add_gateway_routers|schema|accept|v\d.*|statistics|search|manage|os-.*)$/;

const requestLine =
  /\b(GET|POST|PUT|PATCH|DELETE|HEAD) (?:https?:\/\/[^\s/"']+)?(\/[^\s"']*)(?: HTTP\/[\d.]+)?/;
const answerLine = /^https?:\/\/[^\s/"']+(\/[^\s"']*) returned with HTTP (\d{3})\b/;
const statusWord = /(?:status: ?|status=|returned with HTTP |HTTP\/[\d.]+" )(\d{3})\b/;

/** The request that the line is about; undefined where it tells of none. */
export function readRequestPath(message: string): RequestPath | undefined {
  const answer = answerLine.exec(message);
  const request = answer === null ? requestLine.exec(message) : null;
  const target = answer?.[1] ?? request?.[2];
  if (target === undefined || target.length > 4_096) return undefined;
  const status = statusWord.exec(message)?.[1];
  const [path = "", query = ""] = target.split("?", 2);
  const segments = path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decodeSegment);
  const found = walkPath(segments);
  const asked = readQuery(query, segments);
  return {
    method: request?.[1] ?? "",
    path,
    ...(status !== undefined && { status: Number(status) }),
    things: [...found.things, ...asked.things],
    reached: found.things,
    names: [...found.names, ...asked.names],
    named: found.named,
    segments,
  };
}

type Found = Pick<RequestPath, "things" | "names" | "named">;

/** A project's id right behind the version is whom the caller acts for: it tells nothing of the thing. */
function walkPath(segments: readonly string[]): Found {
  const things: EntityRef[] = [];
  const names: PathName[] = [];
  const named: { ref: EntityRef; name: string }[] = [];
  let place: { kind: string; name?: string } | undefined;
  for (const [index, segment] of segments.entries()) {
    const before = segments[index - 1];
    const kind = Object.hasOwn(collections, segment) ? collections[segment] : undefined;
    const isId = wholeId.test(segment.toLowerCase());
    if (kind !== undefined) {
      place = { kind };
    } else if (isId) {
      const ref = place === undefined ? undefined : { kind: place.kind, id: segment.toLowerCase() };
      if (ref !== undefined) things.push(ref);
      else if (before !== undefined && !isVersion(before))
        things.push({ kind: "resource", id: segment.toLowerCase() });
      if (ref !== undefined && place?.name !== undefined) named.push({ ref, name: place.name });
      place = undefined;
    } else if (place !== undefined && place.name === undefined && isName(segment)) {
      names.push({ name: segment, kind: place.kind });
      place = { kind: place.kind, name: segment };
    } else place = undefined;
  }
  return { things, names, named };
}

function isVersion(segment: string): boolean {
  return /^v\d+(?:\.\d+)?$/.test(segment) || segment.startsWith("AUTH_");
}

function isName(segment: string): boolean {
  return (
    segment.length <= 255 && !actions.test(segment) && /[\p{L}\p{N}]/u.test(segment) && !/^\d+$/.test(segment)
  );
}

function readQuery(query: string, segments: readonly string[]): Found {
  const collection = segments.findLast((segment) => Object.hasOwn(collections, segment));
  const own = collection === undefined ? undefined : collections[collection];
  const things: EntityRef[] = [];
  const names: PathName[] = [];
  for (const [field, value] of new URLSearchParams(query.slice(0, 4_096))) {
    const kind = field === "id" || field === "uuid" ? own : queryKinds[field];
    if (kind !== undefined && wholeId.test(value)) things.push({ kind, id: value });
    if (field === "name" && own !== undefined && !wholeId.test(value) && isName(value)) {
      names.push({ name: value, kind: own });
    }
  }
  return { things, names, named: [] };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return segment;
    throw error;
  }
}

/** A role that Keystone's API gives or takes, as its path spells it. */
export interface RoleChange {
  readonly holder: EntityRef;
  readonly place: EntityRef;
  readonly holds: boolean;
}

/**
 * `PUT` or `DELETE` of `/v3/{projects|domains}/ID/{users|groups}/ID/roles/ID`, also inherited ones. Undefined for
 * every other request, and where the line tells that it failed.
 */
export function readRoleChange({ method, segments, status }: RequestPath): RoleChange | undefined {
  if (
    (method !== "PUT" && method !== "DELETE") ||
    (status !== undefined && (status < 200 || status >= 300))
  ) {
    return undefined;
  }
  const start = segments.findIndex((segment) => segment === "projects" || segment === "domains");
  const [places, place, holders, holder, roles, role] = segments.slice(Math.max(start, 0));
  if (start < 0 || roles !== "roles" || role === undefined || (holders !== "users" && holders !== "groups")) {
    return undefined;
  }
  if (!wholeId.test(place ?? "") && place !== "default") return undefined;
  if (!wholeId.test(holder ?? "")) return undefined;
  return {
    holder: { kind: holders === "users" ? "user" : "group", id: holder! },
    place: { kind: places === "projects" ? "project" : "domain", id: place! },
    holds: method === "PUT",
  };
}

/** `PUT` or `DELETE` of `/v3/groups/ID/users/ID`: who is in a group. */
export function readMembership({ method, segments, status }: RequestPath): RoleChange | undefined {
  if (
    (method !== "PUT" && method !== "DELETE") ||
    (status !== undefined && (status < 200 || status >= 300))
  ) {
    return undefined;
  }
  const [groups, group, users, user, more] = segments.slice(segments.indexOf("groups"));
  if (groups !== "groups" || users !== "users" || more !== undefined) return undefined;
  if (!wholeId.test(group ?? "") || !wholeId.test(user ?? "")) return undefined;
  return {
    holder: { kind: "user", id: user! },
    place: { kind: "group", id: group! },
    holds: method === "PUT",
  };
}
