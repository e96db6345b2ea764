import type { Instant } from "../../model/instant.ts";
import { instant } from "../../model/instant.ts";
import type { Decoders } from "../source.ts";

/**
 * Reads a time as PostgreSQL and MySQL write it (`2026-11-21 01:15:51.124+00`, or without a zone, which then is that of
 * the connection). Throws `record-invalid`, also for `infinity`, years BC and MySQL's zero dates.
 */
export function readTime(text: string, zone: string, decode: Decoders): Instant {
  // PostgreSQL shortens offsets to whole hours, which RFC 3339 does not.
  const zoned = text.replace(/(:\d\d(?:\.\d+)?)([+-]\d\d)$/, "$1$2:00");
  const day = /^\d{4}-\d\d-\d\d$/.test(zoned) ? `${zoned} 00:00:00` : zoned;
  const at = decode.time(day, { naive: "utc" });
  const isZoned = /([Zz]|[+-]\d\d:?\d\d)$/.test(day.slice(10));
  return isZoned || zone === "UTC" ? at : instant(at - offsetOf(zone, at));
}

/** How far the zone is ahead of UTC at a local time, in ms; of an hour that comes twice, the first is meant. */
function offsetOf(zone: string, local: number): number {
  const before = offsetAt(zone, local - 86_400_000);
  const guess = offsetAt(zone, local - before);
  return offsetAt(zone, local - guess) === guess ? guess : before;
}

function offsetAt(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const part = (type: string): number => Number(parts.find((one) => one.type === type)?.value ?? 0);
  const local = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return local - Math.floor(at / 1000) * 1000;
}
