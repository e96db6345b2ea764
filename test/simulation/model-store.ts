import { IsochronError } from "../../src/errors.ts";
import type { EventDraft } from "../../src/model/event.ts";
import { instant } from "../../src/model/instant.ts";
import type { Json } from "../../src/model/json.ts";
import type {
  Appended,
  EventOutcome,
  EventStore,
  Reject,
  ResolvedPage,
} from "../../src/store/event-store.ts";
import type { AppendPlan, DeliveryRow, PlannedMember } from "../../src/store/postgres/append-plan.ts";
import { planAppend } from "../../src/store/postgres/append-plan.ts";
import { eventId, setAsideId } from "../../src/store/postgres/event-id.ts";
import type { EventRow } from "../../src/store/postgres/event-row.ts";
import type { TopologyReader } from "../../src/store/topology-reader.ts";
import { ModelConnection } from "./model-connection.ts";
import type { Actor, Weather, World } from "./world.ts";

/** What is told of an event that is stored, alone or as a member of a storm's fold. */
export type StoredRow = Pick<EventRow, "key" | "occurred_at" | "precision_ms" | "summary">;

/** What the checker is told of as it happens. */
export interface StoreWatch {
  /** `isAgain` where the page reads the past again. */
  stored(connection: string, row: StoredRow, isAgain: boolean): void;
  revised(connection: string, draft: EventDraft): void;
  setAside(connection: string, reject: Reject): void;
  /** After each change of a connection, within the same transaction. */
  changed(connection: string, state: ModelConnection): void;
  broken(what: string): void;
}

/**
 * The store's contract over maps, in one transaction a call. What becomes of a page is planned by the store's own
 * `planAppend`, and events are named by its own ids; what PostgreSQL does (locks, unique keys, commit) is modelled.
 * Topology and re-attribution stay empty: the sources that are simulated state no facts.
 */
export class ModelStore {
  readonly connections = new Map<string, ModelConnection>();
  readonly events = new Map<string, EventRow>();
  /** Members of folds: stored, though not as events. */
  readonly members = new Map<string, PlannedMember>();
  readonly revisions = new Set<string>();
  readonly aside = new Map<string, Reject>();
  readonly #world: World;
  readonly #watch: StoreWatch;
  readonly #deliveries = new Map<string, DeliveryRow>();
  readonly #bySource = new Map<string, Map<string, DeliveryRow>>();
  readonly #byGroup = new Map<string, Map<string, DeliveryRow>>();
  readonly #byEvent = new Map<string, Map<string, DeliveryRow>>();
  /** Which epoch each process was given last. */
  readonly #granted = new Map<Actor, number>();

  constructor(world: World, watch: StoreWatch) {
    this.#world = world;
    this.#watch = watch;
  }

