import { CommanderError, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import type { Host } from "./application.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { untilAborted } from "./until-aborted.ts";

/** One run of the command line: what it stands on, and the exit code that it comes to. */
export class Run {
  readonly host: Host;
  code: number = exitCodes.ok;
  /** True for commands that end themselves, in their own time, when the signal comes; others are left at once. */
  endsBySignal = false;

  constructor(host: Host) {
    this.host = host;
  }

  /** A commander action that takes the arguments and options, and settles with an exit code. */
  action<Options>(act: (args: readonly string[], options: Options) => Promise<number>) {
    return async (...given: unknown[]): Promise<void> => {
      const command = given.at(-1) as Command;
      const work = act(command.args, command.optsWithGlobals<Options & object>());
      const interrupted = untilAborted(this.host.signal).then(() => exitCodes.interrupted);
      this.code = await (this.endsBySignal ? work : Promise.race([work, interrupted]));
    };
  }

  /** Tells a person what went wrong and what to do; gives the exit code. */
  async fail(error: unknown): Promise<number> {
    const { stderr, signal } = this.host;
    if (signal.aborted) return exitCodes.interrupted;
    if (error instanceof IsochronError) {
      await stderr.write(`isochron: ${error.problem}\n${error.remedy}\n`);
    } else if (!(error instanceof CommanderError)) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      await stderr.write(`isochron: this should not happen; please report it.\n${text}\n`);
    }
    return exitCodeOf(error);
  }
}
