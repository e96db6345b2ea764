import type { EntityRef } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { TopologyFact } from "../../model/topology.ts";
import type { LineContent } from "./line-content.ts";
import type { LogLine } from "./log-line.ts";
import { readMembership, readRoleChange, type RoleChange } from "./request-path.ts";

const hourMs = 3_600_000;

/**
 * Kinds that many tenants speak of whoever's they are: that one of them did tells nothing. Accounts and places are
 * no resources at all.
 */
const spokenOfByAll = new Set([
  "user",
  "group",
  "role",
  "project",
  "domain",
  "region",
  "host",
  "service",
  "agent",
  "hypervisor",
  "aggregate",
  "flavor",
  "volume_type",
  "resource_provider",
  "migration",
]);

/** What a line proves of the topology at its moment. */
export function factsOfLine(line: LogLine, content: LineContent): readonly TopologyFact[] {
  return [
    ...usesOf(line, content),
    ...rolesOf(line, content),
    ...namesOf(line, content),
    ...placesOf(line, content),
  ];
}

/**
 * Which account's request worked on what, and which names it asked for; once an hour is enough, because it is asked
 * regardless of time.
 */
function usesOf(line: LogLine, content: LineContent): readonly TopologyFact[] {
  const { isOfRequest, request } = content;
  if (!isOfRequest) return [];
  const user: EntityRef = { kind: "user", id: line.userId! };
  const at = instant(Math.floor(line.time.at / hourMs) * hourMs);
  const names = (request?.names ?? [])
    .filter(({ kind }) => !spokenOfByAll.has(kind))
    .map(({ name }): EntityRef => ({ kind: "name", id: name }));
  const things = workedOn(line, content).filter(({ kind }) => !spokenOfByAll.has(kind));
  return [...things, ...names].map((from) => ({
    from,
    relation: "used_by",
    to: user,
    at,
    holds: true,
  }));
}

/** Neutron's kinds that others than the owner may read. */
const readByOthers = new Set([
  "network",
  "subnet",
  "port",
  "router",
  "security_group",
  "security_group_rule",
  "resource",
]);

/** What a service says where it did not do what it was asked for. */
const inVain =
  /not (?:be )?(?:found|authori[sz]ed|allowed)|(?:does|do) not exist|\bno such\b|NotFound|forbidden|denied|invalid/i;

/**
 * The things to which the caller was let through: anybody may ask for any id, so that a call proves nothing of the
 * things in it until it was answered well, and an API's other words may repeat what it was asked. Behind the APIs
 * a service works on nothing that was not checked.
 */
function workedOn(line: LogLine, { things, request, service }: LineContent): readonly EntityRef[] {
  if (request !== undefined) {
    const { status, method, reached } = request;
    const isDone = status !== undefined && ((status >= 200 && status < 400) || status === 409);
    if (!isDone) return [];
    const isRead = !/^(?:POST|PUT|PATCH|DELETE)$/.test(method);
    return isRead ? reached.filter(({ kind }) => !readByOthers.has(kind)) : reached;
  }
  return isApi(line, service) || inVain.test(line.message) ? [] : things;
}

function isApi({ program, logger }: LogLine, service: string): boolean {
  return (
    service === "keystone" ||
    /(?:^|[-_.])(?:api|server|wsgi)(?:[-_.]|$)/.test(program ?? "") ||
    /(?:^|\.)(?:api|wsgi|pecan_wsgi|policy)(?:\.|$)/.test(logger ?? "")
  );
}

/**
 * Roles given and taken. A line with a status proves it; Keystone's own line of the request, which it writes before
 * it is done, says nothing of failure: it counts for a role that is given, since only administrators are let do
 * that, and for none that is taken, since a role too many proves nothing and one too few would.
 */
function rolesOf(line: LogLine, { request }: LineContent): readonly TopologyFact[] {
  if (request === undefined) return [];
  const { at } = line.time;
  const isTold = request.status !== undefined;
  const role = onlyProven(readRoleChange(request), isTold);
  const membership = onlyProven(readMembership(request), isTold);
  return [
    ...(role === undefined
      ? []
      : [{ from: role.holder, relation: "works_in", to: role.place, at, holds: role.holds } as const]),
    ...(membership === undefined
      ? []
      : [
          {
            from: membership.holder,
            relation: "member_of",
            to: membership.place,
            at,
            holds: membership.holds,
          } as const,
        ]),
  ];
}

function onlyProven(change: RoleChange | undefined, isTold: boolean): RoleChange | undefined {
  return change?.holds === false && !isTold ? undefined : change;
}

/** What one line tells both the id and the name of: a path with both, and Heat's `[NAME(ID)]`. */
function namesOf({ message, time, logger }: LogLine, { request }: LineContent): readonly TopologyFact[] {
  const stack =
    logger?.startsWith("heat.") === true
      ? /^\[([^\s[\]()]{1,255})\(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)\]/.exec(message)
      : null;
  const named = [
    ...(request?.named ?? []),
    ...(stack === null ? [] : [{ ref: { kind: "stack", id: stack[2]! }, name: stack[1]! }]),
  ];
  return named.map(({ ref, name }) => ({
    from: ref,
    relation: "named",
    to: { kind: "name", id: name },
    at: time.at,
    holds: true,
  }));
}

/** The compute service that has just started a server runs it; without the host's name in the record nobody knows which. */
function placesOf(
  { message, time, logger, host }: LogLine,
  { things }: LineContent,
): readonly TopologyFact[] {
  const [server] = things;
  if (
    host === undefined ||
    server?.kind !== "server" ||
    !/^nova\.(?:compute\.manager|virt\.)/.test(logger ?? "")
  )
    return [];
  const started =
    /\] (?:Instance spawned successfully|Took [\d.]+ seconds to spawn the instance on the hypervisor)/;
  if (!started.test(message)) return [];
  return [{ from: server, relation: "runs_on", to: { kind: "host", id: host }, at: time.at, holds: true }];
}
