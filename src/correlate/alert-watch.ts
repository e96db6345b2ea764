import { formatInstant, type Instant } from "../model/instant.ts";
import type { AlertEpisode } from "./alert-episode.ts";

/** A stretch in which nothing was seen through a monitor. */
export interface BlindSpan {
  readonly monitor: string;
  readonly from: Instant;
  /** Absent while it lasts. */
  readonly to?: Instant;
  /** In words, such as `nothing was heard of zabbix`. */
  readonly says: string;
  /**
   * True where the monitor itself was heard but what feeds it was not: ends that it told meanwhile are those of alerts
   * that it stopped hearing of.
   */
  readonly fed?: boolean;
}

/** A recovery that is told so shortly before the heartbeat's own may be one for want of measurements. */
const feedSlackMs = 5 * 60_000;

/** When each monitor's heartbeat (an alert that always fires) was gone, as its episodes tell. */
export function heartbeatSpans(episodes: readonly AlertEpisode[]): readonly BlindSpan[] {
  const beats = Map.groupBy(
    episodes.filter(({ heartbeat }) => heartbeat),
    ({ series }) => series,
  );
  return [...beats.values()].flatMap((series) =>
    series.flatMap((beat, index): readonly BlindSpan[] => {
      if (beat.to === undefined) return [];
      const back = series[index + 1]?.from;
      const says = `the heartbeat “${beat.problem}” of ${beat.monitor} was gone`;
      const span = { monitor: beat.monitor, from: beat.to, says, fed: true };
      return [back === undefined ? span : { ...span, to: back }];
    }),
  );
}

/**
 * Why nobody can tell whether the episode lasts, in words; undefined where it can be told. Absence of measurements is
 * never trouble: not where an alert tells of it, and not where a monitor fell silent after what it told.
 */
export function unknownBecause(
  episode: AlertEpisode,
  blind: readonly BlindSpan[],
  now: Instant,
): string | undefined {
  const { to, events, problemClass, monitor } = episode;
  if (problemClass === "no-data" && to === undefined)
    return "measurements are missing, which says nothing of the thing itself";
  const lastAt = events.at(-1)!.occurredAt;
  const span = blind.find(
    (one) =>
      one.monitor === monitor && one.from <= now && (to === undefined ? hides(one, lastAt) : undoes(one, to)),
  );
  if (span === undefined) return undefined;
  const since = formatInstant(span.from).slice(0, 16);
  return `${span.says} ${span.to === undefined ? "since" : "from"} ${since}Z${span.to === undefined ? "" : ` until ${formatInstant(span.to).slice(0, 16)}Z`}, so nobody knows whether it lasted`;
}

/** A recovery may lie in the span, unread. */
function hides({ to, fed }: BlindSpan, lastAt: Instant): boolean {
  // When the heartbeat is back, what still fires is heard of again.
  if (fed === true) return to === undefined;
  return to === undefined || to > lastAt;
}

/** The recovery was told because nothing was heard any more. */
function undoes({ from, to, fed }: BlindSpan, endedAt: Instant): boolean {
  return fed === true && endedAt >= from - feedSlackMs && (to === undefined || endedAt <= to);
}
