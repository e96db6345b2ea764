import { IsochronError } from "../errors.ts";
import type { EventDraft, Observation } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import type { Finding, Hole } from "../model/source-health.ts";
import type { KnownFact } from "../model/topology.ts";
import type { Redact } from "../normalise/redact.ts";
import type { Resolver, TopologyView } from "../resolve/resolver.ts";
import type { Connection, Decoders, RawRecord, Source } from "../sources/source.ts";
import type {
  Appended,
  EventStore,
  RecordOrigin,
  Reject,
  ResolvedPage,
  StatedFact,
  StorableEvent,
} from "../store/event-store.ts";
import type { EventReader } from "../store/event-reader.ts";
import type { TopologyReader } from "../store/topology-reader.ts";
import type { Admitted, StormGate } from "./storm-fold.ts";
import { ContractWatch, lateAfterMs, type CheckedRecord } from "./contract-check.ts";
import { defectReason, findDefect, isolateDefects, rejectOf, type ReadRecords } from "./defect.ts";
import { withEditions } from "./editions.ts";
import type { Scheduler } from "./scheduler.ts";
import { openRulings, type RulingStage } from "./rulings.ts";
import { withSubjectName } from "./subject-name.ts";
import { loadSurroundings, viewOf } from "./surroundings.ts";

/**
 * What became of a batch of records: created, folded, repeated, revised, set aside, facts only and expired add up to `records`.
 * A record of several events counts once: as created where any of them was new.
 */
export interface Ingested {
  readonly records: number;
  readonly created: number;
  readonly folded: number;
  readonly repeated: number;
  readonly revised: number;
  readonly setAside: number;
  /** Records that told topology facts only. */
  readonly factsOnly: number;
  /** Records of events that were deleted for good before; absent where there was none. */
  readonly expired?: number;
  /** When the latest of the events happened that are stored and whose time is not suspect; absent where there was none. */
  readonly latest?: Instant;
  /** New events from before the moment of `lateBefore`; absent where there was none. */
  readonly foundLate?: number;
}

/** The stages, handed in by `main.ts`. */
export interface Stages {
  readonly decoders: Decoders;
  readonly clean: (observation: Observation, receivedAt: Instant) => Observation;
  readonly resolve: Resolver;
  readonly buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView;
  readonly redact: Redact;
  /** Awaited before editions are made: whatever they are made with may have been changed by another process. */
  readonly refreshTexts?: () => Promise<void>;
  readonly store: EventStore;
  readonly topology: TopologyReader;
  /** Tells of open holes, which a comparison by itself reaches back to; without it none is known. */
  readonly reader?: Pick<EventReader, "coverage">;
  /** Tells a storm's events from others; without it every event stands by itself. */
  readonly storms?: StormGate;
  /** Our own clock: no source is complete beyond it, whatever its records say. */
  readonly now: () => Instant;
  /** Told of each record that one of our own readers cannot stand, which is a defect to be mended. */
  readonly onDefect?: (connection: Connection, record: RawRecord, defect: Error) => void;
  /** What is kept in mind of each connection's pages; without it each is looked at alone. */
  readonly contractWatch?: ContractWatch;
  /** What operators decided, applied after the resolver; without it nothing is. */
  readonly rulings?: RulingStage;
  /** What waits and renews; this machine's time where absent. */
  readonly scheduler?: Scheduler;
  /** From 0 to 1; this machine's where absent. */
  readonly random?: () => number;
}

/** Where a batch comes from and what to write down with it. */
export interface Batch {
  readonly connection: Connection;
  readonly source: Source;
  readonly stream: string;
  readonly records: readonly RawRecord[];
  readonly cursor?: Json;
  /** The cursor in its stead, where it counts the new events from before `lateBefore`. */
  readonly cursorAfter?: (foundLate: number) => Json;
  /** Whose place the cursor is; the stream's own where absent. */
  readonly lane?: string;
  readonly completeTo?: Instant;
  readonly findings?: readonly Finding[];
  readonly holes?: readonly Hole[];
  /** True when it reads again what was read before. */
  readonly reconciling?: boolean;
  /** New events from before this moment are counted as found late. */
  readonly lateBefore?: Instant;
  readonly epoch?: number;
  /** True for what was replayed, imported, or asked of a sender that posts: it tells nothing of how its source is now. */
  readonly secondHand?: true;
}

