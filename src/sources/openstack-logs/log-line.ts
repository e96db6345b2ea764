import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { asObject, asText } from "../json-fields.ts";
import type { Decoders, RawRecord } from "../source.ts";
import type { LineTime } from "./local-time.ts";
import { readLineTime } from "./local-time.ts";

/** What a line says, whichever of the three shapes it came in. */
export interface LogLine {
  readonly time: LineTime;
  /** As it is written: `INFO`, `warning`; empty where the line has none. */
  readonly level: string;
  readonly logger?: string;
  /** The process that wrote it, e.g. `nova-compute`. */
  readonly program?: string;
  readonly host?: string;
  readonly region?: string;
  readonly processId?: string;
  readonly message: string;
  /** The frames below an error, one text. */
  readonly traceback?: string;
  readonly requestId?: string;
  readonly globalRequestId?: string;
  readonly userId?: string;
  readonly userName?: string;
  readonly projectId?: string;
}

const levels = "TRACE|DEBUG|INFO|NOTICE|AUDIT|WARNING|WARN|ERROR|CRITICAL|FATAL";

/** oslo.log's `logging_context_format_string`, and its default one: time, process, level, logger, context, text. */
const textLine = new RegExp(
  `^(\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?(?: ?Z|[+-]\\d\\d:?\\d\\d)?) (?:(\\d{1,10}) )?(${levels}) ([\\w.:-]{1,255})(?: \\[(?!instance:)([^\\]\\n]*)\\])?(?: |$)([^]*)$`,
);

