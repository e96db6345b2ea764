import type { RestApi } from "./api-shape.ts";

/**
 * Spells a moment as an API wants it. Lengths of time are rounded up, never down, and one minute is added to them,
 * because the service's clock and ours may differ by that much.
 */
export function spellSince(spelling: RestApi["since"], since: number, now: number): string {
  const iso = new Date(since).toISOString();
  const minutes = Math.max(1, Math.ceil((now - since) / 60_000) + 1);
  switch (spelling) {
    case "rfc3339":
      return `${iso.slice(0, 19)}Z`;
    case "utc":
      return iso.slice(0, 19).replace("T", " ");
    case "epoch":
      return String(Math.floor(since / 1000));
    case "minutes":
      return `-${minutes}m`;
    case "ago":
      return spellAgo(minutes);
  }
}

/** Request Tracker takes numbers of four digits before a unit for a time of day, so that larger units come in first. */
function spellAgo(minutes: number): string {
  if (minutes <= 99) return `${minutes} minutes ago`;
  const hours = Math.ceil(minutes / 60);
  return hours <= 99 ? `${hours} hours ago` : `${Math.ceil(hours / 24)} days ago`;
}
