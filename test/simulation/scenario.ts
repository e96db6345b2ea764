import type { JsonObject } from "../../src/model/json.ts";
import type { Stages } from "../../src/pipeline/ingest.ts";
import type { PullSource, SourceIo, WebhookSource } from "../../src/sources/source.ts";
import type { Ledger } from "./ledger.ts";
import type { Site } from "./site.ts";
import type { Actor, Weather, World } from "./world.ts";

/** What a far end is built with. */
export interface ScenarioPlace {
  readonly world: World;
  readonly ledger: Ledger;
  readonly weather: Weather;
  readonly active: ReadonlySet<Site>;
  /** True where the source breaks its own contract. */
  readonly breaks: boolean;
}

/** A source's far end, with the truth about it told to the ledger as it happens. */
interface ScenarioBase {
  readonly name: string;
  /** How long after its own time a record may come, and what a pass reads again: so long has the end to last. */
  readonly settleMs: number;
  /** How far the clocks of our own processes may be off without any harm. */
  readonly workerClockErrorMs: number;
  /** One step of the outside world. */
  act(): void;
  /** Lets everything that is under way end. */
  calm(): void;
  /** What only the end can show. */
  settle?(): void;
}

/** A far end that is asked. */
export interface PullScenario extends ScenarioBase {
  readonly source: PullSource;
  readonly config: JsonObject;
  /** The ways to the far end as one process has them. */
  reach(actor: Actor): Pick<SourceIo, "http" | "sql">;
  /** One whole pass has ended that began at that moment. */
  passed?(sinceMs: number): void;
}

/** A far end that sends. */
export interface PushScenario extends ScenarioBase {
  /** A process of ours is up. */
  serve(actor: Actor, stages: Stages): Promise<void>;
  /** A process of ours is gone. */
  died?(): void;
  /** The source, where it can be asked for what it posted. */
  readonly source?: WebhookSource;
}

export type Scenario = PullScenario | PushScenario;
