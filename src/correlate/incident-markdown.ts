import { duration } from "../model/instant.ts";
import { measuredTimes } from "../model/incident.ts";
import type { MeasuredTime } from "../model/incident.ts";
import type { MeasuredSpan } from "./incident-dossier.ts";
import { measuredSpans } from "./incident-dossier.ts";
import type { IncidentReport, ReportLine, ReportSection, ReportThing } from "./incident-report.ts";
import { blocksOf, escapeMarkdown, quoteYaml, writeMoment } from "./incident-text.ts";
import { formatLength } from "./incident-times.ts";

export const sectionTitles: Readonly<Record<ReportSection["section"], string>> = {
  summary: "Summary",
  impact: "Impact",
  cause: "Cause",
  actions: "Actions",
};

export const timeTitles: Readonly<Record<MeasuredTime, string>> = {
  event: "Event",
  detection: "Detection",
  decision: "Decision",
  resolution: "Resolution",
};

export const spanTitles: Readonly<Record<MeasuredSpan, string>> = {
  detect: "To detect",
  decide: "To decide",
  resolve: "To resolve",
  total: "In total",
};

/** What no column holds is said by this. */
const none = "–";

/** A document of headings, tables and lists; the front matter lets it be read back. All times are UTC. */
export function writeMarkdown(report: IncidentReport): string {
  const { status } = report;
  const parts = [
    frontMatterOf(report),
    `# ${escapeMarkdown(report.title) || "Incident"}`,
    `${windowWords(report)}. Severity: ${report.severity}. ${stateWords(report)}`,
    ...report.sections.map((section) => writeSection(section)),
    ...(report.things.length === 0
      ? []
      : ["## Times", timesTable(report.things), "## Lengths", spansTable(report.things)]),
    ...(report.audience === "provider" && report.things.length > 0 ? sourcesList(report.things) : []),
    ...(report.timeline.length === 0 ? [] : ["## Timeline", timelineTable(report.timeline)]),
    ...missingList(report),
    ...(status.amendments.length === 0
      ? []
      : ["## Amendments", ...status.amendments.flatMap(({ at, text, by }) => writeAmendment(at, text, by))]),
    ...checksList(report),
  ];
  return `${parts.join("\n\n")}\n`;
}

function frontMatterOf({ title, severity, window, id, audience }: IncidentReport): string {
  const fields: readonly (readonly [string, string | undefined])[] = [
    ["title", title],
    ["timezone", "UTC"],
    ["severity", severity],
    ["from", window.from],
    ["to", window.to],
    ["incident", id],
    ["audience", audience],
  ];
  const lines = fields.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${quoteYaml(value)}`],
  );
  return ["---", ...lines, "---"].join("\n");
}

export function windowWords({ window }: IncidentReport): string {
  const from = writeMoment(window.from, 1_000).replace(/:00\.000$|\.000$/, "");
  return window.to === undefined
    ? `From ${from} UTC, not over yet`
    : `From ${from} to ${writeMoment(window.to, 1_000).replace(/:00\.000$|\.000$/, "")} UTC`;
}

export function stateWords({ status }: IncidentReport): string {
  const { state, publishedAt, hash } = status;
  if (publishedAt === undefined) return state === "draft" ? "A draft." : "Reviewed, not published.";
  return `Published ${writeMoment(publishedAt, 1_000)} UTC${hash === undefined ? "" : `, SHA-256 ${hash}`}.`;
}

function writeSection({ section, audience, text }: ReportSection): string {
  const readers = audience === undefined ? "" : ` (for the ${audience})`;
  return [`## ${sectionTitles[section]}${readers}`, ...writeBlocks(text)].join("\n\n");
}

function writeBlocks(text: string): readonly string[] {
  return blocksOf(text).map((block) =>
    block.kind === "list"
      ? block.items.map((item) => `- ${escapeMarkdown(item)}`).join("\n")
      : block.lines.map(escapeMarkdown).join("\n"),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function timesTable(things: readonly ReportThing[]): string {
  return table(
    ["Thing", ...measuredTimes.map((time) => `${timeTitles[time]} (UTC)`)],
    things.map(({ name, times }) => [
      escapeMarkdown(name),
      ...measuredTimes.map((time) => {
        const mark = times.find((one) => one.time === time);
        return mark === undefined ? none : writeMoment(mark.at, mark.precisionMs);
      }),
    ]),
  );
}

function spansTable(things: readonly ReportThing[]): string {
  return table(
    ["Thing", ...measuredSpans.map((span) => spanTitles[span])],
    things.map(({ name, spans }) => [escapeMarkdown(name), ...spans.map(spanWords)]),
  );
}

/** `50 min ± 1 min`, or that there is none. */
export function spanWords({ ms, precisionMs, reversed }: ReportThing["spans"][number]): string {
  if (reversed === true) return "not told: its ends stand in the wrong order";
  return ms === undefined ? none : formatLength(duration(ms), duration(precisionMs ?? 0));
}

function sourcesList(things: readonly ReportThing[]): readonly string[] {
  const items = things.flatMap(({ name, times }) =>
    times.map(
      ({ time, basis, source }) =>
        `- ${escapeMarkdown(name)}, ${time}: ${basis}${source === undefined ? "" : `, ${escapeMarkdown(source)}`}`,
    ),
  );
  return items.length === 0 ? [] : ["## How the times are known", items.join("\n")];
}

function timelineTable(lines: readonly ReportLine[]): string {
  return table(
    ["Time (UTC)", "Thing", "Kind", "What happened", "Told by"],
    lines.map((line) => [
      writeMoment(line.at, line.precisionMs),
      escapeMarkdown(line.thing ?? ""),
      line.kind,
      escapeMarkdown(line.text),
      escapeMarkdown(tellerOf(line)),
    ]),
  );
}

/** `event evt_1, pinned by …: note`, `notes.md, row 3`, or who wrote it. */
export function tellerOf({ event, document, row, by, note }: ReportLine): string {
  const pinned = by === undefined ? "" : `, pinned by ${by}${note === undefined ? "" : `: ${note}`}`;
  if (event !== undefined) return `event ${event}${pinned}`;
  return document === undefined ? (by ?? "") : `${document}, row ${row}`;
}

function missingList({ missing = [] }: IncidentReport): readonly string[] {
  if (missing.length === 0) return [];
  const words = { withheld: "may not be shown to you", gone: "is no longer stored" };
  return [
    "## Pinned events that are not told",
    missing.map(({ event, state }) => `- ${escapeMarkdown(event)} ${words[state]}`).join("\n"),
  ];
}

function writeAmendment(at: string, text: string, by: string | undefined): readonly string[] {
  const writer = by === undefined ? "" : `, by ${escapeMarkdown(by)}`;
  return [`### ${writeMoment(at, 1_000)} UTC${writer}`, ...writeBlocks(text)];
}

function checksList({ status }: IncidentReport): readonly string[] {
  const { checks = [], publishedAt } = status;
  if (checks.length === 0 || publishedAt !== undefined) return [];
  return [
    "## Checks before publishing",
    checks.map(({ code, severity, says }) => `- ${severity} (${code}): ${escapeMarkdown(says)}`).join("\n"),
  ];
}
