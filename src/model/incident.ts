import type { EntityRef } from "./entity.ts";
import type { EventKind, Severity } from "./event.ts";
import type { Duration, Instant } from "./instant.ts";
import type { TenantKey } from "./tenant.ts";

/** A draft is worked on, a reviewed one waits for publication, a published one is frozen: later facts are amendments. */
export const incidentStates = ["draft", "reviewed", "published"] as const;
export type IncidentState = (typeof incidentStates)[number];

/** The four moments that are told of each measured thing, in the order in which they should lie. */
export const measuredTimes = ["event", "detection", "decision", "resolution"] as const;
export type MeasuredTime = (typeof measuredTimes)[number];

/** What suffered and recovered by itself: a service, a resource, a component named by people. */
export interface MeasuredThing {
  /** Unique in its incident, kept for ever: `messaging`, `server:6f3c…`. */
  readonly id: string;
  readonly name: string;
  readonly ref?: EntityRef;
}

/** How a time came to be known. What somebody set stands before what was imported, and that before what was inferred. */
export type TimeProvenance =
  | { readonly kind: "set"; readonly by: string; readonly why: string }
  | { readonly kind: "imported"; readonly document: string; readonly row: number }
  /**
   * `rule` with its version, such as `first-alert/1`; `event` is the id of the event that it was read from, and `owner` says
   * whose that was, because its moment is told to nobody else. Absent where nobody may be told.
   */
  | {
      readonly kind: "inferred";
      readonly rule: string;
      readonly event?: string;
      readonly owner?: "provider" | TenantKey;
      readonly says: string;
    };

export interface TimeMark {
  readonly thing: string;
  readonly time: MeasuredTime;
  readonly at: Instant;
  /** How well the moment is known: a post-mortem's minute is 60,000 ms wide. */
  readonly precision: Duration;
  readonly provenance: TimeProvenance;
}

/** Who reads an export: the provider's own people, one tenant, or everybody. */
export type Audience =
  | { readonly kind: "provider" }
  | { readonly kind: "tenant"; readonly key: TenantKey }
  | { readonly kind: "public" };

/** A text about the whole incident; each is written for one audience and shown to no wider one. */
export const sectionNames = ["summary", "impact", "cause", "actions"] as const;
export type SectionName = (typeof sectionNames)[number];
export const sectionAudiences = ["provider", "tenant", "public"] as const;
export type SectionAudience = (typeof sectionAudiences)[number];

/** What one entry of an incident says. Nothing is ever changed or taken away: a later entry stands before an earlier one. */
export type IncidentChange =
  | { readonly kind: "title"; readonly title: string }
  | { readonly kind: "severity"; readonly severity: Severity }
  /** The stretch of time that it is about; open while `to` is absent. */
  | { readonly kind: "window"; readonly from: Instant; readonly to?: Instant }
  | { readonly kind: "pin"; readonly event: string; readonly note?: string }
  | { readonly kind: "unpin"; readonly event: string; readonly why: string }
  | { readonly kind: "note"; readonly text: string; readonly about?: Instant }
  /** Somebody decided something, at a moment that need not be when it was written down. */
  | { readonly kind: "decision"; readonly text: string; readonly decidedAt: Instant; readonly thing?: string }
  | { readonly kind: "thing"; readonly thing: MeasuredThing }
  | { readonly kind: "drop-thing"; readonly thing: string; readonly why: string }
  | { readonly kind: "time"; readonly mark: TimeMark }
  /** Takes a set or imported time back, so that the inferred one shows again. */
  | { readonly kind: "clear-time"; readonly thing: string; readonly time: MeasuredTime; readonly why: string }
  | {
      readonly kind: "section";
      readonly section: SectionName;
      readonly audience: SectionAudience;
      readonly text: string;
    }
  /** Which tenants are told once it is published. */
  | { readonly kind: "tell"; readonly tenants: readonly TenantKey[] }
  /** A row that came from a document and not from a harvested event. */
  | { readonly kind: "row"; readonly row: ImportedRow }
  /** `hash` (lower-case hex SHA-256 of the canonical provider export) where it is published. */
  | { readonly kind: "state"; readonly state: IncidentState; readonly hash?: string }
  /** After publication; the frozen text stays as it was. */
  | { readonly kind: "amendment"; readonly text: string; readonly audience: SectionAudience };

/** A line of an imported timeline. */
export interface ImportedRow {
  readonly document: string;
  /** Counted from 1. */
  readonly row: number;
  readonly at: Instant;
  readonly precision: Duration;
  readonly eventKind: EventKind;
  readonly thing?: string;
  readonly text: string;
}

/** One line of an incident's history, as stored: numbered from 1 without gaps. */
export interface IncidentEntry {
  readonly sequence: number;
  readonly recordedAt: Instant;
  readonly by: string;
  readonly change: IncidentChange;
}

/** How it came to be opened. */
export const incidentOrigins = ["hand", "rule", "selection", "import"] as const;
export type IncidentOrigin = (typeof incidentOrigins)[number];

/** An incident as its entries leave it. */
export interface Incident {
  /** `inc_` and 26 letters and digits. */
  readonly id: string;
  readonly origin: IncidentOrigin;
  readonly openedAt: Instant;
  readonly openedBy: string;
  readonly title: string;
  readonly severity: Severity;
  readonly state: IncidentState;
  readonly window: { readonly from: Instant; readonly to?: Instant };
  /** In the order of pinning. */
  readonly pins: readonly { readonly event: string; readonly note?: string; readonly by: string }[];
  readonly things: readonly MeasuredThing[];
  /** Set and imported times that stand; inferred ones are computed when asked, and kept when it is published. */
  readonly times: readonly TimeMark[];
  readonly sections: readonly {
    readonly section: SectionName;
    readonly audience: SectionAudience;
    readonly text: string;
  }[];
  readonly tell: readonly TenantKey[];
  readonly rows: readonly ImportedRow[];
  /** Notes, decisions and amendments, in the order of their entries. */
  readonly log: readonly IncidentEntry[];
  /** Absent while nobody has reviewed what stands; `byAnother` where who reviewed it had written none of it. */
  readonly reviewed?: { readonly at: Instant; readonly by: string; readonly byAnother: boolean };
  /** Absent until published. */
  readonly published?: { readonly at: Instant; readonly by: string; readonly hash: string };
  /** The number of its last entry: what an edit must name to be taken. */
  readonly version: number;
}