  /** The store as one process reaches it. */
  clientOf(actor: Actor, weather: Weather): EventStore {
    const call = <Result>(label: string, effect: () => Result | Promise<Result>): Promise<Result> =>
      this.#world.call(actor, label, weather, effect);
    const now = () => this.#world.nowMs;
    const changing = (name: string, effect: (state: ModelConnection) => void): void => {
      const state = this.#find(name);
      effect(state);
      this.#watch.changed(name, state);
    };
    return {
      connect: ({ name, source, controlPlane }) =>
        call("connect", () => {
          if (!this.connections.has(name))
            this.connections.set(name, new ModelConnection(source, controlPlane));
        }),
      append: (page) => call(`append ${page.events.length}`, () => this.#append(actor, page)),
      cursor: (name, lane) => call(`cursor ${lane}`, () => copy(this.#find(name).cursors.get(lane))),
      lease: (name, holder, ttlMs, restMs) =>
        call("lease", () => {
          const epoch = this.#find(name).lease(now(), holder, ttlMs, restMs);
          if (epoch !== undefined) this.#granted.set(actor, epoch);
          return epoch;
        }),
      renew: (name, epoch) => call("renew", () => this.#find(name).renew(now(), epoch)),
      release: (name, epoch, restMs) => call("release", () => this.#find(name).release(now(), epoch, restMs)),
      waitFor: (name, holder, restMs) =>
        call("waitFor", () => this.#find(name).waitFor(now(), holder, restMs)),
      report: (name, error) =>
        call(`report ${error === undefined ? "well" : "trouble"}`, () => void this.#find(name)),
      noteHealth: (name, health) =>
        call("noteHealth", () => changing(name, (state) => state.note(now(), health))),
      lastHeard: (name) =>
        call("lastHeard", () => {
          const heardMs = this.#find(name).lastHeardMs;
          return heardMs === undefined ? undefined : instant(heardMs);
        }),
      reconciled: (name, outcome, epoch) =>
        call("reconciled", () => changing(name, (state) => state.reconciled(now(), outcome, epoch))),
      endLane: (name, lane, epoch) =>
        call(`endLane ${lane}`, () => {
          this.#find(name).fence(epoch);
          this.#find(name).cursors.delete(lane);
        }),
      dueForAttribution: () => Promise.resolve({ token: null, events: [] }),
      reattributed: () => Promise.resolve(0),
      setAside: () => Promise.resolve([]),
      replayed: () => Promise.resolve(),
    };
  }

  /** No facts, hence nothing around anything. */
  readonly topology: TopologyReader = {
    mark: () => Promise.resolve("0"),
    neighbourhood: () => Promise.resolve([]),
    surroundings: () => Promise.resolve({ facts: [], crowded: new Set(), cut: new Map() }),
    about: () => Promise.resolve([]),
    history: () => Promise.resolve([]),
    adjoining: () => Promise.resolve({ facts: [], cut: new Set() }),
    tenants: () => Promise.resolve([]),
  };

  #find(name: string): ModelConnection {
    const state = this.connections.get(name);
    if (state !== undefined) return state;
    throw new IsochronError("source-unknown", `There is no connection ${name}.`, "Make it known first.");
  }

  async #append(actor: Actor, page: ResolvedPage): Promise<Appended> {
    const state = this.#find(page.connection);
    state.fence(page.epoch);
    if (page.cursor !== undefined && this.#granted.get(actor) !== state.epoch) {
      this.#watch.broken(`unfenced: ${actor.name} moved a cursor that was not its own any more`);
    }
    const identity = { ...page, source: state.source };
    const plan = await planAppend(identity, page.events, {
      deliveries: this.#knownDeliveries(page),
      load: (places) =>
        Promise.resolve(places.flatMap(({ id }) => structuredClone(this.events.get(id)) ?? [])),
    });
    const late = findLate(page, plan, state.claimedToMs);
    this.#write(page.connection, plan, page.reconciling === true);
    const { outcomes, revised } = this.#writeRevisions(page.connection, plan);
    for (const reject of page.rejects) this.#keep(page, reject, state);
    const appended = {
      created: plan.created,
      folded: plan.folded,
      repeated: plan.repeated + plan.revisions.length - revised,
      revised,
      setAside: page.rejects.length,
      facts: 0,
      late: late.length,
      outcomes,
    };
    if (page.reconciling === true) {
      const fresh = plan.decisions.filter(({ what }) => what === "create");
      state.createdAgain.push(...fresh.map(({ draft }) => draft.occurredAt));
    }
    if (page.epoch !== undefined) state.extend(this.#world.nowMs);
    const cursor = page.cursorAfter === undefined ? page.cursor : page.cursorAfter(outcomes);
    if (cursor !== undefined) state.cursors.set(page.lane ?? page.stream, copy(cursor)!);
    state.notePage(this.#world.nowMs, page, appended, late);
    this.#watch.changed(page.connection, state);
    return { ...appended, refused: new Set() };
  }

  #write(connection: string, plan: AppendPlan, isAgain: boolean): void {
    for (const [id, { row, fresh }] of plan.events) {
      if (fresh && this.events.has(id)) continue;
      this.events.set(id, row);
      if (fresh) this.#watch.stored(connection, row, isAgain);
    }
    for (const member of plan.members) {
      if (this.members.has(member.id)) continue;
      this.members.set(member.id, member);
      const { occurredAt, precision, summary } = member.event.draft;
      const row = { key: member.key, occurred_at: occurredAt, precision_ms: precision, summary };
      this.#watch.stored(connection, row, isAgain);
    }
    for (const row of plan.deliveries) {
      const name = `${connection}\n${row.source_id}\n${row.key}`;
      if (this.#deliveries.has(name)) continue;
      this.#deliveries.set(name, row);
      addTo(this.#bySource, `${connection}\n${row.source_id}`, name, row);
      if (row.twin_group !== null) addTo(this.#byGroup, `${connection}\n${row.twin_group}`, name, row);
      addTo(this.#byEvent, row.event_id, name, row);
    }
  }

  #writeRevisions(
    connection: string,
    plan: AppendPlan,
  ): { readonly outcomes: ReadonlyMap<EventDraft, EventOutcome>; readonly revised: number } {
    const fresh = new Set<string>();
    for (const { event_id: id, content_hash: hash, draft } of plan.revisions) {
      if (this.revisions.has(`${id}\n${hash}`)) continue;
      this.revisions.add(`${id}\n${hash}`);
      fresh.add(`${id}\n${hash}`);
      this.#watch.revised(connection, draft as EventDraft);
    }
    const revised = fresh.size;
    const words = { create: "created", fold: "folded", repeat: "repeated" } as const;
    const outcomes = new Map<EventDraft, EventOutcome>();
    for (const { draft, what, revision } of plan.decisions) {
      if (what !== "revise") outcomes.set(draft, words[what]);
      else outcomes.set(draft, fresh.delete(revision) ? "revised" : "repeated");
    }
    return { outcomes, revised };
  }

  #keep(page: ResolvedPage, reject: Reject, { counts }: ModelConnection): void {
    const id = setAsideId(page.connection, page.stream, reject.position, reject.bytes);
    if (this.aside.has(id)) return;
    this.aside.set(id, reject);
    counts.setAside += 1;
    this.#watch.setAside(page.connection, reject);
  }

  #knownDeliveries({ connection, stream, events }: ResolvedPage): readonly DeliveryRow[] {
    const found = new Map<string, DeliveryRow>();
    const collect = (rows: ReadonlyMap<string, DeliveryRow> | undefined): void => {
      for (const [name, row] of rows ?? []) found.set(name, row);
    };
    for (const { draft } of events) {
      for (const id of draft.sourceIds) collect(this.#bySource.get(`${connection}\n${id}`));
      if (draft.twin !== undefined) collect(this.#byGroup.get(`${connection}\n${draft.twin.group}`));
      collect(this.#byEvent.get(eventId(connection, stream, draft.key)));
    }
    return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }
}

/** When the new events happened that are older than what was called complete allows. */
function findLate(page: ResolvedPage, plan: AppendPlan, completeToMs: number | undefined): readonly number[] {
  const slackMs = page.reconciling === true ? 0 : page.lateAfterMs;
  if (completeToMs === undefined || slackMs === undefined) return [];
  return plan.decisions
    .filter(
      ({ what, draft }) => what === "create" && draft.occurredAt + draft.precision + slackMs < completeToMs,
    )
    .map(({ draft }) => draft.occurredAt);
}

function addTo(
  index: Map<string, Map<string, DeliveryRow>>,
  key: string,
  name: string,
  row: DeliveryRow,
): void {
  const rows = index.get(key);
  if (rows === undefined) index.set(key, new Map([[name, row]]));
  else rows.set(name, row);
}

/** As it comes back from a column of JSON. */
function copy(value: Json | undefined): Json | undefined {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as Json);
}
