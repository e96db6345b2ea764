import { stripVTControlCharacters } from "node:util";
import { destination, pino, stdSerializers, type DestinationStream, type Logger } from "pino";
import { prettyFactory } from "pino-pretty";
import { concealSecrets } from "./config-secret.ts";
import { commandingClass, escapeInJson } from "./model/commanding-text.ts";

export type { Logger };

const secretName =
  /(authorization|token|password|passwd|secret|cookie|api[-_]?key|private[-_]?key|credentials?)s?$/i;
const secretField =
  /("[^"\\]*(?:authorization|token|password|passwd|secret|cookie|api[-_]?key|private[-_]?key|credential)s?":)"(?:[^"\\]|\\.)*"/gi;
/** Parameters of an address that is asked, such as the one that a browser comes back to from an OpenID Provider. */
const secretParameter =
  /([?&](?:code|[\w-]*(?:state|nonce|token|password|secret|signature|credential|key)s?)=)[^&#\s"\\]+/gi;
const censored = "[redacted]";
const depthMax = 8;

/** A copy in which every field whose name tells of a secret is censored; deeper than any honest record is cut. */
function censor(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth >= depthMax) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => censor(item, depth + 1));
  // Errors, requests and the like have serializers of their own, which come after this.
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    const tells = secretName.test(name) && inner !== null && typeof inner !== "number";
    copy[name] = tells && typeof inner !== "boolean" ? censored : censor(inner, depth + 1);
  }
  return copy;
}

/** Secrets that hide in a child logger's fields or in running text: our tokens, bearer values, passwords and codes in URLs. */
function censorText(line: string): string {
  return concealSecrets(line)
    .replace(secretField, `$1"${censored}"`)
    .replace(/\biso_[A-Za-z0-9_-]{20,}/g, censored)
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${censored}`)
    .replace(secretParameter, `$1${censored}`)
    .replace(/(:\/\/[^\s/:@"\\]*):[^\s/@"\\]+@/g, `$1:${censored}@`);
}

const commanding = new RegExp(`[${commandingClass}]`, "gu");

/** One line without anything that a terminal would obey. */
function tame(text: string): string {
  return stripVTControlCharacters(text).replace(commanding, " ");
}

/** Each line made readable for people at a terminal. */
function prettyLines(lines: DestinationStream, colour: boolean): DestinationStream {
  const prettify = prettyFactory({
    colorize: colour,
    ignore: "pid,hostname",
    translateTime: "UTC:yyyy-mm-dd'T'HH:MM:ss.l'Z'",
    messageFormat: (line, key) => tame(String(line[key] ?? "")),
  });
  // A stack trace keeps its line breaks, and brings along whatever else its message holds.
  const obeyed = new RegExp(`(\\p{Cc}\\[[0-9;]*m|\\n)|[${commandingClass}]`, "gu");
  return {
    write: (line) =>
      lines.write(
        prettify(line).replace(obeyed, (found) =>
          found === "\n" || found.startsWith("\u001b[") ? found : " ",
        ),
      ),
  };
}

export interface LogOptions {
  readonly level: string;
  readonly format: "json" | "pretty";
  readonly colour: boolean;
  /** Where the lines go; standard error unless told otherwise. */
  readonly stream?: DestinationStream;
}

/**
 * A logger to standard error: one JSON object per line, so that no field can forge a line, or a
 * coloured line for people at a terminal. Secrets are censored by field name and by shape.
 */
export function createLog(options: LogOptions): Logger {
  const lines = options.stream ?? destination({ dest: 2, sync: true });
  const target = options.format === "json" ? lines : prettyLines(lines, options.colour);
  const plainError = (error: Error) => censor(stdSerializers.err(error));
  return pino(
    {
      level: options.level,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => censor(fields) as Record<string, unknown>,
        bindings: (fields) => censor(fields) as Record<string, unknown>,
      },
      serializers: { err: plainError, error: plainError },
      hooks: { streamWrite: (line) => escapeInJson(censorText(line)) },
    },
    target,
  );
}
