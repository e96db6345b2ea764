/// <reference lib="esnext.temporal" />
import { IsochronError } from "../../errors.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { Json } from "../../model/json.ts";
import type { Decoders } from "../source.ts";

/** When a line was written, and how well that is known. */
export interface LineTime {
  readonly at: Instant;
  readonly precision: Duration;
  /** True for a time of the hour that a clock change repeats; the earlier of the two is taken. */
  readonly ambiguous: boolean;
}

const zoneless = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?$/;

/**
 * Reads a line's time: RFC 3339, seconds or milliseconds since 1970, or oslo.log's local time, which names no zone
 * (`2026-11-21 02:34:18.333`, also with a comma). Throws `record-invalid`, also for a local time where `zone` is unknown.
 */
export function readLineTime(value: Json, zone: string | undefined, decode: Decoders): LineTime {
  if (typeof value === "number") return { at: fromEpoch(value), precision: duration(0), ambiguous: false };
  if (typeof value !== "string") throw invalid("The line has no time.", "Ship the line with its time.");
  if (/^\d{9,13}(?:\.\d{1,9})?$/.test(value)) {
    return { at: fromEpoch(Number(value)), precision: duration(0), ambiguous: false };
  }
  const text = value.trim().replace(",", ".");
  const precision = duration(text.includes(".") ? 0 : 1_000);
  if (!zoneless.test(text)) return { at: decode.time(text), precision, ambiguous: false };
  if (zone === undefined) {
    throw invalid(
      "The line's time names no time zone, and nobody says which it is.",
      "Set `zone` on the connection, or import the file with --timezone.",
    );
  }
  return inZone(decode.time(text, { naive: "utc" }), zone, precision);
}

/** Epoch seconds lie below 10^11 until the year 5138, milliseconds above it since 1973. */
function fromEpoch(value: number): Instant {
  return instant(value < 100_000_000_000 ? value * 1_000 : value);
}

/** Local times of one hour share an offset but for the hours in which clocks change. */
const offsets = new Map<
  string,
  { readonly earlier: number; readonly later: number; readonly skips: boolean }
>();
const offsetsMax = 4_096;

function inZone(local: Instant, zone: string, precision: Duration): LineTime {
  const quarter = Math.floor(local / 900_000);
  const key = `${zone} ${quarter}`;
  const known = offsets.get(key) ?? offsetsOf(quarter * 900_000, zone);
  if (offsets.size >= offsetsMax) offsets.clear();
  offsets.set(key, known);
  if (known.skips) {
    throw invalid(
      `The clocks of ${zone} skipped the line's time.`,
      "Check the zone that the connection names.",
    );
  }
  const ambiguous = known.earlier !== known.later;
  return {
    at: instant(local - known.earlier),
    precision: ambiguous ? duration(3_600_000) : precision,
    ambiguous,
  };
}

function offsetsOf(local: number, zone: string): { earlier: number; later: number; skips: boolean } {
  const plain = Temporal.PlainDateTime.from(new Date(local).toISOString().slice(0, 23));
  try {
    const earlier = plain.toZonedDateTime(zone, { disambiguation: "earlier" });
    const later = plain.toZonedDateTime(zone, { disambiguation: "later" });
    return {
      earlier: local - earlier.epochMilliseconds,
      later: local - later.epochMilliseconds,
      // In the hour that a clock change leaves out, the answer has another clock time than the one asked for.
      skips: !later.toPlainDateTime().equals(plain),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid(
      `The time zone ${JSON.stringify(zone.slice(0, 64))} is unknown.`,
      "Name one such as Europe/Paris, +02:00 or UTC.",
    );
  }
}

function invalid(problem: string, remedy: string): IsochronError {
  return new IsochronError("record-invalid", problem, remedy);
}
