import { entityKey } from "../model/entity.ts";
import type { EventKind, Severity } from "../model/event.ts";
import type { Incident, MeasuredThing } from "../model/incident.ts";
import type { Duration, Instant } from "../model/instant.ts";
import { duration } from "../model/instant.ts";
import { tenantKey, type TenantKey } from "../model/tenant.ts";
import type { DossierEvent, DossierMaterial } from "./incident-dossier.ts";
import { isAbout } from "./incident-dossier.ts";
import { names, readWords } from "./incident-words.ts";

/** An event, an imported row or a recorded decision, as the rules of time look at it. */
export interface IncidentFact {
  readonly at: Instant;
  readonly precision: Duration;
  readonly kind: EventKind;
  /** A symptom that is more than information, a recovery, an alert or report, an act on something. */
  readonly ill: boolean;
  readonly well: boolean;
  readonly noticed: boolean;
  readonly acted: boolean;
  readonly says: string;
  /** The things that it is about, by id. */
  readonly things: ReadonlySet<string>;
  readonly pinned: boolean;
  readonly event?: string;
  /** Whose the event is; absent where nobody but the provider may be told when it was. */
  readonly owner?: "provider" | TenantKey;
  readonly row?: { readonly document: string; readonly row: number };
  /** The steps of one operation have the same. */
  readonly operation?: string;
  /** Of a monitor's alert: its firing and its end have the same. */
  readonly signal?: string;
  /** Somebody wrote into the history that this was decided. */
  readonly decision: boolean;
}

/** In the order of time; what lies in one moment stands in the order in which it was written. */
export function collectFacts(material: DossierMaterial): readonly IncidentFact[] {
  const { incident } = material;
  const events = new Map<string, { readonly event: DossierEvent; readonly pinned: boolean }>();
  for (const event of material.around) events.set(event.id, { event, pinned: false });
  for (const pin of incident.pins) {
    const event = material.pins.get(pin.event);
    if (event !== undefined && event !== "withheld") events.set(pin.event, { event, pinned: true });
  }
  const facts = [
    ...[...events.values()].map(({ event, pinned }) => factOfEvent(event, pinned, material)),
    ...incident.rows.map((row) => factOfRow(row, incident.things)),
    ...decisionsOf(incident),
  ];
  return facts.toSorted((a, b) => a.at - b.at || placeOf(a) - placeOf(b) || compareIds(a, b));
}

function placeOf(fact: IncidentFact): number {
  return fact.row?.row ?? 0;
}

function compareIds(a: IncidentFact, b: IncidentFact): number {
  const [one, other] = [a.event ?? "", b.event ?? ""];
  return one === other ? 0 : one < other ? -1 : 1;
}

function factOfEvent(event: DossierEvent, pinned: boolean, material: DossierMaterial): IncidentFact {
  const clockError = material.clockErrors?.get(event.connection ?? "") ?? 0;
  const row = rowOf(event);
  const operation = event.operation?.requestId ?? event.operation?.workflowId;
  return {
    at: event.occurredAt,
    precision: duration(Math.max(event.precision, clockError)),
    // Where the kind was itself read from words, they are read here with more care: the last state told stands.
    ...aspectsOf(
      { kind: event.kind, severity: event.severity, text: event.summary },
      row !== undefined,
      event.details["kind_from"] === "words",
    ),
    ...(reports(event) && { noticed: true }),
    says: event.summary,
    things: new Set(
      material.incident.things.filter((thing) => concerns(event, thing, pinned)).map((thing) => thing.id),
    ),
    pinned,
    event: event.id,
    ...ownerOf(event),
    ...(row !== undefined && { row }),
    ...(operation !== undefined && { operation }),
    ...signalOf(event),
    decision: false,
  };
}

/** Who waits for a ruling about whose it is, and what tenants are not shown, has no owner here. */
function ownerOf({ attribution, visibility }: DossierEvent): { readonly owner?: "provider" | TenantKey } {
  if (attribution?.status === "shared" || attribution?.status === "provider") return { owner: "provider" };
  const isShown = visibility === "operational" || visibility === "billing";
  return attribution?.status === "owned" && isShown ? { owner: tenantKey(attribution.tenant) } : {};
}

