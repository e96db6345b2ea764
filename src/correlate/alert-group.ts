import { entityKey, type EntityRef } from "../model/entity.ts";
import type { Correlatable } from "./correlatable.ts";
import { footingsOf, type Footing, type StandingIndex } from "./stands-on.ts";
import type { Edge } from "./topology-paths.ts";

/** What grouping needs to know of an alert. */
export interface Groupable {
  readonly thing: EntityRef;
  readonly controlPlane: string | undefined;
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
}

/** A change that came before a group, on what its alerts have in common. It is a candidate and no more. */
export interface ChangedBefore<E extends Correlatable> {
  readonly event: E;
  readonly beforeMs: number;
  /** From what the alerts stand on to what was changed; empty where that is the very thing. */
  readonly hops: readonly Edge[];
  /** In words. */
  readonly says: string;
}

/** Alerts that belong together, or one alone. */
export interface AlertGroup<A extends Groupable, E extends Correlatable> {
  /** What all of them stand on; absent for an alert alone. */
  readonly on?: EntityRef;
  readonly alerts: readonly A[];
  readonly cause?: ChangedBefore<E>;
  /** Why they are one group, in words. */
  readonly why: string;
}

/** A silence longer than this ends a storm. */
export const stormGapMs = 10 * 60_000;

/** How long before the first alert a change is looked for. */
export const causeMs = 60 * 60_000;

/** Ownership groups people's things, not what fails together; an aggregate is half a cloud. */
const unshared = new Set(["owned_by", "part_of", "member_of"]);

/** Of these the topology knows all dependents, so that the share of them that alert says something. */
const countedKinds = new Set(["host"]);

/** Whose changes are changes of what they serve. */
const servingKinds = new Set(["service", "component", "aggregate", "backend"]);

const factorMin = 0.25;
const crowd = 5;

interface Pool<A extends Groupable, E extends Correlatable> {
  readonly standing: (alert: A) => StandingIndex;
  readonly footings: ReadonlyMap<A, ReadonlyMap<string, Footing>>;
  readonly changes: readonly E[];
  /** Servers on each host, by the topology that they were counted in. */
  readonly counts: Map<StandingIndex, ReadonlyMap<string, number>>;
  /** What was found to have changed before, by thing and moment: it is asked for again in each round. */
  readonly causes: Map<string, ChangedBefore<E> | undefined>;
}

interface Candidate<A extends Groupable, E extends Correlatable> {
  readonly key: string;
  readonly on: EntityRef;
  readonly alerts: readonly A[];
  readonly score: number;
  readonly cause: ChangedBefore<E> | undefined;
}

/**
 * Groups alerts by what they stand on, as of then, and by gaps of time: greedily the thing that explains the most alerts
 * of one burst, weighed by how sure that is (it alerts itself, it was changed before, most of what stands on it alerts).
 * Each alert is in one group, whatever order they came in. `standing` gives an alert's topology as of its beginning;
 * `changes` may be all of the window's.
 */
export function groupAlerts<A extends Groupable, E extends Correlatable>(
  alerts: readonly A[],
  standing: (alert: A) => StandingIndex,
  changes: readonly E[],
): readonly AlertGroup<A, E>[] {
  const passes = (relation: string): boolean => !unshared.has(relation);
  const footings = new Map(
    alerts.map((alert) => [alert, footingsOf([alert.thing], standing(alert), passes)]),
  );
  const pool: Pool<A, E> = { standing, footings, changes, counts: new Map(), causes: new Map() };
  const groups: AlertGroup<A, E>[] = [];
  let left = alerts.toSorted(inTime);
  for (;;) {
    const best = bestOf(left, pool);
    if (best === undefined) break;
    groups.push({
      on: best.on,
      alerts: best.alerts,
      ...(best.cause === undefined ? {} : { cause: best.cause }),
      why: whyOf(best, pool),
    });
    const taken = new Set(best.alerts);
    left = left.filter((alert) => !taken.has(alert));
  }
  for (const alert of left) {
    const cause = causeOf(alert.thing, [alert], pool);
    groups.push({ alerts: [alert], ...(cause === undefined ? {} : { cause }), why: "alone" });
  }
  return groups.toSorted((one, other) => inTime(one.alerts[0]!, other.alerts[0]!));
}

function inTime(one: Groupable, other: Groupable): number {
  const [a, b] = [one, other].map(({ controlPlane, thing }) => `${controlPlane}|${entityKey(thing)}`);
  return one.at - other.at || (a! < b! ? -1 : a! > b! ? 1 : 0);
}

function bestOf<A extends Groupable, E extends Correlatable>(
  alerts: readonly A[],
  pool: Pool<A, E>,
): Candidate<A, E> | undefined {
  const byThing = new Map<string, { readonly on: EntityRef; readonly alerts: A[] }>();
  for (const alert of alerts) {
    for (const [thingKey, { thing }] of pool.footings.get(alert) ?? []) {
      const key = `${alert.controlPlane ?? ""}|${thingKey}`;
      const found = byThing.get(key);
      if (found === undefined) byThing.set(key, { on: thing, alerts: [alert] });
      else found.alerts.push(alert);
    }
  }
  let best: Candidate<A, E> | undefined;
  for (const [key, { on, alerts: under }] of byThing) {
    for (const burst of burstsOf(under)) {
      // What cannot beat the best need not be looked at more closely.
      if (burst.length < 2 || burst.length < (best?.score ?? 0)) continue;
      const candidate = weigh(key, on, burst, pool);
      if (candidate !== undefined && beats(candidate, best, pool)) best = candidate;
    }
  }
  return best;
}

