import type { EntityRef } from "../model/entity.ts";
import type { Attribution, Visibility } from "../model/event.ts";
import type { Incident, MeasuredThing, MeasuredTime, SectionName, TimeMark } from "../model/incident.ts";
import type { Duration, Instant } from "../model/instant.ts";
import type { TenantKey } from "../model/tenant.ts";
import type { Correlatable } from "./correlatable.ts";

/*
 * What a route calls, in the order of an incident's life; all are pure.
 *
 * `readIncidentDocument(document: IncidentDocument): IncidentImport` (incident-import.ts) turns a Markdown or CSV document
 * into the changes that an opening or an append takes. Lines that cannot be used come back whole, each with a code and what
 * to do, and `lines` counts all: used + setAsideLines + withoutTime. Where any time has no zone it throws nothing: those lines
 * are set aside with the code `zone-missing`, and the caller asks for one and calls again with `timezone`.
 *
 * `assembleDossier(material: DossierMaterial): IncidentDossier` (incident-assembly.ts) infers the times, lets what was set
 * stand before what was imported and that before what was inferred, measures the lengths, and runs the checks.
 * `blocksPublishing(dossier): boolean` says whether a check stands in the way.
 * `freezeTimes(dossier): readonly IncidentChange[]` (incident-assembly.ts) gives the entries that must be appended when it
 * is published, so that an event that arrives later cannot move a time that has been told.
 *
 * `composeReport(dossier, reader: ReportReader): IncidentReport` (incident-report.ts) builds what one audience may have, from
 * what it may have. For a tenant the reader carries that tenant's editions of pinned events; another tenant's are refused.
 * `exportIncident(report, format: "markdown" | "html" | "json" | "csv"): string` (incident-export.ts) writes it down.
 * `hashReport(report): string` (incident-export.ts) is the lower-case hex SHA-256 of the canonical JSON without `status`.
 * `compareAudiences(dossier, reader): readonly AudienceDifference[]` (incident-difference.ts) tells field by field what an
 * audience's document keeps, says in other words or leaves out, and why. The provider's alone.
 *
 * `findLeaks(text, dossier): readonly Leak[]` (incident-leak.ts) is what the checks and the reports ask of every text for
 * tenants or everybody; an amendment should be asked the same before it is appended.
 *
 * `summariseIncidents(figures: readonly IncidentFigures[], period, range, options): readonly PeriodSummary[]`
 * (incident-kpis.ts) counts and measures by week, month or quarter; `figuresOf(dossier)` makes what it takes of a dossier.
 */

/** A pinned or neighbouring event, as the provider has it or as an edition tells it. */
export interface DossierEvent extends Correlatable {
  /** When Isochron wrote it down; absent where the reader is not told. */
  readonly recordedAt?: Instant | undefined;
  /** Whose it is, and who may see it; absent counts as somebody's who is not known. */
  readonly attribution?: Attribution | undefined;
  readonly visibility?: Visibility | undefined;
}

/** A pin with what became of its event: shown, not shown to this reader, or no longer stored. */
export type DossierPin = {
  readonly event: string;
  readonly note?: string;
  readonly by: string;
} & (
  | { readonly state: "visible"; readonly seen: DossierEvent }
  | { readonly state: "withheld" }
  | { readonly state: "gone" }
);

/** A stretch in which a connection told nothing that can be relied on. */
export interface CoverageHole {
  readonly connection: string;
  readonly from: Instant;
  /** Open while absent. */
  readonly to?: Instant;
  readonly says: string;
}

/** All that a dossier is made of; nothing is fetched here. */
export interface DossierMaterial {
  readonly incident: Incident;
  /** By event id; an id that is absent is taken to be gone. */
  readonly pins: ReadonlyMap<string, DossierEvent | "withheld">;
  /** The provider's events in the window that are about the measured things; more than that does no harm. */
  readonly around: readonly DossierEvent[];
  readonly holes?: readonly CoverageHole[];
  /** By how much a connection's clock or polling may be wrong; absent for none. */
  readonly clockErrors?: ReadonlyMap<string, Duration>;
  /** Names of people, hosts and tenants that must not stand in a text for tenants or everybody, besides those in the events. */
  readonly knownNames?: readonly string[];
  /** Now: what has not stayed clear for long enough by then is not resolved yet. */
  readonly asOf: Instant;
  /** For how long a thing must stay clear before it counts as resolved; 15 minutes where absent. */
  readonly staysClear?: Duration;
}

