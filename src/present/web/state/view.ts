import {
  categories,
  eventKinds,
  severities,
  type Category,
  type EventKind,
  type Severity,
} from "../../../model/event.ts";
import { readOffset, spellOffset } from "../time/length.ts";
import type { TimeExpression } from "../time/typed-time.ts";
import { isZone } from "../time/zone.ts";
import type { LaneOrder } from "../timeline/lane-item.ts";
import type { TimeRange } from "../timeline/time-scale.ts";

export const groupings = [
  "component",
  "customer",
  "tenant",
  "project",
  "host",
  "resource",
  "source",
] as const;
export type Grouping = (typeof groupings)[number];

export const laneOrders = ["first-symptom", "count", "name"] as const satisfies readonly LaneOrder[];

/** Everything that the address of the timeline says. */
export interface View {
  readonly from: TimeExpression;
  readonly to: TimeExpression;
  readonly zone: string;
  readonly text: string;
  readonly kinds: readonly EventKind[];
  readonly categories: readonly Category[];
  readonly severity: Severity | undefined;
  readonly tenant: string | undefined;
  readonly project: string | undefined;
  readonly customer: string | undefined;
  readonly resource: string | undefined;
  readonly source: string | undefined;
  readonly group: Grouping;
  readonly order: LaneOrder;
  readonly selected: string | undefined;
  /** The event whose "what else" is open. */
  readonly elseOf: string | undefined;
  readonly live: boolean;
  /** Whether runs of routine activity are folded in the table. */
  readonly fold: boolean;
}

export const lastHour: Pick<View, "from" | "to"> = {
  from: { kind: "relative", ms: -3_600_000 },
  to: { kind: "relative", ms: 0 },
};

export function plainView(zone: string): View {
  return {
    ...lastHour,
    zone,
    text: "",
    kinds: [],
    categories: [],
    severity: undefined,
    tenant: undefined,
    project: undefined,
    customer: undefined,
    resource: undefined,
    source: undefined,
    group: "component",
    order: "first-symptom",
    selected: undefined,
    elseOf: undefined,
    live: false,
    fold: true,
  };
}

function spellTime(time: TimeExpression): string {
  return time.kind === "relative"
    ? spellOffset(time.ms)
    : new Date(time.ms).toISOString().replace(".000Z", "Z");
}

function readTimeParam(text: string | null): TimeExpression | undefined {
  if (text === null) return undefined;
  const offset = readOffset(text);
  if (offset !== undefined) return { kind: "relative", ms: offset };
  if (!/^[+-]?\d{4,6}-\d{2}-\d{2}T/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : { kind: "absolute", ms };
}

/** The query string of a view, without `?`. The zone is always in it, so that a link reads the same for everyone. */
export function spellView(view: View): string {
  const query = new URLSearchParams();
  query.set("from", spellTime(view.from));
  query.set("to", spellTime(view.to));
  query.set("tz", view.zone);
  if (view.text !== "") query.set("q", view.text);
  if (view.kinds.length > 0) query.set("kind", view.kinds.join(","));
  if (view.categories.length > 0) query.set("category", view.categories.join(","));
  for (const name of ["severity", "tenant", "project", "customer", "resource", "source"] as const) {
    const value = view[name];
    if (value !== undefined) query.set(name, value);
  }
  if (view.group !== "component") query.set("group", view.group);
  if (view.order !== "first-symptom") query.set("lanes", view.order);
  if (view.selected !== undefined) query.set("sel", view.selected);
  if (view.elseOf !== undefined) query.set("else", view.elseOf);
  if (view.live) query.set("live", "1");
  if (!view.fold) query.set("fold", "0");
  return query.toString().replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%2C", ",");
}

function oneOf<T extends string>(allowed: readonly T[], text: string | null): T | undefined {
  return allowed.find((word) => word === text);
}

function manyOf<T extends string>(allowed: readonly T[], text: string | null): T[] {
  const words = new Set(text?.split(",") ?? []);
  return allowed.filter((word) => words.has(word));
}

/** The view that an address names. What it leaves out, or spells wrongly, is as in `plain`. */
export function readView(search: string, plain: View): View {
  const query = new URLSearchParams(search);
  const word = (name: string) => query.get(name) || undefined;
  const zone = word("tz");
  return {
    from: readTimeParam(query.get("from")) ?? plain.from,
    to: readTimeParam(query.get("to")) ?? plain.to,
    zone: zone !== undefined && isZone(zone) ? zone : plain.zone,
    text: (word("q") ?? "").slice(0, 200),
    kinds: manyOf(eventKinds, query.get("kind")),
    categories: manyOf(categories, query.get("category")),
    severity: oneOf(severities, query.get("severity")),
    tenant: word("tenant"),
    project: word("project"),
    customer: word("customer"),
    resource: word("resource"),
    source: word("source"),
    group: oneOf(groupings, query.get("group")) ?? "component",
    order: oneOf(laneOrders, query.get("lanes")) ?? "first-symptom",
    selected: word("sel"),
    elseOf: word("else"),
    live: query.get("live") === "1",
    fold: query.get("fold") !== "0",
  };
}

/** The window in absolute time; never empty. */
export function rangeOf(view: Pick<View, "from" | "to">, now: number): TimeRange {
  const resolve = (time: TimeExpression) => (time.kind === "absolute" ? time.ms : now + time.ms);
  const [from, to] = [resolve(view.from), resolve(view.to)];
  return from < to ? { from, to } : { from: to - 3_600_000, to: Math.max(to, from - 3_600_000) };
}

/** The same view with its times frozen, for a link that means the same tomorrow. */
export function freezeView(view: View, now: number): View {
  const { from, to } = rangeOf(view, now);
  return { ...view, from: { kind: "absolute", ms: from }, to: { kind: "absolute", ms: to }, live: false };
}

/** The filter's part of the view, as the API spells it. */
export function filterQuery(view: View): URLSearchParams {
  const query = new URLSearchParams();
  if (view.text !== "") query.set("q", view.text);
  if (view.kinds.length > 0) query.set("kind", view.kinds.join(","));
  if (view.categories.length > 0) query.set("category", view.categories.join(","));
  for (const name of ["severity", "tenant", "project", "customer", "resource", "source"] as const) {
    const value = view[name];
    if (value !== undefined) query.set(name, value);
  }
  return query;
}

/** The names of the filters that narrow the view, for "clear …" buttons. */
export function activeFilters(
  view: View,
): (
  "text" | "kinds" | "categories" | "severity" | "tenant" | "project" | "customer" | "resource" | "source"
)[] {
  const names = [
    "text",
    "kinds",
    "categories",
    "severity",
    "tenant",
    "project",
    "customer",
    "resource",
    "source",
  ] as const;
  return names.filter((name) => {
    const value = view[name];
    return value !== undefined && value.length > 0;
  });
}

export function clearFilter(view: View, name: ReturnType<typeof activeFilters>[number]): View {
  const empty = { text: "", kinds: [], categories: [] } as const;
  return { ...view, [name]: name in empty ? empty[name as keyof typeof empty] : undefined };
}
