import type { Incident, MeasuredThing, MeasuredTime, TimeMark } from "../model/incident.ts";
import { measuredTimes } from "../model/incident.ts";
import type { Duration } from "../model/instant.ts";
import { duration, formatInstant } from "../model/instant.ts";
import type { DossierMaterial, MeasuredSpan, SpanLength, ThingTimes } from "./incident-dossier.ts";
import type { IncidentFact } from "./incident-facts.ts";
import { collectFacts } from "./incident-facts.ts";

/** For how long a thing stays clear before it counts as resolved, where nobody says otherwise. */
export const staysClearUsual = duration(15 * 60_000);

/** A change on the thing this long before its first symptom is still taken for the incident's beginning. */
const leadMs = 2 * 3_600_000;

/** The version goes up with every change that may give another time. */
const ruleNames = {
  change: "change-before-first-symptom/1",
  symptom: "first-symptom/1",
  report: "first-alert-or-report/1",
  decision: "first-recorded-decision/1",
  act: "first-act-after-detection/1",
  actAfterSymptom: "first-act-after-symptom/1",
  cleared: "last-symptom-cleared/1",
  recovered: "recovery-without-symptom/1",
} as const;

/**
 * The four times of every measured thing, read from events, rows and recorded decisions. A rule that finds nothing gives
 * nothing: no time is made up. Each says which rule and which event it stands on.
 */
export function inferTimes(material: DossierMaterial): readonly TimeMark[] {
  const facts = collectFacts(material);
  return material.incident.things.flatMap((thing) => inferForThing(thing, facts, material));
}

function inferForThing(
  thing: MeasuredThing,
  facts: readonly IncidentFact[],
  { incident, asOf, staysClear = staysClearUsual }: DossierMaterial,
): readonly TimeMark[] {
  const to = incident.window.to ?? asOf;
  // A relapse soon after the end that somebody wrote down still says that it was none.
  const inWindow = facts.filter(
    ({ at }) => at >= incident.window.from - leadMs && at <= Math.min(to + staysClear, asOf),
  );
  const own = inWindow.filter((fact) => fact.things.has(thing.id));
  const firstIll = own.find((fact) => fact.ill && fact.at + fact.precision >= incident.window.from);
  const cause = firstIll === undefined ? undefined : findCause(firstIll, own, inWindow);
  const event = cause ?? firstIll;
  const firstReport = event === undefined ? undefined : findReport(event, own);
  const act = findAct(own, event, firstIll, firstReport);
  // Who acts knows already: a report that comes later was not the first, and when the first came nobody told.
  const report =
    act !== undefined && firstReport !== undefined && isLater(firstReport, act) ? undefined : firstReport;
  const end = findEnd(own, asOf - staysClear);
  const found: readonly (readonly [MeasuredTime, keyof typeof ruleNames, IncidentFact | undefined])[] = [
    ["event", cause === undefined ? "symptom" : "change", event],
    ["detection", "report", report],
    ["decision", act?.decision === true ? "decision" : report === undefined ? "actAfterSymptom" : "act", act],
    ["resolution", firstIll === undefined ? "recovered" : "cleared", end],
  ];
  return found.flatMap(([time, rule, fact]) =>
    fact === undefined ? [] : [markOf(thing, time, ruleNames[rule], fact)],
  );
}

/**
 * The earliest change on the thing in the time before its first symptom; a pinned change that is about none of the measured
 * things counts for each, because somebody found that it belongs here.
 */
function findCause(
  firstIll: IncidentFact,
  own: readonly IncidentFact[],
  all: readonly IncidentFact[],
): IncidentFact | undefined {
  const before = (fact: IncidentFact): boolean =>
    fact.kind === "change" && !fact.ill && !fact.decision && fact !== firstIll && fact.at <= firstIll.at;
  const near = own.filter((fact) => before(fact) && (fact.pinned || fact.at >= firstIll.at - leadMs));
  const pinned = all.filter((fact) => before(fact) && fact.pinned && fact.things.size === 0);
  return [...near, ...pinned].toSorted((a, b) => a.at - b.at)[0];
}

