import type { EntityKind, EntityRef } from "../model/entity.ts";
import type { EventKind, Severity } from "../model/event.ts";
import type { IncidentState, MeasuredTime, SectionAudience, SectionName } from "../model/incident.ts";
import { sectionNames } from "../model/incident.ts";
import { duration, formatInstant } from "../model/instant.ts";
import type { Duration, Instant } from "../model/instant.ts";
import type {
  CheckCode,
  DossierEvent,
  DossierPin,
  IncidentDossier,
  MeasuredSpan,
  ReportReader,
  ThingTimes,
} from "./incident-dossier.ts";
import { isAbout, measuredSpans } from "./incident-dossier.ts";
import { findLeaks } from "./incident-leak.ts";
import { measureSpans } from "./incident-times.ts";

/** The version goes up when a field is taken away or means something else; readers pass over fields that they do not know. */
export const reportSchema = "isochron.incident/1";

/** What one audience may have of an incident: plain JSON, times in RFC 3339. All formats are written from it alone. */
export interface IncidentReport {
  readonly schema: typeof reportSchema;
  readonly audience: ReportReader["kind"];
  /** Not for the public. */
  readonly id?: string;
  readonly title: string;
  readonly severity: Severity;
  readonly window: { readonly from: string; readonly to?: string };
  readonly things: readonly ReportThing[];
  /** In the order of time. */
  readonly timeline: readonly ReportLine[];
  readonly sections: readonly ReportSection[];
  /** For the provider alone: pins whose events are not told. */
  readonly missing?: readonly { readonly event: string; readonly state: "withheld" | "gone" }[];
  /** For the provider alone: the keys of the tenants that are told. */
  readonly told?: readonly string[];
  /** What may still change once the rest is frozen; no part of the hash. */
  readonly status: ReportStatus;
}

export interface ReportThing {
  readonly name: string;
  readonly id?: string;
  readonly ref?: EntityRef;
  readonly times: readonly ReportTime[];
  readonly spans: readonly ReportSpan[];
}

export interface ReportTime {
  readonly time: MeasuredTime;
  readonly at: string;
  readonly precisionMs: number;
  readonly basis: "set" | "imported" | "inferred";
  /** For the provider alone: who set it and why, the document, or the rule and what it stands on. */
  readonly source?: string;
  readonly event?: string;
}

/** A length that cannot be told has no `ms`; `reversed` says that its ends stand in the wrong order. */
export interface ReportSpan {
  readonly span: MeasuredSpan;
  readonly ms?: number;
  readonly precisionMs?: number;
  readonly reversed?: true;
}

export interface ReportLine {
  readonly at: string;
  readonly precisionMs: number;
  readonly kind: EventKind | "note" | "decision";
  readonly severity?: Severity;
  /** The name of what it is about. */
  readonly thing?: string;
  readonly text: string;
  readonly event?: string;
  readonly document?: string;
  readonly row?: number;
  readonly by?: string;
  /** What was noted when the event was pinned. */
  readonly note?: string;
}

export interface ReportSection {
  readonly section: SectionName;
  /** For the provider alone, who has the texts for every audience. */
  readonly audience?: SectionAudience;
  readonly text: string;
}

export interface ReportStatus {
  readonly state: IncidentState;
  readonly publishedAt?: string;
  readonly publishedBy?: string;
  readonly hash?: string;
  readonly amendments: readonly { readonly at: string; readonly text: string; readonly by?: string }[];
  readonly checks?: readonly { readonly code: CheckCode; readonly severity: string; readonly says: string }[];
}

/** A report with where each part of the dossier stands in it; undefined for what its reader does not get. */
export interface TracedReport {
  readonly report: IncidentReport;
  /** By the places in the provider's report. */
  readonly things: readonly (number | undefined)[];
  readonly timeline: readonly (number | undefined)[];
  readonly sections: readonly (number | undefined)[];
}

/**
 * What the reader may have, built from what it may have: another audience's document is never cut down to it. A tenant gets
 * the editions that the reader carries; throws a `TypeError` where they are another tenant's.
 */
