import { batch, computed, effect, signal } from "@preact/signals";
import type { CoverageJson, EventJson, HistogramJson } from "../../api/contract.ts";
import { isAbort, readApi, RequestFailure } from "./client.ts";
import { loadHistogram, loadWindow, overviewRange, type LoadedEvents } from "./event-loader.ts";
import { preferredZone } from "./preferences.ts";
import { address, goTo } from "./route.ts";
import { session } from "./session.ts";
import { filterQuery, freezeView, plainView, rangeOf, readView, spellView, type View } from "./view.ts";
import { tidyRange, type TimeRange } from "../timeline/time-scale.ts";

/** The present as the pages show it; it stands still unless live mode or a reload moves it. */
export const now = signal(Date.now());

/** The view a bare address stands for: the first scene of a demo, or the last hour. */
const plain = computed<View>(() => {
  const scene = session.value?.scenes[0];
  const view = plainView(preferredZone.value);
  if (scene === undefined) return view;
  return {
    ...view,
    from: { kind: "absolute", ms: Date.parse(scene.from) },
    to: { kind: "absolute", ms: Date.parse(scene.to) },
  };
});

export const view = signal<View>(plainView(preferredZone.peek()));
export const range = computed<TimeRange>(() => rangeOf(view.value, now.value));
const filter = computed(() => filterQuery(view.value).toString());
const principal = computed(
  () =>
    `${session.value?.kind} ${session.value?.label} ${session.value?.as_tenant} ${session.value?.glass?.since}`,
);

export const loaded = signal<LoadedEvents | undefined>(undefined);
export const coverage = signal<CoverageJson | undefined>(undefined);
export const overview = signal<{ range: TimeRange; histogram: HistogramJson } | undefined>(undefined);
/** The exact number of events in the window, where not all of them are loaded. */
const cutTotal = signal<{ range: TimeRange; total: number } | undefined>(undefined);
export const unfilteredTotal = signal<number | undefined>(undefined);
export const failure = signal<{ failure: RequestFailure; since: number } | undefined>(undefined);
export const busy = signal(false);

/** The loaded events within the window, in order of time. */
export const windowEvents = computed<readonly EventJson[]>(() => {
  const { from, to } = range.value;
  return (loaded.value?.events ?? []).filter((event) => {
    const at = Date.parse(event.occurred_at);
    return at >= from && at < to;
  });
});

/** Whether what is shown answers the present question in full. */
export const settled = computed(
  () =>
    loaded.value !== undefined &&
    loaded.value.complete &&
    loaded.value.filter === filter.value &&
    loaded.value.from <= range.value.from &&
    loaded.value.to >= range.value.to,
);

/** How many events match in the window, and how many of them are loaded. */
export const totals = computed(() => {
  const known = windowEvents.value.length;
  const cut = cutTotal.value;
  const total = cut !== undefined && loaded.value?.cutAt !== undefined ? Math.max(cut.total, known) : known;
  return { known, total };
});

export function changeView(change: Partial<View>): void {
  view.value = { ...view.value, ...change };
}

export function showRange(next: TimeRange): void {
  const tidy = tidyRange(next.from, next.to);
  changeView({
    from: { kind: "absolute", ms: tidy.from },
    to: { kind: "absolute", ms: tidy.to },
    live: false,
  });
}

/** Asks everything again; relative windows end at the present. */
export function reload(): void {
  batch(() => {
    now.value = Date.now();
    if (loaded.value !== undefined) loaded.value = { ...loaded.value, complete: false };
    overviewFilter = undefined;
    failure.value = undefined;
    reloads.value++;
  });
}

/** The address of the present view with its times frozen. */
export function frozenLink(): string {
  return `${location.origin}/t?${spellView(freezeView(view.value, now.value))}`;
}

/** The address of the present view as it is, with relative times left relative. */
export function timelineHref(): string {
  return `/t?${spellView(view.value)}`;
}

let writing: ReturnType<typeof setTimeout> | undefined;

/** Small moves of the window follow each other quickly; only the last one asks. */
const settleMs = 60;

/** Keeps the address and the view in step, both ways; returns what stops it. */
export function followAddress(): () => void {
  const stopReading = effect(() => {
    const { search } = address.value;
    const base = plain.value;
    view.value = readView(search, base);
  });
  const stopWriting = effect(() => {
    const search = `?${spellView(view.value)}`;
    clearTimeout(writing);
    if (search === location.search && location.pathname === "/t") return;
    writing = setTimeout(() => {
      if (location.pathname === "/t" || location.pathname === "/") goTo(`/t${search}`, "replace");
    }, 150);
  });
  return () => {
    stopReading();
    stopWriting();
    clearTimeout(writing);
  };
}

const reloads = signal(0);