/** Takes records of one connection through normalise, resolve and store; settles after the commit. */
export async function ingest(stages: Stages, batch: Batch): Promise<Ingested> {
  const read = readRecords(stages, batch);
  const { connection } = batch;
  await stages.refreshTexts?.();
  // Taken before the view: events that miss what arrives from here on are asked about again.
  const topologyMark = await stages.topology.mark();
  const ruled = await openRulings(stages.rulings, connection);
  const known = await loadSurroundings(
    stages.topology,
    connection.controlPlane,
    read.drafts,
    ruled.ownerKeys(read.drafts),
  );
  const attribute = ({ drafts, facts }: ReadRecords): readonly StorableEvent[] => {
    const stated = facts.map((fact) => asKnown(fact, connection));
    const view = viewOf(stages.buildView, connection.controlPlane, known, stated);
    const named = drafts.map((draft) => withSubjectName(draft, view));
    const resolved = ruled.apply(stages.resolve(named, connection.name, view), view);
    return resolved.map((event) => withEditions(event, stages.redact));
  };
  const { sound, result: redacted } = isolateDefects(read, attribute, (record, defect) =>
    stages.onDefect?.(connection, record, defect),
  );
  const admitted = stages.storms?.admit(connection.name, redacted);
  const events = admitted?.events ?? redacted;
  const drafts = events.map(({ draft }) => draft);
  const { cursorAfter } = batch;
  const page: ResolvedPage = {
    connection: connection.name,
    stream: batch.stream,
    controlPlane: connection.controlPlane,
    events,
    facts: sound.facts,
    rejects: sound.rejects,
    origins: sound.origins,
    topologyMark,
    ...(ruled.version === undefined ? {} : { rulingsVersion: ruled.version }),
    ...(batch.cursor === undefined ? {} : { cursor: batch.cursor }),
    ...(cursorAfter === undefined
      ? {}
      : { cursorAfter: (outcomes) => cursorAfter(countLate(batch, drafts, outcomes)) }),
    ...(batch.completeTo === undefined ? {} : { completeTo: notAfterNow(stages, batch.completeTo) }),
    ...noteOf(batch),
    ...holdAgainstContract(stages, batch, sound),
  };
  const appended = await appendSettled(stages.store, page, admitted);
  const latest = latestOf(drafts.filter((draft) => appended.outcomes.has(draft)));
  const foundLate = countLate(batch, drafts, appended.outcomes);
  return {
    ...countRecords(sound, drafts, appended),
    records: batch.records.length,
    ...(latest === undefined ? {} : { latest }),
    ...(foundLate === 0 ? {} : { foundLate }),
  };
}

function countLate(
  { lateBefore = instant(Number.NEGATIVE_INFINITY) }: Batch,
  drafts: readonly EventDraft[],
  outcomes: Appended["outcomes"],
): number {
  return drafts.filter((draft) => outcomes.get(draft) === "created" && draft.occurredAt < lateBefore).length;
}

/** What of a batch goes into its page as it is. */
function noteOf({ lane, findings, holes, reconciling, epoch }: Batch): Partial<ResolvedPage> {
  return {
    ...(lane === undefined ? {} : { lane }),
    ...(findings === undefined ? {} : { findings }),
    ...(holes === undefined ? {} : { holes }),
    ...(reconciling === undefined ? {} : { reconciling }),
    ...(epoch === undefined ? {} : { epoch }),
  };
}

/** What the page tells of how its source keeps its contract, and what the store is to hold it against. */
function holdAgainstContract(
  { contractWatch = new ContractWatch() }: Stages,
  batch: Batch,
  read: ReadRecords,
): Partial<ResolvedPage> {
  if (batch.secondHand === true) return { secondHand: true };
  const { contract } = batch.source;
  const { retention, revisions } = contract;
  const { findings, settled } = contractWatch.check(batch.connection.name, contract, {
    records: checkedRecords(read),
    findings: batch.findings ?? [],
    endsPass: batch.completeTo !== undefined && batch.reconciling !== true,
    reconciling: batch.reconciling === true,
    // Each pass has a lease of its own; beside the main lane, places are opened anew within one.
    ...(batch.epoch === undefined || batch.lane !== "main" ? {} : { pass: batch.epoch }),
  });
  const slackMs = lateAfterMs(contract);
  return {
    findings,
    settled,
    ...(slackMs === undefined ? {} : { lateAfterMs: slackMs }),
    ...(retention === undefined || contract.delivery === "push" ? {} : { retentionMs: retention }),
    ...(revisions === "never" ? { recordsAreFinal: true } : {}),
  };
}

