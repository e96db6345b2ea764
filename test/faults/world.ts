import { mkdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { eventually } from "../eventually.ts";
import { ApiReader, nameOf } from "./api-reader.ts";
import { EventSender } from "./event-sender.ts";
import type { Outcome } from "./fault-kind.ts";
import { commitDelaySeconds, jobMapping, JobTable, tenantDomain } from "./job-table.ts";
import type { Strike } from "./kill-hook.ts";
import { tokens, type Lab } from "./lab.ts";
import { patience } from "./patience.ts";
import { freePort, type PrivatePostgres } from "./private-postgres.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { addVerdicts, checkClaims, checkSet, type Truth } from "./set-checker.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { deskApi, TicketDesk } from "./ticket-desk.ts";
import { Worker } from "./worker.ts";

/** A lease, a rest between passes, a start, and room for a slow machine. */
export const recoveryMsMax = 90_000 * patience;

/** Once something went wrong, nobody waits as long for the rest. */
const failedMsMax = 15_000 * patience;

export interface WorldOptions {
  /** The store's server; the run's own where absent. */
  readonly server?: PrivatePostgres;
  /** False where nobody reads along. */
  readonly readers?: boolean;
  /** True where nothing is written by itself while the fault goes on. */
  readonly still?: boolean;
  readonly pageSize?: number;
  /** Events of a kind in a minute beyond which the rest is folded; 0 folds nothing. */
  readonly stormThreshold?: number;
}

/** One store with three sources whose truth is known, workers that harvest into it, and readers who look on. */
export class World {
  readonly lab: Lab;
  readonly random: SeededRandom;
  /** Where the store is now. */
  server: PrivatePostgres;
  readonly database: string;
  readonly desk: TicketDesk;
  readonly jobs: JobTable;
  readonly sender: EventSender;
  readonly reader: ApiReader;
  /** Between the workers and their store. */
  readonly link: TcpProxy;
  /** Between the API that is read and its store. */
  readonly readerLink: TcpProxy;
  readonly folder: string;
  readonly workers: Worker[] = [];
  readonly violations: string[] = [];
  readonly #port: number;
  #api: Worker | undefined;
  #apiAddress = "";
  #ticking: Promise<void> | undefined;
  #still = true;

  private constructor(
    parts: Pick<
      World,
      "lab" | "random" | "server" | "database" | "desk" | "jobs" | "link" | "readerLink" | "folder"
    > & { port: number },
  ) {
    this.lab = parts.lab;
    this.random = parts.random;
    this.server = parts.server;
    this.database = parts.database;
    this.desk = parts.desk;
    this.jobs = parts.jobs;
    this.link = parts.link;
    this.readerLink = parts.readerLink;
    this.folder = parts.folder;
    this.#port = parts.port;
    this.sender = new EventSender(this.random, tokens.provider, () => `http://127.0.0.1:${this.#port}`);
    this.reader = new ApiReader(() => this.#apiAddress);
  }

  static async open(lab: Lab, random: SeededRandom, options: WorldOptions = {}): Promise<World> {
    const server = options.server ?? lab.stores;
    const folder = join(lab.folder, lab.name("world"));
    mkdirSync(folder, { recursive: true });
    const target = { host: "127.0.0.1", port: server.port };
    const world = new World({
      lab,
      random,
      server,
      folder,
      database: await lab.createStore(server),
      desk: await TicketDesk.open(random),
      jobs: await JobTable.create(lab.estate, lab.name("jobs"), random),
      link: await TcpProxy.open(target),
      readerLink: await TcpProxy.open(target),
      port: await freePort(),
    });
    await world.#configure(options.pageSize ?? 20, options.stormThreshold ?? 0);
    await writeFile(join(folder, "desk-token"), world.desk.token);
    world.desk.openTickets(15, Date.now() - 600_000);
    world.desk.moveOn(5, Date.now() - 300_000);
    await world.jobs.fill(60);
    if (options.readers ?? true) await world.#openReader();
    if (options.still !== true) world.#startWriting();
    return world;
  }

  get storeUrl(): string {
    return this.server.url(this.database, this.link.port);
  }

  /** Settings for a command or a worker of this world. */
  environment(url = this.storeUrl): Record<string, string> {
    return {
      ISOCHRON_DATABASE_URL: url,
      JOBS_URL: this.jobs.url,
      ISOCHRON_SECRET: "env:FAULT_SECRET",
      FAULT_SECRET: "faults",
    };
  }

  /** A worker that serves and harvests; the first one of them takes the posts. */
  startWorker(
    options: {
      readonly strike?: Strike;
      readonly port?: number;
      readonly env?: Record<string, string>;
      readonly heapMegabytes?: number;
    } = {},
  ): Worker {
    const port = options.port ?? this.#port;
    const args = ["serve", "--port", String(port), "--config", join(this.folder, "isochron.yaml")];
    const worker = new Worker({
      args,
      env: { ...this.environment(), ISOCHRON_LOG_LEVEL: "warn", ...options.env },
      cwd: this.folder,
      ...(options.strike === undefined ? {} : { strike: options.strike }),
      ...(options.heapMegabytes === undefined ? {} : { heapMegabytes: options.heapMegabytes }),
      ...(this.lab.mutant === undefined ? {} : { mutant: this.lab.mutant }),
    });
    this.workers.push(worker);
    return worker;
  }

  /** One pass of a connection as a command of its own. */
  harvest(connection: string, strike?: Strike): Worker {
    const worker = new Worker({
      args: ["harvest", connection, "--config", join(this.folder, "isochron.yaml")],
      env: this.environment(),
      cwd: this.folder,
      ...(strike === undefined ? {} : { strike }),
      ...(this.lab.mutant === undefined ? {} : { mutant: this.lab.mutant }),
    });
    this.workers.push(worker);
    return worker;
  }

  /** Lets every lease run out, as time would. */
  async expireLeases(): Promise<void> {
    await this.server.ask(
      "UPDATE isochron.connection SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL",
      this.database,
    );
  }

  async truths(): Promise<ReadonlyMap<string, Truth>> {
    const none = new Map<string, number>();
    return new Map([
      ["desk", { required: this.desk.truth(), possible: none }],
      ["jobs", { required: await this.jobs.truth(), possible: none }],
      ["hook", this.sender.truth()],
    ]);
  }

  /** Waits until everything told until now is stored; gives how long that took, or undefined when it took too long. */
  async caughtUp(
    withinMs = recoveryMsMax,
    connections: readonly string[] = ["desk", "jobs", "hook"],
  ): Promise<number | undefined> {
    const began = performance.now();
    const truths = await this.truths();
    const wanted = connections.flatMap((name) =>
      [...(truths.get(name)?.required.keys() ?? [])].map((key) => `${name} ${key}`),
    );
    while (performance.now() - began < withinMs) {
      const stored = await this.#storedNames().catch(() => undefined);
      if (stored !== undefined && wanted.every((name) => stored.has(name))) return performance.now() - began;
      await pause(300);
    }
    return undefined;
  }

  /** Past Isochron, because waiting must not depend on what is waited for. */
  async #storedNames(): Promise<ReadonlySet<string>> {
    const rows = await this.server.ask("SELECT connection, key, summary FROM isochron.event", this.database);
    return new Set(
      rows.map(
        (row) =>
          `${row["connection"]} ${nameOf(row as { connection: string; key: string; summary: string })}`,
      ),
    );
  }

  async #configure(pageSize: number, stormThreshold: number): Promise<void> {
    // Folding is a fault kind of its own; everywhere else each event is looked for by its name.
    const whole = { storm_threshold: stormThreshold };
    const connections = [
      {
        name: "desk",
        source: "rest",
        interval_seconds: 1,
        limits: { requests_per_second: 200, requests_at_once: 8 },
        ...whole,
        config: {
          api: deskApi,
          url: this.desk.url,
          auth: { bearer: `file:${join(this.folder, "desk-token")}` },
          name: "desk",
          page_size: pageSize,
          overlap_seconds: 60,
          look_back_hours: 3,
        },
      },
      {
        name: "jobs",
        source: "sql",
        interval_seconds: 1,
        ...whole,
        config: {
          url: "env:JOBS_URL",
          tables: [jobMapping],
          commit_delay_seconds: commitDelaySeconds,
          clock_error_seconds: 0,
          page_size: pageSize,
        },
      },
      { name: "hook", source: "cloudevents", ...whole, config: {} },
    ];
    await writeFile(join(this.folder, "isochron.yaml"), stringify({ connections }));
  }

  async #openReader(): Promise<void> {
    this.#api = new Worker({
      args: ["serve", "--no-harvest", "--port", "0", "--config", join(this.folder, "isochron.yaml")],
      env: {
        ...this.environment(this.server.url(this.database, this.readerLink.port)),
        ISOCHRON_LOG_LEVEL: "error",
      },
      cwd: this.folder,
    });
    this.#apiAddress = await this.#api.listening();
    this.reader.start();
  }

  #startWriting(): void {
    this.#still = false;
    this.jobs.start();
    this.sender.start();
    this.#ticking = this.#tick();
  }

  async #tick(): Promise<void> {
    while (!this.#still) {
      this.desk.openTickets(this.random.whole(0, 1), Date.now(), 2_000);
      this.desk.moveOn(this.random.whole(0, 1), Date.now(), 2_000);
      await pause(this.random.whole(300, 900));
    }
  }

  /** Leads workers and readers to another server with the same database. */
  moveTo(server: PrivatePostgres): void {
    this.server = server;
    const target = { host: "127.0.0.1", port: server.port };
    this.link.retarget(target);
    this.readerLink.retarget(target);
  }

  /** Ends the writing, waits for everything to be stored, and compares; the faults have to be over. */
  async settle(
    fault: Pick<Outcome, "injected" | "recoveredMs"> & Partial<Outcome>,
    connections?: readonly string[],
  ): Promise<Outcome> {
    this.#still = true;
    await this.#ticking;
    await this.jobs.stop();
    await this.sender.stop(recoveryMsMax);
    // What was committed late becomes readable.
    await pause(2_500);
    const took = await this.caughtUp(this.violations.length === 0 ? recoveryMsMax : failedMsMax, connections);
    if (took === undefined)
      this.violations.push(`not everything was stored within ${recoveryMsMax / 1000} s`);
    // One more pass of each, which must change nothing.
    await pause(2_500);
    await this.reader.stop();
    return this.#compare(fault);
  }

  async #compare(fault: Pick<Outcome, "injected" | "recoveredMs"> & Partial<Outcome>): Promise<Outcome> {
    const truths = await this.truths();
    const events = await eventually("the API answers", () => this.reader.events().catch(() => undefined), {
      withinMs: 30_000 * patience,
    });
    const verdict = addVerdicts(
      [...truths].map(([name, truth]) =>
        checkSet(truth, events.filter(({ connection }) => connection === name).map(nameOf)),
      ),
    );
    const ids = new Set(events.map(({ id }) => id));
    const vanished = [...this.reader.shown.provider].filter((id) => !ids.has(id)).length;
    if (vanished > 0) this.violations.push(`${vanished} events were shown and are gone`);
    if (this.reader.hangs + this.sender.hangs > 0)
      this.violations.push(`${this.reader.hangs} reads and ${this.sender.hangs} posts were never answered`);
    await this.#checkTenant();
    return {
      expected: verdict.expected,
      lost: verdict.lost,
      duplicate: verdict.duplicate,
      extra: verdict.extra,
      claims: this.reader.claims.length,
      falseClaims: checkClaims(this.reader.claims, truths),
      ...fault,
      violations: [...this.violations, ...(fault.violations ?? [])],
    };
  }

  /** The tenant sees its own jobs' events, all of them, and nobody else's. */
  async #checkTenant(): Promise<void> {
    const rows = await this.lab.estate.ask(
      `SELECT count(*)::int + count(*) FILTER (WHERE state = 'done')::int AS n
         FROM job WHERE domain_id = '${tenantDomain}'`,
      this.jobs.database,
    );
    const seen = await this.reader.events({}, tokens.tenant);
    if (seen.length !== rows[0]?.["n"])
      this.violations.push(`the tenant sees ${seen.length} events, of ${rows[0]?.["n"]} that are its own`);
    if (this.reader.foreign > 0)
      this.violations.push(`the tenant was shown ${this.reader.foreign} events of others`);
  }

  async close(): Promise<void> {
    this.#still = true;
    await this.reader.stop();
    await this.sender.stop(0);
    await this.jobs.stop().catch(() => undefined);
    for (const worker of [...this.workers, this.#api]) {
      worker?.signal("SIGCONT");
      await worker?.kill();
    }
    await this.link.close();
    await this.readerLink.close();
    await this.desk.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
