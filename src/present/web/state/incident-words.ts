import type {
  DossierJson,
  IncidentEntryJson,
  IncidentSummaryJson,
  LengthJson,
  TimeMarkJson,
} from "../../api/incident-contract.ts";
import { formatLength } from "../time/length.ts";

export const stateWords: Readonly<Record<IncidentSummaryJson["state"], string>> = {
  draft: "draft",
  reviewed: "reviewed",
  published: "published",
};

export const timeWords: Readonly<Record<TimeMarkJson["time"], string>> = {
  event: "Began",
  detection: "Noticed",
  decision: "Decided",
  resolution: "Over",
};

export const lengthNames: readonly (readonly [keyof DossierJson["times"][number]["lengths"], string])[] = [
  ["detect", "to notice"],
  ["decide", "to decide"],
  ["resolve", "to resolve"],
  ["total", "in all"],
];

/** How a time is known, in one line. */
export function provenanceWords(provenance: TimeMarkJson["provenance"]): string {
  switch (provenance.kind) {
    case "set":
      return `set by ${provenance.by}: ${provenance.why}`;
    case "imported":
      return `imported from ${provenance.document}, row ${provenance.row}`;
    case "inferred":
      return `inferred: ${provenance.says}`;
  }
}

function precisionWords({ precision_ms: precision = 0 }: LengthJson): string {
  return precision === 0 ? "" : ` ± ${formatLength(precision)}`;
}

/** In milliseconds, of a moment as a form gives it: without seconds it is known to the minute. */
export function precisionOf(written: string): number {
  return /T\d\d:\d\d$/.test(written) ? 60_000 : 1_000;
}

export function lengthWords(length: LengthJson): string {
  switch (length.outcome) {
    case "measured":
      return `${formatLength(length.length_ms ?? 0)}${precisionWords(length)}${length.unordered === true ? ", in no sure order" : ""}`;
    case "absent":
      return "not known";
    case "reversed":
      return `reversed by ${formatLength(length.length_ms ?? 0)}`;
  }
}

/** What an entry of the log says, and what it is. */
export function entryWords({ kind, change }: IncidentEntryJson): {
  readonly what: string;
  readonly text: string;
} {
  const text = typeof change["text"] === "string" ? change["text"] : "";
  if (kind === "decision") return { what: "Decision", text };
  if (kind === "amendment")
    return { what: `Amendment for ${audienceWords(String(change["audience"]))}`, text };
  return { what: "Note", text };
}

export function audienceWords(audience: string): string {
  if (audience === "provider") return "the provider";
  if (audience === "tenant") return "the tenants that are told";
  return audience === "public" ? "everybody" : audience;
}

/** What can be done next with an incident in this state. */
export function nextStates(state: IncidentSummaryJson["state"]): readonly IncidentSummaryJson["state"][] {
  if (state === "draft") return ["reviewed"];
  return state === "reviewed" ? ["published", "draft"] : [];
}
