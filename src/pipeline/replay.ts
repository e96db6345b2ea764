import type { Source } from "../sources/source.ts";
import type { SetAsideRecord } from "../store/event-store.ts";
import { addIngested, nothingIngested } from "./import-file.ts";
import type { Ingested, Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";

/** How many set-aside records are looked at in one go. */
const recordsPerRound = 200;

/** Bounds a replay; what lies beyond waits for the next one. */
const roundsMax = 1000;

/** Runs set-aside records of a connection once more through the path that live records take. */
export async function replaySetAside(
  stages: Stages,
  findSource: (name: string) => Source,
  connectionName: string,
): Promise<Ingested> {
  let total = nothingIngested;
  let after: string | undefined;
  for (let round = 0; round < roundsMax; round++) {
    const records = await stages.store.setAside(connectionName, recordsPerRound, after);
    for (const record of records) total = addIngested(total, await replayRecord(stages, findSource, record));
    after = records.at(-1)?.id;
    if (after === undefined) break;
  }
  await reattribute(stages);
  return total;
}

async function replayRecord(
  stages: Stages,
  findSource: (name: string) => Source,
  record: SetAsideRecord,
): Promise<Ingested> {
  const source = findSource(record.source);
  const connection = { name: record.connection, source: record.source, controlPlane: record.controlPlane };
  const batch = { connection, source, stream: record.stream, records: [record] };
  const outcome = await ingest(stages, { ...batch, secondHand: true });
  const ok = outcome.setAside === 0;
  await stages.store.replayed(record.id, ok ? { ok } : { ok, code: record.code, reason: record.reason });
  return outcome;
}
