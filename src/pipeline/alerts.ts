import { judgeAlerts, type JudgedGroup } from "../correlate/alerts.ts";
import type { BlindSpan } from "../correlate/alert-watch.ts";
import type { Correlatable } from "../correlate/correlatable.ts";
import { tellingFilters, toldWindows } from "../correlate/told-windows.ts";
import { instant, type Instant } from "../model/instant.ts";
import type { WorkWindow } from "../model/maintenance.ts";
import type { Scope } from "../model/scope.ts";
import type { AlertSplit, AlertSplitStore } from "../store/alert-split-store.ts";
import type { Coverage, EventFilter, EventReader, VisibleEvent } from "../store/event-reader.ts";
import type { ConnectionState } from "../store/event-store.ts";
import type { MaintenanceStore } from "../store/maintenance-store.ts";
import { loadStanding, type StandingParts } from "./alert-topology.ts";

const hourMs = 3_600_000;

/** What began so long before the window and has not ended is found; flapping needs two hours of it. */
const alertsBackMs = 7 * 24 * hourMs;

/** Planned work and disabled services are told long before. */
const toldBackMs = 30 * 24 * hourMs;

/** Newest first of each class; beyond it the answer says that it was cut. */
const signalsMax = 3_000;
const conditionsMax = 1_000;
const toldMax = 500;
const changesMax = 1_000;
const foldsMax = 20;
const membersMax = 500;
const splitsMax = 10_000;

/** Alerts of a window, as of its end or of now. */
export interface AlertQuestion {
  readonly from: Instant;
  /** Not part of it. */
  readonly to: Instant;
  /** At most so many groups, the latest. */
  readonly limit: number;
}

/** An event as alerts are judged by, with the event as its reader may see it. */
export type AlertEvent = Correlatable & { readonly visible: VisibleEvent };

export interface AlertAnswer {
  readonly window: { readonly from: Instant; readonly to: Instant };
  /** The earliest first. */
  readonly groups: readonly JudgedGroup<AlertEvent>[];
  /** Work that reaches into the window. The provider's alone. */
  readonly windows: readonly WorkWindow[];
  /** What people took apart. The provider's alone. */
  readonly splits: readonly AlertSplit[];
  readonly checked: { readonly events: number; readonly truncated: boolean; readonly since: Instant };
  readonly coverage: Coverage;
}

export interface AlertParts extends StandingParts {
  readonly reader: Pick<EventReader, "timeline" | "members" | "coverage">;
  readonly maintenance: Pick<MaintenanceStore, "covering">;
  readonly alertSplits: Pick<AlertSplitStore, "standing">;
  readonly now: () => Instant;
}

/**
 * The alerts of a window within a scope, judged anew from what is stored each time that they are asked for. A tenant's are
 * made from its own editions alone: no topology, no planned work and no split takes part in them.
 */
export async function findAlerts(
  parts: AlertParts,
  scope: Scope,
  { from, to, limit }: AlertQuestion,
): Promise<AlertAnswer> {
  const until = instant(Math.max(from, Math.min(to, parts.now() + 1)));
  const since = instant(from - alertsBackMs);
  const [told, coverage, splits] = await Promise.all([
    loadTold(parts.reader, scope, { from, since, until }),
    parts.reader.coverage(scope),
    parts.alertSplits.standing(scope, splitsMax),
  ]);
  const windows = await loadWindows(parts, scope, { from, until }, told.signals);
  const { standing, cut } = await loadStanding(parts, scope, [...told.signals, ...told.changes]);
  const isProvider = scope.kind === "provider";
  const judged = judgeAlerts({
    events: told.signals,
    from,
    now: until,
    standing,
    windows,
    blind: blindSpans(scope, coverage, until, told.signals),
    split: new Set(splits.map(({ series }) => series)),
    changes: told.changes,
  });
  return {
    window: { from, to: until },
    groups: judged.slice(-limit),
    windows: isProvider ? windows.filter((window) => window.to === undefined || window.to > from) : [],
    splits,
    checked: {
      events: told.signals.length,
      truncated: told.truncated || cut || judged.length > limit,
      since,
    },
    coverage,
  };
}

interface Told {
  readonly signals: readonly AlertEvent[];
  readonly changes: readonly AlertEvent[];
  readonly truncated: boolean;
}

