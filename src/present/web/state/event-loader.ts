import type { CoverageJson, EventJson, EventsPageJson, HistogramJson } from "../../api/contract.ts";
import { readApi } from "./client.ts";
import type { TimeRange } from "../timeline/time-scale.ts";

/** Events of one filter, complete within [from, to). */
export interface LoadedEvents extends TimeRange {
  readonly filter: string;
  /** In order of (time, id). */
  readonly events: readonly EventJson[];
  /** Set where there were too many: from here on only the critical ones are known. */
  readonly cutAt: number | undefined;
  /** False while more pages are on their way. */
  readonly complete: boolean;
}

/** More than this many events at once are not loaded; the window has to be narrowed. */
export const eventsMax = 12_000;
const pageSize = 2000;
const firstPageSize = 500;

export interface Loading {
  readonly filter: string;
  readonly range: TimeRange;
  readonly signal: AbortSignal;
  /** Called after each page with what is known so far. */
  readonly progress: (loaded: LoadedEvents, coverage: CoverageJson) => void;
}

function pathOf(route: string, filter: string, extra: Record<string, string>): string {
  const query = new URLSearchParams(filter);
  for (const [name, value] of Object.entries(extra)) query.set(name, value);
  return `${route}?${query.toString()}`;
}

function times(range: TimeRange): { from: string; to: string } {
  return { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
}

/** When each event was taken back, by the page's own clock: an answer asked for before may still hold it. */
const lostAt = new Map<string, number>();
/** No answer is waited for that long. */
const answerMs = 120_000;

export function noteLost(ids: Iterable<string>): void {
  const now = performance.now();
  for (const [id, at] of lostAt) if (now - at > answerMs) lostAt.delete(id);
  for (const id of ids) lostAt.set(id, now);
}

/** An event may come back to whoever lost it. */
export function noteSeen(events: readonly EventJson[]): void {
  for (const { id } of events) lostAt.delete(id);
}

/** The events but those with one of these ids. */
export function dropEvents(
  events: readonly EventJson[],
  lost: { has(id: string): boolean },
): readonly EventJson[] {
  return events.some(({ id }) => lost.has(id)) ? events.filter(({ id }) => !lost.has(id)) : events;
}

/** Leaves out what was taken back since the question was asked. */
function withoutLost(loading: Loading): Loading {
  const askedAt = performance.now();
  const lost = { has: (id: string) => (lostAt.get(id) ?? -1) >= askedAt };
  return {
    ...loading,
    progress: (loaded, coverage) =>
      loading.progress({ ...loaded, events: dropEvents(loaded.events, lost) }, coverage),
  };
}

/** Reads the window page by page, then a page on either side, so that small moves need no request. */
export async function loadWindow(asked: Loading): Promise<void> {
  const loading = withoutLost(asked);
  const { filter, range, signal, progress } = loading;
  const events: EventJson[] = [];
  let cursor: string | null = null;
  let coverage: CoverageJson | undefined;
  do {
    const page: EventsPageJson = await readApi<EventsPageJson>(
      pathOf("events", filter, {
        ...times(range),
        order: "oldest",
        limit: String(cursor === null ? firstPageSize : pageSize),
        ...(cursor === null ? {} : { cursor }),
      }),
      signal,
    );
    events.push(...page.events);
    cursor = page.next_cursor;
    coverage = page.coverage;
    const cutAt = cursor === null ? undefined : lastTime(events, range.from);
    if (cursor !== null && events.length >= eventsMax) {
      const rare = await loadRare(filter, { from: cutAt ?? range.from, to: range.to }, signal);
      progress({ filter, ...range, events: mergeEvents(events, rare), cutAt, complete: true }, coverage);
      return;
    }
    progress({ filter, ...range, events: [...events], cutAt, complete: cursor === null }, coverage);
  } while (cursor !== null);
  await loadSides(loading, events, coverage);
}

function lastTime(events: readonly EventJson[], otherwise: number): number {
  const last = events.at(-1);
  return last === undefined ? otherwise : Date.parse(last.occurred_at);
}

/** What must never be hidden, also where the rest is too much. */
async function loadRare(
  filter: string,
  range: TimeRange,
  signal: AbortSignal,
): Promise<readonly EventJson[]> {
  const path = pathOf("events", filter, {
    ...times(range),
    severity: "critical",
    limit: "500",
    order: "oldest",
  });
  return (await readApi<EventsPageJson>(path, signal)).events;
}

async function loadSides(
  loading: Loading,
  events: readonly EventJson[],
  coverage: CoverageJson,
): Promise<void> {
  const { filter, range, signal, progress } = loading;
  const span = range.to - range.from;
  const left = { from: range.from - span, to: range.from };
  const right = { from: range.to, to: range.to + span };
  const read = (side: TimeRange, order: "newest" | "oldest") =>
    readApi<EventsPageJson>(
      pathOf("events", filter, { ...times(side), order, limit: String(pageSize / 2) }),
      signal,
    );
  const [before, after] = await Promise.all([read(left, "newest"), read(right, "oldest")]);
  const from = before.next_cursor === null ? left.from : lastTime(before.events, left.to) + 1;
  const to = after.next_cursor === null ? right.to : lastTime(after.events, right.from);
  const keep = [...before.events.toReversed(), ...events, ...after.events].filter((event) => {
    const at = Date.parse(event.occurred_at);
    return at >= from && at < to;
  });
  progress({ filter, from, to, events: keep, cutAt: undefined, complete: true }, coverage);
}

/** Both lists in order of (time, id), each event once; the later list's version wins. */
export function mergeEvents(known: readonly EventJson[], more: readonly EventJson[]): EventJson[] {
  const byId = new Map<string, EventJson>();
  for (const event of known) byId.set(event.id, event);
  for (const event of more) byId.set(event.id, event);
  return [...byId.values()].toSorted(compareEvents);
}

export function compareEvents(a: EventJson, b: EventJson): number {
  return Date.parse(a.occurred_at) - Date.parse(b.occurred_at) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

export function loadHistogram(
  filter: string,
  range: TimeRange,
  bins: number,
  signal: AbortSignal,
): Promise<HistogramJson> {
  return readApi<HistogramJson>(pathOf("histogram", filter, { ...times(range), bins: String(bins) }), signal);
}

/**
 * What the overview shows around a window: everything, where that is not too wide; otherwise four windows.
 * The range before is kept as long as it still fits, so that the ground does not move under the brush.
 */
export function overviewRange(
  window: TimeRange,
  extent: TimeRange | undefined,
  before: TimeRange | undefined,
): TimeRange {
  const span = window.to - window.from;
  if (before !== undefined && window.from >= before.from && window.to <= before.to) {
    const share = span / (before.to - before.from);
    if (share > 1 / 60 && share <= 0.9) return before;
  }
  if (extent !== undefined) {
    const air = Math.max((extent.to - extent.from) * 0.02, 1000);
    const whole = {
      from: Math.min(extent.from - air, window.from),
      to: Math.max(extent.to + air, window.to),
    };
    if (whole.to - whole.from <= span * 40) return whole;
  }
  const middle = (window.from + window.to) / 2;
  return { from: Math.round(middle - span * 2), to: Math.round(middle + span * 2) };
}
