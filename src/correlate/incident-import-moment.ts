/// <reference lib="esnext.temporal" />
import type { Duration, Instant } from "../model/instant.ts";
import { duration, instant, isInRange } from "../model/instant.ts";

/** Why a line of a document was set aside, in words for whoever mends the document. */
export const importRemedies = {
  "time-unreadable": "Write the time as 14:05, 14:05:30 or 2026-05-14T14:05:30Z.",
  "date-missing":
    "Give the day: in the line, in a heading above it, or as `date: 2026-05-14` in the front matter.",
  "zone-missing":
    "Say in which time zone it is: `timezone: Europe/Paris` in the front matter, (UTC) in the column's heading, or when importing.",
  "zone-unclear":
    "Write UTC, an offset such as +02:00, or a name such as Europe/Paris; an abbreviation can mean several zones.",
  "time-skipped": "The clocks of that zone left this time out on that day; check both.",
  "text-missing": "Say what happened.",
  "text-too-long": "Shorten the line to 10,000 characters.",
  "kind-unknown": "Use change, symptom, recovery, human, activity, note or decision, or leave it empty.",
  "thing-missing": "Name what the times are of in the first column.",
  "record-unknown": "Use event, row, note, decision or time in the column `record`, or leave it out.",
} as const;
export type ImportCode = keyof typeof importRemedies;

export interface ReadMoment {
  readonly at: Instant;
  readonly precision: Duration;
  /** What stands behind the time. */
  readonly rest: string;
  /** Minutes after midnight and the day, as written. */
  readonly minutes: number;
  readonly date: string;
}

export interface MomentContext {
  readonly date?: string | undefined;
  readonly timezone?: string | undefined;
}

const months = "january february march april may june july august september october november december".split(
  " ",
);
const frenchMonths =
  "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(" ");

const clockShape =
  /^(\d{1,2})(?::|h)(\d\d)(?:(?::|m)(\d\d)(?:[.,](\d{1,9}))?)?s?(?![\d:])(?:\s*([ap])\.?m\.?(?!\p{L}))?/iu;
const zoneShape =
  /^\s*[([]?\s*(z(?![\p{L}\p{N}])|(?:utc|gmt)(?:\s*[+\-−–]\s*\d{1,2}(?::?\d\d)?)?(?![\p{L}\p{N}])|[+\-−]\d\d:?\d\d(?!\d)|(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)\/[\w+-]+(?:\/[\w-]+)?)\s*[)\]]?/iu;
const abbreviation = /^\s*[([]?\s*([A-Z]{2,4}T|MEZ|MESZ|WIB)(?![\p{L}\p{N}])\s*[)\]]?/u;
const widthShape = /^\s*±\s*(\d{1,9})\s*(ms|s|min)(?!\p{L})/iu;

/** The day at the beginning of a text as `YYYY-MM-DD`, with how many characters it took. */
export function readDay(text: string): { readonly date: string; readonly length: number } | undefined {
  const iso = /^(\d{4})-(\d\d)-(\d\d)(?!\d)/.exec(text);
  if (iso !== null) return dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]), iso[0].length);
  const dayFirst = /^(\d{1,2})(?:st|nd|rd|th|er)?\.? (\p{L}{3,9})\.?,? (\d{4})(?!\d)/iu.exec(text);
  if (dayFirst !== null)
    return dayOf(Number(dayFirst[3]), monthOf(dayFirst[2]), Number(dayFirst[1]), dayFirst[0].length);
  const monthFirst = /^(\p{L}{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})(?!\d)/iu.exec(text);
  if (monthFirst === null) return undefined;
  return dayOf(Number(monthFirst[3]), monthOf(monthFirst[1]), Number(monthFirst[2]), monthFirst[0].length);
}

function monthOf(word = ""): number {
  const lower = word.toLowerCase();
  const find = (list: readonly string[]): number => list.findIndex((name) => name.startsWith(lower)) + 1;
  return find(months) || find(frenchMonths);
}

function dayOf(year: number, month: number, day: number, length: number): ReturnType<typeof readDay> {
  const date = new Date(Date.UTC(year, month - 1, day));
  const real = month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return real ? { date: date.toISOString().slice(0, 10), length } : undefined;
}

/**
 * The moment at the beginning of a text; undefined where it begins with none. A minute is known to 60,000 ms, a second to
 * 1,000, three decimals to the millisecond, and what `±` says to that.
 */
