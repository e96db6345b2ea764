import { IsochronError } from "../../errors.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { Decoders } from "../source.ts";
import { offsetPattern } from "./syslog-config.ts";

export interface SyslogMessage {
  readonly facility: number;
  readonly severity: number;
  readonly format: "rfc5424" | "rfc3164";
  /** Absent where the message has none, or none that can be read. */
  readonly time?: { readonly at: Instant; readonly precision: Duration };
  readonly hostName?: string;
  readonly appName?: string;
  readonly processId?: string;
  readonly messageId?: string;
  readonly structuredData: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly text: string;
}

/** What reading needs besides the text: when it arrived, and which zone a time without one is in. */
export interface SyslogContext {
  readonly receivedAt: Instant;
  readonly zone?: string | undefined;
  /** A line of a file may lack the priority that a message on the wire must have. */
  readonly isFile: boolean;
}

const userNotice = 13;

/** Reads RFC 5424, and else what RFC 3164 describes with the liberties that senders take. Throws `record-invalid`. */
export function readSyslog(text: string, context: SyslogContext, decode: Decoders): SyslogMessage {
  const [, priorityText, afterPriority] = /^<(\d{1,3})>([^]*)$/.exec(text) ?? [];
  if (priorityText === undefined && !context.isFile) {
    throw invalid("The message does not begin with a priority such as <34>.");
  }
  const priority = Number(priorityText ?? userNotice);
  if (priority > 191) throw invalid(`The priority ${priority} is more than 191.`);
  const head = { facility: priority >> 3, severity: priority & 7 };
  const rest = afterPriority ?? text;
  return rest.startsWith("1 ")
    ? { ...head, ...readModern(rest.slice(2), decode) }
    : { ...head, ...readTraditional(rest, context, decode) };
}

type Body = Omit<SyslogMessage, "facility" | "severity">;

/** RFC 5424, section 6, after the version. */
function readModern(text: string, decode: Decoders): Body {
  const match = /^(\S+) (\S+) (\S+) (\S+) (\S+) /.exec(text);
  if (match === null) throw invalid("The header is not that of RFC 5424.");
  const [header, time, hostName, appName, processId, messageId] = match as unknown as string[];
  const { structuredData, end } = readStructuredData(text, header!.length);
  const at = known(time!);
  return {
    format: "rfc5424",
    ...(at !== undefined && { time: { at: decode.time(at), precision: precisionOf(at) } }),
    ...named({ hostName: hostName!, appName: appName!, processId: processId!, messageId: messageId! }),
    structuredData,
    text: text.slice(end).replace(/^ +\ufeff?/, ""),
  };
}

/** A hyphen stands for a value that is not known. */
function known(value: string): string | undefined {
  return value === "-" ? undefined : value;
}

function named<Field extends string>(fields: Record<Field, string>): Partial<Record<Field, string>> {
  const kept = Object.entries<string>(fields).filter(([, value]) => known(value) !== undefined);
  return Object.fromEntries(kept) as Partial<Record<Field, string>>;
}