/** The four lengths: event to detection, detection to decision, decision to resolution, event to resolution. */
export const measuredSpans = ["detect", "decide", "resolve", "total"] as const;
export type MeasuredSpan = (typeof measuredSpans)[number];

/** A length, or why there is none; it is never negative. */
export type SpanLength =
  /** `precision` is how far it may be off in either direction; `unordered` where nobody can say which end came first. */
  | {
      readonly outcome: "measured";
      readonly length: Duration;
      readonly precision: Duration;
      readonly unordered: boolean;
    }
  | { readonly outcome: "absent"; readonly missing: readonly MeasuredTime[] }
  /** The later moment lies before the earlier one, by more than both are imprecise. */
  | { readonly outcome: "reversed"; readonly by: Duration };

/** One measured thing with the times that stand, and what was inferred beside them. */
export interface ThingTimes {
  readonly thing: MeasuredThing;
  /** At most one of each time, in the order of `measuredTimes`. */
  readonly standing: readonly TimeMark[];
  /** Also where a set or imported time stands before it, so that a page can offer it. */
  readonly inferred: readonly TimeMark[];
  readonly spans: Readonly<Record<MeasuredSpan, SpanLength>>;
}

/** Where a check found something; the fields that do not apply are absent. */
export interface CheckPlace {
  readonly thing?: string;
  readonly time?: MeasuredTime;
  readonly event?: string;
  readonly row?: { readonly document: string; readonly row: number };
  readonly connection?: string;
  readonly section?: SectionName;
  readonly audience?: "tenant" | "public";
  /** The number of an entry of the history. */
  readonly entry?: number;
}

export const checkCodes = [
  "clocks-disagree",
  "views-apart",
  "late-report",
  "earlier-time-inside",
  "same-minute",
  "time-missing",
  "times-reversed",
  "no-symptom",
  "blind",
  "pin-gone",
  "pin-withheld",
  "section-missing",
  "leak",
  "nothing-measured",
] as const;
export type CheckCode = (typeof checkCodes)[number];

/** Something to look at before publishing. What blocks must be mended first; what warns may be published as it is. */
export interface IncidentCheck {
  readonly code: CheckCode;
  readonly severity: "blocks" | "warns";
  /** One sentence for people; for the provider alone. */
  readonly says: string;
  readonly where: CheckPlace;
}

/** What a text for tenants or everybody must not hold, lower case and without marks that nobody sees. */
export interface KnownIdentifiers {
  /** Ids of anything, names of hosts, tenants and people, addresses. */
  readonly identifiers: ReadonlySet<string>;
  /** Names of tenants' things that are also plain words, such as a server called `web`: worth a look, no proof. */
  readonly wordlike: ReadonlySet<string>;
}

/** An incident with all that is known of it at one moment. The provider's alone: audiences get reports. */
export interface IncidentDossier extends KnownIdentifiers {
  readonly incident: Incident;
  readonly pins: readonly DossierPin[];
  readonly things: readonly ThingTimes[];
  readonly checks: readonly IncidentCheck[];
}

/** Who a report is made for, with what only that reader may have. */
export type ReportReader =
  | { readonly kind: "provider" }
  | {
      readonly kind: "tenant";
      readonly key: TenantKey;
      readonly editions: {
        readonly tenant: TenantKey;
        /** By the id of the pinned event; an edition of a shared cause has an id of its own inside. */
        readonly byPin: ReadonlyMap<string, DossierEvent>;
      };
    }
  | { readonly kind: "public" };

/** Whether a fact that names the reference is about the thing. */
export function isAbout(thing: MeasuredThing, ref: EntityRef): boolean {
  return thing.ref !== undefined && thing.ref.kind === ref.kind && thing.ref.id === ref.id;
}
