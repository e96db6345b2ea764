import type { Ingested } from "./application.ts";

/**
 * Every record is created, folded or set aside, and the sum is shown. Folded are twins, records that came
 * before, and records that told of the topology only.
 */
export function ingestedText(counts: Ingested): string {
  const parts = [
    `of which repeated ${counts.repeated}`,
    ...(counts.revised > 0 ? [`revised ${counts.revised}`] : []),
    ...(counts.factsOnly > 0 ? [`topology only ${counts.factsOnly}`] : []),
  ];
  const gone = counts.expired === undefined ? "" : ` + deleted before ${counts.expired}`;
  return `created ${counts.created} + folded ${foldedTotal(counts)} (${parts.join(", ")}) + set aside ${
    counts.setAside
  }${gone} = ${counts.records} records`;
}

/** The same as JSON, for scripts. */
export function ingestedJson(counts: Ingested): Record<string, number> {
  return {
    records: counts.records,
    created: counts.created,
    folded: foldedTotal(counts),
    repeated: counts.repeated,
    revised: counts.revised,
    topology_only: counts.factsOnly,
    set_aside: counts.setAside,
    ...(counts.expired === undefined ? {} : { expired: counts.expired }),
  };
}

function foldedTotal(counts: Ingested): number {
  return counts.folded + counts.repeated + counts.revised + counts.factsOnly;
}

export function addIngested(left: Ingested, right: Ingested): Ingested {
  return {
    records: left.records + right.records,
    created: left.created + right.created,
    folded: left.folded + right.folded,
    repeated: left.repeated + right.repeated,
    revised: left.revised + right.revised,
    setAside: left.setAside + right.setAside,
    factsOnly: left.factsOnly + right.factsOnly,
    ...(left.expired === undefined && right.expired === undefined
      ? {}
      : { expired: (left.expired ?? 0) + (right.expired ?? 0) }),
  };
}

export const nothingIngested: Ingested = {
  records: 0,
  created: 0,
  folded: 0,
  repeated: 0,
  revised: 0,
  setAside: 0,
  factsOnly: 0,
};
