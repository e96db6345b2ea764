import type { EventDraft } from "../../model/event.ts";
import { isRuled } from "../../model/unproven.ts";
import type { StorableEvent } from "../event-store.ts";
import { contentHash } from "./canonical.ts";
import { eventId } from "./event-id.ts";
import { toEventRow, type EventRow } from "./event-row.ts";
import { addSourceIds, foldTwin } from "./fold.ts";
import { unaskedKey } from "./ruling-keys.ts";
import { TwinLedger } from "./twin-ledger.ts";

/** A row of `delivery`. */
export interface DeliveryRow {
  readonly source_id: string;
  readonly key: string;
  readonly event_id: string;
  readonly occurred_at: number;
  /** Hex. */
  readonly content_hash: string;
  readonly twin_group: string | null;
  readonly twin_side: string | null;
  readonly twin_at: number | null;
}

export interface RevisionRow {
  readonly event_id: string;
  readonly content_hash: string;
  readonly occurred_at: number;
  readonly draft: unknown;
}

/** An event of the page as it will stand, with what goes beside it. */
export interface PlannedEvent {
  readonly row: EventRow;
  editions: StorableEvent["editions"];
  readonly dependsOn: Set<string>;
  /** Not in the store before this page. */
  readonly fresh: boolean;
  /** A twin in this page brought another attribution than the one that is stored. */
  reattributed: boolean;
}

/** An event of a storm: it is kept as a member of a fold instead of as an event. */
export interface PlannedMember {
  readonly id: string;
  readonly key: string;
  readonly event: StorableEvent;
}

export interface AppendPlan {
  readonly events: ReadonlyMap<string, PlannedEvent>;
  readonly members: readonly PlannedMember[];
  readonly deliveries: readonly DeliveryRow[];
  /** Candidates: those that are stored already count as repeated. */
  readonly revisions: readonly RevisionRow[];
  readonly created: number;
  readonly folded: number;
  readonly repeated: number;
  /** What each event came to, in the page's order; `revision` is as `writeRevisions` names it. */
  readonly decisions: readonly {
    readonly draft: EventDraft;
    readonly what: "create" | "fold" | "repeat" | "revise";
    readonly revision: string;
  }[];
}

/** What the store knew before the page. */
export interface KnownBefore {
  /** Deliveries of the page's source ids, of its twin groups, and of the events that its keys name. */
  readonly deliveries: readonly DeliveryRow[];
  /** Gives the stored rows of these events. */
  readonly load: (places: readonly { id: string; occurredAt: number }[]) => Promise<readonly EventRow[]>;
}

export interface PageIdentity {
  readonly connection: string;
  readonly source: string;
  readonly controlPlane: string;
  readonly stream: string;
}

/** What becomes of one event, decided before anything is changed. */
type Decision =
  | { readonly what: "create" | "gather"; readonly id: string; readonly key: string }
  | { readonly what: "fold"; readonly id: string; readonly occurredAt: number }
  | {
      readonly what: "repeat" | "revise";
      readonly id: string;
      readonly occurredAt: number;
      readonly newIds: readonly string[];
    };

interface Decided {
  readonly event: StorableEvent;
  readonly hash: string;
  readonly decision: Decision;
}

/** Works out what a page changes, in the page's own order, so that twins within it meet as they would across pages. */
export async function planAppend(
  identity: PageIdentity,
  events: readonly StorableEvent[],
  known: KnownBefore,
): Promise<AppendPlan> {
  const register = new Register(identity, known.deliveries);
  const decided: Decided[] = events.map((event) => {
    const hash = hashDraft(event.draft);
    return { event, hash, decision: register.decide(event, hash) };
  });
  const standing = await loadStanding(decided, known.load);
  const decisions = decided.map(({ event, hash, decision }) => ({
    draft: event.draft,
    what: decision.what === "gather" ? ("create" as const) : decision.what,
    revision: `${decision.id}\n${hash}`,
  }));
  return { ...carryOut(identity, decided, standing, register.added), decisions };
}

/**
 * What the record says, whatever ids it came under, whatever name its subject bears by now, and whether or not its time
 * lay in the future when it came: that is said of our own clock, too.
 */
export function hashDraft(draft: EventDraft): string {
  const { sourceIds: _ids, subjectName: _name, details, ...said } = draft;
  const { time_suspect: _suspect, ...told } = details;
  return contentHash({ ...said, details: told }).toString("hex");
}

/** Everything delivered so far, in the store and earlier in the page. */
class Register {
  readonly added: DeliveryRow[] = [];
  readonly #identity: PageIdentity;
  readonly #byRecord = new Map<string, DeliveryRow>();
  readonly #byEvent = new Map<string, DeliveryRow[]>();
  readonly #twins: TwinLedger;

  constructor(identity: PageIdentity, deliveries: readonly DeliveryRow[]) {
    this.#identity = identity;
    this.#twins = new TwinLedger([]);
    for (const delivery of deliveries) this.#remember(delivery);
  }

