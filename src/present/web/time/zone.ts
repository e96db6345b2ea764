/** Times of day in any IANA zone, with the zone always named. All moments are milliseconds since the epoch. */

interface ZonedParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
}

const clocks = new Map<string, Intl.DateTimeFormat>();
const names = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/** The zone that the browser is set to. */
export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** Whether the runtime knows this zone. */
export function isZone(zone: string): boolean {
  try {
    clockOf(zone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The calendar fields of a moment as clocks in `zone` show them. */
export function partsIn(at: number, zone: string): ZonedParts {
  const fields: Record<string, number> = {};
  for (const part of clockOf(zone).formatToParts(at)) {
    if (part.type !== "literal") fields[part.type] = Number(part.value);
  }
  const field = (name: string) => fields[name] ?? 0;
  return {
    year: field("year"),
    month: field("month"),
    day: field("day"),
    hour: field("hour"),
    minute: field("minute"),
    second: field("second"),
    ms: ((at % 1000) + 1000) % 1000,
  };
}

/** How far the clocks in `zone` are ahead of UTC at this moment, in milliseconds. */
export function offsetMs(at: number, zone: string): number {
  if (zone === "UTC") return 0;
  const parts = partsIn(at, zone);
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return local - Math.floor(at / 1000) * 1000;
}

/**
 * The moment at which clocks in `zone` show these fields (read as UTC in `localMs`).
 * In the hour that a change of clocks repeats, the earlier one; in the hour that it skips, the moment of the jump's far side.
 */
export function momentIn(localMs: number, zone: string): number {
  const before = offsetMs(localMs - 86_400_000, zone);
  const first = localMs - before;
  if (offsetMs(first, zone) === before) return first;
  return localMs - offsetMs(localMs - offsetMs(first, zone), zone);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** `+02:00`, or an empty string for UTC itself. */
export function formatOffset(at: number, zone: string): string {
  const minutes = Math.round(offsetMs(at, zone) / 60_000);
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** A short name for the zone at this moment: `UTC`, `CEST`, `UTC+05:30`. */
export function zoneName(at: number, zone: string): string {
  if (zone === "UTC") return "UTC";
  let namer = names.get(zone);
  if (namer === undefined) {
    namer = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short", hour: "2-digit" });
    names.set(zone, namer);
  }
  const name = namer.formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? zone;
  return /^(GMT|UTC)/.test(name) ? `UTC${formatOffset(at, zone)}` : name;
}

/** `02:58:01`, with milliseconds when asked. */
export function formatClock(
  at: number,
  zone: string,
  precision: "minute" | "second" | "ms" = "second",
): string {
  const parts = partsIn(at, zone);
  const minute = `${two(parts.hour)}:${two(parts.minute)}`;
  if (precision === "minute") return minute;
  const second = `${minute}:${two(parts.second)}`;
  return precision === "second" ? second : `${second}.${String(parts.ms).padStart(3, "0")}`;
}

/** `2026-11-21`. */
export function formatDate(at: number, zone: string): string {
  const parts = partsIn(at, zone);
  return `${String(parts.year).padStart(4, "0")}-${two(parts.month)}-${two(parts.day)}`;
}

/** `2026-11-21 02:58:01 CEST`: never without its zone. */
export function formatMoment(
  at: number,
  zone: string,
  precision: "minute" | "second" | "ms" = "second",
): string {
  return `${formatDate(at, zone)} ${formatClock(at, zone, precision)} ${zoneName(at, zone)}`;
}
