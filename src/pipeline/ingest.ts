import type { RawRecord, Connection, Source } from "../sources/source.ts";

/** What became of a batch of records: the counts add up to the number of records. */
export interface Ingested {
  readonly records: number;
  readonly created: number;
  readonly folded: number;
  readonly repeated: number;
  readonly revised: number;
  readonly setAside: number;
  /** Records that told topology facts only. */
  readonly factsOnly: number;
}

/** Takes records of one connection through normalise, resolve and store; settles after the commit. */
export type Ingest = (
  connection: Connection,
  source: Source,
  stream: string,
  records: readonly RawRecord[],
) => Promise<Ingested>;
