import { entityKey, type EntityRef } from "../model/entity.ts";
import type { AlertEpisode } from "./alert-episode.ts";
import { unnamedClass } from "./alert-signal.ts";
import type { Correlatable } from "./correlatable.ts";
import { bearerOf, isName, type StandingIndex } from "./stands-on.ts";

/** An episode within the alert that it is a part of, and why it is. */
export interface AlertMember<E extends Correlatable> {
  readonly episode: AlertEpisode<E>;
  /** Absent where it is alone. */
  readonly why?: string;
  /** True where a person took it out of the duplicates that it would be merged with. */
  readonly split: boolean;
}

/** One problem on one thing, however many monitors tell of it. */
export interface MergedAlert<E extends Correlatable> {
  /** What all its members are about; a name where nothing tells what bears it. */
  readonly thing: EntityRef;
  readonly problemClass: string;
  /** The earliest first. */
  readonly members: readonly AlertMember<E>[];
}

/** Monitors look a few minutes apart. */
const apartMsMax = 5 * 60_000;

/** Whose ids are words of a monitor's own. */
const ownWordKinds = new Set(["component", "name"]);

/** A service's id is `binary@host`; a bare word is what somebody called it. */
function isOwnWord({ kind, id }: EntityRef): boolean {
  return ownWordKinds.has(kind) || (kind === "service" && !id.includes("@"));
}

interface Placed<E extends Correlatable> {
  readonly episode: AlertEpisode<E>;
  readonly thing: EntityRef;
  /** Equal for the same thing of the same cloud and the same class; absent where it cannot be told to be the same. */
  readonly key?: string;
  readonly split: boolean;
}

/**
 * Merges what two monitors tell of one problem: the same thing of the same control plane, the same class of problem,
 * overlapping in time. A thing that is only named (a hostname, an address) is the same only where the topology of that
 * moment tells, alone, what bore the name. Derived from the set of episodes, in any order; `split` holds the series that
 * stand alone because a person said so, and without them all is as it was.
 */
export function mergeDuplicates<E extends Correlatable>(
  episodes: readonly AlertEpisode<E>[],
  standing: (episode: AlertEpisode<E>) => StandingIndex,
  split: ReadonlySet<string>,
): readonly MergedAlert<E>[] {
  const placed = episodes.map((episode) => place(episode, standing(episode), split.has(episode.series)));
  const isAlone = ({ key, split: out }: Placed<E>): boolean => key === undefined || out;
  const joined = Map.groupBy(
    placed.filter((one) => !isAlone(one)),
    ({ key }) => key,
  );
  const merged = [...joined.values()].flatMap((same) => overlapping(same));
  const alone = placed.filter(isAlone).map((one) => [one]);
  return [...alone, ...merged].map(toAlert).toSorted(byStart);
}

function place<E extends Correlatable>(
  episode: AlertEpisode<E>,
  index: StandingIndex,
  split: boolean,
): Placed<E> {
  const thing = thingOf(episode.subject, index);
  const isUnnamed = episode.problemClass === unnamedClass;
  if (thing === undefined || isOwnWord(thing) || isUnnamed || episode.controlPlane === undefined)
    return { episode, thing: thing ?? episode.subject, split };
  const key = [episode.controlPlane, entityKey(thing), episode.problemClass].join("|");
  return { episode, thing, key, split };
}

/** What the subject is; undefined for a name that proves nothing. */
export function thingOf(subject: EntityRef, index: StandingIndex): EntityRef | undefined {
  return isName(subject) ? bearerOf(subject, index) : subject;
}

/** Parts within which each episode overlaps another one of another monitor. */
function overlapping<E extends Correlatable>(same: readonly Placed<E>[]): readonly (readonly Placed<E>[])[] {
  const parts: Placed<E>[][] = [];
  for (const one of same.toSorted((a, b) => order(a.episode, b.episode))) {
    const touching = parts.filter((part) => part.some((other) => isDuplicate(one.episode, other.episode)));
    const part = [...touching.flat(), one];
    for (const old of touching) parts.splice(parts.indexOf(old), 1);
    parts.push(part);
  }
  return parts;
}

function isDuplicate<E extends Correlatable>(one: AlertEpisode<E>, other: AlertEpisode<E>): boolean {
  if (one.monitor === other.monitor) return false;
  const slack = apartMsMax + Math.max(one.precision, other.precision);
  return startOf(one) - slack <= endOf(other) && startOf(other) - slack <= endOf(one);
}

/** An episode of which only the end is known began at an unknown moment before it: it overlaps by its end alone. */
export function startOf({ from, to }: Pick<AlertEpisode, "from" | "to">): number {
  return from ?? to ?? 0;
}

function endOf({ to }: Pick<AlertEpisode, "to">): number {
  return to ?? Number.POSITIVE_INFINITY;
}

function toAlert<E extends Correlatable>(part: readonly Placed<E>[]): MergedAlert<E> {
  const inOrder = part.toSorted((one, other) => order(one.episode, other.episode));
  const [first] = inOrder;
  const { thing, episode } = first!;
  return {
    thing,
    problemClass: episode.problemClass,
    members: inOrder.map((one) => ({
      episode: one.episode,
      split: one.split,
      ...(inOrder.length === 1 ? {} : { why: whyOf(one, inOrder) }),
    })),
  };
}

function whyOf<E extends Correlatable>({ episode, thing }: Placed<E>, all: readonly Placed<E>[]): string {
  const { subject, monitor, problemClass } = episode;
  const known =
    entityKey(subject) === entityKey(thing) ? "" : `, then known as ${subject.kind} ${subject.id}`;
  const others = [...new Set(all.map((one) => one.episode.monitor))].filter((one) => one !== monitor);
  return `the same thing (${thing.kind} ${thing.id}${known}), the same class of problem (${problemClass}), at the same time as ${others.join(", ")} told`;
}

function order<E extends Correlatable>(one: AlertEpisode<E>, other: AlertEpisode<E>): number {
  const [a, b] = [one.events[0]!.id, other.events[0]!.id];
  return startOf(one) - startOf(other) || (a < b ? -1 : a > b ? 1 : 0);
}

function byStart<E extends Correlatable>(one: MergedAlert<E>, other: MergedAlert<E>): number {
  return order(one.members[0]!.episode, other.members[0]!.episode);
}
