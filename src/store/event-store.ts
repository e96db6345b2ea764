import type { Attribution, EventDraft, ResolvedEvent, StoredEvent, TenantEdition } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Finding, FindingCode, Hole } from "../model/source-health.ts";
import type { TopologyFact } from "../model/topology.ts";

/** A record that could not be used, kept whole. */
export interface Reject {
  readonly position: string;
  readonly bytes: Uint8Array;
  readonly meta: JsonObject;
  readonly receivedAt: Instant;
  /** A code of the error table. */
  readonly code: string;
  readonly reason: string;
}

/** A fact with the record that states it. */
export interface StatedFact extends TopologyFact {
  readonly sourceId: string;
}

/** An event with what each tenant may know of it. */
export interface StorableEvent extends ResolvedEvent {
  readonly editions: readonly TenantEdition[];
  /**
   * One of a storm: where it is new it becomes a member of the fold of its type, owner and minute instead of an event,
   * and counts as created all the same. Without effect on one that stands already, or that has a twin.
   */
  readonly storm?: true;
}

/** The record that an event or a fact came from, as it would be set aside. */
export type RecordOrigin = Pick<Reject, "position" | "bytes" | "meta" | "receivedAt">;

/** One page on its way into the store: all of it commits, or none. */
export interface ResolvedPage {
  readonly connection: string;
  readonly stream: string;
  readonly controlPlane: string;
  readonly events: readonly StorableEvent[];
  readonly facts: readonly StatedFact[];
  readonly rejects: readonly Reject[];
  /**
   * The record behind each source id, so that one that only the database refuses can be set aside whole;
   * without it the draft is kept in its stead.
   */
  readonly origins?: ReadonlyMap<string, RecordOrigin>;
  /** What `TopologyReader.mark` gave before the view was loaded: events that missed newer facts are asked about again. */
  readonly topologyMark?: string;
  /**
   * The number of the set of rulings under which the page was answered; absent where none is applied. Events that missed
   * newer rulings are asked about again.
   */
  readonly rulingsVersion?: number;
  /** The cursor to leave behind; absent where the source keeps its own place. */
  readonly cursor?: Json;
  /** The cursor to leave behind in its stead, where it counts what became of the page's own events. */
  readonly cursorAfter?: (outcomes: ReadonlyMap<EventDraft, EventOutcome>) => Json;
  /** The lane whose cursor that is; `stream` where absent. Lanes share a stream, so that both store an event once. */
  readonly lane?: string;
  readonly completeTo?: Instant;
  /** Breaches of the source's contract that this page showed. */
  readonly findings?: readonly Finding[];
  readonly holes?: readonly Hole[];
  /** Findings that this page showed to be over. */
  readonly settled?: readonly FindingCode[];
  /**
   * How much older than the moment that the connection was called complete to a new event may be: one that is older yet
   * proves that call false, which is a finding and a hole. Absent where the page proves nothing of the kind.
   */
  readonly lateAfterMs?: number;
  /** How long the source keeps what was not read: an absence of more is a finding and a hole. */
  readonly retentionMs?: number;
  /** True where the source promises that no record comes again and says something else: one that does is a finding. */
  readonly recordsAreFinal?: boolean;
  /** True for what was replayed or imported, or asked of a sender that posts: the far end was not heard by itself. */
  readonly secondHand?: boolean;
  /** True when it reads again what was read before: new events are counted as found late, not as a false claim. */
  readonly reconciling?: boolean;
  /** The lease under which the page was read; the commit fails with `fenced` once it has passed on. */
  readonly epoch?: number;
}

/** What became of one event; *expired* is what was deleted for good before and is not brought back. */
export type EventOutcome = "created" | "folded" | "repeated" | "revised" | "expired";

/** The counts are of events and of rejects; one record may have given several events. */
export interface Appended {
  /** New events. */
  readonly created: number;
  /** Twins folded into an event that stood already. */
  readonly folded: number;
  /** Records delivered before, changed in nothing. */
  readonly repeated: number;
  /** Records delivered before that now say something else: kept as revisions. */
  readonly revised: number;
  readonly setAside: number;
  /** Events that were deleted for good before, by retention or an erasure; absent for none. */
  readonly expired?: number;
  readonly facts: number;
  /** New events from before the moment that the connection was called complete to, when the page was stored. */
  readonly late: number;
  /** By the page's own drafts; one that only the database refused is missing. */
  readonly outcomes: ReadonlyMap<EventDraft, EventOutcome>;
  /** Source ids of the records that only the database refused. */
  readonly refused: ReadonlySet<string>;
}

/** A finding that still stands. */
export interface StandingFinding {
  readonly code: FindingCode;
  /** As it was seen last. */
  readonly says: string;
  readonly since: Instant;
  readonly lastAt: Instant;
  readonly count: number;
}

/** The last time a connection's records were compared with what its source still knew. */
export interface Reconciled {
  readonly at: Instant;
  readonly from: Instant;
  readonly to: Instant;
  readonly records: number;
  /** Events that had been missing. */
  readonly foundLate: number;
  /** The same over the connection's whole life. */
  readonly foundLateEver: number;
}

