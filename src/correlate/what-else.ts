import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Addend } from "./addend.ts";
import type { Correlatable } from "./correlatable.ts";
import type { EvidenceContext } from "./evidence.ts";
import { gatherEvidence } from "./evidence.ts";
import { findOpenImpacts } from "./open-impact.ts";
import { describeGap, isShared, weigh } from "./score.ts";
import type { Edge, TopologyPath } from "./topology-paths.ts";
import { findPaths } from "./topology-paths.ts";
import type { WhatElseInput } from "./what-else-input.ts";

export interface Candidate<E> {
  readonly event: E;
  readonly beforeMs: number;
  readonly score: number;
  readonly direction: "before" | "unordered" | "in-progress";
  readonly path: readonly Edge[];
  readonly addends: readonly Addend[];
  readonly reason: string;
  /** How many further events of the same operation this one stands for. */
  readonly also: number;
}

export interface WhatElse<E> {
  readonly candidates: readonly Candidate<E>[];
  /** What the target stands on and where nothing at all happened. */
  readonly nothingOn: readonly EntityRef[];
}

/** Kinds worth naming when nothing happened on them. */
const checkedKinds = new Set([
  "host",
  "volume",
  "network",
  "image",
  "backend",
  "port",
  "router",
  "service",
  "server",
]);

/**
 * Ranks what changed before the target, each with the addends of its score in words. Pure: the same input
 * gives the same list. It says "changed before", never "caused by".
 */
export function rankWhatElse<E extends Correlatable>(input: WhatElseInput<E>): WhatElse<E> {
  const { target } = input;
  const starts = startsOf(input);
  const paths = findPaths(starts, input.edges);
  const impacts = findOpenImpacts(input.earlier, target.at);
  const evidence = gatherEvidence(target.event, input.earlier);
  const scored = groupByOperation(input.earlier.filter((event) => event.id !== target.event?.id))
    .map((group) => scoreGroup(group, input, paths, impacts, evidence))
    .toSorted((a, b) => b.score - a.score || a.beforeMs - b.beforeMs || (a.event.id < b.event.id ? -1 : 1));
  return { candidates: scored.slice(0, input.limit), nothingOn: findNothingOn(input.earlier, starts, paths) };
}

function startsOf<E extends Correlatable>({ target }: WhatElseInput<E>): readonly EntityRef[] {
  const event = target.event;
  if (event === undefined) return target.resource === undefined ? [] : [target.resource];
  const near = event.related.filter(
    (item) => item.ref.kind !== "project" && item.ref.kind !== "domain" && item.ref.kind !== "flavor",
  );
  return [event.subject, ...near.map((item) => item.ref)];
}

interface Group<E> {
  readonly event: E;
  readonly also: number;
  readonly ended: boolean;
}

/** Several monitors reporting one host within this time are taken for one trouble of it. */
const sameTroubleMs = 5 * 60_000;

/**
 * Steps of one operation on one resource are one candidate: its end, or its start while no end is seen.
 * So are the reports of one shared thing's trouble, told by its first.
 */
function groupByOperation<E extends Correlatable>(events: readonly E[]): readonly Group<E>[] {
  const groups = new Map<string, E[]>();
  const troubles = new Map<string, { readonly key: string; readonly at: number }>();
  for (const event of events.toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1))) {
    const key = troubleKey(event, troubles) ?? operationKey(event);
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups.values()].map((group) => {
    const ordered = group.toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1));
    const event =
      ordered.findLast((item) => item.phase !== "start" && item.phase !== "progress") ?? ordered[0]!;
    return { event, also: group.length - 1, ended: event.phase !== "start" && event.phase !== "progress" };
  });
}

function operationKey(event: Correlatable): string {
  // One request on one resource is one operation, whoever reports its steps and under which names.
  return `${entityKey(event.subject)}|${event.operation?.requestId ?? event.id}`;
}