const userIdPattern = /^(?:[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const requestIdPattern = /^req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a record's line. Throws `record-invalid` where it has no time or no text. */
export function readLogLine(record: RawRecord, decode: Decoders): LogLine {
  const text = decode.text(record.bytes);
  const zone = asText(record.meta["zone"]);
  const program = programOfFile(asText(record.meta["file"]));
  if (/^\s*\{/.test(text)) {
    const fields = asObject(decode.json(text));
    if (fields !== undefined) return withProgram(readFields(fields, zone, decode), program);
  }
  const line = readText(text, zone, decode);
  if (line !== undefined) return withProgram(line, program);
  throw invalid(
    "The line is neither JSON nor oslo.log's text format.",
    "Import files that oslo.log writes by its own format strings.",
  );
}

function withProgram(line: LogLine, program: string | undefined): LogLine {
  return line.program !== undefined || program === undefined ? line : { ...line, program };
}

/** `nova-compute` of `nova-compute.log`, `nova-compute.log.1.gz` and `nova-compute-json.log`. */
function programOfFile(file: string | undefined): string | undefined {
  return /^([a-z][a-z0-9_-]{1,63}?)(?:[-_.]json)?\.log(?:[.-].*)?$/i.exec(file ?? "")?.[1]?.toLowerCase();
}

/** Whether a line of a file begins a record, rather than going on with the one before. */
export function beginsRecord(text: string): boolean {
  const match = textLine.exec(text);
  // Lines of a traceback bear a prefix of their own, which has no context.
  return match === null
    ? /^\s*\{/.test(text)
    : match[5] !== undefined || !/^(?:ERROR|CRITICAL)$/.test(match[3]!);
}

/** The process and logger of a line that goes on with an error; undefined where the line has no prefix. */
export function prefixOf(text: string): string | undefined {
  const match = textLine.exec(text);
  return match === null ? undefined : `${match[2]} ${match[4]}`;
}

function readText(text: string, zone: string | undefined, decode: Decoders): LogLine | undefined {
  const match = textLine.exec(text);
  if (match === null) return undefined;
  const [, time, processId, level, logger, context, rest] = match;
  const [message = "", ...more] = rest!.split("\n");
  const below = more.map(withoutPrefix).join("\n").trimEnd();
  return {
    time: readLineTime(time!, zone, decode),
    level: level!,
    logger: logger!,
    ...(processId !== undefined && { processId }),
    message,
    ...(below !== "" && { traceback: below }),
    ...readContextText(context),
  };
}

function withoutPrefix(line: string): string {
  const match = textLine.exec(line);
  return match === null ? line : match[6]!;
}

/** `req-… USER PROJECT - - -`, with or without the caller's own request before it; `None` and `-` stand for nothing. */
function readContextText(context: string | undefined): Partial<LogLine> {
  const words = (context ?? "").split(/\s+/).filter((word) => word !== "");
  if (words[0] === "None") words.shift();
  const first = words[0];
  const [request, user, project] = requestIdPattern.test(words[1] ?? "") ? words.slice(1) : words;
  if (!requestIdPattern.test(request ?? "")) return {};
  return readContext({
    request_id: request!,
    ...(request !== first && first !== undefined && { global_request_id: first }),
    user_id: user ?? null,
    project_id: project ?? null,
  });
}

/** Who asked. An account that is given by its name (Heat does) is nobody's id. */
function readContext(fields: JsonObject): Partial<LogLine> {
  const first = (...names: string[]) =>
    names
      .map((name) => text(fields[name]))
      .find((value) => value !== undefined && value !== "-" && value !== "None");
  const user = first("user_id", "user");
  const project = first("project_id", "project", "tenant_id", "tenant");
  const requestId = first("request_id", "req_id");
  const globalRequestId = first("global_request_id", "global_req_id");
  const isId = user !== undefined && userIdPattern.test(user);
  return {
    ...(requestId !== undefined && requestIdPattern.test(requestId) && { requestId }),
    ...(globalRequestId !== undefined && requestIdPattern.test(globalRequestId) && { globalRequestId }),
    ...(user !== undefined && (isId ? { userId: user } : { userName: user })),
    ...(project !== undefined && userIdPattern.test(project) && { projectId: project }),
  };
}

/** oslo.log's JSONFormatter and FluentFormatter, and what shippers make of lines. */
function readFields(fields: JsonObject, zone: string | undefined, decode: Decoders): LogLine {
  const pick = (...names: string[]) =>
    names.map((name) => text(fields[name])).find((value) => value !== undefined);
  const message = pick("message", "msg", "log", "MESSAGE");
  if (message === undefined) throw invalid("The line says nothing.", "Ship it with its `message`.");
  const level = pick("levelname", "level", "log_level", "loglevel", "severity");
  // A shipper that does not parse puts the whole line into one field.
  const whole = level === undefined ? readText(message.trimEnd(), zone, decode) : undefined;
  const source = pick("src", "program", "service", "programname", "service_name", "Payload.programname");
  const program = programOf(source);
  const host = pick("hostname", "host", "Hostname");
  const region = pick("region", "region_name");
  const place = {
    ...(program !== undefined && { program }),
    ...(host !== undefined && { host }),
    ...(region !== undefined && { region }),
  };
  if (whole !== undefined) return { ...whole, ...place };
  const traceback = readTraceback(fields["traceback"] ?? fields["exc_info"] ?? null);
  const [head = "", ...more] = message.split("\n");
  const below = [more.join("\n").trimEnd(), traceback].filter((part) => part !== "").join("\n");
  const logger = pick("name", "logger", "logger_name");
  const processId =
    text(fields["process"]) ?? (typeof fields["process"] === "number" ? `${fields["process"]}` : undefined);
  return {
    time: readLineTime(timeOf(fields), zone, decode),
    level: level ?? "",
    ...(logger !== undefined && { logger }),
    ...place,
    ...(processId !== undefined && { processId }),
    message: head,
    ...(below !== "" && { traceback: below }),
    ...readContext({ ...fields, ...asObject(fields["context"]) }),
  };
}

/** `nova-compute` of `nova/nova-compute`, and `cinder-volume` of `cinder/volume`: the service stands in front. */
function programOf(source: string | undefined): string | undefined {
  const parts =
    source
      ?.toLowerCase()
      .split("/")
      .filter((part) => part !== "") ?? [];
  const [service, ...others] = parts;
  const name = others.at(-1);
  return name === undefined || service === undefined || name.startsWith(service)
    ? (name ?? service)
    : `${service}-${name}`;
}

/** `created` is seconds since 1970 and certain; `asctime` beside it is the same in the host's own zone. */
function timeOf(fields: JsonObject): Json {
  if (typeof fields["created"] === "number") return fields["created"];
  const names = ["ts", "@timestamp", "timestamp", "time", "date", "asctime"];
  return names.map((name) => fields[name]).find((value) => value !== undefined && value !== null) ?? null;
}

function readTraceback(value: Json): string {
  if (typeof value === "string") return value.trimEnd();
  if (!Array.isArray(value)) return "";
  const lines = value.filter((line): line is string => typeof line === "string");
  return lines.map((line) => line.trimEnd()).join("\n");
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function invalid(problem: string, remedy: string): IsochronError {
  return new IsochronError("record-invalid", problem, remedy);
}
