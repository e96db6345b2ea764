import type { EventStore } from "../../store/event-store.ts";
import { ByteCredits } from "./byte-credits.ts";
import { guardStore } from "./guarded-store.ts";
import { PushRoom, type RefusedPushes } from "./push-room.ts";
import { SourceGuard, type GuardClock, type GuardState, type SourceLimits } from "./source-guard.ts";
import { StoreGate } from "./store-gate.ts";

/** The ingest login has four connections; one stays free for leases and reports. */
const storePlaces = 3;

export interface ProtectionOptions {
  readonly bytesMax: number;
  readonly clock: GuardClock;
  /** Connections that are posted to. */
  readonly pushConnections: ReadonlySet<string>;
}

/** The protection of this process, in figures. */
export interface ProtectionState {
  readonly inFlightBytes: number;
  readonly inFlightBytesMax: number;
  readonly guards: readonly GuardState[];
  readonly refused: readonly RefusedPushes[];
}

/**
 * What all connections of one process share: room for bytes, places at the store, and a guard each. The lease lets one
 * worker poll a connection at a time, so that a rate kept by this process is kept by all of them.
 */
export class Protection {
  readonly credits: ByteCredits;
  readonly pushRoom: PushRoom;
  readonly #gate = new StoreGate(storePlaces);
  readonly #guards = new Map<string, SourceGuard>();
  readonly #clock: GuardClock;

  constructor({ bytesMax, clock, pushConnections }: ProtectionOptions) {
    this.credits = new ByteCredits(bytesMax);
    this.pushRoom = new PushRoom(this.credits, pushConnections);
    this.#clock = clock;
  }

  /** The connection's guard, the same each time; the other arguments are those of the first call. */
  guard(connection: string, limits: SourceLimits, startsGently: boolean): SourceGuard {
    const credits = this.credits.account(`pull ${connection}`);
    const guard =
      this.#guards.get(connection) ??
      new SourceGuard({ connection, limits, clock: this.#clock, credits, startsGently });
    this.#guards.set(connection, guard);
    return guard;
  }

  guardStore(store: EventStore): EventStore {
    return guardStore(store, {
      gate: this.#gate,
      onPassEnd: (connection) => this.#guards.get(connection)?.endPage(),
    });
  }

  state(): ProtectionState {
    return {
      inFlightBytes: this.credits.heldBytes,
      inFlightBytesMax: this.credits.bytesMax,
      guards: [...this.#guards.values()].map((guard) => guard.state()),
      refused: this.pushRoom.refused(),
    };
  }
}
