/// <reference lib="esnext.temporal" />
import { IsochronError } from "../../errors.ts";
import { duration } from "../../model/instant.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { Decoders } from "../source.ts";
import { readDate } from "./calendar-date.ts";
import { readZone } from "./time-zone.ts";

export interface PlaceInTime {
  readonly occurredAt: Instant;
  readonly precision: Duration;
  /** True for a time of the hour that a clock change repeats. */
  readonly ambiguous: boolean;
}

interface Clock {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** A minute was written, or a second. */
  readonly precisionMs: number;
  /** The zone in the cell itself: `UTC`, `+02:00` or `Europe/Paris`. */
  readonly zone?: string;
}

const clockShape =
  /^(\d{1,2})(?::|h)(\d\d)(?:(?::|m)(\d\d)(?:[.,]\d{1,9})?)?s?\s*([ap]\.?m\.?)?\s*(z|[+-]\d\d:?\d\d|\(?(?:(?:utc|gmt)(?:\s*[+\-\u2212\u2013]\d{1,2}(?::?\d\d)?)?|[+-]\d{1,2}(?::?\d\d)?(?=\))|[a-z]+\/[\w+/-]+)\)?)?$/i;

/**
 * When a row's time was, with the document's date and zone for what the cell leaves out. A minute is known to
 * 60,000 ms, a second to 1,000 ms. Throws `record-invalid` where the time, the date or the zone is missing or none.
 */
export function placeInTime(
  cell: string,
  context: { readonly date?: string | undefined; readonly timezone?: string | undefined },
  decode: Decoders,
): PlaceInTime {
  const clock = readClock(cell);
  if (clock === undefined) {
    throw refuse(
      `The time ${JSON.stringify(cell.slice(0, 64))} is not understood.`,
      "Write it as 14:05 or 14:05:30, with nothing behind it but UTC, an offset such as +02:00, or Europe/Paris.",
    );
  }
  const date = readDate(cell) ?? context.date;
  if (date === undefined) throw refuse("The row has no date.", "Add `date: 2024-08-02` to the front matter.");
  const zone = clock.zone ?? context.timezone;
  if (zone === undefined) {
    throw refuse(
      "The document names no time zone.",
      "Add `timezone: Europe/Paris` (or +02:00, or UTC) to the front matter, or import it with --timezone.",
    );
  }
  const { ms, ambiguous } = epochMs(date, clock, zone);
  const occurredAt = decode.time(formatUtc(ms));
  return { occurredAt, precision: duration(ambiguous ? 3_600_000 : clock.precisionMs), ambiguous };
}

/** Minutes after midnight of a cell's clock time; undefined where it holds none. */
export function clockMinutes(cell: string): number | undefined {
  const clock = readClock(cell);
  return clock === undefined ? undefined : clock.hour * 60 + clock.minute;
}

/** `14:05`, `14:05:30`, `14h05`, `2:05 PM`, each with a date before it and `UTC` or an offset after it. */
function readClock(cell: string): Clock | undefined {
  const text = cell.trim().replace(/^.{0,40}?\d{4}(?:-\d\d-\d\d)?[T,]?\s*(?=\d{1,2}(?::|h)\d\d)/i, "");
  const match = text.length > 40 ? null : clockShape.exec(text);
  if (match === null) return undefined;
  const [, hourText, minuteText, secondText, half, zone] = match;
  const noon = half === undefined ? undefined : half.toLowerCase().startsWith("p");
  const written = Number(hourText);
  if (noon !== undefined && (written < 1 || written > 12)) return undefined;
  const hour = noon === undefined ? written : (written % 12) + (noon ? 12 : 0);
  // `10:00-11:00` is a length of time, not an offset: only a full timestamp has its offset that close.
  const isSpan =
    zone?.startsWith("-") === true &&
    secondText === undefined &&
    text === cell.trim() &&
    !/\s[-+]/.test(text);
  if (isSpan) return undefined;
  const [minute, second] = [Number(minuteText), Number(secondText ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return {
    hour,
    minute,
    second,
    precisionMs: secondText === undefined ? 60_000 : 1_000,
    ...(zone !== undefined && { zone: readZone(zone) }),
  };
}

function epochMs(date: string, clock: Clock, zone: string): { ms: number; ambiguous: boolean } {
  const timeZone = readZone(zone);
  const { hour, minute, second } = clock;
  try {
    const local = Temporal.PlainDate.from(date).toPlainDateTime({ hour, minute, second });
    const earlier = local.toZonedDateTime(timeZone, { disambiguation: "earlier" }).epochMilliseconds;
    const later = local.toZonedDateTime(timeZone, { disambiguation: "later" });
    // In the hour that a clock change leaves out, the answer has another clock time than the one asked for.
    if (!later.toPlainDateTime().equals(local)) {
      throw refuse(
        `The clocks of ${zone} skipped that time on ${date}.`,
        "Check the row's time and the `timezone:`.",
      );
    }
    return { ms: earlier, ambiguous: later.epochMilliseconds !== earlier };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw refuse(
      `The time zone ${JSON.stringify(zone.slice(0, 64))} is unknown.`,
      "Name one such as Europe/Paris, +02:00 or UTC.",
    );
  }
}

/** RFC 3339, so that the limits of the calendar are checked where every other time is. */
function formatUtc(ms: number): string {
  return new Date(ms).toISOString();
}

function refuse(problem: string, remedy: string): IsochronError {
  return new IsochronError("record-invalid", problem, remedy);
}
