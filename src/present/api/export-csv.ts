import { escapeInJson } from "../../model/commanding-text.ts";
import { csvCell } from "../../model/csv-cell.ts";
import type { EventJson } from "./contract.ts";

const columns: readonly (readonly [name: string, value: (event: EventJson) => unknown])[] = [
  ["id", ({ id }) => id],
  ["occurred_at", (event) => event.occurred_at],
  ["recorded_at", (event) => event.recorded_at],
  ["type", ({ type }) => type],
  ["kind", ({ kind }) => kind],
  ["category", ({ category }) => category],
  ["phase", ({ phase }) => phase],
  ["severity", ({ severity }) => severity],
  ["subject_kind", ({ subject }) => subject.kind],
  ["subject_id", ({ subject }) => subject.id],
  ["subject_name", ({ subject }) => subject.name],
  ["domain_id", ({ attribution }) => attribution.domain_id],
  ["project_id", ({ attribution }) => attribution.project_id],
  ["because", ({ attribution }) => attribution.because],
  ["summary", ({ summary }) => summary],
  ["related", ({ related }) => escapeInJson(JSON.stringify(related))],
  ["operation", ({ operation }) => (operation === undefined ? "" : escapeInJson(JSON.stringify(operation)))],
  ["details", ({ details }) => escapeInJson(JSON.stringify(details))],
];

export const csvHead = `${[...columns.map(([name]) => name), "member_of"].join(",")}\r\n`;

/** One line of RFC 4180; a cell that a spreadsheet would take for a formula begins with an apostrophe. */
export function toCsvLine(event: EventJson, memberOf: string): string {
  const values = [...columns.map(([, value]) => value(event)), memberOf];
  return `${values.map(toCell).join(",")}\r\n`;
}

function toCell(value: unknown): string {
  return value === undefined || value === null ? "" : csvCell(String(value));
}
