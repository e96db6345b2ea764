import { IsochronError } from "../../errors.ts";

const remedy =
  "Write UTC, an offset such as UTC+02:00, or a name such as Europe/Paris; an abbreviation can mean several zones.";

/** Offsets with `UTC` before them may leave out their minutes; the signs are those that word processors write. */
const namedOffset = /\b(?:utc|gmt)\s*([+\-\u2212\u2013])(\d{1,2})(?::?(\d\d))?(?![\d:\w])/i;
const bareOffset = /(?<![\w:])([+\-\u2212])(\d\d):?(\d\d)(?![\d:\w])/;
const bracketedOffset = /[([]\s*([+\-\u2212])(\d{1,2})(?::?(\d\d))?\s*[)\]]/;
const areaName =
  /\b(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)\/[\w+-]+(?:\/[\w-]+)?/i;

/** What is written for a zone, but names none for certain: `CST` is three of them. */
const abbreviations =
  "CES?T|EES?T|WES?T|MESZ|MEZ|BST|IST|MSK|TRT|[ECMP][DS]?T|AK[DS]T|HST|A[CEW][DS]T|NZ[DS]T|[JK]ST|SGT|HKT|PHT|WIB|" +
  "[CESW]AT|SAST|BRT|ART|CLT|COT|PET|GST|PKT|(?:pacific|eastern|central|mountain)(?: standard| daylight)? time";
const bareAbbreviation = new RegExp(`\\b(?:${abbreviations})\\b`);
const bracketedAbbreviation = new RegExp(`[([][^)\\]]*\\b(?:${abbreviations})\\b[^)\\]]*[)\\]]`, "i");
const bracketedCapitals = /[([]\s*(?!GMT)[A-Z]{1,4}T\s*[)\]]/;

/**
 * The zone that a column's heading names, as an IANA name, `UTC` or `±hh:mm`; undefined where it names none.
 * Throws `record-invalid` where it names one that is not certain, because UTC instead would be hours off.
 */
export function readHeadingZone(heading: string): string | undefined {
  const area = areaName.exec(heading)?.[0];
  if (area !== undefined) return checkedArea(area);
  const shapes = [bareAbbreviation, bracketedAbbreviation, bracketedCapitals];
  if (shapes.some((shape) => shape.test(heading))) throw uncertain(heading);
  const offset = namedOffset.exec(heading) ?? bareOffset.exec(heading) ?? bracketedOffset.exec(heading);
  const spelt = offset === null ? undefined : spellOffset(offset);
  if (spelt !== undefined) return spelt;
  if (offset !== null) throw uncertain(heading);
  if (/\b(?:utc|gmt)\s*(?:[+\-\u2212\u2013\u00b1]\s*\d|\d(?!\d?h))/i.test(heading)) throw uncertain(heading);
  if (/\b(?:utc|gmt)\b|[([]z[)\]]/i.test(heading)) return "UTC";
  return undefined;
}

/** A zone that stands alone, in a cell or in the front matter: as `readHeadingZone`, and any other name as it is. */
export function readZone(text: string): string {
  const zone = text.trim().replace(/^\((.*)\)$/, "$1");
  if (/^(?:z|utc|gmt)$/i.test(zone)) return "UTC";
  const offset = namedOffset.exec(zone) ?? bracketedOffset.exec(`(${zone})`);
  return (offset === null ? undefined : spellOffset(offset)) ?? zone;
}

/** Undefined where no place has it: the Line Islands are the farthest, at +14:00. */
function spellOffset([, sign, hours = "", minutes = "00"]: RegExpExecArray): string | undefined {
  if (Number(hours) > 14 || Number(minutes) > 59) return undefined;
  return `${sign === "+" ? "+" : "-"}${hours.padStart(2, "0")}:${minutes}`;
}

function checkedArea(name: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch (error) {
    if (error instanceof RangeError) throw uncertain(name);
    throw error;
  }
}

function uncertain(text: string): IsochronError {
  return new IsochronError(
    "record-invalid",
    `The time zone in ${JSON.stringify(text.slice(0, 64))} is not certain.`,
    remedy,
  );
}