/** Those that could be read, in their order, and those that had to be set aside. */
function checkedRecords({ drafts, kept, rejects }: ReadRecords): readonly CheckedRecord[] {
  let start = 0;
  const read = kept.map(({ record, events }): CheckedRecord => {
    const own = drafts.slice(start, start + events);
    start += events;
    return { position: record.position, receivedAt: record.receivedAt, events: own };
  });
  return [
    ...read,
    ...rejects.map(({ position, receivedAt }) => ({ position, receivedAt, events: undefined })),
  ];
}

/** What was not stored, or not for the first time, does not count towards a storm. */
async function appendSettled(store: EventStore, page: ResolvedPage, admitted?: Admitted): Promise<Appended> {
  let appended: Appended | undefined;
  try {
    appended = await store.append(page);
    return appended;
  } finally {
    admitted?.settle(appended?.outcomes);
  }
}

/** The moment, or now where it lies in the future. */
export function notAfterNow(stages: Pick<Stages, "now">, at: Instant): Instant {
  return instant(Math.min(at, stages.now()));
}

/** Counts each record once, since one may give any number of events; `drafts` are in the records' order. */
function countRecords(
  read: ReadRecords,
  drafts: readonly EventDraft[],
  { outcomes, refused }: Appended,
): Omit<Ingested, "records" | "latest"> {
  const counts = {
    created: 0,
    folded: 0,
    repeated: 0,
    revised: 0,
    setAside: read.rejects.length,
    factsOnly: 0,
    expired: 0,
  };
  let start = 0;
  for (const { sourceId, events } of read.kept) {
    const words = drafts.slice(start, start + events).map((draft) => outcomes.get(draft));
    start += events;
    if (refused.has(sourceId) || words.includes(undefined)) counts.setAside += 1;
    else counts[precedence.find((word) => words.includes(word)) ?? "factsOnly"] += 1;
  }
  const { expired, ...others } = counts;
  return expired === 0 ? others : counts;
}

/** What of several outcomes says most of a record. */
const precedence = ["created", "revised", "folded", "repeated", "expired"] as const;

function latestOf(drafts: readonly EventDraft[]): Instant | undefined {
  const trusted = drafts.filter(({ details }) => details["time_suspect"] !== true);
  return trusted.reduce<Instant | undefined>(
    (latest, { occurredAt }) => (latest === undefined || occurredAt > latest ? occurredAt : latest),
    undefined,
  );
}

/** Normalises each record alone, so that a bad one is set aside whole and delays no other. */
function readRecords(stages: Stages, batch: Batch): ReadRecords {
  const drafts: EventDraft[] = [];
  const facts: StatedFact[] = [];
  const rejects: Reject[] = [];
  const origins = new Map<string, RecordOrigin>();
  const kept: { sourceId: string; events: number; record: RawRecord }[] = [];
  for (const record of batch.records) {
    const outcome = readRecord(stages, batch, record);
    if ("code" in outcome) {
      rejects.push(outcome);
      continue;
    }
    drafts.push(...outcome.events);
    const sourceId = outcome.events[0]?.sourceIds[0] ?? record.position;
    kept.push({ sourceId, events: outcome.events.length, record });
    facts.push(...outcome.facts.map((fact) => ({ ...fact, sourceId })));
    for (const id of [sourceId, ...outcome.events.flatMap((draft) => draft.sourceIds)])
      origins.set(id, record);
  }
  return { drafts, facts, rejects, origins, kept };
}

function readRecord(stages: Stages, { source, connection }: Batch, record: RawRecord): Observation | Reject {
  if (record.meta["too_large"] === true) {
    return {
      ...record,
      code: "body-too-large",
      reason: `The record is longer than ${record.bytes.length} bytes; its head is kept.`,
    };
  }
  const read = () => stages.clean(source.normalise(record, stages.decoders), record.receivedAt);
  try {
    return read();
  } catch (error) {
    if (error instanceof IsochronError && error.kind === "invalid")
      return rejectOf(record, error.code, error.problem);
  }
  // Anything else is our own defect. It must be seen, but it must not stop the source: the same record comes first again.
  const defect = findDefect(read);
  if (!(defect instanceof Error)) return defect;
  stages.onDefect?.(connection, record, defect);
  return rejectOf(record, "record-invalid", defectReason(defect));
}

function asKnown(fact: StatedFact, connection: Connection): KnownFact {
  return { ...fact, controlPlane: connection.controlPlane, connection: connection.name, recordedAt: fact.at };
}
