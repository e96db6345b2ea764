import { entityKey } from "../model/entity.ts";
import type { Severity } from "../model/event.ts";
import { severities } from "../model/event.ts";
import type { TimeProvenance } from "../model/incident.ts";
import type { Duration, Instant } from "../model/instant.ts";
import { duration, instant } from "../model/instant.ts";
import type { IncidentDossier, MeasuredSpan, SpanLength } from "./incident-dossier.ts";
import { measuredSpans } from "./incident-dossier.ts";

/** What is counted and measured of one incident. */
export interface IncidentFigures {
  readonly id: string;
  readonly severity: Severity;
  readonly from: Instant;
  readonly published: boolean;
  readonly things: readonly {
    /** The same thing has the same key in every incident: its reference, else its name without regard to case. */
    readonly key: string;
    readonly name: string;
    readonly spans: Readonly<Record<MeasuredSpan, SpanLength>>;
    /** How each of its times that stand is known. */
    readonly bases: readonly TimeProvenance["kind"][];
  }[];
}

export function figuresOf({ incident, things }: IncidentDossier): IncidentFigures {
  return {
    id: incident.id,
    severity: incident.severity,
    from: incident.window.from,
    published: incident.state === "published",
    things: things.map(({ thing, standing, spans }) => ({
      key: thing.ref === undefined ? `name:${thing.name.trim().toLowerCase()}` : entityKey(thing.ref),
      name: thing.name,
      spans,
      bases: standing.map(({ provenance }) => provenance.kind),
    })),
  };
}

export const kpiPeriods = ["week", "month", "quarter"] as const;
export type KpiPeriod = (typeof kpiPeriods)[number];

/** Of `n` measured lengths; a median of an even number lies between its middle two, p90 is the nearest rank. */
export interface SpanFigures {
  readonly n: number;
  readonly median?: Duration;
  readonly p90?: Duration;
  /** Left out, because a time is missing, or because its ends stand in the wrong order. */
  readonly missing: number;
  readonly reversed: number;
  /** Counted in `n`, although nobody can say which end came first. */
  readonly unordered: number;
}

export interface PeriodSummary {
  /** from ≤ t < to, in UTC; weeks begin on Monday. */
  readonly from: Instant;
  readonly to: Instant;
  /** Zero where nothing began in the period, which is told as such. */
  readonly incidents: number;
  /** Drafts and reviewed ones among them: their figures may still change. */
  readonly unpublished: number;
  readonly bySeverity: Readonly<Record<Severity, number>>;
  readonly spans: Readonly<Record<MeasuredSpan, SpanFigures>>;
  /** Most incidents first. */
  readonly things: readonly {
    readonly key: string;
    readonly name: string;
    readonly incidents: number;
    /** How many of them came within the time of recurrence after another, also one of an earlier period. */
    readonly recurred: number;
    readonly spans: Readonly<Record<MeasuredSpan, SpanFigures>>;
  }[];
  /** How many of the times behind the figures were set by people, imported or inferred. */
  readonly bases: Readonly<Record<TimeProvenance["kind"], number>>;
}

/** For so long after an incident another of the same thing counts as its recurrence. */
export const recurrenceUsual = duration(30 * 86_400_000);

/** More periods than this in one answer are a mistake. */
const periodsMax = 600;

/**
 * Every period that the range from ≤ t < to touches, oldest first, also the empty ones; an incident belongs to the period in
 * which its window begins. Figures from before the range are looked at for recurrences only. Throws a `RangeError` for a
 * range of more than 600 periods.
 */
export function summariseIncidents(
  figures: readonly IncidentFigures[],
  period: KpiPeriod,
  range: { readonly from: Instant; readonly to: Instant },
  { recurrenceWithin = recurrenceUsual }: { readonly recurrenceWithin?: Duration } = {},
): readonly PeriodSummary[] {
  const recurred = findRecurrences(figures, recurrenceWithin);
  const summaries: PeriodSummary[] = [];
  for (let from = startOf(range.from, period); from < range.to; from = nextOf(from, period)) {
    if (summaries.length >= periodsMax) throw new RangeError(`more than ${periodsMax} periods`);
    const to = nextOf(from, period);
    const inside = (one: IncidentFigures): boolean =>
      one.from >= Math.max(from, range.from) && one.from < Math.min(to, range.to);
    summaries.push(summarise(figures.filter(inside), { from, to }, recurred));
  }
  return summaries;
}