export function readMoment(text: string, context: MomentContext): ReadMoment | ImportCode | undefined {
  const day = readDay(text);
  const afterDay = text.slice(day?.length ?? 0).replace(/^[\sT,]+/, "");
  const clock = clockShape.exec(afterDay);
  if (clock === null) return undefined;
  const [whole, hourText, minuteText, secondText, decimals, half] = clock;
  const written = Number(hourText);
  const isNoon = half === undefined ? undefined : half.toLowerCase() === "p";
  if (isNoon !== undefined && (written < 1 || written > 12)) return "time-unreadable";
  const hour = isNoon === undefined ? written : (written % 12) + (isNoon ? 12 : 0);
  const [minute, second] = [Number(minuteText), Number(secondText ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return "time-unreadable";
  let rest = afterDay.slice(whole.length);
  const zone = zoneShape.exec(rest);
  if (zone === null && abbreviation.test(rest)) return "zone-unclear";
  rest = rest.slice(zone?.[0].length ?? 0);
  const width = widthShape.exec(rest);
  rest = rest.slice(width?.[0].length ?? 0);
  const date = day?.date ?? context.date;
  if (date === undefined) return "date-missing";
  const zoneName = zone?.[1] ?? context.timezone;
  if (zoneName === undefined) return "zone-missing";
  const millisecond = Math.floor(Number(`0.${decimals ?? "0"}`) * 1000);
  const placed = placeIn(date, { hour, minute, second, millisecond }, spellZone(zoneName));
  if (typeof placed === "string") return placed;
  const precision =
    width === null ? precisionOf(secondText, decimals) : Number(width[1]) * unitsMs[width[2]!.toLowerCase()]!;
  return {
    at: placed.at,
    precision: duration(Math.max(precision, placed.isTwice ? 3_600_000 : 0)),
    rest,
    minutes: hour * 60 + minute,
    date,
  };
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000 };

function precisionOf(seconds: string | undefined, decimals: string | undefined): number {
  if (seconds === undefined) return 60_000;
  if (decimals === undefined) return 1_000;
  return decimals.length >= 3 ? 0 : 10 ** (3 - decimals.length);
}

/** `UTC`, `±hh:mm` or an area's name; undefined for what names none for certain. */
export function spellZone(text: string): string | undefined {
  const zone = text
    .trim()
    .replace(/^[([](.*)[)\]]$/, "$1")
    .trim();
  if (/^(z|utc|gmt)$/i.test(zone)) return "UTC";
  const offset = /^(?:utc|gmt)?\s*([+\-−–])\s*(\d{1,2})(?::?(\d\d))?$/i.exec(zone);
  if (offset !== null) {
    const [, sign, hours = "", minutes = "00"] = offset;
    if (Number(hours) > 14 || Number(minutes) > 59) return undefined;
    return `${sign === "+" ? "+" : "-"}${hours.padStart(2, "0")}:${minutes}`;
  }
  return /^\p{L}+\/[\w+/-]+$/u.test(zone) ? zone : undefined;
}

/** The zone that a column's heading names: `Time (UTC)`, `When [Europe/Paris]`; `zone-unclear` for `Time (CEST)`. */
export function zoneOfHeading(heading: string): string | ImportCode | undefined {
  const inside = /[([]\s*([^)\]]{1,60}?)\s*[)\]]/.exec(heading)?.[1];
  const bare = /\b(utc|gmt)\b(\s*[+\-−]\s*\d{1,2}(:?\d\d)?)?/i.exec(heading)?.[0];
  const named =
    /\b(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)\/[\w+/-]+/i.exec(
      heading,
    )?.[0];
  const zone = [named, inside, bare]
    .flatMap((text) => (text === undefined ? [] : [spellZone(text)]))
    .find(Boolean);
  if (zone !== undefined) return zone;
  return abbreviation.test(inside ?? heading.split(/\s+/).at(-1) ?? "") ? "zone-unclear" : undefined;
}

function placeIn(
  date: string,
  clock: {
    readonly hour: number;
    readonly minute: number;
    readonly second: number;
    readonly millisecond: number;
  },
  zone: string | undefined,
): { readonly at: Instant; readonly isTwice: boolean } | ImportCode {
  if (zone === undefined) return "zone-unclear";
  try {
    const local = Temporal.PlainDate.from(date).toPlainDateTime(clock);
    const earlier = local.toZonedDateTime(zone, { disambiguation: "earlier" });
    const later = local.toZonedDateTime(zone, { disambiguation: "later" });
    if (!later.toPlainDateTime().equals(local)) return "time-skipped";
    const at = instant(earlier.epochMilliseconds);
    // Of the hour that a clock change repeats the earlier is taken, as imprecise as that makes it.
    return isInRange(at) ? { at, isTwice: later.epochMilliseconds !== at } : "time-unreadable";
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return "zone-unclear";
  }
}