/** Loads what the window needs, whenever it or the filter changes; returns what stops it. */
export function followWindow(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  let asked = "";
  let knownPrincipal = principal.peek();
  const stop = effect(() => {
    const wanted = { filter: filter.value, range: range.value };
    if (principal.value !== knownPrincipal) {
      knownPrincipal = principal.value;
      forget();
    }
    const key = `${principal.value} ${reloads.value} ${wanted.filter} ${wanted.range.from} ${wanted.range.to}`;
    if (key === asked) return;
    asked = key;
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (settled.peek() && overviewFits(wanted.range, wanted.filter)) return;
      running?.abort();
      running = new AbortController();
      void load(wanted.filter, wanted.range, running.signal);
    }, settleMs);
  });
  return () => {
    stop();
    clearTimeout(timer);
    running?.abort();
  };
}

function forget(): void {
  batch(() => {
    loaded.value = undefined;
    overview.value = undefined;
    coverage.value = undefined;
    failure.value = undefined;
  });
}

let overviewFilter: string | undefined;

function extent(): TimeRange | undefined {
  const known = session.peek()?.extent;
  return known ? { from: Date.parse(known.first), to: Date.parse(known.last) } : undefined;
}

function overviewFits(window: TimeRange, wantedFilter: string): boolean {
  const shown = overview.peek()?.range;
  if (shown === undefined || overviewFilter !== wantedFilter) return false;
  const wanted = overviewRange(window, extent(), shown);
  return wanted.from === shown.from && wanted.to === shown.to;
}

async function load(wantedFilter: string, window: TimeRange, stop: AbortSignal): Promise<void> {
  busy.value = true;
  try {
    const tasks: Promise<void>[] = [];
    if (!overviewFits(window, wantedFilter)) tasks.push(loadOverview(wantedFilter, window, stop));
    if (!settled.peek()) tasks.push(loadEvents(wantedFilter, window, stop));
    await Promise.all(tasks);
    failure.value = undefined;
  } catch (error) {
    if (isAbort(error) || stop.aborted) return;
    if (!(error instanceof RequestFailure)) throw error;
    failure.value = { failure: error, since: failure.peek()?.since ?? Date.now() };
  } finally {
    if (!stop.aborted) busy.value = false;
  }
}

async function loadOverview(wantedFilter: string, window: TimeRange, stop: AbortSignal): Promise<void> {
  const wanted = overviewRange(
    window,
    extent(),
    overviewFilter === wantedFilter ? overview.peek()?.range : undefined,
  );
  const histogram = await loadHistogram(wantedFilter, wanted, 240, stop);
  overviewFilter = wantedFilter;
  overview.value = { range: wanted, histogram };
}

/** Counts and coverage as of now; in live mode they would else stand still while the events move on. */
export async function refreshCounts(): Promise<void> {
  const shown = overview.peek();
  if (shown === undefined) return;
  const wanted = filter.peek();
  try {
    const histogram = await loadHistogram(wanted, shown.range, 240, AbortSignal.timeout(20_000));
    if (overview.peek() !== shown || filter.peek() !== wanted) return;
    batch(() => {
      overview.value = { range: shown.range, histogram };
      coverage.value = histogram.coverage;
    });
  } catch (error) {
    if (error instanceof RequestFailure) failure.value = { failure: error, since: Date.now() };
    else if (!(error instanceof DOMException)) throw error;
  }
}

async function loadEvents(wantedFilter: string, window: TimeRange, stop: AbortSignal): Promise<void> {
  const counting = loadHistogram(wantedFilter, window, 1, stop).then((histogram) => {
    cutTotal.value = { range: window, total: histogram.total };
    if (histogram.total === 0 && wantedFilter !== "") return countUnfiltered(window, stop);
    unfilteredTotal.value = undefined;
    return undefined;
  });
  const reading = loadWindow({
    filter: wantedFilter,
    range: window,
    signal: stop,
    progress: (found, reached) =>
      batch(() => {
        loaded.value = found;
        coverage.value = reached;
      }),
  });
  await Promise.all([counting, reading]);
}

async function countUnfiltered(window: TimeRange, stop: AbortSignal): Promise<void> {
  unfilteredTotal.value = (await loadHistogram("", window, 1, stop)).total;
}

/** The selected event, wherever it lies; read by itself when it is not among the loaded ones. */
export const selectedEvent = signal<EventJson | undefined>(undefined);

export function followSelection(): () => void {
  return effect(() => {
    const id = view.value.selected;
    if (id === undefined) {
      selectedEvent.value = undefined;
      return;
    }
    const known = loaded.value?.events.find((event) => event.id === id);
    if (known !== undefined) selectedEvent.value = known;
    else if (selectedEvent.peek()?.id !== id) void readSelected(id);
  });
}

async function readSelected(id: string): Promise<void> {
  try {
    const event = await readApi<EventJson>(`events/${encodeURIComponent(id)}`);
    if (view.peek().selected === id) selectedEvent.value = event;
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    if (error.status === 404 && view.peek().selected === id) changeView({ selected: undefined });
    else failure.value = { failure: error, since: Date.now() };
  }
}