export function composeReport(dossier: IncidentDossier, reader: ReportReader): IncidentReport {
  return traceReport(dossier, reader).report;
}

export function traceReport(dossier: IncidentDossier, reader: ReportReader): TracedReport {
  // One caller's mistake must not become another tenant's reading.
  if (reader.kind === "tenant" && reader.editions.tenant !== reader.key)
    throw new TypeError("the editions are another tenant's");
  const { incident } = dossier;
  const names = namesFor(dossier, reader);
  const things = place(dossier.things.map((one) => thingFor(one, names.get(one.thing.id), reader)));
  const timeline = place(linesFor(dossier, reader, names), byTime);
  const sections = sectionsFor(dossier, reader);
  const { from, to } = incident.window;
  return {
    report: {
      schema: reportSchema,
      audience: reader.kind,
      ...(reader.kind !== "public" && { id: incident.id }),
      title: reader.kind === "provider" ? incident.title : (sections.title ?? generalTitle(from)),
      severity: incident.severity,
      window: { from: formatInstant(from), ...(to !== undefined && { to: formatInstant(to) }) },
      things: things.kept,
      timeline: timeline.kept,
      sections: sections.kept,
      ...(reader.kind === "provider" && {
        missing: dossier.pins.flatMap(({ event, state }) => (state === "visible" ? [] : [{ event, state }])),
        told: incident.tell,
      }),
      status: statusFor(dossier, reader),
    },
    things: things.places,
    timeline: timeline.places,
    sections: sections.places,
  };
}

function byTime(one: ReportLine, other: ReportLine): number {
  return one.at === other.at ? 0 : one.at < other.at ? -1 : 1;
}

/** The parts that are there, and for each part its place among them. */
function place<T>(
  parts: readonly (T | undefined)[],
  order?: (one: T, other: T) => number,
): { readonly kept: readonly T[]; readonly places: readonly (number | undefined)[] } {
  const there = parts.flatMap((part, index) => (part === undefined ? [] : [{ part, index }]));
  const ordered =
    order === undefined ? there : there.toSorted((a, b) => order(a.part, b.part) || a.index - b.index);
  const places: (number | undefined)[] = parts.map(() => undefined);
  for (const [at, { index }] of ordered.entries()) places[index] = at;
  return { kept: ordered.map(({ part }) => part), places };
}

/** What the provider's own estate is called before others; a thing of any other kind is some tenant's. */
const estateWords: ReadonlyMap<EntityKind, string> = new Map<EntityKind, string>([
  ["component", "Service"],
  ["service", "Service"],
  ["agent", "Service"],
  ["region", "Region"],
  ["host", "Shared infrastructure"],
  ["hypervisor", "Shared infrastructure"],
  ["monitored_host", "Shared infrastructure"],
  ["aggregate", "Shared infrastructure"],
  ["backend", "Shared storage"],
]);

/** By which name the reader knows each thing; one that is absent is not told at all. */
function namesFor(dossier: IncidentDossier, reader: ReportReader): ReadonlyMap<string, string> {
  if (reader.kind === "provider") return new Map(dossier.things.map(({ thing }) => [thing.id, thing.name]));
  const words = dossier.things.map(({ thing }): readonly [string, string | undefined, boolean] => {
    const own = reader.kind === "tenant" ? ownName(thing, reader) : undefined;
    if (own !== undefined) return [thing.id, own, false];
    const word = thing.ref === undefined ? "Service" : estateWords.get(thing.ref.kind);
    return [thing.id, word, true];
  });
  const counts = new Map<string, number>();
  const repeated = (word: string): boolean => words.filter(([, other]) => other === word).length > 1;
  const names = new Map<string, string>();
  for (const [id, word, general] of words) {
    if (word === undefined) continue;
    const number = (counts.get(word) ?? 0) + 1;
    counts.set(word, number);
    names.set(id, general && repeated(word) ? `${word} ${number}` : word);
  }
  return names;
}

