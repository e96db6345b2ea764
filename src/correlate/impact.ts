import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { AccountWords } from "./account-words.ts";
import { linkByWords, readAccount } from "./account-words.ts";
import type { Correlatable } from "./correlatable.ts";
import { isOfShared, placesOf } from "./shared-thing.ts";
import type { Graph } from "./topology-paths.ts";

/** A stretch of trouble that began on one thing and spread over what depends on it. */
export interface Impact {
  readonly opening: Correlatable;
  /** Whether it began on what many stand on; a single server's trouble opens nothing for others. */
  readonly shared: boolean;
  readonly troubles: Map<string, Trouble>;
  /** By the id of each symptom: how firmly it belongs here. */
  readonly members: Map<string, number>;
  /** When anything of it last showed. */
  lastAt: Instant;
  /** What its firm members said of it. */
  readonly accounts: AccountWords[];
  /** What changed before its opening, and how likely each is to have opened it; the likeliest first. */
  readonly openers: readonly Opener[];
}

/** What ails of one thing, as part of an impact. */
export interface Trouble {
  strength: number;
  lastAt: Instant;
  open: boolean;
}

export interface Opener {
  readonly event: Correlatable;
  /** How firmly it is tied to the impact's opening, as a path's strength. */
  readonly hold: number;
  /** The hold, less what time took of it. */
  readonly weight: number;
}

/** What an event touches: keys of things with how near each is (1 for its own), and its words. */
export interface Reach {
  readonly own: readonly string[];
  readonly near: ReadonlyMap<string, number>;
  readonly words: AccountWords | undefined;
}

/** While what many stand on is in trouble, anything may be part of it; the likelier the less time has passed since it showed. */
const sharedLink = 0.2;
const sharedHalfMs = 3_600_000;

/** A thing that had recovered and ails again may as well have a trouble of its own, unless the record says that it still does. */
const relapseLink = 0.4;
const goesOnLink = 0.9;

/** Without a word of it for so long nobody says that an impact is still open. */
const staleMs = 12 * 3_600_000;

/** Dependencies weaker than this carry no impact by themselves. */
const nearMin = 0.5;

/** How many records' words an impact keeps. */
export const accountsMax = 200;

/** Tells what events touch, walking at most two strong dependencies; remembers what it has read. */
export type ReachReader = (event: Correlatable) => Reach;

export function createReachReader(graph: Graph): ReachReader {
  const nearOf = new Map<string, ReadonlyMap<string, number>>();
  const known = new Map<Correlatable, Reach>();
  const walk = (key: string) => {
    const near = nearOf.get(key) ?? walkNear(key, graph);
    nearOf.set(key, near);
    return near;
  };
  return (event) => {
    const before = known.get(event);
    if (before !== undefined) return before;
    const own = placesOf(event);
    const [only = "", ...others] = own;
    const reach = {
      own,
      near: others.length === 0 ? walk(only) : join(own.map(walk)),
      words: readAccount(event),
    };
    known.set(event, reach);
    return reach;
  };
}

function join(maps: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const map of maps) for (const [key, weight] of map) all.set(key, Math.max(weight, all.get(key) ?? 0));
  return all;
}

function walkNear(start: string, graph: Graph): ReadonlyMap<string, number> {
  const near = new Map([[start, 1]]);
  let frontier = [start];
  for (let hop = 0; hop < 2; hop++) {
    const reached: string[] = [];
    for (const key of frontier) {
      for (const { next, weight } of graph.get(key) ?? []) {
        const strength = near.get(key)! * weight;
        const nextKey = entityKey(next);
        if (strength < nearMin || strength <= (near.get(nextKey) ?? 0)) continue;
        near.set(nextKey, strength);
        reached.push(nextKey);
      }
    }
    frontier = reached;
  }
  return near;
}

/** How firmly what is touched at a moment belongs to an impact, in [0, 1]. */
export function linkTo(impact: Impact, { near, words }: Pick<Reach, "near" | "words">, at: Instant): number {
  const quietMs = at - impact.lastAt;
  let link = impact.shared ? sharedLink / (1 + Math.max(0, quietMs) / sharedHalfMs) : 0;
  const closedLink = words?.goesOn === true ? goesOnLink : relapseLink;
  for (const [key, weight] of near) {
    const trouble = impact.troubles.get(key);
    if (trouble === undefined) continue;
    link = Math.max(link, weight * trouble.strength * (trouble.open ? 1 : closedLink));
  }
  if (words === undefined) return link;
  for (const account of impact.accounts) {
    // The same component is a thing of its own, judged above by whether it still ails.
    if (account.name !== words.name) link = Math.max(link, linkByWords(words, account)?.strength ?? 0);
  }
  return link;
}

/** How firmly a change is tied to a symptom: the same thing, what it stands on, or what the records say. */
export function holdOf(change: Reach, symptom: Reach): number {
  const near = Math.max(0, ...change.own.map((key) => symptom.near.get(key) ?? 0));
  if (change.words === undefined || symptom.words === undefined) return near;
  return Math.max(near, linkByWords(change.words, symptom.words)?.strength ?? 0);
}

export function isOpen(impact: Impact, at: Instant): boolean {
  if (at - impact.lastAt > staleMs) return false;
  for (const { open, lastAt } of impact.troubles.values()) if (open && at - lastAt <= staleMs) return true;
  return false;
}

export function openImpact(opening: Correlatable, reach: Reach, openers: readonly Opener[]): Impact {
  const impact: Impact = {
    opening,
    shared: isOfShared(opening),
    troubles: new Map(),
    members: new Map(),
    accounts: [],
    openers,
    lastAt: opening.occurredAt,
  };
  joinImpact(impact, opening, reach, 1);
  return impact;
}

export function joinImpact(impact: Impact, event: Correlatable, reach: Reach, strength: number): void {
  for (const key of reach.own) {
    const known = impact.troubles.get(key);
    const was = known?.open === true ? known.strength : 0;
    impact.troubles.set(key, { strength: Math.max(strength, was), lastAt: event.occurredAt, open: true });
  }
  impact.lastAt = event.occurredAt;
  impact.members.set(event.id, strength);
  keepWords(impact, reach);
}

/** What is written of a thing in trouble counts among the impact's own words. */
export function keepWords(impact: Impact, { words }: Reach): void {
  if (words !== undefined && impact.accounts.length < accountsMax) impact.accounts.push(words);
}