function burstsOf<A extends Groupable>(alerts: readonly A[]): readonly (readonly A[])[] {
  const bursts: A[][] = [];
  for (const alert of alerts) {
    const current = bursts.at(-1);
    if (current === undefined || alert.at - current.at(-1)!.at > stormGapMs) bursts.push([alert]);
    else current.push(alert);
  }
  return bursts;
}

function weigh<A extends Groupable, E extends Correlatable>(
  key: string,
  on: EntityRef,
  alerts: readonly A[],
  pool: Pool<A, E>,
): Candidate<A, E> | undefined {
  const things = new Set(alerts.map(({ thing }) => entityKey(thing)));
  const cause = causeOf(on, alerts, pool);
  const factor = Math.max(
    things.has(entityKey(on)) ? 1 : 0,
    cause === undefined ? 0 : 0.95,
    countedKinds.has(on.kind) ? things.size / Math.max(1, residents(on, alerts[0]!, pool)) : 0,
    things.size >= crowd && !countedKinds.has(on.kind) ? 0.5 : 0,
  );
  if (factor < factorMin) return undefined;
  return { key, on, alerts, score: alerts.length * Math.min(1, factor), cause };
}

function residents<A extends Groupable, E extends Correlatable>(
  on: EntityRef,
  alert: A,
  { standing, counts }: Pool<A, E>,
): number {
  const index = standing(alert);
  const known = counts.get(index) ?? countResidents(index);
  counts.set(index, known);
  return known.get(entityKey(on)) ?? 0;
}

/** How many servers are on each host. */
function countResidents({ up }: StandingIndex): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const edges of up.values()) {
    for (const { relation, to } of edges) {
      if (relation !== "runs_on") continue;
      const key = entityKey(to);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

function beats<A extends Groupable, E extends Correlatable>(
  one: Candidate<A, E>,
  other: Candidate<A, E> | undefined,
  pool: Pool<A, E>,
): boolean {
  if (other === undefined || one.score !== other.score) return one.score > (other?.score ?? 0);
  const nearer = depthOf(other, pool) - depthOf(one, pool);
  return nearer !== 0 ? nearer > 0 : one.key < other.key;
}

/** Of two things that explain alike the nearer one is named. */
function depthOf<A extends Groupable, E extends Correlatable>(
  { on, alerts }: Candidate<A, E>,
  { footings }: Pool<A, E>,
): number {
  const key = entityKey(on);
  return alerts.reduce((sum, alert) => sum + (footings.get(alert)?.get(key)?.hops.length ?? 0), 0);
}

function causeOf<A extends Groupable, E extends Correlatable>(
  on: EntityRef,
  [first]: readonly A[],
  pool: Pool<A, E>,
): ChangedBefore<E> | undefined {
  const { controlPlane, at } = first!;
  const key = [controlPlane, entityKey(on), at].join("|");
  if (!pool.causes.has(key)) pool.causes.set(key, findCause(on, first!, pool));
  return pool.causes.get(key);
}

/** The nearest change on the thing or on what it stands on, before the first alert; of equals the latest. */
function findCause<A extends Groupable, E extends Correlatable>(
  on: EntityRef,
  first: A,
  { standing, changes }: Pool<A, E>,
): ChangedBefore<E> | undefined {
  const passes = (relation: string): boolean => !unshared.has(relation);
  const below = footingsOf([on], standing(first), passes);
  let best: ChangedBefore<E> | undefined;
  for (const event of changes) {
    const beforeMs = first.at - event.occurredAt;
    if (beforeMs < 0 || beforeMs > causeMs || event.controlPlane !== first.controlPlane) continue;
    const footing = touched(event).flatMap((ref) => below.get(entityKey(ref)) ?? [])[0];
    if (footing === undefined) continue;
    const { hops } = footing;
    const isNearer = best === undefined || hops.length < best.hops.length;
    const isLater = best?.hops.length === hops.length && beforeMs < best.beforeMs;
    if (isNearer || isLater) best = { event, beforeMs, hops, says: tellChange(event, beforeMs) };
  }
  return best;
}

function touched({ subject, related }: Correlatable): readonly EntityRef[] {
  if (!servingKinds.has(subject.kind)) return [subject];
  return [
    subject,
    ...related.filter(({ role }) => role === "host" || role === "within").map(({ ref }) => ref),
  ];
}

function tellChange({ summary }: Correlatable, beforeMs: number): string {
  const minutes = Math.round(beforeMs / 60_000);
  return `changed ${minutes === 0 ? "less than a minute" : `${minutes} min`} before: ${summary}`;
}

function whyOf<A extends Groupable, E extends Correlatable>(
  { on, alerts, cause }: Candidate<A, E>,
  pool: Pool<A, E>,
): string {
  const name = `${on.kind} ${on.id}`;
  const isOwn = alerts.every(({ thing }) => entityKey(thing) === entityKey(on));
  const shared = isOwn ? `all are about ${name}` : `all stood on ${name} then`;
  const share =
    countedKinds.has(on.kind) && !isOwn ? ` (${residents(on, alerts[0]!, pool)} servers were on it)` : "";
  const changed = cause === undefined ? "" : ", which was changed before";
  return `${shared}${share}${changed}, none more than ${stormGapMs / 60_000} min after the one before`;
}