/** The name by which the tenant's own editions call it. */
function ownName(
  thing: ThingTimes["thing"],
  { editions }: Extract<ReportReader, { kind: "tenant" }>,
): string | undefined {
  for (const { subject, subjectName, related } of editions.byPin.values()) {
    if (isAbout(thing, subject)) return subjectName ?? `Your ${subject.kind.replaceAll("_", " ")}`;
    const other = related.find(({ ref }) => isAbout(thing, ref));
    if (other !== undefined) return other.name ?? `Your ${other.ref.kind.replaceAll("_", " ")}`;
  }
  return undefined;
}

function thingFor(
  { thing, standing: all, spans: allSpans }: ThingTimes,
  name: string | undefined,
  reader: ReportReader,
): ReportThing | undefined {
  if (name === undefined) return undefined;
  const whole = reader.kind === "provider";
  const standing = all.filter(({ provenance }) => mayKnow(provenance, reader));
  const spans = standing.length === all.length ? allSpans : measureSpans(standing);
  return {
    name,
    ...(whole && { id: thing.id, ...(thing.ref !== undefined && { ref: thing.ref }) }),
    times: standing.map(({ time, at, precision, provenance }) => ({
      time,
      ...momentOf(at, precision),
      basis: provenance.kind,
      ...(whole && sourceOf(provenance)),
    })),
    spans: measuredSpans.map((span) => {
      const length = spans[span];
      if (length.outcome === "measured") return { span, ms: length.length, precisionMs: length.precision };
      return length.outcome === "reversed" ? { span, reversed: true as const } : { span };
    }),
  };
}

/** When something happened to one tenant is not told to another, nor to everybody, unless somebody set it by hand. */
function mayKnow(provenance: ThingTimes["standing"][number]["provenance"], reader: ReportReader): boolean {
  if (reader.kind === "provider" || provenance.kind !== "inferred" || provenance.event === undefined)
    return true;
  const { owner } = provenance;
  return owner === "provider" || (reader.kind === "tenant" && owner === reader.key);
}

function sourceOf(
  provenance: ThingTimes["standing"][number]["provenance"],
): Pick<ReportTime, "source" | "event"> {
  if (provenance.kind === "set") return { source: `${provenance.by}: ${provenance.why}` };
  if (provenance.kind === "imported") return { source: `${provenance.document}, row ${provenance.row}` };
  const { rule, says, event } = provenance;
  return { source: `${rule}: ${says}`, ...(event !== undefined && { event }) };
}

function momentOf(at: Instant, precision: Duration): { readonly at: string; readonly precisionMs: number } {
  return { at: formatInstant(at), precisionMs: precision };
}

