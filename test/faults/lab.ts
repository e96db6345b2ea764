import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, chmodSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../src/store/postgres/open.ts";
import { instant } from "../../src/model/instant.ts";
import { tenantDomain } from "./job-table.ts";
import { makeServerFolder, PrivatePostgres, type PostgresOptions } from "./private-postgres.ts";
import { endWorkers } from "./worker.ts";

/** Good for the provider's reading and posting, and for one tenant's reading, in every store of a run. */
export const tokens = {
  provider: `iso_${"p".repeat(43)}`,
  tenant: `iso_${"t".repeat(43)}`,
} as const;

const template = "isochron_template";

/** What all faults of a run share: a folder, a server for stores, a server whose tables are read, a migrated template. */
export class Lab {
  readonly folder: string;
  readonly stores: PrivatePostgres;
  readonly estate: PrivatePostgres;
  /** A mutant of the program that every worker runs. */
  readonly mutant: string | undefined;
  readonly #servers: PrivatePostgres[] = [];
  readonly #disks = new Set<string>();
  #count = 0;

  private constructor(folder: string, stores: PrivatePostgres, estate: PrivatePostgres, mutant?: string) {
    this.folder = folder;
    this.stores = stores;
    this.estate = estate;
    this.mutant = mutant;
  }

  static async open(options: { readonly mutant?: string | undefined }): Promise<Lab> {
    const folder = mkdtempSync(join(tmpdir(), "isochron-faults-"));
    // The servers run as an ordinary user, who has to get to their folders.
    chmodSync(folder, 0o755);
    // Neither is ever killed, so neither needs the disk.
    const settings = ["fsync = off", "synchronous_commit = off", "max_connections = 400"];
    const stores = await PrivatePostgres.create(join(folder, "stores"), { settings });
    const estate = await PrivatePostgres.create(join(folder, "estate"), { settings });
    const lab = new Lab(folder, stores, estate, options.mutant);
    await lab.prepare(stores);
    return lab;
  }

  /** A name that nothing else of the run has. */
  name(prefix: string): string {
    this.#count += 1;
    return `${prefix}_${this.#count}`;
  }

  /** A server of its own for a fault that hurts it, with the template made. */
  async createServer(options: PostgresOptions = {}): Promise<PrivatePostgres> {
    const server = await PrivatePostgres.create(join(this.folder, this.name("server")), options);
    this.#servers.push(server);
    await this.prepare(server);
    return server;
  }

  /** A small disk of its own, which only root can have. */
  mountDisk(megabytes: number): string {
    const folder = makeServerFolder(join(this.folder, this.name("disk")));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0755`, "isochron-faults", folder]);
    this.#disks.add(folder);
    return folder;
  }

  unmountDisk(folder: string): void {
    if (this.#disks.delete(folder)) execFileSync("umount", [folder]);
  }

  /** A server that follows another, and ends with the run at the latest. */
  async createStandby(primary: PrivatePostgres): Promise<PrivatePostgres> {
    const standby = await primary.createStandby(join(this.folder, this.name("standby")));
    this.#servers.push(standby);
    return standby;
  }

  /** A database with an empty, migrated store and the tokens. */
  async createStore(server: PrivatePostgres): Promise<string> {
    const database = this.name("store");
    await server.ask(`CREATE DATABASE ${database} TEMPLATE ${template}`);
    return database;
  }

  async prepare(server: PrivatePostgres): Promise<void> {
    await server.ask(`CREATE DATABASE ${template} ENCODING 'UTF8' TEMPLATE template0`);
    const store = await openStore({ databaseUrl: server.url(template) });
    const expiresAt = instant(Date.now() + 7 * 86_400_000);
    const hash = (token: string) => createHash("sha256").update(token).digest();
    await store.tokens.create({
      name: "provider",
      hash: hash(tokens.provider),
      scope: { kind: "provider" },
      expiresAt,
    });
    const scope = { kind: "domain", controlPlane: "default", domainId: tenantDomain } as const;
    await store.tokens.create({ name: "tenant", hash: hash(tokens.tenant), scope, expiresAt });
    await store.close();
  }

  async close(): Promise<void> {
    await endWorkers();
    await Promise.allSettled([this.stores, this.estate, ...this.#servers].map((server) => server.remove()));
    for (const disk of this.#disks) this.unmountDisk(disk);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
