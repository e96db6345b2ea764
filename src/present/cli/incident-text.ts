import { formatInstant, instant } from "../../model/instant.ts";
import type {
  DossierJson,
  IncidentJson,
  IncidentSummaryJson,
  LengthJson,
  PinJson,
} from "../api/incident-contract.ts";
import type { Reading } from "./reading.ts";
import type { Column, View } from "./view.ts";

export function incidentColumns(view: View): readonly Column<IncidentSummaryJson>[] {
  const at = (text: string | null): string =>
    text === null ? "" : view.zone.rfc3339(instant(Date.parse(text)));
  return [
    { name: "id", title: "INCIDENT", value: ({ id }) => id },
    { name: "state", title: "STATE", value: ({ state }) => state },
    { name: "severity", title: "SEVERITY", value: ({ severity }) => severity },
    { name: "from", title: "FROM", value: ({ from }) => from, shown: ({ from }) => at(from) },
    { name: "to", title: "TO", value: ({ to }) => to ?? "", shown: ({ to }) => at(to) },
    {
      name: "origin",
      title: "OPENED BY",
      wide: true,
      value: ({ origin, opened_by: by }) => `${origin}: ${by}`,
    },
    { name: "pins", title: "PINNED", value: ({ pins }) => String(pins) },
    { name: "version", title: "VERSION", wide: true, value: ({ version }) => String(version) },
    { name: "title", title: "TITLE", value: ({ title }) => title },
  ];
}

interface ShownTime {
  readonly thing: string;
  readonly time: string;
  readonly at: string;
  readonly from: string;
}

/** One row for each of the four times of each measured thing, also where it is not known. */
export function timeRows(dossier: DossierJson): readonly ShownTime[] {
  return dossier.times.flatMap(({ thing, standing }) =>
    (["event", "detection", "decision", "resolution"] as const).map((time) => {
      const mark = standing.find((one) => one.time === time);
      return {
        thing: thing.id,
        time,
        at: mark?.at ?? "",
        from: mark === undefined ? "not known" : provenanceText(mark.provenance),
      };
    }),
  );
}

export function provenanceText(
  provenance: DossierJson["times"][number]["standing"][number]["provenance"],
): string {
  switch (provenance.kind) {
    case "set":
      return `set by ${provenance.by}: ${provenance.why}`;
    case "imported":
      return `imported from ${provenance.document}, row ${provenance.row}`;
    case "inferred":
      return `inferred by ${provenance.rule}: ${provenance.says}`;
  }
}

export function timeColumns(view: View): readonly Column<ShownTime>[] {
  return [
    { name: "thing", title: "THING", value: ({ thing }) => thing },
    { name: "time", title: "TIME", value: ({ time }) => time },
    {
      name: "at",
      title: "AT",
      value: ({ at }) => at,
      shown: ({ at }) => (at === "" ? "" : view.zone.rfc3339(instant(Date.parse(at)))),
    },
    { name: "provenance", title: "KNOWN FROM", value: ({ from }) => from },
  ];
}

export function pinColumns(view: View): readonly Column<PinJson>[] {
  return [
    { name: "event", title: "PINNED", value: ({ event }) => event },
    {
      name: "occurred_at",
      title: "OCCURRED",
      value: (pin) => pin.occurred_at ?? "",
      shown: (pin) =>
        pin.occurred_at === undefined ? pin.state : view.zone.rfc3339(instant(Date.parse(pin.occurred_at))),
    },
    { name: "summary", title: "SUMMARY", value: (pin) => pin.summary ?? `(${pin.state})` },
    { name: "note", title: "NOTE", value: ({ note }) => note ?? "" },
  ];
}

/** A length of time in the largest units that tell it: `1 h 12 min`. */
export function lengthText(length: LengthJson): string {
  if (length.outcome === "absent") return `not known (${(length.missing ?? []).join(", ")} missing)`;
  const text = spellLength(length.length_ms ?? 0);
  if (length.outcome === "reversed") return `reversed by ${text}`;
  const precision = length.precision_ms ?? 0;
  const told = precision === 0 ? text : `${text} ± ${spellLength(precision)}`;
  return length.unordered === true ? `${told}, in an order that nobody can tell` : told;
}

/** A length of milliseconds in the largest units that tell it. */
export function spellLength(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 0) return `${Math.round(ms / 1000)} s`;
  const seconds = Math.floor(ms / 1000) % 60;
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
  return [
    ...(days === 0 ? [] : [`${days} d`]),
    ...(hours === 0 ? [] : [`${hours} h`]),
    ...(rest === 0 ? [] : [`${rest} min`]),
    ...(minutes >= 60 || seconds === 0 ? [] : [`${seconds} s`]),
  ].join(" ");
}

/** A moment as the API takes it; undefined stays undefined. */
export async function timeOf(reading: Reading, text: string | undefined): Promise<string | undefined> {
  return text === undefined ? undefined : formatInstant(await reading.readTime(text));
}

/** One incident as a line, or whole as JSON. */
export async function printIncident({ view }: Reading, incident: IncidentJson): Promise<void> {
  if (view.format === "json") await view.json(incident);
  else if (view.format === "ndjson") await view.ndjson([incident]);
  else await view.rows(incidentColumns(view), [incident]);
}
