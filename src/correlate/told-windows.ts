import { entityKey, type EntityRef } from "../model/entity.ts";
import { instant, isInRange, type Instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import type { ToldWindow } from "../model/maintenance.ts";
import { readSignal } from "./alert-signal.ts";
import type { Correlatable } from "./correlatable.ts";

/** Which events {@link toldWindows} reads beside those of alerts, for whoever fetches them. */
export const tellingFilters = [
  { kinds: ["activity", "change"], types: ["status.maintenance.*"] },
  { kinds: ["change"], types: ["compute.service.*"] },
] as const;

/**
 * The work that sources tell of, from their events in any order: maintenances that a status page announced (Statuspage's
 * `scheduled_for` and `scheduled_until`), silences of Alertmanager as its listing shows them on an alert, and compute
 * services that somebody disabled. Zabbix's events do not tell of its maintenance periods.
 */
export function toldWindows(events: readonly Correlatable[]): readonly ToldWindow[] {
  const inOrder = events.toSorted((one, other) => one.occurredAt - other.occurredAt || order(one, other));
  return [...announced(inOrder), ...silenced(inOrder), ...disabled(inOrder)];
}

function order(one: Correlatable, other: Correlatable): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}

interface Announcement {
  readonly window: ToldWindow;
  /** What is under way keeps its real beginning, whatever was scheduled. */
  readonly begun: boolean;
}

function announced(events: readonly Correlatable[]): readonly ToldWindow[] {
  const known = new Map<string, Announcement>();
  for (const event of events) {
    const state = /^status\.maintenance\.(.+)$/.exec(event.type)?.[1];
    const incident = textOf(event.details["incident_id"]);
    if (state === undefined || incident === undefined) continue;
    const key = `${event.connection ?? ""} ${incident}`;
    const before = known.get(key);
    const begins = state === "in_progress" && before?.begun !== true;
    const scheduled = timeOf(event.details["scheduled_for"]) ?? before?.window.from;
    const window = makeWindow(event, {
      title: textOf(event.details["incident"]) ?? event.summary,
      by: "status-page",
      from: begins ? event.occurredAt : before?.begun === true ? before.window.from : scheduled,
      to:
        state === "completed"
          ? event.occurredAt
          : (timeOf(event.details["scheduled_until"]) ?? before?.window.to),
      on: affectedOf(event, before?.window),
    });
    if (window !== undefined) known.set(key, { window, begun: begins || before?.begun === true });
  }
  return [...known.values()]
    .map(({ window }) => window)
    .filter(({ from, to }) => to === undefined || from < to);
}

/** The components that a post names; a post that names none is about those named before, else about the whole page. */
function affectedOf(event: Correlatable, before: ToldWindow | undefined): readonly EntityRef[] {
  const named = event.related.filter(({ role }) => role === "affected").map(({ ref }) => ref);
  return named.length > 0 ? named : (before?.on ?? [event.subject]);
}

function makeWindow(
  event: Correlatable,
  window: {
    readonly title: string;
    readonly by: ToldWindow["told"]["by"];
    readonly from: Instant | undefined;
    readonly to: Instant | undefined;
    readonly on: readonly EntityRef[];
  },
): ToldWindow | undefined {
  const { connection, controlPlane, id } = event;
  const { title, by, from, to, on } = window;
  if (from === undefined || connection === undefined || controlPlane === undefined) return undefined;
  return {
    title,
    from,
    ...(to === undefined ? {} : { to }),
    controlPlane,
    on,
    told: { by, connection, event: id },
  };
}