/** The trouble that a symptom of a host belongs to: one that began not long before, or its own. */
function troubleKey(
  event: Correlatable,
  troubles: Map<string, { readonly key: string; readonly at: number }>,
): string | undefined {
  if (event.kind !== "symptom" || !isShared(event.subject)) return undefined;
  const host = [event.subject, ...event.related.map((item) => item.ref)].find((ref) => ref.kind === "host");
  if (host === undefined) return undefined;
  const known = troubles.get(entityKey(host));
  if (known !== undefined && event.occurredAt - known.at <= sameTroubleMs) return known.key;
  const fresh = { key: `trouble|${event.id}`, at: event.occurredAt };
  troubles.set(entityKey(host), fresh);
  return fresh.key;
}

function scoreGroup<E extends Correlatable>(
  group: Group<E>,
  input: WhatElseInput<E>,
  paths: ReadonlyMap<string, TopologyPath>,
  impacts: ReadonlyMap<string, string>,
  evidence: EvidenceContext,
): Candidate<E> {
  const { event } = group;
  const gapMs = input.target.at - event.occurredAt;
  const path = strongestPath(event, paths);
  const expected = (input.rates.get(event.type)?.perMs ?? 0) * Math.max(60_000, gapMs);
  const openImpact = impacts.get(event.id);
  const asked = input.target.event !== undefined || input.target.resource !== undefined;
  const addends = weigh({
    target: input.target.event,
    candidate: event,
    asked,
    gapMs,
    path,
    expected,
    openImpact,
    evidence,
  });
  return {
    event,
    beforeMs: gapMs,
    score: addends.reduce((sum, addend) => sum + addend.value, 0),
    direction: directionOf(group, input.target.event, gapMs),
    path: path?.hops ?? [],
    addends,
    reason: reasonOf(addends, gapMs),
    also: group.also,
  };
}

/** The best way to anything that the candidate is about; what it merely mentions counts a little less. */
function strongestPath(
  event: Correlatable,
  paths: ReadonlyMap<string, TopologyPath>,
): TopologyPath | undefined {
  const own = paths.get(entityKey(event.subject));
  const mentioned = event.related
    .filter((item) => item.ref.kind !== "project" && item.ref.kind !== "domain" && item.ref.kind !== "flavor")
    .map((item) => paths.get(entityKey(item.ref)))
    .filter((path) => path !== undefined)
    .map((path) => ({ ...path, strength: path.strength * 0.8 }));
  return [...(own === undefined ? [] : [own]), ...mentioned].toSorted((a, b) => b.strength - a.strength)[0];
}

/** Inside the clocks' error nobody can say what came first. */
function directionOf<E extends Correlatable>(
  group: Group<E>,
  target: E | undefined,
  gapMs: number,
): Candidate<E>["direction"] {
  const errorMs = Math.max(group.event.precision, target?.precision ?? 0);
  if (Math.abs(gapMs) <= errorMs) return "unordered";
  return group.ended ? "before" : "in-progress";
}

function reasonOf(addends: readonly Addend[], gapMs: number): string {
  const gap = gapMs < 0 ? `+${describeGap(gapMs)}` : `−${describeGap(gapMs)}`;
  const rest = addends.filter((addend) => addend.name !== "time" && addend.says !== "");
  return [gap, ...rest.map((addend) => addend.says)].join(" · ");
}

function findNothingOn(
  earlier: readonly Correlatable[],
  starts: readonly EntityRef[],
  paths: ReadonlyMap<string, TopologyPath>,
): readonly EntityRef[] {
  const busy = new Set(
    earlier.flatMap((event) => [
      entityKey(event.subject),
      ...event.related.map((item) => entityKey(item.ref)),
    ]),
  );
  const near = new Map<string, EntityRef>(starts.map((ref) => [entityKey(ref), ref]));
  for (const path of paths.values()) {
    if (path.strength < 0.2) continue;
    for (const ref of path.hops.flatMap((hop) => [hop.from, hop.to])) near.set(entityKey(ref), ref);
  }
  return [...near.entries()]
    .filter(([key, ref]) => checkedKinds.has(ref.kind) && !busy.has(key))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, 20)
    .map(([, ref]) => ref);
}
