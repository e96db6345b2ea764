import { createHash } from "node:crypto";
import type { AlertState } from "../model/alert-state.ts";
import { entityKey } from "../model/entity.ts";
import type { Severity } from "../model/event.ts";
import { instant, type Instant } from "../model/instant.ts";
import type { WorkWindow } from "../model/maintenance.ts";
import { readEpisodes, worstOf, type AlertEpisode } from "./alert-episode.ts";
import { findFlapping } from "./alert-flapping.ts";
import { groupAlerts, type AlertGroup } from "./alert-group.ts";
import { mergeDuplicates, startOf, type AlertMember, type MergedAlert } from "./alert-merge.ts";
import { heartbeatSpans, unknownBecause, type BlindSpan } from "./alert-watch.ts";
import type { Correlatable } from "./correlatable.ts";
import { expectedBy, type Expectation } from "./expected.ts";
import type { StandingIndex } from "./stands-on.ts";

/** A member with what can be said of it by itself. */
export interface JudgedMember<E extends Correlatable> extends AlertMember<E> {
  readonly state: AlertState;
  /** Why nobody can tell whether it lasts; absent where it can be told. */
  readonly unknown?: string;
  /** The work that it fell into, in words. */
  readonly expected?: Expectation;
  /** Since when its series flaps. */
  readonly flappingSince?: Instant;
}

/** One problem as it stands. */
export interface Alert<E extends Correlatable> extends Omit<MergedAlert<E>, "members"> {
  /** `alt_` and 26 letters and digits: of its first event, so that it stays while more is told. */
  readonly id: string;
  readonly controlPlane: string | undefined;
  readonly state: AlertState;
  /** The worst of those that are not over; of all where all are. */
  readonly severity: Severity;
  /** When it began, in milliseconds since the epoch, for grouping. */
  readonly at: number;
  readonly from?: Instant;
  readonly to?: Instant;
  readonly members: readonly JudgedMember<E>[];
}

/** Alerts that belong together. */
export interface JudgedGroup<E extends Correlatable> extends AlertGroup<Alert<E>, E> {
  /** `alg_` and 26 letters and digits. */
  readonly id: string;
  readonly state: AlertState;
  readonly severity: Severity;
}

/** All that judging looks at; nothing is fetched here. */
export interface AlertInput<E extends Correlatable> {
  /** Symptoms, recoveries and what was kept back, up to `now`, from well before `from`. */
  readonly events: readonly E[];
  readonly from: Instant;
  /** Not part of it; states are as of then. */
  readonly now: Instant;
  /** The topology of one control plane as of a moment. */
  readonly standing: (controlPlane: string | undefined, at: Instant) => StandingIndex;
  readonly windows: readonly WorkWindow[];
  /** When monitors were blind, beside what their heartbeats tell. */
  readonly blind: readonly BlindSpan[];
  /** Series that a person took out of duplicates. */
  readonly split: ReadonlySet<string>;
  /** What changed, for causes. */
  readonly changes: readonly E[];
}

/** The groups whose alerts reach into the window, as of its end: the earliest first. Pure. */
export function judgeAlerts<E extends Correlatable>(input: AlertInput<E>): readonly JudgedGroup<E>[] {
  const { now, from } = input;
  const episodes = readEpisodes(input.events.filter(({ occurredAt }) => occurredAt < now));
  const blind = [...input.blind, ...heartbeatSpans(episodes)];
  const shown = episodes.filter(({ heartbeat }) => !heartbeat);
  const flapping = flappingSince(shown, now);
  const standing = (episode: AlertEpisode<E>): StandingIndex =>
    input.standing(episode.controlPlane, instant(startOf(episode)));
  const alerts = mergeDuplicates(shown, standing, input.split)
    .map((merged) => toAlert(merged, { input, blind, flapping }))
    .filter(({ to, state }) => to === undefined || to >= from || state === "unknown");
  const place = (alert: Alert<E>): StandingIndex => input.standing(alert.controlPlane, instant(alert.at));
  return groupAlerts(alerts, place, input.changes).map(toGroup);
}