/** A silence is about one alert for as long as that fires: its listing tells neither its own beginning nor its end. */
function silenced(events: readonly Correlatable[]): readonly ToldWindow[] {
  const windows: ToldWindow[] = [];
  for (const event of events) {
    const signal = readSignal(event);
    const silences = listOf(event.details["silenced_by"]);
    const isSilence = signal?.turn === "kept-back" && silences.length > 0;
    if (!isSilence && event.details["suppressed_when_first_seen"] !== true) continue;
    if (signal === undefined || event.connection === undefined || event.controlPlane === undefined) continue;
    const startedAt = timeOf(event.details["starts_at"]) ?? event.occurredAt;
    const end = events.find(
      (later) => later.occurredAt > event.occurredAt && endsSeries(later, signal.series),
    );
    windows.push({
      title: silences.length > 0 ? `silence ${silences.join(", ")}` : "a silence or an inhibition",
      from: isSilence ? instant(Math.max(startedAt, event.occurredAt - event.precision)) : startedAt,
      ...(end === undefined ? {} : { to: instant(end.occurredAt + 1) }),
      controlPlane: event.controlPlane,
      on: [event.subject],
      series: signal.series,
      told: { by: "silence", connection: event.connection, event: event.id },
    });
  }
  return windows;
}

function endsSeries(event: Correlatable, series: string): boolean {
  const signal = readSignal(event);
  return signal?.turn === "recovery" && signal.series === series;
}

/**
 * A compute service that somebody disabled is worked on until it is enabled. Nova's own reason for what it disables by
 * itself begins with `AUTO:`, and what is forced down has failed: neither is planned.
 */
function disabled(events: readonly Correlatable[]): readonly ToldWindow[] {
  const open = new Map<string, ToldWindow>();
  const closed: ToldWindow[] = [];
  for (const event of events) {
    const turn = turnOf(event);
    if (turn === undefined) continue;
    const key = `${event.controlPlane ?? ""} ${entityKey(event.subject)}`;
    const before = open.get(key);
    if (turn.disabled && before !== undefined) continue;
    if (turn.disabled) {
      const window = makeWindow(event, {
        title: `service disabled ${turn.reason === undefined ? "without a reason" : `(${turn.reason})`}`,
        by: "disabled-service",
        from: event.occurredAt,
        to: undefined,
        on: [event.subject, ...hostsOf(event)],
      });
      if (window !== undefined) open.set(key, window);
    } else if (before !== undefined) {
      closed.push({ ...before, to: event.occurredAt });
      open.delete(key);
    }
  }
  return [...closed, ...open.values()].filter(({ from, to }) => to === undefined || from < to);
}

function turnOf(
  event: Correlatable,
): { readonly disabled: boolean; readonly reason: string | undefined } | undefined {
  const action = /^compute\.service\.(update|disabled|enabled|forced_down|delete|removed)$/.exec(
    event.type,
  )?.[1];
  // Only the service that carries servers says something of its host.
  if (action === undefined || !event.subject.id.startsWith("nova-compute@")) return undefined;
  const state = (event.changes ?? []).map(({ after }) => textOf(after) ?? "").join(", ");
  const given = textOf(event.details["disabled_reason"]) ?? / \((.+)\)$/.exec(event.summary)?.[1];
  const isOff = action === "disabled" || (action === "update" && /\bdisabled\b/.test(state));
  const isFailure = /^AUTO:/i.test(given ?? "") || /forced.?down/.test(state) || action === "forced_down";
  if (isOff && isFailure) return undefined;
  if (action === "forced_down") return undefined;
  return { disabled: isOff, reason: given };
}

/** A service's id is `binary@host`. */
function hostsOf(event: Correlatable): readonly EntityRef[] {
  const named = event.related.filter(({ role }) => role === "host").map(({ ref }) => ref);
  const at = event.subject.id.indexOf("@");
  if (named.length > 0 || at < 0) return named;
  return [{ kind: "host", id: event.subject.id.slice(at + 1) }];
}

function timeOf(value: Json | undefined): Instant | undefined {
  const ms = Date.parse(textOf(value) ?? "");
  return Number.isNaN(ms) || !isInRange(ms) ? undefined : instant(ms);
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function listOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
