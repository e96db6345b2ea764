import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";

/** The command as it lies in this checkout. */
export const checkoutCommand = fileURLToPath(new URL("../bin/isochron", import.meta.url));

export interface CommandOptions {
  /** Another installation's command. */
  readonly command?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A whole process of Isochron; `bin/isochron` replaces itself by Node, so a signal reaches the program. */
export class RunningIsochron {
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  readonly finished: Promise<Finished>;

  constructor(args: readonly string[], options: CommandOptions = {}) {
    this.#child = spawn(options.command ?? checkoutCommand, args, {
      cwd: options.cwd,
      env: { ...plainEnvironment(), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.finished = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) =>
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr }),
      );
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the process was never started");
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first match in what was printed so far and is printed from now on. */
  async printed(pattern: RegExp, withinMs = 120_000): Promise<RegExpExecArray> {
    const look = () => {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (match !== null) return match;
      if (!this.running)
        throw new Error(`ended before it printed ${pattern}:\n${this.#stdout}${this.#stderr}`);
      return undefined;
    };
    return eventually(`${pattern} is printed`, look, { withinMs });
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Finished> {
    if (this.running) this.#child.kill(signal);
    return this.finished;
  }
}

/** Runs a command to its end. */
export function runIsochron(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  return new RunningIsochron(args, options).finished;
}

/** Runs a command that must succeed, and gives its standard output. */
export async function askIsochron(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await runIsochron(args, options);
  if (code === 0) return stdout;
  throw new Error(`isochron ${args.join(" ")} ended with ${signal ?? code}:\n${stdout}${stderr}`);
}

/** What the caller has set for Isochron must not reach a process under test. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(ISOCHRON_|VITEST|NODE_OPTIONS$|npm_)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: "1", TZ: "UTC" };
}
