import { CommanderError } from "commander";
import { IsochronError, type ErrorCode } from "../../errors.ts";

/** The exit codes, which scripts rely on. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  incomplete: 3,
  notSignedIn: 4,
  notFound: 5,
  tampered: 6,
  interrupted: 130,
} as const;

/** Failures that tell of how the command was written, before anything was tried. */
const usageCodes: ReadonlySet<ErrorCode> = new Set([
  "usage",
  "time-invalid",
  "query-invalid",
  "cursor-invalid",
  "source-unknown",
  "config-invalid",
]);

/** The exit code that tells a script what to do about an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (!(error instanceof IsochronError)) return exitCodes.failure;
  if (usageCodes.has(error.code)) return exitCodes.usage;
  if (error.kind === "denied") return exitCodes.notSignedIn;
  return error.kind === "missing" ? exitCodes.notFound : exitCodes.failure;
}

/** The end of `--help`. */
export const exitCodeHelp = `Exit codes:
  0  done, also when nothing was found
  1  failure
  2  the command line or the configuration cannot be understood
  3  --strict, and a source was incomplete in the window
  4  not signed in
  5  not found, or not visible to you
  6  the audit trail is not as it was written
  130  interrupted`;
