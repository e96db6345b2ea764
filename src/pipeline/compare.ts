import { usualStretches } from "../correlate/over-represented-baseline.ts";
import { findOverRepresented, type OverRepresented } from "../correlate/over-represented.ts";
import type { Scope } from "../model/scope.ts";
import type { EventFilter, EventReader, Span } from "../store/event-reader.ts";

/** A selection, and what it is held against: the same hours before, all else of its span, or whatever is given. */
export interface CompareQuestion {
  readonly selection: EventFilter & Span;
  readonly baseline:
    | { readonly kind: "same-hours" }
    | { readonly kind: "rest" }
    | { readonly kind: "given"; readonly filter: EventFilter };
  readonly falseDiscoveryRate: number;
  readonly limit: number;
}

export interface CompareAnswer {
  readonly selection: Span & { readonly events: number };
  readonly baseline: {
    readonly kind: CompareQuestion["baseline"]["kind"];
    readonly spans: readonly (Span & { readonly events: number })[];
    readonly events: number;
  };
  readonly findings: readonly OverRepresented[];
  /** How many stand out, of how many values that were tried. */
  readonly found: number;
  readonly tested: number;
  readonly falseDiscoveryRate: number;
  readonly truncated: boolean;
}

/** What is over-represented in a selection, within a scope: a tenant's own editions are all that is counted for it. */
export async function compareEvents(
  reader: Pick<EventReader, "attributeCounts">,
  scope: Scope,
  question: CompareQuestion,
): Promise<CompareAnswer> {
  const { selection, falseDiscoveryRate, limit } = question;
  const baseline = baselineOf(question);
  const counts = await reader.attributeCounts(scope, { selection, baseline });
  const outside = counts.outside.reduce((sum, count) => sum + count, 0);
  const { findings, tested } = findOverRepresented({ ...counts, outside, falseDiscoveryRate });
  return {
    selection: { from: selection.from, to: selection.to, events: counts.inside },
    baseline: {
      kind: question.baseline.kind,
      spans: baseline.spans.map((span, index) => ({ ...span, events: counts.outside[index] ?? 0 })),
      events: outside,
    },
    findings: findings.slice(0, limit),
    found: findings.length,
    tested,
    falseDiscoveryRate,
    truncated: counts.truncated,
  };
}

function baselineOf({ selection, baseline }: CompareQuestion): {
  readonly filter: Omit<EventFilter, "from" | "to">;
  readonly spans: readonly Span[];
} {
  const { from, to, ...filter } = selection;
  if (baseline.kind === "same-hours") return { filter, spans: usualStretches({ from, to }) };
  if (baseline.kind === "rest") return { filter: {}, spans: [{ from, to }] };
  const { from: givenFrom = from, to: givenTo = to, ...given } = baseline.filter;
  return { filter: given, spans: [{ from: givenFrom, to: givenTo }] };
}
