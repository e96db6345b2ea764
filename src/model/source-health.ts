import type { Instant } from "./instant.ts";

/** What a source did that its contract excludes, and what that means for whoever reads its events. */
export const findingMeanings = {
  unsorted:
    "Records came out of the order that the source promises; a place in it may have passed some by until the next reconcile.",
  "late-commit":
    "Records became readable later than the source promises; what it was called complete to was not yet complete.",
  "clock-off": "The source's clock is further off than it promises; the order against other sources is uncertain.",
  "changed-in-place":
    "A record that the source calls final came again and said something else; both versions are kept.",
  "outlived-retention":
    "We were away for longer than the source keeps its records; what it dropped meanwhile is not known.",
  "sudden-drop":
    "Many records vanished at once; none of them is taken for deleted until the source shows that it is whole.",
  "schema-drift": "Records no longer have the form that the source's reading expects; they are set aside whole.",
  "place-lost": "The source no longer knew the place to go on from; what lay between is not known.",
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof findingMeanings;

/** One breach of a source's contract, as it was seen at run time. */
export interface Finding {
  readonly code: FindingCode;
  /** What was seen, with figures, in one sentence for operators. */
  readonly says: string;
}

/** Why a span of a connection's time may lack events. */
export type HoleReason = "late-commit" | "outlived-retention" | "place-lost" | "outage";

/** A span of a connection's time in which events are known or suspected to be missing; `to` is not part of it. */
export interface Hole {
  readonly from: Instant;
  readonly to: Instant;
  readonly reason: HoleReason;
  /** In one sentence for operators. */
  readonly says: string;
}