function startOf(at: Instant, period: KpiPeriod): Instant {
  const date = new Date(at);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (period === "week") return instant(Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7)));
  return instant(Date.UTC(year, period === "month" ? month : month - (month % 3), 1));
}

function nextOf(from: Instant, period: KpiPeriod): Instant {
  const date = new Date(from);
  const months = period === "month" ? 1 : 3;
  return period === "week"
    ? instant(from + 7 * 86_400_000)
    : instant(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1));
}

/** `incident|thing` of each that came within the time after another of the same thing. */
function findRecurrences(figures: readonly IncidentFigures[], within: Duration): ReadonlySet<string> {
  const last = new Map<string, { readonly from: Instant; readonly id: string }>();
  const recurred = new Set<string>();
  for (const { id, from, things } of figures.toSorted((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1))) {
    for (const { key } of things) {
      const before = last.get(key);
      // An incident that measures one thing twice is no recurrence of itself.
      if (before !== undefined && before.id !== id && from - before.from <= within)
        recurred.add(`${id}|${key}`);
      last.set(key, { from, id });
    }
  }
  return recurred;
}

type MeasuredFigures = IncidentFigures["things"][number];

function summarise(
  inside: readonly IncidentFigures[],
  { from, to }: { readonly from: Instant; readonly to: Instant },
  recurred: ReadonlySet<string>,
): PeriodSummary {
  const all = inside.flatMap(({ id, things }) => things.map((thing) => ({ ...thing, id })));
  const byKey = Map.groupBy(all, ({ key }) => key);
  const things = [...byKey].map(([key, own]) => {
    const ids = new Set(own.map(({ id }) => id));
    return {
      key,
      name: own[0]?.name ?? key,
      incidents: ids.size,
      recurred: [...ids].filter((id) => recurred.has(`${id}|${key}`)).length,
      spans: spansOf(own),
    };
  });
  const bases = all.flatMap((thing) => thing.bases);
  const basisCount = (kind: TimeProvenance["kind"]): number => bases.filter((one) => one === kind).length;
  return {
    from,
    to,
    incidents: inside.length,
    unpublished: inside.filter(({ published }) => !published).length,
    bySeverity: Object.fromEntries(
      severities.map((severity) => [severity, inside.filter((one) => one.severity === severity).length]),
    ) as Record<Severity, number>,
    spans: spansOf(all),
    things: things.toSorted((a, b) => b.incidents - a.incidents || (a.key < b.key ? -1 : 1)),
    bases: { set: basisCount("set"), imported: basisCount("imported"), inferred: basisCount("inferred") },
  };
}

function spansOf(things: readonly MeasuredFigures[]): Readonly<Record<MeasuredSpan, SpanFigures>> {
  return Object.fromEntries(
    measuredSpans.map((span) => [span, figuresOfSpan(things.map(({ spans }) => spans[span]))]),
  ) as Record<MeasuredSpan, SpanFigures>;
}

function figuresOfSpan(lengths: readonly SpanLength[]): SpanFigures {
  const measured = lengths.filter((one) => one.outcome === "measured");
  const sorted = measured.map(({ length }) => length).toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  const p90 = sorted[Math.ceil(sorted.length * 0.9) - 1];
  return {
    n: sorted.length,
    ...(low !== undefined && high !== undefined && { median: duration((low + high) / 2) }),
    ...(p90 !== undefined && { p90 }),
    missing: lengths.filter(({ outcome }) => outcome === "absent").length,
    reversed: lengths.filter(({ outcome }) => outcome === "reversed").length,
    unordered: measured.filter(({ unordered }) => unordered).length,
  };
}
