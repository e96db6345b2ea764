import type { EntityRef } from "../model/entity.ts";
import type { Severity } from "../model/event.ts";
import { severities } from "../model/event.ts";
import { duration, type Duration, type Instant } from "../model/instant.ts";
import { readSignal, type AlertSignal } from "./alert-signal.ts";
import type { Correlatable } from "./correlatable.ts";

/** One problem on one thing, from its symptom to its recovery, as one monitor told it. */
export interface AlertEpisode<E extends Correlatable = Correlatable> {
  readonly series: string;
  readonly monitor: string;
  readonly problem: string;
  readonly problemClass: string;
  readonly controlPlane: string | undefined;
  readonly subject: EntityRef;
  /** When it began; absent where only its end is known. */
  readonly from?: Instant;
  /** When it was over; absent while no recovery is known. */
  readonly to?: Instant;
  /** How well its beginning is known. */
  readonly precision: Duration;
  readonly severity: Severity;
  /** What was told of it, in the order of time; never empty. */
  readonly events: readonly E[];
  readonly heartbeat: boolean;
}

interface Told<E extends Correlatable> {
  readonly event: E;
  readonly signal: AlertSignal;
}

/**
 * The episodes that the events tell of, by series and time, whatever order the events came in. An alert whose labels
 * changed begins anew under the new ones and ends under the old: that is one episode, which lasts until nothing of its
 * series fires any more. What was kept back stays with its episode.
 */
export function readEpisodes<E extends Correlatable>(events: readonly E[]): readonly AlertEpisode<E>[] {
  const unique = [...new Map(events.map((event) => [event.id, event])).values()];
  const told = unique.flatMap((event): readonly Told<E>[] => {
    const signal = readSignal(event);
    return signal === undefined ? [] : [{ event, signal }];
  });
  const bySeries = Map.groupBy(told, ({ signal }) => signal.series);
  return [...bySeries.keys()].toSorted().flatMap((series) => episodesOf(bySeries.get(series)!));
}

/** At one moment what begins comes before what ends, so that a change of labels leaves no gap. */
const turnOrder = { symptom: 0, "kept-back": 1, recovery: 2 } as const;

function inTime<E extends Correlatable>(one: Told<E>, other: Told<E>): number {
  return (
    one.event.occurredAt - other.event.occurredAt ||
    turnOrder[one.signal.turn] - turnOrder[other.signal.turn] ||
    (one.event.id < other.event.id ? -1 : 1)
  );
}

interface Open<E extends Correlatable> {
  readonly told: Told<E>[];
  from?: Instant;
  to?: Instant;
  /** The alerts of the series that fire now, with how often one was told that has no name. */
  readonly firing: Map<string, number>;
}

function episodesOf<E extends Correlatable>(series: readonly Told<E>[]): readonly AlertEpisode<E>[] {
  const episodes: Open<E>[] = [];
  let current: Open<E> | undefined;
  for (const told of series.toSorted(inTime)) {
    const { event, signal } = told;
    const isOver = current === undefined || current.to !== undefined;
    if (signal.turn === "symptom") {
      if (isOver && !goesOn(current, told)) {
        current = { told: [], from: event.occurredAt, firing: new Map() };
        episodes.push(current);
      }
      if (current === undefined) continue;
      delete current.to;
      begin(current, told);
    } else if (signal.turn === "recovery" && current === undefined) {
      current = { told: [], to: event.occurredAt, firing: new Map() };
      episodes.push(current);
    } else if (signal.turn === "recovery") {
      end(current!, told);
    }
    current?.told.push(told);
  }
  return episodes.flatMap((episode) => (episode.told.length === 0 ? [] : [close(episode)]));
}

/** Whether another alert of the series begins within what its times are known by: then its labels changed. */
function goesOn<E extends Correlatable>(before: Open<E> | undefined, { event, signal }: Told<E>): boolean {
  const last = before?.told.findLast((told) => told.signal.turn === "recovery");
  if (before?.to === undefined || last === undefined || before.from === undefined) return false;
  const slack = Math.max(event.precision, last.event.precision);
  const isOther = signal.instance !== undefined && signal.instance !== last.signal.instance;
  return isOther && event.occurredAt - before.to <= slack;
}

function begin<E extends Correlatable>(open: Open<E>, { event, signal }: Told<E>): void {
  const name = signal.instance ?? "";
  // A tenant's edition does not tell which of several alerts it is of: then so many have to end as began.
  const count = signal.instance === undefined && isCounted(event) ? (open.firing.get(name) ?? 0) + 1 : 1;
  open.firing.set(name, count);
}

function end<E extends Correlatable>(open: Open<E>, { event, signal }: Told<E>): void {
  if (signal.instance === undefined && isCounted(event)) {
    const left = (open.firing.get("") ?? 0) - 1;
    if (left > 0) open.firing.set("", left);
    else open.firing.delete("");
  } else if (signal.instance === undefined) open.firing.clear();
  else open.firing.delete(signal.instance);
  if (open.firing.size === 0) open.to ??= event.occurredAt;
}

function isCounted({ category }: Correlatable): boolean {
  return category === "monitoring";
}

function close<E extends Correlatable>({ told, from, to }: Open<E>): AlertEpisode<E> {
  const first = told.find(({ signal }) => signal.turn === "symptom") ?? told[0]!;
  const { series, monitor, problem, problemClass, heartbeat } = first.signal;
  return {
    series,
    monitor,
    problem,
    problemClass,
    controlPlane: first.event.controlPlane,
    subject: first.event.subject,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    precision: duration(first.event.precision),
    severity: worstOf(
      told.filter(({ signal }) => signal.turn === "symptom").map(({ event }) => event.severity),
    ),
    events: told.map(({ event }) => event),
    heartbeat,
  };
}

/** The worst of them; info where there are none. */
export function worstOf(given: readonly Severity[]): Severity {
  return given.reduce<Severity>(
    (worst, one) => (severities.indexOf(one) > severities.indexOf(worst) ? one : worst),
    "info",
  );
}
