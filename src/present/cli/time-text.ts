import { IsochronError } from "../../errors.ts";
import { duration, instant, type Duration, type Instant } from "../../model/instant.ts";
import { Zone } from "./zone.ts";

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Zone names that mean one thing only; others (IST, CST, BST) stand for several and are refused. */
const abbreviations: Readonly<Record<string, string>> = {
  Z: "+00:00",
  UTC: "+00:00",
  GMT: "+00:00",
  WET: "+00:00",
  WEST: "+01:00",
  CET: "+01:00",
  CEST: "+02:00",
  EET: "+02:00",
  EEST: "+03:00",
  MSK: "+03:00",
  EST: "-05:00",
  EDT: "-04:00",
  MDT: "-06:00",
  PST: "-08:00",
  PDT: "-07:00",
  JST: "+09:00",
};

const relativePattern = /^(?:-((?:\d+(?:ms|s|m|h|d|w))+)|((?:\d+(?:ms|s|m|h|d|w))+) ago)$/;
const absolutePattern =
  /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:(?:^|[T ])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*([+-]\d{2}:?\d{2}|[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+/-]+)?)?$/;

const examples = "Write it as 2024-08-02T10:06:00+02:00, 2024-08-02 10:06, 10:06, -2h or now.";

/** How long `2h`, `90s`, `1h30m` or `7d` is. Throws `time-invalid`. */
export function parseDuration(text: string): Duration {
  const parts = [...text.trim().matchAll(/(\d+)(ms|s|m|h|d|w)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text.trim()) {
    throw new IsochronError(
      "time-invalid",
      `"${text}" is no length of time.`,
      "Write it as 90s, 30m, 2h, 1h30m, 7d or 2w.",
    );
  }
  return duration(parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit!]!, 0));
}

export interface TimeReading {
  readonly at: Instant;
  /** How an ambiguous text was read, for the reader's eyes; absent where nothing had to be assumed. */
  readonly note?: string;
}

/** True for what can only be meant as a time: ids and resources never look like one. */
export function looksLikeTime(text: string): boolean {
  return (
    /^now$/i.test(text) ||
    relativePattern.test(text) ||
    /^(\d{4}-\d{2}-\d{2}([T ]|$)|\d{1,2}:\d{2})/.test(text)
  );
}

/**
 * Reads a moment: RFC 3339, a local date and time (in `zone`), a time of day (its latest occurrence),
 * `now`, `-2h` or `2h ago`. Throws `time-invalid`.
 */
export function parseTime(text: string, zone: Zone, now: Instant): TimeReading {
  const trimmed = text.trim();
  if (/^now$/i.test(trimmed)) return { at: now };
  const relative = relativePattern.exec(trimmed);
  if (relative !== null) return { at: instant(now - parseDuration((relative[1] ?? relative[2])!)) };
  const match = absolutePattern.exec(trimmed);
  if (match === null || (match[1] === undefined && match[4] === undefined)) throw unreadable(text);
  const stated = match[8] === undefined ? undefined : readZone(match[8], text);
  const there = stated?.zone ?? zone;
  const dated = match[1] !== undefined;
  const localMs = dated ? localTime(match, text) : latestTimeOfDay(match, text, there, stated?.offset, now);
  if (stated?.offset !== undefined) {
    const at = instant(localMs - stated.offset * unitMs["m"]!);
    return dated ? { at } : { at, note: `reading "${text}" as ${zone.rfc3339(at)}` };
  }
  const moments = there.instantsOf(localMs);
  const at = moments[0];
  if (at === undefined) {
    throw new IsochronError(
      "time-invalid",
      `"${text}" never was in ${there.name}: clocks skipped it.`,
      "Write an offset, such as +02:00.",
    );
  }
  if (stated !== undefined && dated && moments.length === 1) return { at };
  const twice =
    moments[1] === undefined ? "" : `; clocks showed it twice, the second is ${there.rfc3339(moments[1])}`;
  return { at, note: `reading "${text}" as ${there.rfc3339(at)} (--tz ${there.name})${twice}` };
}

function unreadable(text: string): IsochronError {
  return new IsochronError("time-invalid", `"${text}" is no time that can be understood.`, examples);
}

function readZone(word: string, text: string): { zone?: Zone; offset?: number } {
  const spelled = abbreviations[word.toUpperCase()] ?? word;
  const offset = /^([+-])(\d{2}):?(\d{2})$/.exec(spelled);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    if (minutes > 18 * 60 || Number(offset[3]) > 59) throw unreadable(text);
    return { offset: offset[1] === "-" ? -minutes : minutes };
  }
  if (word.includes("/")) {
    try {
      return { zone: new Zone(word) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new IsochronError(
    "time-invalid",
    `"${word}" in "${text}" names no single zone.`,
    "Write an offset such as +02:00, or a zone such as Europe/Paris.",
  );
}

/** The local time as milliseconds, as if it were UTC. */
function localTime(match: RegExpExecArray, text: string): number {
  const [, year, month, day] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) throw unreadable(text);
  return date.getTime() + timeOfDay(match, text);
}

function timeOfDay(match: RegExpExecArray, text: string): number {
  const [hour, minute, second] = [match[4], match[5], match[6]].map((part) => Number(part ?? 0));
  if (hour! > 23 || minute! > 59 || second! > 59) throw unreadable(text);
  const fraction = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1000);
  return ((hour! * 60 + minute!) * 60 + second!) * 1000 + fraction;
}

/** Today's, or yesterday's while today's is still to come: people ask about what has happened. */
function latestTimeOfDay(
  match: RegExpExecArray,
  text: string,
  zone: Zone,
  offset: number | undefined,
  now: Instant,
): number {
  const ahead = (offset ?? zone.offsetMinutes(now)) * unitMs["m"]!;
  const midnight = Math.floor((now + ahead) / unitMs["d"]!) * unitMs["d"]!;
  const today = midnight + timeOfDay(match, text);
  return today - ahead > now ? today - unitMs["d"]! : today;
}