/** A connection's place and health. Counts are over its whole life. */
export interface ConnectionState {
  readonly connection: string;
  readonly source: string;
  readonly controlPlane: string;
  /**
   * *Finished*: a document that was read to its end, and that nothing more will come of. *Silent*: not heard for longer
   * than expected, so that quiet cannot be told from dead. *Degraded*: it breaks its contract, see `findings`.
   * *Retired*: nobody reads it any more, and nothing is expected of it; what it told, and its holes, stay.
   */
  readonly state: "idle" | "running" | "failing" | "degraded" | "silent" | "finished" | "retired";
  readonly completeTo?: Instant;
  /** When the far end was last heard: a record, an answer, a heartbeat. */
  readonly lastHeardAt?: Instant;
  /** How long it may be silent at most, in milliseconds; absent where nothing is expected of it. */
  readonly expectWithinMs?: number;
  readonly findings: readonly StandingFinding[];
  /** Open holes, oldest first. */
  readonly holes: readonly Hole[];
  readonly reconciled?: Reconciled;
  readonly lastEventAt?: Instant;
  readonly lastSuccessAt?: Instant;
  readonly lastError?: { readonly at: Instant; readonly message: string };
  readonly counts: {
    readonly events: number;
    readonly folded: number;
    readonly repeated: number;
    readonly revised: number;
    readonly setAside: number;
    /** Events that came after their time had been called complete: by themselves, or by a reconcile. */
    readonly late: number;
    /** Records refused because what they tell was deleted for good; absent for none. */
    readonly expired?: number;
  };
}

/** Writes. Used by the pipeline alone. */
export interface EventStore {
  /** Makes the connection known. Throws `connection-mismatch` when it exists with another source or control plane. */
  connect(connection: {
    name: string;
    source: string;
    controlPlane: string;
    config: JsonObject;
    /** How long it may be silent at most; null where nothing is expected of it, absent where that is as it was. */
    expectWithinMs?: number | null;
  }): Promise<void>;
  append(page: ResolvedPage): Promise<Appended>;
  cursor(connection: string, lane: string): Promise<Json | undefined>;
  /**
   * Takes the connection's lease for `holder` under a new epoch, or gives undefined while another holds it and, with
   * `restMs`, while it rests since its last pass, by whomever: for so long, or for what that pass said where that is
   * less. The database's clock decides.
   */
  lease(connection: string, holder: string, ttlMs: number, restMs?: number): Promise<number | undefined>;
  /** Makes the lease last again from now on; false when it has passed on. */
  renew(connection: string, epoch: number): Promise<boolean>;
  /** Hands the lease back. With `restMs` a pass has ended and the connection rests so long; else it stays due as it was. */
  release(connection: string, epoch: number, restMs?: number): Promise<void>;
  /** In how many milliseconds `lease` may succeed, if nobody else does anything until then; 0 for now. */
  waitFor(connection: string, holder: string, restMs: number): Promise<number>;
  /** Writes down what went wrong with a connection, or (undefined) that it is well; nothing once the lease `epoch` has passed on. */
  report(connection: string, error: string | undefined, epoch?: number): Promise<void>;
  /** Notes that the far end was heard, and what is known of its completeness and health without any record. */
  noteHealth(connection: string, health: HealthNote): Promise<void>;
  /** When the far end was heard last; undefined where it never was. */
  lastHeard(connection: string): Promise<Instant | undefined>;
  /**
   * Writes down what a reconcile found, closes the holes inside its span, and drops the findings that they stood for;
   * nothing once the lease `epoch` has passed on.
   */
  reconciled(
    connection: string,
    outcome: Omit<Reconciled, "foundLateEver" | "at">,
    epoch?: number,
  ): Promise<void>;
  /** Forgets a lane's cursor, under the lease. Throws `fenced`. */
  endLane(connection: string, lane: string, epoch: number): Promise<void>;
  /**
   * Events whose attribution may have changed by facts that arrived since, oldest first, at most `limit`,
   * with the mark to hand back to `reattributed`.
   */
  dueForAttribution(limit: number): Promise<DueEvents>;
  /**
   * Writes revised attributions and clears the mark, in one transaction. Gives how many really changed. The number is
   * that of the set of rulings under which they were answered, as in a page.
   */
  reattributed(mark: DueEvents, answers: readonly Reattribution[], rulingsVersion?: number): Promise<number>;
  /** Set-aside records for a replay, oldest first. */
  setAside(connection: string, limit: number, after?: string): Promise<readonly SetAsideRecord[]>;
  /** Notes the outcome of a replay: gone when it succeeded, else one attempt more with its reason. */
  replayed(id: string, outcome: { ok: true } | { ok: false; code: string; reason: string }): Promise<void>;
}

/** What is heard of a connection beside its records. */
export interface HealthNote {
  readonly heard?: boolean;
  readonly completeTo?: Instant;
  readonly findings?: readonly Finding[];
  readonly holes?: readonly Hole[];
  /** Findings that no longer hold. */
  readonly settled?: readonly FindingCode[];
}

export interface DueEvents {
  readonly token: Json;
  readonly events: readonly StoredEvent[];
}

export interface Reattribution {
  readonly eventId: string;
  readonly occurredAt: Instant;
  readonly attribution: Attribution;
  readonly dependsOn: readonly string[];
  readonly editions: readonly TenantEdition[];
}

export interface SetAsideRecord extends Reject {
  readonly id: string;
  readonly connection: string;
  readonly source: string;
  readonly controlPlane: string;
  readonly stream: string;
  readonly attempts: number;
}