/** Sections in the order of `sectionNames`; a summary may begin with `# A title` for its readers. */
function sectionsFor(
  dossier: IncidentDossier,
  reader: ReportReader,
): {
  readonly kept: readonly ReportSection[];
  readonly places: TracedReport["sections"];
  readonly title?: string;
} {
  const { sections } = dossier.incident;
  const ordered = sectionNames.flatMap((name) => sections.filter(({ section }) => section === name));
  if (reader.kind === "provider") return { kept: ordered, places: ordered.map((_, index) => index) };
  const suits = ordered.map((one) => one.audience !== "provider" && suitsReader(one, ordered, reader));
  const clean = ordered.map(({ text }, index) => suits[index] === true && isClean(text, dossier));
  const summary = ordered.find(({ section }, index) => section === "summary" && clean[index] === true);
  const title = /^\s*#[ \t]+(\S.*)/.exec(summary?.text ?? "")?.[1]?.trim();
  const { kept, places } = place(
    ordered.map(({ section, text }, index) =>
      clean[index] === true
        ? { section, text: section === "summary" ? text.replace(/^\s*#[ \t]+\S.*/, "").trim() : text }
        : undefined,
    ),
  );
  return { kept, places, ...(title !== undefined && { title }) };
}

/** What is written for tenants stands before what is written for everybody. */
function suitsReader(one: ReportSection, all: readonly ReportSection[], reader: ReportReader): boolean {
  if (reader.kind === "public") return one.audience === "public";
  const better = all.some(({ section, audience }) => section === one.section && audience === "tenant");
  return one.audience === "tenant" || !better;
}

/** The checks block publication for it; a preview must not tell it either. */
function isClean(text: string, dossier: IncidentDossier): boolean {
  return !findLeaks(text, dossier).some(({ certain }) => certain);
}

function generalTitle(from: Instant): string {
  return `Incident of ${formatInstant(from).slice(0, 10)}`;
}

function statusFor({ incident, checks, ...dossier }: IncidentDossier, reader: ReportReader): ReportStatus {
  const whole = reader.kind === "provider";
  const { published, state } = incident;
  const readable: readonly SectionAudience[] =
    reader.kind === "public" ? ["public"] : whole ? ["provider", "tenant", "public"] : ["tenant", "public"];
  return {
    state,
    ...(published !== undefined && {
      publishedAt: formatInstant(published.at),
      ...(whole && { publishedBy: published.by, hash: published.hash }),
    }),
    amendments: incident.log.flatMap(({ change, recordedAt, by }) => {
      if (change.kind !== "amendment" || !readable.includes(change.audience)) return [];
      if (!whole && findLeaks(change.text, dossier).some(({ certain }) => certain)) return [];
      return [{ at: formatInstant(recordedAt), text: change.text, ...(whole && { by }) }];
    }),
    ...(whole && {
      checks: checks.map(({ code, severity, says }) => ({ code, severity, says })),
    }),
  };
}

/** A line for each pin, row and entry of the log in their order; undefined for what the reader does not get. */
function linesFor(
  { incident, pins }: IncidentDossier,
  reader: ReportReader,
  names: ReadonlyMap<string, string>,
): readonly (ReportLine | undefined)[] {
  if (reader.kind !== "provider") {
    // Rows, notes and decisions are people's words that nobody wrote for this reader.
    const silent = [...incident.rows, ...incident.log].map(() => undefined);
    return [...pins.map((pin) => editionLine(pin, reader)), ...silent];
  }
  const thingOf = (word: string | undefined): { readonly thing?: string } =>
    word === undefined ? {} : { thing: names.get(word) ?? word };
  return [
    ...pins.map((pin) => eventLine(pin, incident)),
    ...incident.rows.map(({ at, precision, eventKind, text, document, row, thing }) => ({
      ...momentOf(at, precision),
      kind: eventKind,
      ...thingOf(thing),
      text,
      document,
      row,
    })),
    ...incident.log.map(({ change, recordedAt, by }): ReportLine | undefined => {
      if (change.kind === "note")
        return { ...momentOf(change.about ?? recordedAt, duration(0)), kind: "note", text: change.text, by };
      if (change.kind !== "decision") return undefined;
      const { decidedAt, thing, text } = change;
      return { ...momentOf(decidedAt, duration(0)), kind: "decision", ...thingOf(thing), text, by };
    }),
  ];
}

function eventLine(pin: DossierPin, { things }: IncidentDossier["incident"]): ReportLine | undefined {
  if (pin.state !== "visible") return undefined;
  const about = things.find((thing) => isAbout(thing, pin.seen.subject));
  return {
    ...lineOf(pin.seen, about?.name ?? pin.seen.subjectName ?? pin.seen.subject.id),
    event: pin.event,
    by: pin.by,
    ...(pin.note !== undefined && { note: pin.note }),
  };
}

/** The tenant's edition under its own id; for the public there is none. */
function editionLine(pin: DossierPin, reader: ReportReader): ReportLine | undefined {
  const edition = reader.kind === "tenant" ? reader.editions.byPin.get(pin.event) : undefined;
  if (edition === undefined) return undefined;
  return { ...lineOf(edition, edition.subjectName), event: edition.id };
}

function lineOf(event: DossierEvent, thing: string | undefined): ReportLine {
  return {
    ...momentOf(event.occurredAt, event.precision),
    kind: event.kind,
    severity: event.severity,
    ...(thing !== undefined && { thing }),
    text: event.summary,
  };
}
