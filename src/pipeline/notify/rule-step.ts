import { createHash } from "node:crypto";
import { severities } from "../../model/event.ts";
import { instant, type Instant } from "../../model/instant.ts";
import { messageEventsMax, type NotificationDraft, type NotificationRule } from "../../model/notification.ts";
import type { VisibleEvent } from "../../store/event-reader.ts";
import type { RuleGroup, ToldEvent } from "../../store/notification-store.ts";
import { groupKeyOf, stateReached } from "./rule-groups.ts";

/** Events of one group in one look at the feed beyond which they are one message. */
export const singleMessagesMax = 5;

/** What became known so long after it happened is told as late. */
export const lateAfterMs = 600_000;

/** Events that a number of them is counted over, for one group. */
const recentMax = 1_000;

/** What a rule is shown in one look, in the order in which it became known. */
export interface RuleLook {
  readonly events: readonly VisibleEvent[];
  readonly retracted: readonly string[];
  /** Which of these were told before. */
  readonly told: readonly ToldEvent[];
}

/** What follows from a look: the messages, and what is remembered. */
export interface RuleStep {
  readonly drafts: readonly NotificationDraft[];
  readonly groups: readonly RuleGroup[];
  readonly untold: readonly string[];
  readonly matched: number;
  readonly tooOld: number;
}

type Group = { -readonly [Name in keyof RuleGroup]: RuleGroup[Name] };

/** An event that the rule looks at, short. */
interface Match {
  readonly id: string;
  readonly visible: VisibleEvent;
}

/**
 * One step of a rule: pure, so that whoever takes it again from the same place comes to the same messages. What is
 * already told is not told again; what is taken away is taken back.
 */
export function stepRule(
  rule: NotificationRule,
  groups: readonly RuleGroup[],
  look: RuleLook,
  passes: (visible: VisibleEvent) => boolean,
  at: Instant,
): RuleStep {
  const memory = new Memory(groups);
  const toldIds = new Map(look.told.map((one) => [one.event, one]));
  const gone = new Set(look.retracted);
  const matches: Match[] = [];
  let tooOld = 0;
  for (const visible of look.events) {
    const { id, occurredAt } = visible.event;
    if (!passes(visible) || !isOfCondition(rule, visible)) {
      // Told once, and by now another's or something else.
      if (toldIds.has(id)) gone.add(id);
      memory.forget(id);
    } else if (toldIds.has(id) || memory.knows(id)) continue;
    // What was seen was seen, however late that became known.
    else if (occurredAt < at - rule.horizonMs && rule.condition.kind !== "absence") tooOld += 1;
    else matches.push({ id, visible });
  }
  for (const id of gone) memory.forget(id);
  const drafts = [
    ...corrections(look.told.filter(({ event }) => gone.has(event))),
    ...[...Map.groupBy(matches, ({ visible }) => groupKeyOf(rule.groupBy, visible))].flatMap(
      ([label, found]) => tellGroup(rule, memory.group(label), found, at),
    ),
    ...tick(rule, memory, at),
  ];
  return {
    drafts,
    groups: memory.changed(),
    untold: [...gone].filter((id) => toldIds.has(id)),
    matched: matches.length,
    tooOld,
  };
}

/** What a rule remembers, and what of it has changed. */
class Memory {
  readonly #groups = new Map<string, Group>();
  readonly #before = new Map<string, string>();
  readonly #holders = new Map<string, Group>();

