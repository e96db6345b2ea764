import { csvCell } from "../model/csv-cell.ts";
import type { IncidentReport } from "./incident-report.ts";
import { oneLine } from "./incident-text.ts";
import { tellerOf } from "./incident-markdown.ts";

const header = ["time_utc", "precision_ms", "record", "kind", "severity", "thing", "text", "told_by"];

/**
 * RFC 4180: a line for each event, row, note and decision, then one for each time, whose kind is which time it is. Sections
 * are no lines and are not in it.
 */
export function writeCsv(report: IncidentReport): string {
  const lines = report.timeline.map((line) => [
    line.at,
    String(line.precisionMs),
    line.kind === "note" || line.kind === "decision" ? line.kind : line.event === undefined ? "row" : "event",
    line.kind,
    line.severity ?? "",
    line.thing ?? "",
    line.text,
    tellerOf(line),
  ]);
  const times = report.things.flatMap(({ name, times: marks }) =>
    marks.map(({ time, at, precisionMs, basis, source }) => [
      at,
      String(precisionMs),
      "time",
      time,
      "",
      name,
      source ?? basis,
      "",
    ]),
  );
  return [header, ...lines, ...times].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

/** A text that begins with `'` gets a second one, so that whoever reads it back can take exactly one away. */
function cell(text: string): string {
  const line = oneLine(text);
  return line.startsWith("'") ? csvCell(line).replace("'", "''") : csvCell(line);
}
