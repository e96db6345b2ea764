import type { EventDraft } from "../model/event.ts";
import type { RawRecord } from "../sources/source.ts";
import type { RecordOrigin, Reject, StatedFact } from "../store/event-store.ts";

/** What the records of a page told. */
export interface ReadRecords {
  /** In the records' order. */
  readonly drafts: readonly EventDraft[];
  readonly facts: readonly StatedFact[];
  readonly rejects: readonly Reject[];
  /** The record behind each source id. */
  readonly origins: ReadonlyMap<string, RecordOrigin>;
  /** Each record that could be read, with the number of its events. */
  readonly kept: readonly {
    readonly sourceId: string;
    readonly events: number;
    readonly record: RawRecord;
  }[];
}

/** Tries once more; gives the error when that fails as well. What is no error is passed on. */
export function findDefect<Result>(act: () => Result): Result | Error {
  try {
    return act();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** For whoever looks at the record that was set aside: it is not to blame. */
export function defectReason(defect: Error): string {
  return `Isochron has a defect that this record brings to light: ${defect.name}: ${defect.message}`;
}

export function rejectOf(
  { position, bytes, meta, receivedAt }: RawRecord,
  code: string,
  reason: string,
): Reject {
  return { position, bytes, meta, receivedAt, code, reason };
}

/**
 * Does `act` for the whole page; where that fails, for each record alone, and then for those that it does not fail for.
 * The others are among the rejects. Throws what it failed with where no record alone is to blame.
 */
export function isolateDefects<Result>(
  read: ReadRecords,
  act: (part: ReadRecords) => Result,
  onDefect: (record: RawRecord, defect: Error) => void,
): { readonly sound: ReadRecords; readonly result: Result } {
  const whole = findDefect(() => act(read));
  if (!(whole instanceof Error)) return { sound: read, result: whole };
  const sound: ReadRecords[] = [];
  const rejects = [...read.rejects];
  for (const part of splitByRecord(read)) {
    const outcome = findDefect(() => act(part));
    const [{ record } = { record: undefined }] = part.kept;
    if (outcome instanceof Error && record !== undefined) {
      onDefect(record, outcome);
      rejects.push(rejectOf(record, "record-invalid", defectReason(outcome)));
    } else sound.push(part);
  }
  if (sound.length === read.kept.length) throw whole;
  const rest: ReadRecords = {
    drafts: sound.flatMap(({ drafts }) => drafts),
    facts: sound.flatMap(({ facts }) => facts),
    kept: sound.flatMap(({ kept }) => kept),
    origins: read.origins,
    rejects,
  };
  return { sound: rest, result: act(rest) };
}

function splitByRecord({ drafts, facts, kept, origins }: ReadRecords): readonly ReadRecords[] {
  let start = 0;
  return kept.map((one) => {
    const own = drafts.slice(start, start + one.events);
    start += one.events;
    const stated = facts.filter(({ sourceId }) => sourceId === one.sourceId);
    return { drafts: own, facts: stated, kept: [one], origins, rejects: [] };
  });
}