  constructor(groups: readonly RuleGroup[]) {
    for (const group of groups) {
      this.#groups.set(group.hash, { ...group });
      this.#before.set(group.hash, JSON.stringify(group));
    }
    for (const group of this.#groups.values())
      for (const id of [...group.held, ...group.recent.map((one) => one.id)]) this.#holders.set(id, group);
  }

  all(): readonly Group[] {
    return [...this.#groups.values()];
  }

  group(label: string): Group {
    const hash = createHash("sha256").update(label).digest("hex");
    const known = this.#groups.get(hash);
    if (known !== undefined) return known;
    const group: Group = { hash, label, recent: [], held: [], heldMore: 0, missing: false };
    this.#groups.set(hash, group);
    return group;
  }

  knows(id: string): boolean {
    return this.#holders.has(id);
  }

  forget(id: string): void {
    const group = this.#holders.get(id);
    if (group === undefined) return;
    group.held = group.held.filter((one) => one !== id);
    group.recent = group.recent.filter((one) => one.id !== id);
    this.#holders.delete(id);
  }

  changed(): readonly RuleGroup[] {
    return this.all().filter((group) => JSON.stringify(group) !== this.#before.get(group.hash));
  }
}

function isOfCondition({ condition }: NotificationRule, visible: VisibleEvent): boolean {
  if (condition.kind !== "incident-state") return true;
  const reached = stateReached(visible);
  return reached !== undefined && condition.states.includes(reached);
}

/** What the events of one group come to; the group remembers them. */
function tellGroup(
  rule: NotificationRule,
  group: Group,
  found: readonly Match[],
  at: Instant,
): readonly NotificationDraft[] {
  const before = { ...group };
  const latest = found.reduce((one, other) =>
    other.visible.event.occurredAt >= one.visible.event.occurredAt ? other : one,
  ).visible.event;
  const wasMissing = group.missing;
  // A clock that is ahead of ours would otherwise be the last word for as long as it is ahead.
  const latestAt = instant(Math.min(latest.occurredAt, at));
  if (group.seenAt === undefined || latestAt >= group.seenAt) {
    group.seenAt = latestAt;
    group.seenEvent = latest.id;
    group.severity = latest.severity;
  }
  switch (rule.condition.kind) {
    case "absence":
      group.missing = wasMissing && at - group.seenAt > rule.condition.spanMs;
      return wasMissing && !group.missing
        ? [{ kind: "ended", group: group.hash, events: [latest.id], more: 0, late: false }]
        : [];
    case "at-least":
      return tellOrHold(rule, group, countUp(rule.condition, group, found), at);
    case "severity-rise":
      return tellOrHold(rule, group, risen(found, before), at);
    default:
      return tellOrHold(rule, group, found.map(toPlace), at);
  }
}

interface Place {
  readonly id: string;
  readonly at: Instant;
}

function toPlace({ id, visible }: Match): Place {
  return { id, at: visible.event.occurredAt };
}

/** The events that are too many together, by when they happened, whichever of them came last. */
function countUp(
  { count, withinMs }: { readonly count: number; readonly withinMs: number },
  group: Group,
  found: readonly Match[],
): readonly Place[] {
  const all = [...group.recent, ...found.map(toPlace)].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const counted = new Set<Place>();
  for (const [index, last] of all.entries()) {
    const first = all[index - count + 1];
    if (first === undefined || last.at - first.at > withinMs) continue;
    for (const one of all.slice(index - count + 1, index + 1)) counted.add(one);
  }
  const newest = all.at(-1)?.at ?? instant(0);
  // One that comes late still finds those that it happened beside.
  group.recent = all
    .filter((one) => !counted.has(one) && newest - one.at <= withinMs + lateAfterMs)
    .slice(-recentMax);
  return [...counted];
}

/** Those that are worse than the one before them; what comes after a later one says nothing of how things stand. */
function risen(found: readonly Match[], before: Pick<RuleGroup, "severity" | "seenAt">): readonly Place[] {
  const rising: Place[] = [];
  let last = before.severity === undefined ? undefined : severities.indexOf(before.severity);
  const inOrder = found.toSorted((a, b) => a.visible.event.occurredAt - b.visible.event.occurredAt);
  for (const match of inOrder) {
    if (match.visible.event.occurredAt < (before.seenAt ?? 0)) continue;
    const severity = severities.indexOf(match.visible.event.severity);
    if (last !== undefined && severity > last) rising.push(toPlace(match));
    last = severity;
  }
  return rising;
}

function tellOrHold(
  rule: NotificationRule,
  group: Group,
  places: readonly Place[],
  at: Instant,
): readonly NotificationDraft[] {
  if (places.length === 0) return [];
  if (group.quietUntil !== undefined && group.quietUntil > at) {
    const room = Math.max(0, messageEventsMax - group.held.length);
    group.held = [...group.held, ...places.slice(0, room).map(({ id }) => id)];
    group.heldMore += Math.max(0, places.length - room);
    return [];
  }
  if (rule.quietMs > 0) group.quietUntil = instant(at + rule.quietMs);
  const ordered = places.toSorted((a, b) => a.at - b.at);
  const isCounted = rule.condition.kind === "at-least";
  const parts =
    rule.quietMs > 0 || isCounted || ordered.length > singleMessagesMax
      ? slicesOf(ordered)
      : ordered.map((one) => [one]);
  return parts.map((part) => ({
    kind: "events",
    group: group.hash,
    events: part.map(({ id }) => id),
    more: 0,
    late: part.every((one) => at - one.at > lateAfterMs),
  }));
}

function slicesOf(places: readonly Place[]): readonly (readonly Place[])[] {
  const count = Math.ceil(places.length / messageEventsMax);
  return Array.from({ length: count }, (_, index) =>
    places.slice(index * messageEventsMax, (index + 1) * messageEventsMax),
  );
}

/** What only time brings: the end of a quiet period, and what should have come. */
function tick(rule: NotificationRule, memory: Memory, at: Instant): readonly NotificationDraft[] {
  const { condition } = rule;
  const absent = condition.kind === "absence" ? missing(rule, condition.spanMs, memory, at) : [];
  // An absence holds nothing back, but what the rule was before may have.
  const held = memory.all().flatMap((group) => {
    if (group.quietUntil === undefined || group.quietUntil > at) return [];
    const { hash, held: events, heldMore: more } = group;
    delete group.quietUntil;
    if (events.length === 0) return [];
    group.held = [];
    group.heldMore = 0;
    group.quietUntil = instant(at + rule.quietMs);
    return [{ kind: "events", group: hash, events, more, late: false } as const];
  });
  return [...held, ...absent];
}

function missing(
  rule: NotificationRule,
  spanMs: number,
  memory: Memory,
  at: Instant,
): readonly NotificationDraft[] {
  // Of groups nobody knows which there should be; without any there is the one of everything.
  const everything = rule.groupBy.length === 0 ? [memory.group("")] : [];
  for (const group of everything) group.seenAt ??= rule.decidedAt;
  return memory.all().flatMap((group) => {
    const { hash, seenAt, seenEvent } = group;
    if (group.missing || seenAt === undefined || at - seenAt <= spanMs) return [];
    group.missing = true;
    const events = seenEvent === undefined ? [] : [seenEvent];
    return [{ kind: "absence", group: hash, events, more: 0, late: false, since: seenAt } as const];
  });
}

function corrections(taken: RuleLook["told"]): readonly NotificationDraft[] {
  return [...Map.groupBy(taken, ({ message }) => message)].map(([corrects, of]) => ({
    kind: "correction",
    group: of[0]?.group ?? "",
    events: [],
    more: 0,
    late: false,
    corrects,
    whole: (of[0]?.standing ?? 0) <= of.length,
  }));
}