async function loadTold(
  reader: AlertParts["reader"],
  scope: Scope,
  { from, since, until }: { readonly from: Instant; readonly since: Instant; readonly until: Instant },
): Promise<Told> {
  const within = { from: since, to: until };
  const turns = ["symptom", "recovery"] as const;
  const [signals, conditions, kept, changes] = await Promise.all([
    read(reader, scope, { ...within, kinds: turns, categories: ["monitoring"] }, signalsMax),
    read(reader, scope, { ...within, kinds: turns, categories: otherCategories }, conditionsMax),
    read(reader, scope, { ...within, kinds: ["activity"], categories: ["monitoring"] }, conditionsMax),
    read(reader, scope, { from: instant(from - hourMs), to: until, kinds: ["change", "human"] }, changesMax),
  ]);
  const unfolded = await Promise.all([signals, conditions].map((page) => unfold(reader, scope, page.events)));
  return {
    signals: [...unfolded.flatMap(({ events }) => events), ...kept.events].map(toAlertEvent),
    changes: changes.events.map(toAlertEvent),
    truncated: [signals, conditions, kept, ...unfolded].some(({ more }) => more),
  };
}

/** Where things of the estate are told to be down and up again. */
const otherCategories = ["platform", "lifecycle", "network", "storage"] as const;

interface Loaded {
  readonly events: readonly VisibleEvent[];
  readonly more: boolean;
}

function read(
  reader: AlertParts["reader"],
  scope: Scope,
  filter: EventFilter,
  limit: number,
): Promise<Loaded> {
  return reader.timeline(scope, filter, { limit, order: "newest" });
}

/** Each member of a storm is an alert of its own. */
async function unfold(
  reader: AlertParts["reader"],
  scope: Scope,
  events: readonly VisibleEvent[],
): Promise<Loaded> {
  const folds = events.filter(({ event }) => event.details["storm"] !== undefined);
  const looked = folds.slice(0, foldsMax);
  const pages = await Promise.all(
    looked.map(({ event }) => reader.members(scope, event.id, { limit: membersMax, order: "newest" })),
  );
  const whole = new Set(looked.filter((_, index) => pages[index]!.events.length > 0));
  return {
    events: [...events.filter((event) => !whole.has(event)), ...pages.flatMap((page) => page.events)],
    more: folds.length > looked.length || pages.some(({ more }) => more),
  };
}

function toAlertEvent(visible: VisibleEvent): AlertEvent {
  if (visible.audience === "provider") return { ...visible.event, visible };
  return { ...visible.event, controlPlane: visible.event.tenant.controlPlane, visible };
}

/** What was planned here and what sources tell of; nothing for a tenant, who is told by notices. */
async function loadWindows(
  { reader, maintenance }: AlertParts,
  scope: Scope,
  { from, until }: { readonly from: Instant; readonly until: Instant },
  signals: readonly AlertEvent[],
): Promise<readonly WorkWindow[]> {
  if (scope.kind === "tenant") return [];
  const within = { from: instant(from - toldBackMs), to: until };
  const [planned, ...pages] = await Promise.all([
    maintenance.covering(scope, instant(from - alertsBackMs), until),
    ...tellingFilters.map((filter) => read(reader, scope, { ...within, ...filter }, toldMax)),
  ]);
  const telling = pages.flatMap(({ events }) => events.map(toAlertEvent));
  return [...planned, ...toldWindows([...telling, ...signals])];
}

/**
 * When the connections of monitors were blind: what is silent or fails now was last heard when it says, and what lay in an
 * open hole was not heard. A tenant is told no connection by name, and its holes are those of all it may hear through.
 */
function blindSpans(
  scope: Scope,
  { connections, holes }: Coverage,
  until: Instant,
  signals: readonly AlertEvent[],
): readonly BlindSpan[] {
  if (scope.kind === "tenant") {
    const monitors = [...new Set(signals.map(({ type }) => type.split(".")[0] ?? ""))];
    const says = "events may be missing";
    return monitors.flatMap((monitor) => holes.map(({ from, to }) => ({ monitor, from, to, says })));
  }
  return connections.flatMap((state): readonly BlindSpan[] => {
    const monitor = state.connection;
    const lost = state.holes.map(({ from, to, says }) => ({
      monitor,
      from,
      to,
      says: `${says} (${monitor})`,
    }));
    const deafAt = deafSince(state);
    if (deafAt === undefined || deafAt >= until) return lost;
    return [...lost, { monitor, from: deafAt, says: `nothing was heard of ${monitor}` }];
  });
}

/** Since when nothing is heard of it that was to be heard; undefined where all is well. */
function deafSince({ state, lastHeardAt, lastSuccessAt, lastEventAt }: ConnectionState): Instant | undefined {
  if (state !== "silent" && state !== "failing" && state !== "retired") return undefined;
  return lastHeardAt ?? lastSuccessAt ?? lastEventAt;
}
