import { IsochronError } from "../../src/errors.ts";
import { instant } from "../../src/model/instant.ts";
import { clean } from "../../src/normalise/clean.ts";
import { decoders } from "../../src/normalise/decode.ts";
import { redact } from "../redact.ts";
import type { Pass } from "../../src/pipeline/harvest.ts";
import { harvestOnce } from "../../src/pipeline/harvest.ts";
import type { ReconcileOutcome, ReconcilePass } from "../../src/pipeline/reconcile.ts";
import { reconcileOnce } from "../../src/pipeline/reconcile.ts";
import { createStormGate } from "../../src/pipeline/storm-fold.ts";
import type { Stages } from "../../src/pipeline/ingest.ts";
import { createResolver } from "../../src/resolve/graph-resolver.ts";
import { buildTopologyView } from "../../src/resolve/topology-view.ts";
import type { SourceIo } from "../../src/sources/source.ts";
import type { HistoryOutcome } from "./history-outcome.ts";
import { Ledger } from "./ledger.ts";
import { ModelStore } from "./model-store.ts";
import { BrokerModel, PostModel } from "./push-model.ts";
import type { PullScenario, Scenario, ScenarioPlace } from "./scenario.ts";
import type { Site } from "./site.ts";
import { sites } from "./site.ts";
import { ClusterModel } from "./cluster-model.ts";
import { ListingModel } from "./listing-model.ts";
import { neverAsked, TicketModel } from "./ticket-model.ts";
import { ZabbixModel } from "./zabbix-model.ts";
import { TableModel } from "./table-model.ts";
import { virtualNow } from "./virtual-time.ts";
import type { Actor, Weather } from "./world.ts";
import { epochMs, running, World } from "./world.ts";

/** How long the world goes on before it is left to settle, unless said otherwise. */
const busyMsUsual = 7 * 60_000;

/** The span of the comparison at the end: more than all of the history, with the backlog before it. */
const reconciledMs = 4 * 3_600_000;

/** Above so many symptoms, recoveries and activities of a minute the rest is folded. */
const stormThreshold = 2;

const resolve = createResolver({ providerDomains: new Set(["default"]) });

/** What of a history may be settled beforehand, where the seed would decide otherwise. */
export interface HistoryOptions {
  readonly trace?: boolean;
  readonly kind?: string;
  readonly sites?: readonly Site[];
  readonly busyMs?: number;
}

const scenarios: Readonly<Record<string, (place: ScenarioPlace) => Scenario>> = {
  "sql by serial": (place) => new TableModel("serial", place),
  "sql by time": (place) => new TableModel("time", place),
  "sql by listing": (place) => new ListingModel(place),
  rest: (place) => new TicketModel(place),
  zabbix: (place) => new ZabbixModel(place),
  "kubernetes-events": (place) => new ClusterModel(place),
  webhook: (place) => new PostModel(place),
  stream: (place) => new BrokerModel(place),
};

/** One seeded history, from the first record to the comparison at its end. */
export async function runHistory(seed: number, options: HistoryOptions = {}): Promise<HistoryOutcome> {
  return new History(seed, options).run();
}

class History {
  readonly #seed: number;
  readonly #busyMs: number;
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #store: ModelStore;
  readonly #active: ReadonlySet<Site>;
  readonly #storeWeather: Weather;
  readonly #scenario: Scenario;
  readonly #intervalMs: number;
  #kills = 0;
  #passes = 0;
  #spawned = 0;
  #calm = false;
  #isClosing = false;

  constructor(seed: number, options: HistoryOptions) {
    this.#seed = seed;
    this.#busyMs = options.busyMs ?? busyMsUsual;
    this.#world = new World(seed, options.trace === true);
    const { random } = this.#world;
    const picked = sites.filter(() => random.chance(0.25));
    this.#active = new Set(options.sites ?? picked);
    this.#ledger = new Ledger(this.#world);
    this.#store = new ModelStore(this.#world, this.#ledger);
    this.#storeWeather = this.#weatherOf("store-unavailable", "store outage");
    this.#world.crashRate = this.#active.has("crash") ? 0.02 : 0;
    this.#world.sleepRate = this.#active.has("zombie") ? 0.02 : 0;
    this.#intervalMs = random.pick([10_000, 20_000, 30_000]);
    const place = {
      world: this.#world,
      ledger: this.#ledger,
      weather: this.#weatherOf("source-unavailable", "source outage"),
      active: this.#active,
      breaks: random.chance(0.1),
    };
    const kind = random.pick(Object.keys(scenarios));
    const build = scenarios[options.kind ?? kind];
    if (build === undefined) throw new Error(`there is no scenario ${options.kind}`);
    this.#scenario = build(place);
  }

