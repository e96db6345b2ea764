import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/**
 * The options of a command of this repository (a bench, a hunt). Prints `usage` and ends the process for `--help` (0)
 * and for what it does not know (2, with the reason).
 */
export function readOptions<const T extends ParseArgsOptionsConfig>(usage: string, options: T) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean" } } });
    // The help is the only thing that was asked for.
    if ((values as { help?: boolean }).help !== true) return parseArgs({ options }).values;
    console.log(`Usage: ${usage}`);
    process.exit(0);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\nUsage: ${usage}`);
    process.exit(2);
  }
}