/** An alert before anything happened told of something else. */
function findReport(event: IncidentFact, own: readonly IncidentFact[]): IncidentFact | undefined {
  return own.find((fact) => fact.noticed && fact.at + fact.precision >= event.at);
}

/**
 * People write down as an act what answers the trouble, so that a row counts from the first symptom on. A machine's record of
 * a change counts once somebody could know: before that it may be anybody's.
 */
function findAct(
  own: readonly IncidentFact[],
  event: IncidentFact | undefined,
  firstIll: IncidentFact | undefined,
  report: IncidentFact | undefined,
): IncidentFact | undefined {
  if (firstIll === undefined) return own.find((fact) => fact.decision);
  const since = (fact: IncidentFact): number =>
    fact.row === undefined ? (report ?? firstIll).at : firstIll.at;
  return own.find(
    (fact) =>
      fact.acted &&
      fact !== event &&
      (fact.decision || fact.at >= since(fact)) &&
      // The later steps of the change that began it are no answer to it.
      (fact.operation === undefined || fact.operation !== event?.operation),
  );
}

function isLater(fact: IncidentFact, than: IncidentFact): boolean {
  return fact.at - than.at >= Math.max(1, fact.precision, than.precision);
}

/**
 * The first recovery behind the last symptom, once every alert that had fired is over and it has lasted; without any
 * symptom, the last recovery told.
 */
function findEnd(own: readonly IncidentFact[], clearSince: number): IncidentFact | undefined {
  const lastIll = own.findLastIndex((fact) => fact.ill);
  const open = new Set<string>();
  const clearAt = own.findIndex((fact, index) => {
    if (fact.signal !== undefined && fact.ill) open.add(fact.signal);
    if (fact.signal !== undefined && fact.well) open.delete(fact.signal);
    return fact.well && index > lastIll && open.size === 0;
  });
  const end = lastIll === -1 ? own.findLast((fact) => fact.well) : own[clearAt];
  return end !== undefined && end.at <= clearSince ? end : undefined;
}

function markOf(thing: MeasuredThing, time: MeasuredTime, rule: string, fact: IncidentFact): TimeMark {
  const place = fact.row === undefined ? "" : ` (row ${fact.row.row} of ${fact.row.document})`;
  return {
    thing: thing.id,
    time,
    at: fact.at,
    precision: fact.precision,
    provenance: {
      kind: "inferred",
      rule,
      ...(fact.event !== undefined && { event: fact.event }),
      ...(fact.owner !== undefined && { owner: fact.owner }),
      says: `${reasons[rule.split("/")[0] ?? ""] ?? rule}: “${shorten(fact.says)}”${place}`,
    },
  };
}

const reasons: Readonly<Record<string, string>> = {
  "change-before-first-symptom": "The earliest change before its first symptom",
  "first-symptom": "Its first symptom; no change before it is known",
  "first-alert-or-report": "The first alert, ticket or report about it",
  "first-recorded-decision": "The first decision that was written down",
  "first-act-after-detection": "The first act on it once it was known",
  "first-act-after-symptom": "The first act on it behind its first symptom; when it was noticed is not known",
  "last-symptom-cleared": "The first recovery behind its last symptom, which lasted",
  "recovery-without-symptom": "The last recovery told; no symptom of it is known",
};

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= 160 ? line : `${line.slice(0, 159).trimEnd()}…`;
}

const rank = { set: 0, imported: 1, inferred: 2 } as const;

/**
 * One mark of each time: what somebody set stands before what was imported, and that before what was inferred; of two of
 * the same kind the later one of the list.
 */
export function letStand(marks: readonly TimeMark[]): readonly TimeMark[] {
  return measuredTimes.flatMap((time) => {
    const own = marks.filter((mark) => mark.time === time);
    const best = own.reduce<TimeMark | undefined>(
      (chosen, mark) =>
        chosen === undefined || rank[mark.provenance.kind] <= rank[chosen.provenance.kind] ? mark : chosen,
      undefined,
    );
    return best === undefined ? [] : [best];
  });
}

