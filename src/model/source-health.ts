import type { Instant } from "./instant.ts";

/** What a source did that its contract excludes, and what that means for whoever reads its events. */
export const findingMeanings = {
  unsorted:
    "Records came out of the order that the source promises; a place in it may have passed some by until the next reconcile.",
  "late-commit":
    "Records became readable later than the source promises; what it was called complete to was not yet complete.",
  "clock-off":
    "The source's clock is further off than it promises; the order against other sources is uncertain.",
  "changed-in-place":
    "A record that the source calls final came again and said something else; both versions are kept.",
  "outlived-retention":
    "We were away for longer than the source keeps its records; what it dropped meanwhile is not known.",
  "sudden-drop":
    "Many records vanished at once; none of them is taken for deleted until the source shows that it is whole.",
  "schema-drift":
    "Records no longer have the form that the source's reading expects; they are set aside whole.",
  "place-lost": "The source no longer knew the place to go on from; what lay between is not known.",
  unwatched:
    "More is open in the source than can be watched at once; ends and changes of the oldest may go unseen.",
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof findingMeanings;

/** When a finding no longer stands. */
export interface Settlement {
  /**
   * *Page*: the next page whose records are as they should be. *Pass*: the next pass that reads the source whole.
   * *Reconcile*: the next reconcile that ends well. *Time*: only time settles it.
   */
  readonly by: "page" | "pass" | "reconcile" | "time";
  /** At the latest so long after it was seen last; absent where only what `by` says settles it. */
  readonly afterMs?: number;
}

const dayMs = 86_400_000;

/** How each finding settles. A hole that came with it stays listed until a reconcile has read its span again. */
export const findingSettlements: Readonly<Record<FindingCode, Settlement>> = {
  unsorted: { by: "reconcile", afterMs: 7 * dayMs },
  "late-commit": { by: "reconcile", afterMs: 7 * dayMs },
  "clock-off": { by: "page" },
  "changed-in-place": { by: "time", afterMs: dayMs },
  // What the source has dropped no reconcile brings back: the finding ends, the hole does not.
  "outlived-retention": { by: "reconcile", afterMs: dayMs },
  "sudden-drop": { by: "pass" },
  "schema-drift": { by: "page" },
  "place-lost": { by: "reconcile", afterMs: dayMs },
  unwatched: { by: "pass", afterMs: dayMs },
};

/** The codes that the given occasion settles. */
export function settledBy(by: Settlement["by"]): readonly FindingCode[] {
  return (Object.keys(findingSettlements) as FindingCode[]).filter(
    (code) => findingSettlements[code].by === by,
  );
}

/** One breach of a source's contract, as it was seen at run time. */
export interface Finding {
  readonly code: FindingCode;
  /** What was seen, with figures, in one sentence for operators. */
  readonly says: string;
}

/** Why a span of a connection's time may lack events. */
export type HoleReason = "late-commit" | "outlived-retention" | "place-lost" | "outage";

/** Holes that no reconcile closes, because the source itself has dropped what lay in them. */
export const lastingReasons: readonly HoleReason[] = ["outlived-retention"];

/** A span of a connection's time in which events are known or suspected to be missing; `to` is not part of it. */
export interface Hole {
  readonly from: Instant;
  readonly to: Instant;
  readonly reason: HoleReason;
  /** In one sentence for operators. */
  readonly says: string;
}

/** The same time as the given spans, in the fewest spans that do not touch, oldest first, and nothing of them but that. */
export function mergeSpans(
  spans: readonly Pick<Hole, "from" | "to">[],
): readonly Pick<Hole, "from" | "to">[] {
  const merged: { from: Instant; to: Instant }[] = [];
  for (const { from, to } of spans.toSorted((left, right) => left.from - right.from)) {
    const last = merged.at(-1);
    if (last === undefined || from > last.to) merged.push({ from, to });
    else if (to > last.to) last.to = to;
  }
  return merged;
}
