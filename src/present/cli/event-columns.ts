import { instant } from "../../model/instant.ts";
import type { EventJson } from "../api/contract.ts";
import type { TenantJson } from "../api/tenancy-contract.ts";
import type { Column, Style, View } from "./view.ts";
import { offsetText, type Zone } from "./zone.ts";

const glyphs: Readonly<Record<EventJson["kind"], readonly [sign: string, letter: string, style: Style]>> = {
  change: ["◆", "C", "cyan"],
  symptom: ["▲", "S", "magenta"],
  recovery: ["■", "R", "green"],
  human: ["●", "H", "blue"],
  activity: ["❘", "A", "dim"],
};

const severityStyles: Readonly<Record<EventJson["severity"], Style | undefined>> = {
  info: undefined,
  warning: "yellow",
  error: "red",
  critical: "red",
};

/** The kind as a sign or, outside UTF-8, a letter; always with its word. */
export function kindText(kind: EventJson["kind"], utf8: boolean): string {
  return `${glyphs[kind][utf8 ? 0 : 1]} ${kind}`;
}

export function kindStyle(kind: EventJson["kind"]): Style {
  return glyphs[kind][2];
}

/** Names where there are some, else kind and id. */
export function entityText(entity: { kind: string; id: string; name?: string | undefined }): string {
  if (entity.kind === "component") return entity.name ?? entity.id;
  return entity.name === undefined ? `${entity.kind}/${entity.id}` : `${entity.kind} ${entity.name}`;
}

/** How wide the moment is: `1m`, `30s`, `250ms`; nothing where it is exact. */
export function precisionText(ms: number): string {
  if (ms === 0) return "";
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** `acme/prod`: many domains have a `prod`. Where the domain is not known the id tells equal names apart. */
export function tenantText(tenant: TenantJson): string {
  const domain = tenant.domain_name ?? tenant.domain_id;
  const { project_id: id, project_name: name } = tenant;
  if (id === undefined) return domain ?? "";
  if (domain !== undefined) return `${domain}/${name ?? id}`;
  return name === undefined ? id : `${name} (${id})`;
}

/** Who owns it, in a few words. */
export function ownerText(attribution: EventJson["attribution"]): string {
  const { status, affected } = attribution;
  if (status === "shared") {
    return `shared (${affected.length} ${affected.length === 1 ? "tenant" : "tenants"} affected)`;
  }
  const owner = [
    attribution.domain_name ?? attribution.domain_id,
    attribution.project_name ?? attribution.project_id,
  ].filter((part) => part !== null);
  return owner.length === 0 ? status : `${status} ${owner.join("/")}`;
}

/**
 * Columns of a listing of events. The offset stands in the heading while all rows share it, and at each
 * time as soon as clocks changed in between.
 */
export function eventColumns(view: View, events: readonly EventJson[]): readonly Column<EventJson>[] {
  const time = timeColumn(
    view.zone,
    events.map((event) => event.occurred_at),
  );
  return [
    { name: "id", title: "ID", wide: true, value: (event) => event.id },
    {
      ...time,
      value: (event) => event.occurred_at,
      shown: (event) => time.text(event.occurred_at, event.precision_ms),
    },
    { name: "occurred_at_local", value: (event) => view.zone.rfc3339(at(event.occurred_at)) },
    {
      name: "precision_ms",
      title: "±",
      value: (event) => String(event.precision_ms),
      shown: (event) => precisionText(event.precision_ms),
    },
    {
      name: "kind",
      title: "KIND",
      value: (event) => event.kind,
      shown: (event) => kindText(event.kind, view.utf8),
      style: (event) => kindStyle(event.kind),
    },
    {
      name: "severity",
      title: "SEV",
      value: (event) => event.severity,
      style: (event) => severityStyles[event.severity],
    },
    { name: "category", title: "CATEGORY", wide: true, value: (event) => event.category },
    { name: "type", title: "TYPE", wide: true, value: (event) => event.type },
    { name: "phase", value: (event) => event.phase ?? "" },
    { name: "subject_kind", value: (event) => event.subject.kind },
    { name: "subject_id", value: (event) => event.subject.id },
    {
      name: "subject_name",
      title: "COMPONENT",
      value: (event) => event.subject.name ?? "",
      shown: (event) => entityText(event.subject),
    },
    {
      name: "attribution",
      title: "OWNER",
      wide: true,
      value: (event) => event.attribution.status,
      shown: (event) => ownerText(event.attribution),
    },
    { name: "domain_id", value: (event) => event.attribution.domain_id ?? "" },
    { name: "project_id", value: (event) => event.attribution.project_id ?? "" },
    { name: "connection", title: "SOURCE", wide: true, value: (event) => event.connection ?? "" },
    { name: "recorded_at", value: (event) => event.recorded_at },
    { name: "summary", title: "WHAT", value: (event) => event.summary },
  ];
}

function at(time: string) {
  return instant(Date.parse(time));
}

/** Heading and cells of a column of times, which between them always tell the offset. */
export function timeColumn(
  zone: Zone,
  times: readonly string[],
): { name: string; title: string; text: (time: string, precisionMs: number) => string } {
  const offsets = new Set(times.map((time) => zone.offsetMinutes(at(time))));
  const [only] = offsets;
  const shared = offsets.size === 1 && only !== undefined;
  const ofZone = shared ? `UTC${only === 0 ? "" : offsetText(only)}` : undefined;
  const label = ofZone === undefined || ofZone === zone.name ? zone.name : `${zone.name}, ${ofZone}`;
  return {
    name: "occurred_at",
    title: `TIME (${label})`,
    text: (time, precisionMs) => {
      const local = zone.dateTime(at(time), precisionMs);
      return shared ? local : `${local}${offsetText(zone.offsetMinutes(at(time)))}`;
    },
  };
}
