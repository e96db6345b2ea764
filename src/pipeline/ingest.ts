import { IsochronError } from "../errors.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft, Observation, TenantEdition, Attribution } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import type { KnownFact } from "../model/topology.ts";
import type { Resolver, TopologyView } from "../resolve/resolver.ts";
import type { Connection, Decoders, RawRecord, Source } from "../sources/source.ts";
import type {
  Appended,
  EventStore,
  RecordOrigin,
  Reject,
  ResolvedPage,
  StatedFact,
} from "../store/event-store.ts";
import type { TopologyReader } from "../store/topology-reader.ts";

/**
 * What became of a batch of records: created, folded, repeated, revised, set aside and facts only add up to `records`.
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
  /** When the latest of the events happened that are stored and whose time is not suspect; absent where there was none. */
  readonly latest?: Instant;
}

/** The stages, handed in by `main.ts`. */
export interface Stages {
  readonly decoders: Decoders;
  readonly clean: (observation: Observation, receivedAt: Instant) => Observation;
  readonly resolve: Resolver;
  readonly buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView;
  readonly redact: (
    draft: EventDraft,
    attribution: Attribution,
    ownEntities: readonly string[],
  ) => readonly TenantEdition[];
  readonly store: EventStore;
  readonly topology: TopologyReader;
  /** Our own clock: no source is complete beyond it, whatever its records say. */
  readonly now: () => Instant;
}

/** Where a batch comes from and what to write down with it. */
export interface Batch {
  readonly connection: Connection;
  readonly source: Source;
  readonly stream: string;
  readonly records: readonly RawRecord[];
  readonly cursor?: Json;
  readonly completeTo?: Instant;
  readonly epoch?: number;
}

/** How many hops around a page the resolver can walk. */
const neighbourhoodHops = 3;

/** Takes records of one connection through normalise, resolve and store; settles after the commit. */
export async function ingest(stages: Stages, batch: Batch): Promise<Ingested> {
  const read = readRecords(stages, batch);
  const { connection } = batch;
  const facts = read.facts.map((fact) => asKnown(fact, connection));
  const keys = new Set(read.drafts.flatMap(neighbourKeys));
  // Taken before the view: events that miss what arrives from here on are asked about again.
  const topologyMark = await stages.topology.mark();
  const known = await stages.topology.neighbourhood(connection.controlPlane, [...keys], neighbourhoodHops);
  const view = stages.buildView(connection.controlPlane, [...known, ...facts]);
  const named = read.drafts.map((draft) => withName(draft, view));
  const resolved = stages.resolve(named, connection.name, view);
  const page: ResolvedPage = {
    connection: connection.name,
    stream: batch.stream,
    controlPlane: connection.controlPlane,
    events: resolved.map((event) => ({
      ...event,
      editions: stages.redact(event.draft, event.attribution, event.ownEntities),
    })),
    facts: read.facts,
    rejects: read.rejects,
    origins: read.origins,
    topologyMark,
    ...(batch.cursor === undefined ? {} : { cursor: batch.cursor }),
    ...(batch.completeTo === undefined ? {} : { completeTo: notAfterNow(stages, batch.completeTo) }),
    ...(batch.epoch === undefined ? {} : { epoch: batch.epoch }),
  };
  const appended = await stages.store.append(page);
  const drafts = page.events.map(({ draft }) => draft);
  const latest = latestOf(drafts.filter((draft) => appended.outcomes.has(draft)));
  return {
    ...countRecords(read, drafts, appended),
    records: batch.records.length,
    ...(latest === undefined ? {} : { latest }),
  };
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
  };
  let start = 0;
  for (const { sourceId, events } of read.kept) {
    const words = drafts.slice(start, start + events).map((draft) => outcomes.get(draft));
    start += events;
    if (refused.has(sourceId) || words.includes(undefined)) counts.setAside += 1;
    else counts[precedence.find((word) => words.includes(word)) ?? "factsOnly"] += 1;
  }
  return counts;
}

/** What of several outcomes says most of a record. */
const precedence = ["created", "revised", "folded", "repeated"] as const;

/** Gives a subject that its record does not name the name that it bore then; names decorate, ids identify. */
function withName(draft: EventDraft, view: TopologyView): EventDraft {
  if (draft.subjectName !== undefined) return draft;
  const [held] = view.targets(draft.subject, "named", draft.occurredAt);
  return held === undefined ? draft : { ...draft, subjectName: held.fact.to.id };
}

function latestOf(drafts: readonly EventDraft[]): Instant | undefined {
  const trusted = drafts.filter(({ details }) => details["time_suspect"] !== true);
  return trusted.reduce<Instant | undefined>(
    (latest, { occurredAt }) => (latest === undefined || occurredAt > latest ? occurredAt : latest),
    undefined,
  );
}

interface ReadRecords {
  readonly drafts: readonly EventDraft[];
  readonly facts: readonly StatedFact[];
  readonly rejects: readonly Reject[];
  /** The record behind each source id. */
  readonly origins: ReadonlyMap<string, RecordOrigin>;
  /** Each record that could be read, with the number of its events. */
  readonly kept: readonly { readonly sourceId: string; readonly events: number }[];
}

/** Normalises each record alone, so that a bad one is set aside whole and delays no other. */
function readRecords(stages: Stages, batch: Batch): ReadRecords {
  const drafts: EventDraft[] = [];
  const facts: StatedFact[] = [];
  const rejects: Reject[] = [];
  const origins = new Map<string, RecordOrigin>();
  const kept: { sourceId: string; events: number }[] = [];
  for (const record of batch.records) {
    const outcome = readRecord(stages, batch.source, record);
    if ("code" in outcome) {
      rejects.push(outcome);
      continue;
    }
    drafts.push(...outcome.events);
    const sourceId = outcome.events[0]?.sourceIds[0] ?? record.position;
    kept.push({ sourceId, events: outcome.events.length });
    facts.push(...outcome.facts.map((fact) => ({ ...fact, sourceId })));
    for (const id of [sourceId, ...outcome.events.flatMap((draft) => draft.sourceIds)])
      origins.set(id, record);
  }
  return { drafts, facts, rejects, origins, kept };
}

function readRecord(stages: Stages, source: Source, record: RawRecord): Observation | Reject {
  if (record.meta["too_large"] === true) {
    return {
      ...record,
      code: "body-too-large",
      reason: `The record is longer than ${record.bytes.length} bytes; its head is kept.`,
    };
  }
  try {
    return stages.clean(source.normalise(record, stages.decoders), record.receivedAt);
  } catch (error) {
    // Only what the contract names is the record's fault; anything else is a bug and must be seen.
    if (!(error instanceof IsochronError) || error.kind !== "invalid") throw error;
    return {
      position: record.position,
      bytes: record.bytes,
      meta: record.meta,
      receivedAt: record.receivedAt,
      code: error.code,
      reason: error.problem,
    };
  }
}

/** The entities that can lead from a draft to its owner. */
export function neighbourKeys(draft: EventDraft): readonly string[] {
  const { operation, subject, stated, related } = draft;
  const requests = [operation?.requestId, operation?.globalRequestId].filter((id) => id !== undefined);
  return [
    entityKey(subject),
    ...(stated === undefined ? [] : [entityKey(stated.owner)]),
    ...related.map((item) => entityKey(item.ref)),
    ...requests.map((id) => `request:${id}`),
  ];
}

function asKnown(fact: StatedFact, connection: Connection): KnownFact {
  return { ...fact, controlPlane: connection.controlPlane, connection: connection.name, recordedAt: fact.at };
}
