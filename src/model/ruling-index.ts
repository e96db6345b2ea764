import { entityKey } from "./entity.ts";
import type { EventDraft } from "./event.ts";
import type { Ruling, RulingMatch } from "./ruling.ts";

/** An event as a ruling looks at it; one that is not stored yet has no id. */
export type RuledDraft = EventDraft & { readonly id?: string };

/** Where an event was reported. */
export interface RuledPlace {
  readonly connection: string;
  readonly controlPlane: string;
}

/**
 * True where the match speaks of one thing: such a ruling is a statement about it, and can be contradicted by facts. Any
 * other speaks of a class of events, of which it concerns those only that nothing else gives an owner.
 */
export function namesThing({ eventId, subject, alias }: RulingMatch): boolean {
  return eventId !== undefined || subject !== undefined || alias !== undefined;
}

/** True where the match leaves anything out beside other control planes. */
export function isNarrow(match: RulingMatch): boolean {
  return Object.entries(match).some(([name, value]) => name !== "controlPlane" && value !== undefined);
}

export function matchesEvent(match: RulingMatch, draft: RuledDraft, place: RuledPlace): boolean {
  const { eventId, controlPlane, connection, type, subject, alias, from, to } = match;
  if (eventId !== undefined && draft.id !== eventId) return false;
  if (controlPlane !== undefined && place.controlPlane !== controlPlane) return false;
  if (connection !== undefined && place.connection !== connection) return false;
  if (type !== undefined && !matchesType(type, draft.type)) return false;
  if (from !== undefined && draft.occurredAt < from) return false;
  if (to !== undefined && draft.occurredAt >= to) return false;
  if (subject !== undefined && entityKey(draft.subject) !== entityKey(subject)) return false;
  return alias === undefined || aliasesOf(draft).includes(entityKey(alias));
}

function matchesType(pattern: string, type: string): boolean {
  return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

/** The names by which a record speaks of its subject; one that has no id is itself the subject. */
function aliasesOf(draft: EventDraft): readonly string[] {
  const told = draft.related.filter(({ role }) => role === "alias" || role.startsWith("alias:"));
  return [draft.subject, ...told.map(({ ref }) => ref)].map(entityKey);
}

/** Finds the rulings about an event without looking at each of them. */
export class RulingIndex {
  readonly #byThing = new Map<string, Ruling[]>();
  readonly #others: Ruling[] = [];

  constructor(rulings: readonly Ruling[]) {
    for (const ruling of rulings) {
      const name = thingOf(ruling.match);
      if (name === undefined) this.#others.push(ruling);
      else this.#byThing.set(name, [...(this.#byThing.get(name) ?? []), ruling]);
    }
  }

  /** In the order of their ids. */
  about(draft: RuledDraft, place: RuledPlace): readonly Ruling[] {
    const names = new Set(aliasesOf(draft).map((key) => `entity ${key}`));
    if (draft.id !== undefined) names.add(`event ${draft.id}`);
    const named = [...names].flatMap((name) => this.#byThing.get(name) ?? []);
    return [...named, ...this.#others]
      .filter(({ match }) => matchesEvent(match, draft, place))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }
}

function thingOf({ eventId, subject, alias }: RulingMatch): string | undefined {
  if (eventId !== undefined) return `event ${eventId}`;
  const ref = subject ?? alias;
  return ref === undefined ? undefined : `entity ${entityKey(ref)}`;
}

const indexes = new WeakMap<readonly Ruling[], RulingIndex>();

/** The index of these rulings, made once for as long as the list lives. */
export function indexRulings(rulings: readonly Ruling[]): RulingIndex {
  const index = indexes.get(rulings) ?? new RulingIndex(rulings);
  indexes.set(rulings, index);
  return index;
}
