import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../eventually.ts";
import { plainEnvironment } from "../isochron-command.ts";
import type { Strike } from "./kill-hook.ts";
import { patience } from "./patience.ts";
import { killQuietly } from "./private-postgres.ts";

/** The checkout whose program is put to the test: this one, unless another is named. */
export const checkout =
  process.env["FAULT_CHECKOUT"] ?? fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
const hook = new URL("./kill-hook.ts", import.meta.url).href;

export interface WorkerOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly strike?: Strike;
  readonly mutant?: string;
  /** The most that the program's objects may take. */
  readonly heapMegabytes?: number;
}

const logCharsMax = 20_000;

const living = new Set<Worker>();

/** Ends what is left, whatever became of the faults that started it. */
export async function endWorkers(): Promise<void> {
  await Promise.all([...living].map((worker) => worker.kill()));
}

/** A whole process of Isochron whose steps are marked, so that a fault can strike at one of them. */
export class Worker {
  readonly #child: ChildProcess;
  #log = "";
  #listening: string | undefined;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly startedAt = performance.now();

  constructor({ args, env, cwd, strike, mutant, heapMegabytes }: WorkerOptions) {
    this.#child = spawn(join(checkout, "bin/isochron"), args, {
      cwd,
      env: {
        ...plainEnvironment(),
        ...env,
        NODE_OPTIONS: `--import ${hook}${heapMegabytes === undefined ? "" : ` --max-old-space-size=${heapMegabytes}`}`,
        FAULT_CHECKOUT: checkout,
        ...(strike === undefined ? {} : { FAULT_AT: JSON.stringify(strike) }),
        ...(mutant === undefined ? {} : { FAULT_MUTANT: mutant }),
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    living.add(this);
    const keep = (text: string) => {
      this.#log = (this.#log + text).slice(-logCharsMax);
      this.#listening ??= /listens on (\S+)/.exec(this.#log)?.[1];
    };
    this.#child.stdout?.setEncoding("utf8").on("data", keep);
    this.#child.stderr?.setEncoding("utf8").on("data", keep);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => {
        living.delete(this);
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it printed last. */
  get log(): string {
    return this.#log;
  }

  /** Its address, once it answers. */
  async listening(withinMs = 60_000 * patience): Promise<string> {
    return eventually(
      "a worker listens",
      () => {
        if (this.#listening === undefined && !this.running) throw new Error(`a worker ended:\n${this.#log}`);
        return this.#listening;
      },
      { withinMs },
    );
  }

  /** Makes the fault strike at a step from now on. */
  async arm(strike: Strike): Promise<void> {
    await new Promise<void>((done) => {
      this.#child.once("message", () => done()).once("close", () => done());
      this.#child.send(strike, (error) => (error === null ? undefined : done()));
    });
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) killQuietly(this.pid, signal);
  }

  /** Waits for its end; undefined when it goes on for longer. */
  async endsWithin(ms: number): Promise<Awaited<Worker["ended"]> | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), ms);
    });
    try {
      return await Promise.race([this.ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  /** True while SIGSTOP holds it. */
  get stopped(): boolean {
    if (!this.running) return false;
    try {
      const stat = readFileSync(`/proc/${this.pid}/stat`, "utf8");
      return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }
}
