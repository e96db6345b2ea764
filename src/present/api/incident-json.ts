import type {
  DossierEvent,
  DossierPin,
  IncidentDossier,
  SpanLength,
} from "../../correlate/incident-dossier.ts";
import type {
  Incident,
  IncidentChange,
  IncidentEntry,
  MeasuredThing,
  TimeMark,
} from "../../model/incident.ts";
import { duration, formatInstant } from "../../model/instant.ts";
import type { TenantKey } from "../../model/tenant.ts";
import type { IncidentEdition } from "../../store/incident-store.ts";
import { parseTime } from "./event-filter.ts";
import { toEntityJson } from "./event-json.ts";
import type {
  ChangeRequest,
  DossierJson,
  IncidentEditionJson,
  IncidentEntryJson,
  IncidentJson,
  IncidentSummaryJson,
  LengthJson,
  PinJson,
  TimeMarkJson,
} from "./incident-contract.ts";

/** What is asked for as it is stored; a time is set by whoever asks. */
export function readChange(given: ChangeRequest, by: string): IncidentChange {
  switch (given.kind) {
    case "window":
      return {
        kind: given.kind,
        from: parseTime(given.from),
        ...(given.to === undefined ? {} : { to: parseTime(given.to) }),
      };
    case "note": {
      const { kind, text, about } = given;
      return { kind, text, ...(about === undefined ? {} : { about: parseTime(about) }) };
    }
    case "pin": {
      const { kind, event, note } = given;
      return { kind, event, ...(note === undefined ? {} : { note }) };
    }
    case "decision": {
      const { kind, text, decided_at: at, thing } = given;
      return { kind, text, decidedAt: parseTime(at), ...(thing === undefined ? {} : { thing }) };
    }
    case "thing": {
      const { id, name, ref } = given.thing;
      return { kind: given.kind, thing: { id, name, ...(ref === undefined ? {} : { ref }) } };
    }
    case "time": {
      const { kind, thing, time, at, precision_ms: precisionMs, why } = given;
      const provenance = { kind: "set", by, why } as const;
      return {
        kind,
        mark: { thing, time, at: parseTime(at), precision: duration(precisionMs), provenance },
      };
    }
    case "tell":
      return { kind: given.kind, tenants: given.tenants as readonly string[] as readonly TenantKey[] };
    default:
      return given;
  }
}

export function toSummaryJson(incident: Incident): IncidentSummaryJson {
  const { window, openedAt, openedBy, pins } = incident;
  return {
    id: incident.id,
    origin: incident.origin,
    title: incident.title,
    severity: incident.severity,
    state: incident.state,
    from: formatInstant(window.from),
    to: window.to === undefined ? null : formatInstant(window.to),
    opened_at: formatInstant(openedAt),
    opened_by: openedBy,
    version: incident.version,
    pins: pins.length,
  };
}

/** `intact`: whether what was frozen is still as it was. */
export function toIncidentJson(incident: Incident, intact = true): IncidentJson {
  const { reviewed, published } = incident;
  return {
    ...toSummaryJson(incident),
    pinned: incident.pins.map(({ event, note, by }) => ({
      event,
      ...(note === undefined ? {} : { note }),
      by,
    })),
    things: incident.things.map(toThingJson),
    times: incident.times.map(toMarkJson),
    sections: incident.sections.map(({ section, audience, text }) => ({ section, audience, text })),
    tell: [...incident.tell],
    rows: incident.rows.map(({ document, row, at, precision, eventKind, thing, text }) => ({
      document,
      row,
      at: formatInstant(at),
      precision_ms: precision,
      kind: eventKind,
      ...(thing === undefined ? {} : { thing }),
      text,
    })),
    log: incident.log.map(toEntryJson),
    reviewed:
      reviewed === undefined
        ? null
        : { at: formatInstant(reviewed.at), by: reviewed.by, by_another: reviewed.byAnother },
    published:
      published === undefined
        ? null
        : { at: formatInstant(published.at), by: published.by, hash: published.hash, intact },
  };
}

