import type { Attribution, EventDraft } from "../src/model/event.ts";
import { createResolver } from "../src/resolve/graph-resolver.ts";
import type { ResolvedDraft } from "../src/resolve/resolver.ts";
import { buildTopologyView } from "../src/resolve/topology-view.ts";
import { knownFact } from "./facts.ts";

const resolver = createResolver({ providerDomains: new Set(["ops"]) });

/** Statements as `knownFact` reads them, each with the second after an `@`; domain `ops` is the provider's. */
export function resolveBy(draft: EventDraft, statements: readonly string[]): ResolvedDraft {
  const facts = statements.map((statement) => {
    const [words = "", second = "0"] = statement.split(" @");
    return knownFact(words, Number(second));
  });
  return resolver([draft], "bus", buildTopologyView("cloud", facts))[0]!;
}

/** `owned p`, `provider`, `ambiguous p q`, or the bare status. */
export function spellAnswer(attribution: Attribution): string {
  if (attribution.status === "owned")
    return `owned ${attribution.tenant.projectId ?? attribution.tenant.domainId}`;
  if (attribution.status !== "ambiguous") return attribution.status;
  return ["ambiguous", ...attribution.candidates.map(({ projectId }) => projectId)].join(" ");
}

export function answerBy(draft: EventDraft, statements: readonly string[]): string {
  return spellAnswer(resolveBy(draft, statements).attribution);
}

/** Why candidates were rejected, in the order of the evidence. */
export function rejectionsBy(draft: EventDraft, statements: readonly string[]): readonly string[] {
  const { evidence } = resolveBy(draft, statements).attribution;
  return evidence.filter(({ verdict }) => verdict === "rejected").map(({ rule, says }) => `${rule}: ${says}`);
}