function readStructuredData(
  text: string,
  from: number,
): { structuredData: Record<string, Record<string, string>>; end: number } {
  const structuredData: Record<string, Record<string, string>> = {};
  if (text[from] === "-") return { structuredData, end: from + 1 };
  const opening = /\[([^\s=\]"]+)/y;
  // One character a step: a repeat inside a repeat would take for ever over a quote that is never closed.
  const parameter = / +([^\s=\]"]+)="((?:[^"\\]|\\[^])*)"/y;
  let end = from;
  for (opening.lastIndex = end; text[end] === "["; opening.lastIndex = end) {
    const name = opening.exec(text)?.[1];
    if (name === undefined) break;
    const values: [string, string][] = [];
    parameter.lastIndex = opening.lastIndex;
    let last = parameter.lastIndex;
    for (let match = parameter.exec(text); match !== null; match = parameter.exec(text)) {
      values.push([match[1]!, match[2]!.replaceAll(/\\(["\\\]])/g, "$1")]);
      last = parameter.lastIndex;
    }
    if (text[last] !== "]") break;
    Object.defineProperty(structuredData, name, { value: Object.fromEntries(values), enumerable: true });
    end = last + 1;
  }
  const isOver = end > from && (end === text.length || text[end] === " ");
  if (!isOver) throw invalid("The structured data is broken.");
  return { structuredData, end };
}

/** RFC 3164: `Oct 11 22:14:15 host tag[pid]: text`; rsyslog and others write an RFC 3339 time in its place. */
function readTraditional(text: string, context: SyslogContext, decode: Decoders): Body {
  const modernTime = /^(\d{4}-\d\d-\d\dT\S+) /.exec(text);
  const oldTime = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))? /.exec(text);
  const match = modernTime ?? oldTime;
  const bare = { format: "rfc3164", structuredData: {} } as const;
  // Without a header all of it is text (RFC 3164, section 4.3.3); its arrival is its time.
  if (match === null) return { ...bare, text };
  const time =
    modernTime !== null
      ? { at: decode.time(modernTime[1]!), precision: precisionOf(modernTime[1]!) }
      : readYearlessTime(oldTime!, context);
  const rest = text.slice(match[0].length);
  const [, hostName, afterHost] = /^([^\s:[\]]+) ([^]*)$/.exec(rest) ?? [];
  const [, appName, processId, said] =
    /^([^\s:[\]]{1,64})(?:\[([^\]\s]{1,64})\])?: ?([^]*)$/.exec(afterHost ?? rest) ?? [];
  return {
    ...bare,
    time,
    ...(hostName !== undefined && named({ hostName })),
    ...(appName !== undefined && { appName }),
    ...(processId !== undefined && { processId }),
    text: said ?? afterHost ?? rest,
  };
}

function precisionOf(time: string): Duration {
  return duration(/[.,]\d/.test(time) ? 0 : 1000);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A clock may run ahead of ours, or a zone be declared wrongly, by no more than this. */
const aheadMsMax = 24 * 3_600_000;

/** The year that it lacks is the latest in which it does not lie ahead of its arrival. */
function readYearlessTime(
  [, monthName, day, hour, minute, second, fraction = ""]: RegExpExecArray,
  { receivedAt, zone }: SyslogContext,
): { at: Instant; precision: Duration } {
  if (zone === undefined) {
    throw invalid("The time names no time zone, and the connection declares none.", "Set `zone`.");
  }
  const month = months.indexOf(monthName!);
  if (month < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) {
    throw invalid("The time is no day and hour of the calendar.");
  }
  const ms = Number(fraction.slice(0, 3).padEnd(3, "0"));
  const thisYear = new Date(receivedAt).getUTCFullYear();
  const candidates = [thisYear + 1, thisYear, thisYear - 1, thisYear - 4].flatMap((year) => {
    const local = Date.UTC(
      year,
      month,
      Number(day),
      Number(hour),
      Number(minute),
      Math.min(Number(second), 59),
      ms,
    );
    if (new Date(local).getUTCMonth() !== month) return [];
    return readLocal(local, zone);
  });
  const past = candidates.filter((at) => at <= receivedAt + aheadMsMax && at >= 0);
  if (past.length === 0) throw invalid("The time is no day of the calendar.");
  return { at: instant(Math.max(...past)), precision: duration(fraction === "" ? 1000 : 0) };
}

/** The moments that a clock of the zone can have meant: two in the hour that it repeats, and one that is nearest in the hour that it leaves out. */
function readLocal(local: number, zone: string): readonly number[] {
  const readings = [local - 43_200_000, local + 43_200_000].map((near) => local - offsetMs(zone, near));
  const meant = readings.filter((at) => offsetMs(zone, at) === local - at);
  return meant.length === 0 ? readings : meant;
}

/** How far the zone's clocks are ahead of UTC at that moment. */
function offsetMs(zone: string, at: number): number {
  if (zone === "Z") return 0;
  const named = offsetPattern.test(zone) ? zone : longOffset(zone, at);
  const [, sign, hours, minutes] = offsetPattern.exec(named) ?? [];
  const ms = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === "-" ? -ms : ms;
}

/** One for each configured zone, because making one takes longer than reading a message. */
const formats = new Map<string, Intl.DateTimeFormat>();

function longOffset(zone: string, at: number): string {
  const format =
    formats.get(zone) ?? new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
  formats.set(zone, format);
  const name = format.formatToParts(at).find(({ type }) => type === "timeZoneName");
  return name?.value.replace("GMT", "") ?? "";
}

function invalid(problem: string, remedy = "Check what sends it."): IsochronError {
  return new IsochronError("record-invalid", problem, remedy);
}