function signalOf(event: DossierEvent): { readonly signal?: string } {
  if (event.category !== "monitoring" || (event.phase !== "start" && event.phase !== "end")) return {};
  const alert = event.operation?.workflowId ?? event.type.replace(/\.[^.]*$/, "");
  return { signal: `${event.connection ?? ""}|${entityKey(event.subject)}|${alert}` };
}

type Aspects = Pick<IncidentFact, "kind" | "ill" | "well" | "noticed" | "acted">;

/** `written` where people wrote the line; `unsaid` where its kind, too, was only read from its words. */
function aspectsOf(
  line: { readonly kind: EventKind; readonly severity: Severity; readonly text: string },
  written: boolean,
  unsaid: boolean,
): Aspects {
  const words = readWords(line.text);
  const kind = unsaid ? kindTold(line.kind, words) : line.kind;
  const ill = kind === "symptom" && (unsaid || line.severity !== "info");
  return {
    kind,
    ill,
    // "The proxies are started again; the bus is repaired" is an act and its end in one line.
    well:
      words.state === "well"
        ? kind === "recovery" || (written && kind === "change")
        : kind === "recovery" && !(written && words.state === "mending"),
    noticed: words.noticed && (kind === "human" || (written && kind !== "recovery" && kind !== "change")),
    // Who only looks has decided nothing yet.
    acted: kind === "change" || (words.acted && (kind === "human" || (written && ill))),
  };
}

function kindTold(given: EventKind, { state }: ReturnType<typeof readWords>): EventKind {
  if (state === "well") return "recovery";
  if (state === "ill") return "symptom";
  return given === "recovery" || given === "symptom" ? "activity" : given;
}

/** An alert of a monitor or a customer's ticket says by itself that somebody could know. */
function reports(event: DossierEvent): boolean {
  return event.category === "ticket" || (event.category === "monitoring" && event.kind === "symptom");
}

function rowOf(event: DossierEvent): IncidentFact["row"] {
  const { document, row } = event.details;
  return typeof document === "string" && typeof row === "number" ? { document, row } : undefined;
}

/** What tenants' things stand on, and all that is the provider's. */
const bearers: ReadonlySet<string> = new Set([
  "host",
  "hypervisor",
  "monitored_host",
  "aggregate",
  "backend",
  "region",
]);
const estate: ReadonlySet<string> = new Set([...bearers, "component", "service", "agent", "hostname"]);

/** A thing with a reference is told by ids alone; one that people named, by its name in what people wrote. */
function concerns(event: DossierEvent, thing: MeasuredThing, pinned: boolean): boolean {
  if (thing.ref !== undefined) {
    // Guests come and go all day on what bears them: that tells nothing of the bearer until somebody finds that it does.
    if (!pinned && bearers.has(thing.ref.kind) && !estate.has(event.subject.kind)) return false;
    const told = event.related.filter((item) => item.role !== "refers_to").map((item) => item.ref);
    return [event.subject, ...told].some((ref) => isAbout(thing, ref));
  }
  // A line of a document that names no component stands under the document's title, which may name anything.
  const titled = [event.details["title"], event.details["document"]].includes(event.subject.id);
  const bears = !titled && names(`${event.subjectName ?? ""} | ${event.subject.id}`, thing.name);
  return bears || names(event.summary, thing.name);
}

function factOfRow(row: Incident["rows"][number], things: readonly MeasuredThing[]): IncidentFact {
  const about = things.filter(
    ({ id, name }) => row.thing === id || names(row.thing ?? "", name) || names(row.text, name),
  );
  return {
    at: row.at,
    precision: row.precision,
    ...aspectsOf({ kind: row.eventKind, severity: "warning", text: row.text }, true, false),
    says: row.text,
    things: new Set(about.map(({ id }) => id)),
    pinned: false,
    row: { document: row.document, row: row.row },
    decision: false,
  };
}

function decisionsOf({ log, things }: Incident): readonly IncidentFact[] {
  return log.flatMap(({ change }) => {
    if (change.kind !== "decision") return [];
    const about = change.thing === undefined ? things.map(({ id }) => id) : [change.thing];
    return [
      {
        at: change.decidedAt,
        // Whoever writes a decision down gives it to the minute.
        precision: duration(change.decidedAt % 60_000 === 0 ? 60_000 : 1_000),
        kind: "human" as const,
        ill: false,
        well: false,
        noticed: false,
        acted: true,
        says: change.text,
        things: new Set(about),
        pinned: false,
        decision: true,
      },
    ];
  });
}
