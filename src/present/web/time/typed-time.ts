import { readOffset } from "./length.ts";
import { formatMoment, isZone, momentIn, partsIn } from "./zone.ts";

/** A moment, or a distance from now that stays relative until somebody freezes it. */
export type TimeExpression =
  { readonly kind: "absolute"; readonly ms: number } | { readonly kind: "relative"; readonly ms: number };

/** What was read, and a sentence that says how, when the text left something open. */
export type ReadTime =
  | { readonly ok: true; readonly time: TimeExpression; readonly echo?: string }
  | { readonly ok: false; readonly problem: string };

const abbreviations: Readonly<Record<string, string>> = {
  utc: "UTC",
  z: "UTC",
  gmt: "UTC",
  cet: "Europe/Paris",
  cest: "Europe/Paris",
  bst: "Europe/London",
  wet: "Europe/Lisbon",
  west: "Europe/Lisbon",
  ist: "Asia/Kolkata",
  jst: "Asia/Tokyo",
  est: "America/New_York",
  edt: "America/New_York",
  cst: "America/Chicago",
  cdt: "America/Chicago",
  mst: "America/Denver",
  mdt: "America/Denver",
  pst: "America/Los_Angeles",
  pdt: "America/Los_Angeles",
};

/** The earliest and latest moments that can be typed: years 1900 to 9999. */
const earliest = Date.UTC(1900, 0, 1);
const latest = Date.UTC(9999, 11, 31);

function absolute(ms: number): ReadTime {
  if (!Number.isFinite(ms) || ms < earliest || ms > latest) {
    return { ok: false, problem: "That moment is outside the calendar (years 1900 to 9999)." };
  }
  return { ok: true, time: { kind: "absolute", ms } };
}

/**
 * Reads a time as people type it: `-2h`, `now`, RFC 3339, `2026-11-21 10:06`, `10:06:30`, each with an
 * optional zone at its end. Without a zone it is read in `zone`, without a date on the day of `near`; both are echoed.
 */
export function readTime(typed: string, zone: string, near: number): ReadTime {
  const text = typed.trim().replaceAll("−", "-");
  const offset = readOffset(text);
  if (offset !== undefined) return { ok: true, time: { kind: "relative", ms: offset } };
  if (/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?\s?(Z|[+-]\d{2}:\d{2})$/i.test(text)) {
    return absolute(Date.parse(text.replace(" ", "T").replace(/\s/g, "").toUpperCase()));
  }
  const match =
    /^(?:(\d{4})-(\d{2})-(\d{2})(?:[T ](?=\d)|(?=\s|$)))?(?:(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?)?(?:\s+([A-Za-z][A-Za-z0-9_/+-]*|(?:UTC|GMT)?[+-]\d{2}:\d{2}))?$/.exec(
      text,
    );
  if (match === null || (match[1] === undefined && match[4] === undefined)) {
    return { ok: false, problem: "Type a time such as 10:06, 10:06 CEST, 2026-11-21 10:06, -2h or now." };
  }
  const named = match[8];
  const readIn =
    named === undefined
      ? zone
      : (abbreviations[named.toLowerCase()] ?? named.replace(/^(UTC|GMT)(?=[+-])/, ""));
  if (!isZone(readIn)) return { ok: false, problem: `There is no time zone called “${named ?? readIn}”.` };
  const day = partsIn(near, readIn);
  const field = (index: number, otherwise: number) =>
    match[index] === undefined ? otherwise : Number(match[index]);
  const [hour, minute, second] = [field(4, 0), field(5, 0), field(6, 0)];
  const [month, date] = [field(2, day.month), field(3, day.day)];
  const year = field(1, day.year);
  const onCalendar =
    new Date(Date.UTC(year, month - 1, date)).getUTCDate() === date && month >= 1 && month <= 12;
  if (hour > 23 || minute > 59 || second > 59 || !onCalendar) {
    return { ok: false, problem: "That is not a time of day on the calendar." };
  }
  const ms = Number((match[7] ?? "0").padEnd(3, "0"));
  const read = absolute(momentIn(Date.UTC(year, month - 1, date, hour, minute, second, ms), readIn));
  if (!read.ok || (match[1] !== undefined && named !== undefined)) return read;
  if (read.time.kind !== "absolute") return read;
  return { ...read, echo: `reading “${text}” as ${formatMoment(read.time.ms, readIn)}` };
}