export function toEntryJson({ sequence, recordedAt, by, change }: IncidentEntry): IncidentEntryJson {
  const { kind } = change;
  return { sequence, recorded_at: formatInstant(recordedAt), by, kind, change: toChangeJson(change) };
}

/** The fields of a change as the contract spells them. */
function toChangeJson(change: IncidentChange): Record<string, unknown> {
  switch (change.kind) {
    case "window":
      return {
        from: formatInstant(change.from),
        ...(change.to === undefined ? {} : { to: formatInstant(change.to) }),
      };
    case "note":
      return {
        text: change.text,
        ...(change.about === undefined ? {} : { about: formatInstant(change.about) }),
      };
    case "decision":
      return {
        text: change.text,
        decided_at: formatInstant(change.decidedAt),
        ...(change.thing === undefined ? {} : { thing: change.thing }),
      };
    case "thing":
      return { thing: toThingJson(change.thing) };
    case "time":
      return { ...toMarkJson(change.mark) };
    case "row": {
      const { document, row, at, precision, eventKind, thing, text } = change.row;
      return {
        document,
        row,
        at: formatInstant(at),
        precision_ms: precision,
        event_kind: eventKind,
        thing,
        text,
      };
    }
    default: {
      const { kind: _kind, ...fields } = change;
      return { ...fields };
    }
  }
}

function toThingJson({ id, name, ref }: MeasuredThing): IncidentJson["things"][number] {
  return { id, name, ...(ref === undefined ? {} : { ref: toEntityJson(ref) }) };
}

function toMarkJson({ thing, time, at, precision, provenance }: TimeMark): TimeMarkJson {
  return { thing, time, at: formatInstant(at), precision_ms: precision, provenance: { ...provenance } };
}

export function toDossierJson(dossier: IncidentDossier, intact: boolean): DossierJson {
  return {
    kind: "dossier",
    incident: toIncidentJson(dossier.incident, intact),
    pins: dossier.pins.map(toPinJson),
    times: dossier.things.map(({ thing, standing, inferred, spans }) => ({
      thing: toThingJson(thing),
      standing: standing.map(toMarkJson),
      inferred: inferred.map(toMarkJson),
      lengths: {
        detect: toLengthJson(spans.detect),
        decide: toLengthJson(spans.decide),
        resolve: toLengthJson(spans.resolve),
        total: toLengthJson(spans.total),
      },
    })),
    checks: dossier.checks.map(({ code, severity, says, where }) => ({
      code,
      severity,
      says,
      where: { ...where },
    })),
  };
}

function toPinJson(pin: DossierPin): PinJson {
  const { event, note, by, state } = pin;
  const own = { event, ...(note === undefined ? {} : { note }), by, state };
  return pin.state === "visible" ? { ...own, ...toSeenJson(pin.seen) } : own;
}

function toSeenJson(seen: DossierEvent): Partial<PinJson> {
  return {
    occurred_at: formatInstant(seen.occurredAt),
    precision_ms: seen.precision,
    type: seen.type,
    kind: seen.kind,
    severity: seen.severity,
    subject: toEntityJson(seen.subject, seen.subjectName),
    summary: seen.summary,
  };
}

function toLengthJson(span: SpanLength): LengthJson {
  switch (span.outcome) {
    case "measured":
      return {
        outcome: span.outcome,
        length_ms: span.length,
        precision_ms: span.precision,
        unordered: span.unordered,
      };
    case "absent":
      return { outcome: span.outcome, missing: [...span.missing] };
    case "reversed":
      return { outcome: span.outcome, length_ms: span.by };
  }
}

export function toEditionJson(edition: IncidentEdition): IncidentEditionJson {
  return { kind: "edition", ...toEditionHead(edition), markdown: edition.markdown };
}

export function toEditionHead(edition: IncidentEdition): Omit<IncidentEditionJson, "kind" | "markdown"> {
  const { id, title, hash, intact } = edition;
  return {
    id,
    edition: edition.edition,
    published_at: formatInstant(edition.publishedAt),
    title,
    hash,
    intact,
  };
}
