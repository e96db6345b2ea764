import { setImmediate as othersTurn } from "node:timers/promises";
import type { Batch, Ingested, Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { StoreGate } from "./protection/store-gate.ts";

/** Records of one page: a tenth of a second or less of work during which nobody else of this process has a turn. */
const recordsPerSlice = 1_000;

/**
 * How many slices are worked on at a time, half of them of one connection: its pages are stored one after the other
 * anyway, so more would only fill the memory and stand before other connections' work.
 */
const slicesAtOnce = 4;

const gates = new WeakMap<Stages["store"], StoreGate>();

/**
 * Ingests the records of one request as several pages where they are many, so that neither memory nor the turns of other
 * connections depend on how much a sender puts into a body. Settles after the last commit; a request that fails midway
 * is sent again, and what was stored of it is then repeated.
 */
export async function ingestInSlices(stages: Stages, batch: Batch): Promise<Ingested> {
  const { records, connection } = batch;
  const gate = gateOf(stages.store);
  const slice = (start: number): Promise<Ingested> => {
    const part = { ...batch, records: records.slice(start, start + recordsPerSlice) };
    return gate.run("live", connection.name, () => ingest(stages, part));
  };
  let sum = await slice(0);
  for (let start = recordsPerSlice; start < records.length; start += recordsPerSlice) {
    await othersTurn();
    sum = addCounts(sum, await slice(start));
  }
  return sum;
}

function gateOf(store: Stages["store"]): StoreGate {
  const gate = gates.get(store) ?? new StoreGate(slicesAtOnce);
  gates.set(store, gate);
  return gate;
}

function addCounts(one: Ingested, other: Ingested): Ingested {
  const latest = [one.latest, other.latest].filter((at) => at !== undefined).sort((a, b) => b - a)[0];
  const foundLate = (one.foundLate ?? 0) + (other.foundLate ?? 0);
  const expired = (one.expired ?? 0) + (other.expired ?? 0);
  return {
    records: one.records + other.records,
    created: one.created + other.created,
    folded: one.folded + other.folded,
    repeated: one.repeated + other.repeated,
    revised: one.revised + other.revised,
    setAside: one.setAside + other.setAside,
    factsOnly: one.factsOnly + other.factsOnly,
    ...(expired === 0 ? {} : { expired }),
    ...(latest === undefined ? {} : { latest }),
    ...(foundLate === 0 ? {} : { foundLate }),
  };
}
