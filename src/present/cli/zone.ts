import { instant, type Instant } from "../../model/instant.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** A time zone of the IANA database, read through Intl. */
export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  /** Throws RangeError when there is no such zone. */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** How far local time is ahead of UTC at that moment, in whole minutes. */
  offsetMinutes(at: Instant): number {
    const fields: Record<string, string> = {};
    for (const { type, value } of this.#format.formatToParts(at)) fields[type] = value;
    const year = fields["era"] === "BC" ? 1 - Number(fields["year"]) : Number(fields["year"]);
    const local = new Date(0);
    local.setUTCFullYear(year, Number(fields["month"]) - 1, Number(fields["day"]));
    local.setUTCHours(Number(fields["hour"]), Number(fields["minute"]), Number(fields["second"]));
    return Math.round((local.getTime() - Math.floor(at / 1000) * 1000) / minuteMs);
  }

  /** The moments at which clocks there show this local time (ms as if it were UTC): none, one or two, earlier first. */
  instantsOf(localMs: number): readonly Instant[] {
    const offsets = [localMs - dayMs, localMs + dayMs].map((near) => this.offsetMinutes(instant(near)));
    const moments = [...new Set(offsets)].map((offset) => instant(localMs - offset * minuteMs));
    return moments
      .filter((at) => at + this.offsetMinutes(at) * minuteMs === localMs)
      .sort((left, right) => left - right);
  }

  /** RFC 3339 with the zone's own offset, milliseconds only where there are some. */
  rfc3339(at: Instant): string {
    const text = this.#local(at)
      .replace("Z", "")
      .replace(/\.000$/, "");
    const offset = this.offsetMinutes(at);
    return `${text}${offset === 0 && this.name === "UTC" ? "Z" : offsetText(offset)}`;
  }

  /** Date and time as exact as the source knows them, without zone: to the minute, second or millisecond. */
  dateTime(at: Instant, precisionMs: number): string {
    const text = this.#local(at).replace("T", " ");
    if (precisionMs >= minuteMs) return text.slice(0, -8);
    return precisionMs >= 1000 ? text.slice(0, -5) : text.slice(0, -1);
  }

  #local(at: Instant): string {
    return new Date(at + this.offsetMinutes(at) * minuteMs).toISOString();
  }
}

/** `+05:30`. */
export function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
