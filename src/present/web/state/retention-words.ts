import type { ErasureCountsJson } from "../../api/retention-contract.ts";

const classWords = {
  operational: "Operational events",
  security: "Security events",
  billing: "Billing events",
  provider: "The provider’s own",
};

/** How long each class is kept, read from an entry of the audit about the configuration; for ever where nothing is said. */
export function retentionInForce(
  details: Readonly<Record<string, unknown>> | undefined,
): readonly (readonly [string, string])[] {
  const settings = (details?.["settings"] ?? {}) as Readonly<Record<string, unknown>>;
  const told = (name: string): string => {
    const days = settings[`retention.${name}`];
    if (days === undefined || days === "null") return "for ever";
    return `${String(days)} ${String(days) === "1" ? "day" : "days"}`;
  };
  return [
    ...Object.entries(classWords).map(([name, words]) => [words, told(`days.${name}`)] as const),
    ["Records set aside", told("setAsideDays")],
  ];
}

/** What an erasure takes, in a sentence. */
export function countsWords(counts: ErasureCountsJson): string {
  const told = [
    [counts.events, "event goes", "events go"],
    [counts.changed, "stays without what concerns them", "stay without what concerns them"],
    [counts.editions, "tenant’s part of a shared event", "tenants’ parts of shared events"],
    [counts.storm_members, "event within a storm", "events within storms"],
    [counts.set_aside, "record set aside", "records set aside"],
    [counts.facts, "fact", "facts"],
    [counts.held, "kept back by holds", "kept back by holds"],
  ] as const;
  const parts = told
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`);
  return parts.length === 0 ? "Nothing." : `${parts.join(", ")}.`;
}