interface Judging<E extends Correlatable> {
  readonly input: AlertInput<E>;
  readonly blind: readonly BlindSpan[];
  readonly flapping: ReadonlyMap<AlertEpisode<E>, Instant>;
}

/** Since when each series flaps that does, by its latest episode: the earlier ones are over. */
function flappingSince<E extends Correlatable>(
  episodes: readonly AlertEpisode<E>[],
  now: Instant,
): ReadonlyMap<AlertEpisode<E>, Instant> {
  const since = new Map<AlertEpisode<E>, Instant>();
  for (const list of Map.groupBy(episodes, (episode) => episode.series).values()) {
    const turns = list.flatMap(({ from, to }) => [from, to].filter((at) => at !== undefined));
    const last = findFlapping(turns, now).at(-1);
    if (last !== undefined && last.to === undefined) since.set(list.at(-1)!, last.from);
  }
  return since;
}

function toAlert<E extends Correlatable>(merged: MergedAlert<E>, judging: Judging<E>): Alert<E> {
  const members = merged.members.map((member) => judge(member, judging));
  const lasting = members.filter(({ episode, unknown }) => episode.to === undefined || unknown !== undefined);
  const starts = members.flatMap(({ episode }) => episode.from ?? []);
  const ends = members.flatMap(({ episode }) => episode.to ?? []);
  const [first] = members;
  return {
    ...merged,
    members,
    id: idOf("alt", first!.episode.events[0]!.id),
    controlPlane: first!.episode.controlPlane,
    state: worstState(members.map(({ state }) => state)),
    severity: worstOf((lasting.length > 0 ? lasting : members).map(({ episode }) => episode.severity)),
    at: Math.min(...members.map(({ episode }) => startOf(episode))),
    ...(starts.length === 0 ? {} : { from: instant(Math.min(...starts)) }),
    ...(ends.length < members.length ? {} : { to: instant(Math.max(...ends)) }),
  };
}

function judge<E extends Correlatable>(
  member: AlertMember<E>,
  { input, blind, flapping }: Judging<E>,
): JudgedMember<E> {
  const { episode } = member;
  const unknown = unknownBecause(episode, blind, input.now);
  const first = episode.events[0]!;
  const index = input.standing(episode.controlPlane, first.occurredAt);
  const expected = expectedBy(input.windows, { ...first, series: episode.series }, index);
  const since = flapping.get(episode);
  return {
    ...member,
    state: stateOf(episode, { unknown, expected, since }),
    ...(unknown === undefined ? {} : { unknown }),
    ...(expected === undefined ? {} : { expected }),
    ...(since === undefined ? {} : { flappingSince: since }),
  };
}

function stateOf(
  { to }: AlertEpisode,
  given: {
    readonly unknown: string | undefined;
    readonly expected: Expectation | undefined;
    readonly since: Instant | undefined;
  },
): AlertState {
  if (given.unknown !== undefined) return "unknown";
  if (given.since !== undefined) return "flapping";
  if (to !== undefined) return "resolved";
  return given.expected === undefined ? "firing" : "expected";
}

/** What has to be looked at first stands for all: a member that is not known never hides one that fires. */
const stateOrder: readonly AlertState[] = ["firing", "flapping", "unknown", "expected", "resolved"];

function worstState(states: readonly AlertState[]): AlertState {
  return stateOrder.find((state) => states.includes(state)) ?? "resolved";
}

function toGroup<E extends Correlatable>(group: AlertGroup<Alert<E>, E>): JudgedGroup<E> {
  const lasting = group.alerts.filter(({ state }) => state !== "resolved");
  const on = group.on === undefined ? "" : entityKey(group.on);
  return {
    ...group,
    id: idOf("alg", `${group.alerts[0]!.id} ${on}`),
    state: worstState(group.alerts.map(({ state }) => state)),
    severity: worstOf((lasting.length > 0 ? lasting : group.alerts).map(({ severity }) => severity)),
  };
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

function idOf(prefix: string, name: string): string {
  const bytes = createHash("sha256").update(name).digest();
  return `${prefix}_${[...bytes.subarray(0, 26)].map((byte) => alphabet[byte % 32]).join("")}`;
}