  async run(): Promise<HistoryOutcome> {
    const { random } = this.#world;
    const world = this.#world;
    this.#spawn();
    if (this.#active.has("second worker")) this.#spawn();
    const act = () => {
      if (this.#calm) return;
      this.#scenario.act();
      world.schedule(random.between(500, 10_000), "", act);
    };
    act();
    await world.runUntil(epochMs + this.#busyMs);
    this.#calm = true;
    world.calm = true;
    this.#scenario.calm();
    await world.runUntil(world.nowMs + this.#scenario.settleMs);
    // Whoever still stands may be asleep under a lease; a fresh process takes over when that is over.
    this.#spawn();
    const before = this.#passes;
    await world.runUntil(world.nowMs + this.#scenario.settleMs + 6 * this.#intervalMs + 90_000);
    if ("reach" in this.#scenario && this.#passes - before < 3) {
      this.#ledger.fault("error", "passes no longer come to an end");
    }
    if (this.#isComparable()) await this.#reconcile();
    this.#ledger.settle();
    this.#checkCounts();
    this.#scenario.settle?.();
    return this.#outcome();
  }

  #isComparable(): boolean {
    const { source } = this.#scenario;
    return source !== undefined && ("startAt" in source || "recall" in source);
  }

  /** What was missed is found late, counted, and stored. */
  async #reconcile(): Promise<void> {
    const world = this.#world;
    this.#isClosing = true;
    const actor = this.#newActor("reconciler");
    const lane = this.#store.connections.get("far")?.cursors.get("reconcile");
    // One that goes on with a comparison that was broken off counts what that one found as well.
    const isAnew = lane === undefined || (lane !== null && typeof lane === "object" && "endedAt" in lane);
    const createdBefore = this.#store.connections.get("far")?.createdAgain.length ?? 0;
    let ended: ReconcileOutcome | undefined;
    running.run({ world, actor }, () => {
      this.#compareUntilWhole(actor).then(
        (outcome) => (ended = outcome),
        (error: unknown) => this.#ledger.fault("error", String(error)),
      );
    });
    await world.runUntil(world.nowMs + 240_000);
    if (ended === undefined) {
      this.#ledger.fault("error", "the comparison came to no end");
      return;
    }
    const all = this.#store.connections.get("far")?.createdAgain ?? [];
    const { to, foundLate } = ended;
    const created = all.slice(createdBefore).filter((atMs) => atMs < to).length;
    world.note(`the comparison found ${foundLate} of ${created}`);
    if (foundLate < created || (isAnew && foundLate > created) || foundLate > all.length) {
      this.#ledger.fault("not said", `the comparison stored ${created} and said ${foundLate}`);
    }
  }

  /** One that was broken off amid an outage may have read a part only, and says so: then it begins anew. */
  async #compareUntilWhole(actor: Actor): Promise<ReconcileOutcome> {
    const stages = this.#stagesOf(actor);
    try {
      return await reconcileOnce(stages, this.#comparisonOf(actor), reconciledMs);
    } catch (error) {
      if (!(error instanceof IsochronError && error.code === "source-unavailable")) throw error;
      return reconcileOnce(stages, this.#comparisonOf(actor), reconciledMs);
    }
  }

  /** Whatever is folded: what was created is what is stored, in events and members of folds. */
  #checkCounts(): void {
    const { connections, events, members } = this.#store;
    const created = connections.get("far")?.counts.events ?? 0;
    const stored = events.size + members.size;
    if (created !== stored) this.#ledger.fault("not said", `${stored} events are counted as ${created}`);
  }

  #outcome(): HistoryOutcome {
    const { elements, claims, revisions, breaches, worstMissed, faults } = this.#ledger;
    return {
      seed: this.#seed,
      scenario: this.#scenario.name,
      sites: [...this.#active],
      faults,
      traceHash: this.#world.traceHash,
      trace: this.#world.trace,
      elements: elements.size,
      ...this.#ledger.count(),
      claims,
      revisions,
      breaches,
      worstMissed,
      kills: this.#kills,
      sleeps: this.#world.sleeps,
      passes: this.#passes,
    };
  }

  /** Starts a process that reads the connection; when it dies, another one is started. */
  #spawn(): void {
    const world = this.#world;
    this.#spawned += 1;
    const actor = this.#newActor(`worker ${this.#spawned}`);
    world.onDeath(actor, () => {
      this.#kills += 1;
      if ("died" in this.#scenario) this.#scenario.died?.();
      world.schedule(world.random.between(500, 20_000), "", () => this.#spawn());
    });
    running.run({ world, actor }, () => {
      const scenario = this.#scenario;
      if ("reach" in scenario) void this.#work(actor, scenario);
      else void scenario.serve(actor, this.#stagesOf(actor));
    });
  }

  #newActor(name: string): Actor {
    const { random } = this.#world;
    const mostMs = this.#active.has("clock error") ? this.#scenario.workerClockErrorMs : 0;
    return { name, state: "alive", clockErrorMs: random.between(-mostMs, mostMs), held: [] };
  }

  async #work(actor: Actor, scenario: PullScenario): Promise<void> {
    const stages = this.#stagesOf(actor);
    const pass = this.#passOf(actor, scenario);
    for (;;) {
      const sinceMs = this.#world.nowMs;
      const claimed = this.#claimed();
      try {
        await harvestOnce(stages, pass);
        this.#world.note(`${actor.name} has passed`);
        // A pass that could not read everything says so by claiming nothing.
        if (this.#claimed() > claimed) this.#pass(sinceMs, scenario);
      } catch (error) {
        if (!(error instanceof IsochronError)) {
          this.#ledger.fault(
            "error",
            error instanceof Error ? (error.stack ?? error.message) : String(error),
          );
        }
        this.#world.note(`${actor.name} failed: ${String(error)}`);
      }
      if (this.#isClosing) return;
      if (this.#active.has("comparisons") && !this.#calm && this.#world.random.chance(0.2)) {
        await this.#compare(actor, stages);
      }
      const isLong = this.#active.has("long pauses") && !this.#calm && this.#world.random.chance(0.1);
      await this.#world.sleep(isLong ? 120_000 : this.#intervalMs, actor);
    }
  }

  /** As every night, or on demand: another worker may hold the connection, or take it over. */
  async #compare(actor: Actor, stages: Stages): Promise<void> {
    try {
      const { foundLate } = await reconcileOnce(stages, this.#comparisonOf(actor), reconciledMs);
      this.#world.note(`${actor.name} has compared, and found ${foundLate}`);
    } catch (error) {
      if (!(error instanceof IsochronError)) {
        this.#ledger.fault("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
      this.#world.note(`${actor.name} failed to compare: ${String(error)}`);
    }
  }

  #claimed(): number {
    return this.#store.connections.get("far")?.claims ?? 0;
  }

  #pass(sinceMs: number, scenario: PullScenario): void {
    this.#passes += 1;
    this.#ledger.passed(sinceMs);
    scenario.passed?.(sinceMs);
  }

  #stagesOf(actor: Actor): Stages {
    return {
      decoders,
      clean,
      resolve,
      buildView: buildTopologyView,
      redact,
      store: this.#store.clientOf(actor, this.#storeWeather),
      topology: this.#store.topology,
      now: () => instant(virtualNow()),
      random: () => this.#world.random.next(),
      ...(this.#active.has("storm folding") ? { storms: createStormGate(() => stormThreshold) } : {}),
    };
  }

  #comparisonOf(actor: Actor): ReconcilePass {
    const scenario = this.#scenario;
    if ("reach" in scenario) return { ...this.#passOf(actor, scenario), intervalMs: 600_000 };
    if (scenario.source === undefined) throw new Error(`${scenario.name} cannot be compared`);
    const http = () => Promise.reject(new Error("this source is only recalled"));
    return {
      connection: { name: "far", source: scenario.source.name, controlPlane: "cloud" },
      source: scenario.source,
      config: {},
      io: this.#ioOf({ http, sql: neverAsked }),
      holder: actor.name,
      intervalMs: 600_000,
    };
  }

  #passOf(actor: Actor, scenario: PullScenario): Pass {
    const { source, config } = scenario;
    return {
      connection: { name: "far", source: source.name, controlPlane: "cloud" },
      source,
      config,
      io: this.#ioOf(scenario.reach(actor)),
      holder: actor.name,
    };
  }

  #ioOf(reach: Pick<SourceIo, "http" | "sql">): SourceIo {
    const { signal } = new AbortController();
    return {
      ...reach,
      now: () => instant(virtualNow()),
      signal,
      warn: (message) => this.#world.note(`warning: ${message}`),
      secret: () => "secret",
      readText: () => Promise.resolve(undefined),
    };
  }

  #weatherOf(code: "store-unavailable" | "source-unavailable", site: Site): Weather {
    const { random } = this.#world;
    const isSlow = this.#active.has("slow calls");
    const loss = this.#active.has("lost answers") ? 0.01 : 0;
    const outage = this.#active.has(site) ? 0.05 : 0;
    return {
      isSlow,
      latencyMs: () =>
        isSlow && !this.#calm && random.chance(0.02) ? random.between(2_000, 20_000) : random.between(1, 60),
      lost: () => new IsochronError(code, "The line was cut.", "Try again."),
      requestLoss: loss + outage,
      answerLoss: loss,
    };
  }
}
