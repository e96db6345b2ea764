import { setImmediate as othersTurn } from "node:timers/promises";
import type { Batch, Ingested, Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";

/** Records of one page: a tenth of a second or less of work during which nobody else of this process has a turn. */
const recordsPerSlice = 1_000;

/**
 * Ingests the records of one request as several pages where they are many, so that neither memory nor the turns of other
 * connections depend on how much a sender puts into a body. Settles after the last commit; a request that fails midway
 * is sent again, and what was stored of it is then repeated.
 */
export async function ingestInSlices(stages: Stages, batch: Batch): Promise<Ingested> {
  const { records } = batch;
  let sum = await ingest(stages, { ...batch, records: records.slice(0, recordsPerSlice) });
  for (let start = recordsPerSlice; start < records.length; start += recordsPerSlice) {
    await othersTurn();
    const slice = { ...batch, records: records.slice(start, start + recordsPerSlice) };
    sum = addCounts(sum, await ingest(stages, slice));
  }
  return sum;
}

function addCounts(one: Ingested, other: Ingested): Ingested {
  const latest = [one.latest, other.latest].filter((at) => at !== undefined).sort((a, b) => b - a)[0];
  const foundLate = (one.foundLate ?? 0) + (other.foundLate ?? 0);
  return {
    records: one.records + other.records,
    created: one.created + other.created,
    folded: one.folded + other.folded,
    repeated: one.repeated + other.repeated,
    revised: one.revised + other.revised,
    setAside: one.setAside + other.setAside,
    factsOnly: one.factsOnly + other.factsOnly,
    ...(latest === undefined ? {} : { latest }),
    ...(foundLate === 0 ? {} : { foundLate }),
  };
}
