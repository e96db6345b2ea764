import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownConnection } from "../../src/model/own-connection.ts";
import type { EventJson, SourcesJson } from "../../src/present/api/contract.ts";
import { askIsochron, RunningIsochron } from "../isochron-command.ts";
import type { TestStore } from "../outside-store.ts";

/** `isochron serve` with one connection to a broker, started and killed as often as a test likes. */
export class ServingIsochron {
  readonly store: TestStore;
  readonly #folder: string;
  readonly #token: string;
  #process: RunningIsochron | undefined;
  #url = "";

  private constructor(store: TestStore, folder: string, token: string) {
    this.store = store;
    this.#folder = folder;
    this.#token = token;
  }

  static async prepare(
    store: TestStore,
    settings: Readonly<Record<string, unknown>>,
    source = "openstack-notifications",
  ): Promise<ServingIsochron> {
    const folder = await mkdtemp(join(tmpdir(), "isochron-serve-"));
    const connection = { name: "bus", source, config: settings };
    // JSON is YAML.
    await writeFile(join(folder, "isochron.yaml"), JSON.stringify({ connections: [connection] }));
    const token = await askIsochron([
      "token",
      "create",
      "--name",
      "test",
      "--provider",
      "--role",
      "admin",
      ...store.args,
    ]);
    return new ServingIsochron(store, folder, token.trim());
  }

  async start(): Promise<void> {
    const config = join(this.#folder, "isochron.yaml");
    this.#process = new RunningIsochron(["serve", "--port", "0", "--config", config, ...this.store.args]);
    const [, url] = await this.#process.printed(/Isochron listens on (\S+)/);
    this.#url = url ?? "";
  }

  /** Kills the process with -9, or ends it in order. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#process?.end(signal);
  }

  get log(): string {
    return this.#process?.stderr ?? "";
  }

  async get(path: string, signal?: AbortSignal): Promise<Response> {
    const response = await fetch(new URL(path, this.#url), {
      headers: { authorization: `Bearer ${this.#token}` },
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }

  /** The only connection's counts. */
  async counts(): Promise<SourcesJson["connections"][number]["counts"] | undefined> {
    return (await this.state())?.counts;
  }

  /** All that is told of the only connection. */
  async state(): Promise<SourcesJson["connections"][number] | undefined> {
    const { connections } = (await (await this.get("/api/v1/sources")).json()) as SourcesJson;
    return connections.find(({ connection }) => connection === "bus");
  }

  /** Everything that is stored, by the command that a script would use. */
  async events(): Promise<readonly EventJson[]> {
    const args = ["events", "--all", "-o", "ndjson", "--server", this.#url, "--token", this.#token];
    const text = await askIsochron(args, { cwd: this.#folder });
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as EventJson)
      .filter(({ connection }) => connection !== ownConnection.name);
  }

  async remove(): Promise<void> {
    await this.end("SIGTERM");
    await this.store.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