  decide({ draft, storm }: StorableEvent, hash: string): Decision {
    const before = draft.sourceIds
      .map((id) => this.#byRecord.get(spell(id, draft.key)))
      .find((row) => row !== undefined);
    if (before !== undefined) return this.#again(draft, hash, before);
    const { twin } = draft;
    const other = twin === undefined ? undefined : this.#twins.find(twin, draft.occurredAt);
    if (other !== undefined) {
      this.#deliver(draft, hash, other.eventId, other.occurredAt);
      return { what: "fold", id: other.eventId, occurredAt: other.occurredAt };
    }
    const ordinal = twin === undefined ? 1 : this.#twins.count(twin.group) + 1;
    const key = ordinal === 1 ? draft.key : `${draft.key}#${ordinal}`;
    const id = eventId(this.#identity.connection, this.#identity.stream, key);
    const same = this.#byEvent.get(id)?.[0];
    if (same !== undefined) return this.#again(draft, hash, same);
    this.#deliver(draft, hash, id, draft.occurredAt);
    return { what: storm === true && twin === undefined ? "gather" : "create", id, key };
  }

  /** The event stands: the same words again, perhaps under a further id, or other words for it. */
  #again(draft: EventDraft, hash: string, before: DeliveryRow): Decision {
    const said = (this.#byEvent.get(before.event_id) ?? [before]).some((row) => row.content_hash === hash);
    const newIds = draft.sourceIds.filter((id) => !this.#byRecord.has(spell(id, draft.key)));
    this.#deliver(draft, before.content_hash, before.event_id, before.occurred_at);
    return { what: said ? "repeat" : "revise", id: before.event_id, occurredAt: before.occurred_at, newIds };
  }

  #deliver(draft: EventDraft, hash: string, id: string, occurredAt: number): void {
    for (const sourceId of new Set(draft.sourceIds)) {
      if (this.#byRecord.has(spell(sourceId, draft.key))) continue;
      const row: DeliveryRow = {
        source_id: sourceId,
        key: draft.key,
        event_id: id,
        occurred_at: occurredAt,
        content_hash: hash,
        twin_group: draft.twin?.group ?? null,
        twin_side: draft.twin?.side ?? null,
        twin_at: draft.twin === undefined ? null : draft.occurredAt,
      };
      this.added.push(row);
      this.#remember(row);
    }
  }

  #remember(row: DeliveryRow): void {
    const record = spell(row.source_id, row.key);
    if (this.#byRecord.has(record)) return;
    this.#byRecord.set(record, row);
    const ofEvent = this.#byEvent.get(row.event_id);
    if (ofEvent === undefined) this.#byEvent.set(row.event_id, [row]);
    else ofEvent.push(row);
    if (row.twin_group === null || row.twin_side === null || row.twin_at === null) return;
    this.#twins.add({
      group: row.twin_group,
      side: row.twin_side,
      at: row.twin_at,
      eventId: row.event_id,
      occurredAt: row.occurred_at,
    });
  }
}

function spell(sourceId: string, key: string): string {
  return `${sourceId}\n${key}`;
}

function isNew(decision: Decision): decision is Extract<Decision, { readonly key: string }> {
  return decision.what === "create" || decision.what === "gather";
}

/** The stored rows that the page adds something to. */
async function loadStanding(
  decided: readonly Decided[],
  load: KnownBefore["load"],
): Promise<Map<string, EventRow>> {
  const created = new Set(decided.flatMap(({ decision }) => (isNew(decision) ? [decision.id] : [])));
  const places = new Map<string, { id: string; occurredAt: number }>();
  for (const { decision } of decided) {
    if (isNew(decision) || created.has(decision.id)) continue;
    if (decision.what === "fold" || decision.newIds.length > 0) places.set(decision.id, decision);
  }
  const rows = places.size === 0 ? [] : await load([...places.values()]);
  return new Map(rows.map((row) => [row.id, row]));
}

function carryOut(
  identity: PageIdentity,
  decided: readonly Decided[],
  standing: ReadonlyMap<string, EventRow>,
  deliveries: readonly DeliveryRow[],
): Omit<AppendPlan, "decisions"> {
  const events = new Map<string, PlannedEvent>();
  const members: PlannedMember[] = [];
  const revisions: RevisionRow[] = [];
  const counts = { created: 0, folded: 0, repeated: 0 };
  const planned = (id: string): PlannedEvent | undefined => {
    const row = standing.get(id);
    if (!events.has(id) && row !== undefined) {
      events.set(id, { row, editions: [], dependsOn: new Set(), fresh: false, reattributed: false });
    }
    return events.get(id);
  };
  for (const { event, hash, decision } of decided) {
    const { draft } = event;
    if (isNew(decision)) {
      counts.created += 1;
      if (decision.what === "gather") {
        members.push({ id: decision.id, key: decision.key, event });
        continue;
      }
      const row = toEventRow({ ...identity, id: decision.id, key: decision.key }, event);
      const dependsOn = new Set(event.dependsOn);
      events.set(decision.id, { row, editions: event.editions, dependsOn, fresh: true, reattributed: false });
      continue;
    }
    const target = planned(decision.id);
    if (decision.what === "fold") {
      counts.folded += 1;
      // Retention may have dropped the first report already; the twin is then nothing new either.
      if (target === undefined) continue;
      const twin = toEventRow({ ...identity, id: decision.id, key: draft.key }, event);
      // Two reports are one event: what a ruling says of it is to be found of both together.
      if (isRuled(target.row.attribution) || isRuled(twin.attribution)) target.dependsOn.add(unaskedKey);
      if (foldTwin(target.row, twin)) {
        target.editions = event.editions;
        target.reattributed = true;
      }
      for (const key of event.dependsOn) target.dependsOn.add(key);
      continue;
    }
    if (target !== undefined && decision.newIds.length > 0) addSourceIds(target.row, decision.newIds);
    if (decision.what === "repeat") counts.repeated += 1;
    else
      revisions.push({ event_id: decision.id, content_hash: hash, occurred_at: decision.occurredAt, draft });
  }
  return { events, members, deliveries, revisions, ...counts };
}
