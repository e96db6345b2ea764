import { measuredTimes } from "../model/incident.ts";
import { measuredSpans } from "./incident-dossier.ts";
import {
  sectionTitles,
  spanTitles,
  spanWords,
  stateWords,
  tellerOf,
  timeTitles,
  windowWords,
} from "./incident-markdown.ts";
import type { IncidentReport, ReportThing } from "./incident-report.ts";
import { blocksOf, escapeHtml, writeMoment } from "./incident-text.ts";

/** No script, no address of anything else: the page is whole by itself, on paper and in the dark. */
const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #8c959f; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b1; --line: #6e7681; --paper: #0d1117; } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { line-height: 1.2; } .soft { color: var(--soft); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: break-word; }
@media print { :root { --ink: #000; --soft: #333; --line: #666; --paper: #fff; } body { margin: 0; max-width: none; } tr { break-inside: avoid; } .wide { overflow: visible; } }
`;

/** One HTML page that loads nothing. */
export function writeHtml(report: IncidentReport): string {
  const title = escapeHtml(report.title) || "Incident";
  const parts = [
    `<h1>${title}</h1>`,
    `<p class="soft">${escapeHtml(`${windowWords(report)}. Severity: ${report.severity}. ${stateWords(report)}`)}</p>`,
    ...report.sections.map(
      ({ section, audience, text }) =>
        `<h2>${sectionTitles[section]}${audience === undefined ? "" : ` <small class="soft">for the ${audience}</small>`}</h2>\n${writeBlocks(text)}`,
    ),
    ...(report.things.length === 0 ? [] : timesOf(report.things)),
    ...timelineOf(report),
    ...missingOf(report),
    ...report.status.amendments.map(
      ({ at, text, by }, index) =>
        `${index === 0 ? "<h2>Amendments</h2>\n" : ""}<h3>${writeMoment(at, 1_000)} UTC${by === undefined ? "" : `, by ${escapeHtml(by)}`}</h3>\n${writeBlocks(text)}`,
    ),
    ...checksOf(report),
  ];
  return [
    "<!doctype html>",
    '<html lang="en">',
    '<head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">`,
    '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">',
    `<title>${title}</title><style>${style}</style></head>`,
    "<body><main>",
    ...parts,
    "</main></body></html>",
    "",
  ].join("\n");
}

function writeBlocks(text: string): string {
  return blocksOf(text)
    .map((block) =>
      block.kind === "list"
        ? `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`
        : `<p>${block.lines.map(escapeHtml).join(" ")}</p>`,
    )
    .join("\n");
}

/** `rows` are HTML already; the first cell of a row is its heading. */
function table(caption: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = header.map((cell) => `<th scope="col">${cell}</th>`).join("");
  const body = rows.map(
    ([first = "", ...rest]) =>
      `<tr><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join("")}</tr>`,
  );
  return `<h2>${caption}</h2>\n<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}

function timesOf(things: readonly ReportThing[]): readonly string[] {
  return [
    table(
      "Times",
      ["Thing", ...measuredTimes.map((time) => `${timeTitles[time]} (UTC)`)],
      things.map(({ name, times }) => [
        escapeHtml(name),
        ...measuredTimes.map((time) => {
          const mark = times.find((one) => one.time === time);
          if (mark === undefined) return "–";
          const source = escapeHtml(`${mark.basis}${mark.source === undefined ? "" : `, ${mark.source}`}`);
          return `${writeMoment(mark.at, mark.precisionMs)}<br><small class="soft">${source}</small>`;
        }),
      ]),
    ),
    table(
      "Lengths",
      ["Thing", ...measuredSpans.map((span) => spanTitles[span])],
      things.map(({ name, spans }) => [escapeHtml(name), ...spans.map(spanWords)]),
    ),
  ];
}

function timelineOf({ timeline }: IncidentReport): readonly string[] {
  if (timeline.length === 0) return [];
  return [
    table(
      "Timeline",
      ["Time (UTC)", "Thing", "Kind", "What happened", "Told by"],
      timeline.map((line) => [
        writeMoment(line.at, line.precisionMs),
        escapeHtml(line.thing ?? ""),
        line.kind,
        escapeHtml(line.text),
        escapeHtml(tellerOf(line)),
      ]),
    ),
  ];
}

function missingOf({ missing = [] }: IncidentReport): readonly string[] {
  if (missing.length === 0) return [];
  const words = { withheld: "may not be shown to you", gone: "is no longer stored" };
  const items = missing.map(({ event, state }) => `<li>${escapeHtml(event)} ${words[state]}</li>`);
  return [`<h2>Pinned events that are not told</h2>\n<ul>${items.join("")}</ul>`];
}

function checksOf({ status }: IncidentReport): readonly string[] {
  const { checks = [], publishedAt } = status;
  if (checks.length === 0 || publishedAt !== undefined) return [];
  const items = checks.map(
    ({ code, severity, says }) => `<li>${escapeHtml(`${severity} (${code}): ${says}`)}</li>`,
  );
  return [`<h2>Checks before publishing</h2>\n<ul>${items.join("")}</ul>`];
}