/** The times of every thing; what is frozen is told as it was, and nothing is inferred anew. */
export function timesOfThings(material: DossierMaterial): readonly ThingTimes[] {
  const { incident } = material;
  const inferred = incident.state === "published" ? [] : inferTimes(material);
  return incident.things.map((thing) => {
    const own = inferred.filter((mark) => mark.thing === thing.id);
    // A frozen inference is older than a fresh one; while it is a draft the fresh one tells what is known now.
    const kept = incident.times.filter((mark) => mark.thing === thing.id);
    const standing = letStand([...kept, ...own]);
    return { thing, standing, inferred: own, spans: measureSpans(standing) };
  });
}

const spanEnds: Readonly<Record<MeasuredSpan, readonly [MeasuredTime, MeasuredTime]>> = {
  detect: ["event", "detection"],
  decide: ["detection", "decision"],
  resolve: ["decision", "resolution"],
  total: ["event", "resolution"],
};

/** How long each step took; a length that would be negative is told as reversed, never as zero. */
export function measureSpans(marks: readonly TimeMark[]): Readonly<Record<MeasuredSpan, SpanLength>> {
  const measure = (span: MeasuredSpan): SpanLength => measureSpan(marks, ...spanEnds[span]);
  return {
    detect: measure("detect"),
    decide: measure("decide"),
    resolve: measure("resolve"),
    total: measure("total"),
  };
}

function measureSpan(marks: readonly TimeMark[], first: MeasuredTime, last: MeasuredTime): SpanLength {
  const [start, end] = [first, last].map((time) => marks.find((mark) => mark.time === time));
  if (start === undefined || end === undefined) {
    const missing = [...(start === undefined ? [first] : []), ...(end === undefined ? [last] : [])];
    return { outcome: "absent", missing };
  }
  // Both ends may be anywhere in their minute, so that the length is off by at most the wider of the two.
  const precision = duration(Math.max(start.precision, end.precision));
  const length = end.at - start.at;
  if (length < 0 && -length >= precision) return { outcome: "reversed", by: duration(-length) };
  const unordered = Math.abs(length) < precision;
  return { outcome: "measured", length: duration(Math.max(0, length)), precision, unordered };
}

/** Which measured times are of one incident and stand in the wrong order, by more than they are imprecise. */
export function reversedTimes(
  standing: readonly TimeMark[],
): readonly (readonly [earlier: TimeMark, later: TimeMark])[] {
  const ordered = measuredTimes.flatMap((time) => standing.filter((mark) => mark.time === time));
  return ordered.flatMap((mark, index) =>
    ordered
      .slice(index + 1)
      .filter(
        (later) => later.at < mark.at && mark.at - later.at >= Math.max(mark.precision, later.precision),
      )
      .map((later) => [mark, later] as const),
  );
}

/** `50 min ± 1 min`, `2 h 22 min`, `0 s ± 1 min`; for people. */
export function formatLength(length: Duration, precision: Duration = duration(0)): string {
  return `${words(length)}${precision > 0 ? ` ± ${words(precision)}` : ""}`;
}

function words(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const parts = [
    ...(hours > 0 ? [`${hours} h`] : []),
    ...(minutes > 0 ? [`${minutes} min`] : []),
    ...(rest > 0 || seconds === 0 ? [`${rest} s`] : []),
  ];
  return parts.join(" ");
}

/** The moment as precisely as it is known: `2024-08-02 10:06 UTC`, `2024-08-02 10:06:31 UTC`, with milliseconds only where they are known. */
export function formatMoment(at: number, precision: number): string {
  const text = formatInstant(at as Incident["openedAt"]);
  const length =
    precision >= 60_000 && at % 60_000 === 0 ? 16 : precision >= 1_000 && at % 1_000 === 0 ? 19 : 23;
  return `${text.slice(0, length).replace("T", " ")} UTC`;
}
