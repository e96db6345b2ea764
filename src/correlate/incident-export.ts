import { createHash } from "node:crypto";
import { escapeInJson } from "../model/commanding-text.ts";
import { canonicalJson } from "../model/json.ts";
import { writeCsv } from "./incident-csv.ts";
import { writeHtml } from "./incident-html.ts";
import { writeMarkdown } from "./incident-markdown.ts";
import type { IncidentReport } from "./incident-report.ts";

export const reportFormats = ["markdown", "html", "json", "csv"] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** A report as a document. What a reader may have was decided when the report was composed; nothing is added here. */
export function exportIncident(report: IncidentReport, format: ReportFormat): string {
  if (format === "markdown") return writeMarkdown(report);
  if (format === "html") return writeHtml(report);
  return format === "csv" ? writeCsv(report) : `${escapeInJson(canonicalJson(report))}\n`;
}

/**
 * Lower-case hex SHA-256 over the canonical JSON of everything but `status`, which tells what became of it since. Whoever
 * has the JSON export can take `status` out, spell the rest after RFC 8785, and compare.
 */
export function hashReport(report: IncidentReport): string {
  const { status: _status, ...frozen } = report;
  return createHash("sha256").update(canonicalJson(frozen)).digest("hex");
}
