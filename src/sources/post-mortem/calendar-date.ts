const months = [
  ["january", "janvier"],
  ["february", "février"],
  ["march", "mars"],
  ["april", "avril"],
  ["may", "mai"],
  ["june", "juin"],
  ["july", "juillet"],
  ["august", "août"],
  ["september", "septembre"],
  ["october", "octobre"],
  ["november", "novembre"],
  ["december", "décembre"],
] as const;

const monthWord = "([a-zéû]{3,9})";

/**
 * The first date in a text as `YYYY-MM-DD`: ISO, or with the month's English or French name in it (`2 August 2024`,
 * `Aug 2nd, 2024`, `2 août 2024`). Undefined for days that no calendar has, and for `02/08/2024`, which two halves
 * of the world read differently.
 */
export function readDate(text: string): string | undefined {
  const lower = text.toLowerCase();
  const iso = /(?<!\d)(\d{4})-(\d\d)-(\d\d)(?!\d)/.exec(lower);
  if (iso !== null) return calendarDate(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const dayFirst = new RegExp(
    `(?<!\\d)(\\d{1,2})(?:st|nd|rd|th|er)?\\.? ${monthWord}\\.?,? (\\d{4})(?!\\d)`,
  ).exec(lower);
  if (dayFirst !== null)
    return calendarDate(Number(dayFirst[3]), monthNumber(dayFirst[2]), Number(dayFirst[1]));
  const monthFirst = new RegExp(
    `(?<![a-z])${monthWord}\\.? (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})(?!\\d)`,
  ).exec(lower);
  if (monthFirst === null) return undefined;
  return calendarDate(Number(monthFirst[3]), monthNumber(monthFirst[1]), Number(monthFirst[2]));
}

/** 1 to 12; an abbreviation of three letters or more is enough; 0 for what is no month. */
function monthNumber(word: string | undefined): number {
  if (word === undefined) return 0;
  return months.findIndex((names) => names.some((name) => name.startsWith(word))) + 1;
}

function calendarDate(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  const real = year >= 1970 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return real ? date.toISOString().slice(0, 10) : undefined;
}
