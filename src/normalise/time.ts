import { IsochronError } from "../errors.ts";
import { instant, isInRange } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import { timeCharsMax } from "./limits.ts";

const spelling =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))? ?(?:([Zz])|([+-])(\d\d):?(\d\d))?$/;

/**
 * Reads RFC 3339, and what OpenStack writes in its place: a space for `T`, `+0000`, and (only with `naive: "utc"`)
 * no zone at all. Digits after the millisecond are cut. A leap second is folded into the last millisecond before
 * it. Throws `record-invalid` for everything else, among it days that no calendar has, words such as `now`, and
 * years outside 1970 to 2199.
 */
export function decodeTime(text: string, options?: { naive: "utc" }): Instant {
  if (typeof text !== "string" || text.length > timeCharsMax) {
    throw refuse(text, "is not a time", "Write it as RFC 3339, e.g. 2026-11-21T01:15:51.124Z.");
  }
  const match = spelling.exec(text);
  if (match === null) {
    throw refuse(text, "is not a time", "Write it as RFC 3339, e.g. 2026-11-21T01:15:51.124Z.");
  }
  const [, year, month, day, hour, minute, second, fraction = "", zulu, sign, zoneHour, zoneMinute] = match;
  if (zulu === undefined && sign === undefined && options?.naive !== "utc") {
    throw refuse(text, "names no time zone", "Add Z or an offset such as +02:00.");
  }
  const offset = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * (sign === "-" ? -60_000 : 60_000);
  const leap = second === "60";
  const ms = leap ? 59_999 : Number(second) * 1_000 + Number(fraction.slice(0, 3).padEnd(3, "0"));
  const date = calendarDay(Number(year), Number(month), Number(day));
  if (date === undefined || Number(hour) > 23 || Number(minute) > 59 || ms > 59_999) {
    throw refuse(text, "is no day and hour of the calendar", "Check the clock of the sender.");
  }
  if (Number(zoneHour ?? 0) > 23 || Number(zoneMinute ?? 0) > 59) {
    throw refuse(text, "has an impossible offset", "Offsets lie between -23:59 and +23:59.");
  }
  const at = date + Number(hour) * 3_600_000 + Number(minute) * 60_000 + ms - offset;
  if (leap && at % 86_400_000 !== 86_399_999) {
    throw refuse(text, "is no day and hour of the calendar", "A leap second ends a day in UTC.");
  }
  if (!isInRange(at)) {
    throw refuse(text, "lies outside the years 1970 to 2199", "Check the clock of the sender.");
  }
  return instant(at);
}

/** The start of a day in UTC milliseconds; undefined for a day that the calendar lacks, e.g. 30 February. */
function calendarDay(year: number, month: number, day: number): number | undefined {
  if (year < 1_900) return undefined;
  const at = new Date(Date.UTC(year, month - 1, day));
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day ? at.getTime() : undefined;
}

function refuse(text: unknown, problem: string, remedy: string): IsochronError {
  const shown = typeof text === "string" ? JSON.stringify(text.slice(0, timeCharsMax)) : typeof text;
  return new IsochronError("record-invalid", `The time ${shown} ${problem}.`, remedy);
}
