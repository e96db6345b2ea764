import { IsochronError } from "../errors.ts";
import type { Instant } from "../model/instant.ts";
import { formatInstant, instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Connection, Page, PullSource, SourceIo } from "../sources/source.ts";
import { addIngested, nothingIngested } from "./import-file.ts";
import type { Batch, Ingested, Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { orAborted } from "./lease-keeper.ts";
import { reattribute } from "./reattribute.ts";

/** A pass that needs more pages than this is not coming to an end. */
const pagesMax = 100_000;

/** The most records that one transaction takes; a page of a source may hold more. */
const recordsPerTransaction = 1000;

/** A main lane further behind than this is a backlog, beside which what happens now is read first. */
const catchUpAfterMs = 30 * 60_000;

/** How far back the live lane begins, beside what the source's contract needs. */
const liveLookBackMs = 10 * 60_000;

/** How many pages of each lane a round takes at most, so that neither waits for the other for ever. */
const livePagesPerRound = 50;
const backlogPagesPerRound = 20;

/** Lanes of a connection: the main one that is complete in the end, and those that read beside it for a while. */
export type LaneName = "main" | "live" | "reconcile";

/** One pass's hold on a connection. `io.signal` ends it. */
export interface Reading {
  readonly connection: Connection;
  readonly source: PullSource;
  readonly config: JsonObject;
  readonly io: SourceIo;
  readonly epoch: number;
  /** True where the saved places are left behind and the source is read from its beginning. */
  readonly anew?: boolean;
  /** New events from before this moment count as found late; absent where none is looked for. */
  readonly lateBefore?: Instant;
}

/** A place in a source; `cursor` is undefined before the first page. */
export interface Lane {
  readonly name: LaneName;
  readonly cursor: Json | undefined;
  /** What the store keeps as the lane's place after a part of a page; the page's cursor after its last where absent. */
  readonly keep?: (part: PartRead) => Json;
  /** New events from before this moment count as found late; absent where the lane reads for the first time. */
  readonly lateBefore?: Instant;
}

/** A page as far as it is stored with the part that is being stored. */
export interface PartRead {
  /** Where it ended, with its last part; undefined before. */
  readonly page: Pick<Page<Json>, "cursor" | "done" | "completeTo"> | undefined;
  readonly records: number;
  /** New events from before the lane's `lateBefore`. */
  readonly foundLate: number;
}

export interface PageRead {
  readonly cursor: Json;
  readonly done: boolean;
  readonly completeTo?: Instant;
  readonly ingested: Ingested;
  /** Whether the source said of a span that it could not be read. */
  readonly hasHole: boolean;
}

/** What a pass over the main lane came to. */
export interface MainRead {
  readonly ingested: Ingested;
  /** What the source was said to be complete to, by the last page that said so. */
  readonly completeTo?: Instant;
  /** Whether the source said of a span that it could not be read. */
  readonly hasHole: boolean;
}

/**
 * Reads the main lane to its end. While it is far behind and the source can be asked for its past, a second lane reads
 * what happens now, first in every round. Only the main lane says what is complete; the live lane is forgotten when the
 * main one has come to its end. Both lanes' places commit with their pages, so that another pass can go on at any page.
 */
export async function readLanes(stages: Stages, reading: Reading): Promise<MainRead> {
  const { main, live } = await restorePlaces(stages, reading);
  const rounds = new Rounds(stages, reading, main, live);
  while (!(await rounds.readOne()));
  return rounds.result;
}

class Rounds {
  readonly #stages: Stages;
  readonly #reading: Reading;
  #main: Lane;
  #live: Lane | undefined;
  /** Whether the store knows a live lane. */
  #liveIsKept: boolean;
  #liveIsChecked = false;
  #pages = 0;
  result: MainRead = { ingested: nothingIngested, hasHole: false };

  constructor(stages: Stages, reading: Reading, main: Json | undefined, live: LivePlace) {
    this.#stages = stages;
    this.#reading = reading;
    this.#main = { name: "main", cursor: main };
    this.#liveIsKept = live.isKept;
    // The lane of a source that is no longer asked for its past is left to end with the main one.
    if (live.cursor !== undefined && reading.source.startAt !== undefined)
      this.#live = { name: "live", cursor: live.cursor };
  }

  /** True when the main lane has come to its end. */
  async readOne(): Promise<boolean> {
    await this.#readLive();
    return this.#readMain();
  }

  async #readLive(): Promise<void> {
    for (let count = 0; this.#live !== undefined && count < livePagesPerRound; count++) {
      const page = await this.#take(this.#live);
      this.#liveIsKept = true;
      this.#live = { ...this.#live, cursor: page.cursor };
      if (page.done) return;
      // We were away for long: what happens now comes first again, and the main lane reads the rest.
      const position = page.completeTo ?? page.ingested.latest;
      if (!this.#liveIsChecked && isLongAgo(position, this.#reading)) this.#live = this.#openLive();
      this.#liveIsChecked ||= position !== undefined;
    }
  }

  async #readMain(): Promise<boolean> {
    for (let count = 0; this.#live === undefined || count < backlogPagesPerRound; count++) {
      const page = await this.#take(this.#main);
      this.#main = { ...this.#main, cursor: page.cursor };
      if (page.completeTo !== undefined) this.result = { ...this.result, completeTo: page.completeTo };
      if (page.done) {
        const { connection, epoch } = this.#reading;
        if (this.#liveIsKept) await this.#stages.store.endLane(connection.name, "live", epoch);
        return true;
      }
      if (this.#live === undefined && isBehind(page, this.#reading)) {
        this.#live = this.#openLive();
        if (this.#live !== undefined) return false;
      }
    }
    return false;
  }

  #openLive(): Lane | undefined {
    const { source, config, io } = this.#reading;
    const { commitDelayMax, clockErrorMax } = source.contract;
    const at = instant(io.now() - liveLookBackMs - commitDelayMax - clockErrorMax);
    const cursor = source.startAt?.(config, at, parsePlace(this.#reading, this.#main.cursor));
    this.#liveIsChecked = true;
    return cursor === undefined ? undefined : { name: "live", cursor };
  }

  async #take(lane: Lane): Promise<PageRead> {
    this.#pages += 1;
    if (this.#pages > pagesMax)
      throw new Error(`${this.#reading.connection.name} gave ${pagesMax} pages without an end`);
    const { lateBefore } = this.#reading;
    const watched = lateBefore === undefined ? lane : { ...lane, lateBefore };
    const page = await readPage(this.#stages, this.#reading, watched);
    const hasHole = this.result.hasHole || page.hasHole;
    this.result = { ...this.result, ingested: addIngested(this.result.ingested, page.ingested), hasHole };
    return page;
  }
}

interface LivePlace {
  /** Whether the store knows the lane, also where its place is none that can be read. */
  readonly isKept: boolean;
  readonly cursor: Json | undefined;
}

/** The places of both lanes as the store has them, in the form that the source reads. */
async function restorePlaces(
  stages: Stages,
  reading: Reading,
): Promise<{ readonly main: Json | undefined; readonly live: LivePlace }> {
  const { name } = reading.connection;
  const main = await stages.store.cursor(name, "main");
  const live = await stages.store.cursor(name, "live");
  const isKept = live !== undefined;
  if (reading.anew === true) {
    if (main !== undefined) await noteLeftBehind(stages, reading);
    return { main: undefined, live: { isKept, cursor: undefined } };
  }
  // What happens now can be begun anywhere, so that a place of another version is no loss there.
  const parsed = reading.source.cursor.safeParse(live);
  return {
    main: parsePlace(reading, main),
    live: { isKept, cursor: parsed.success ? parsed.data : undefined },
  };
}

/** What changed since and is gone again by now is told by no beginning. */
async function noteLeftBehind({ store, now }: Stages, { connection }: Reading): Promise<void> {
  const from = await store.lastHeard(connection.name);
  const to = now();
  if (from === undefined || from >= to) return;
  const says = `The place that was read up to after ${formatInstant(from)} was left behind, and the source read anew.`;
  await store.noteHealth(connection.name, {
    findings: [{ code: "place-lost", says }],
    holes: [{ from, to, reason: "place-lost", says }],
  });
}

/** Throws `connection-mismatch` where the cursor is none of the source's. */
export function parsePlace({ connection, source }: Reading, saved: Json | undefined): Json | undefined {
  if (saved === undefined) return undefined;
  const parsed = source.cursor.safeParse(saved);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new IsochronError(
    "connection-mismatch",
    `The saved place of ${connection.name} is none that this version of ${source.name} can read (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}).`,
    `Another version of Isochron may be at work; it goes on as before. If not, \`isochron harvest ${connection.name} --anew\` reads the source from its beginning: what is stored already stays as it is.`,
    { cause: parsed.error },
  );
}

/** By what the page says of itself, else by the events that it told for the first time. */
function isBehind(page: PageRead, reading: Reading): boolean {
  return isLongAgo(
    page.completeTo ?? (page.ingested.created > 0 ? page.ingested.latest : undefined),
    reading,
  );
}

function isLongAgo(position: Instant | undefined, { io }: Reading): boolean {
  return position !== undefined && position < io.now() - catchUpAfterMs;
}

/**
 * Reads and stores one page of a lane. Events, facts, rejects and the lane's place commit together; the place moves with
 * the last part of its page. Throws the signal's reason as soon as the pass is to end.
 */
export async function readPage(stages: Stages, reading: Reading, lane: Lane): Promise<PageRead> {
  const { connection, source, config, io, epoch } = reading;
  io.signal.throwIfAborted();
  const page = await orAborted(source.fetch(config, lane.cursor, io), io.signal);
  let ingested = nothingIngested;
  const parts = inParts(page.records);
  for (const [index, records] of parts.entries()) {
    io.signal.throwIfAborted();
    const place = placeOf(page, lane, {
      records: ingested.records + records.length,
      foundLate: ingested.foundLate ?? 0,
      isLast: index === parts.length - 1,
    });
    const how = { ...(lane.name === "reconcile" ? { reconciling: true } : {}), ...lateBeforeOf(lane) };
    const batch = { connection, source, stream: "main", records, epoch, lane: lane.name, ...how, ...place };
    ingested = addIngested(ingested, await ingest(stages, batch));
    await reattribute(stages, io.signal);
  }
  return {
    cursor: page.cursor,
    done: page.done,
    ingested,
    hasHole: (page.holes ?? []).length > 0,
    ...(page.completeTo === undefined ? {} : { completeTo: page.completeTo }),
  };
}

/** What commits with a part of a page: all that the page says of itself goes with its last. */
function placeOf(
  page: Page<Json>,
  { name, keep }: Lane,
  { isLast, ...part }: Omit<PartRead, "page"> & { readonly isLast: boolean },
): Partial<Batch> {
  const ended = isLast ? page : undefined;
  const kept: Partial<Batch> =
    keep === undefined
      ? {}
      : {
          cursor: keep({ ...part, page: ended }),
          cursorAfter: (found) => keep({ ...part, page: ended, foundLate: part.foundLate + found }),
        };
  if (!isLast) return kept;
  const { completeTo, findings, holes } = page;
  return {
    cursor: page.cursor,
    ...kept,
    // Whatever reads beside the main lane leaves a gap behind it.
    ...(completeTo === undefined || name !== "main" ? {} : { completeTo }),
    ...(findings === undefined ? {} : { findings }),
    ...(holes === undefined ? {} : { holes }),
  };
}

function lateBeforeOf({ lateBefore }: Lane): Partial<Batch> {
  return lateBefore === undefined ? {} : { lateBefore };
}

/** At least one part, so that a page without records still moves the place. */
export function inParts<T>(items: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += recordsPerTransaction) {
    parts.push(items.slice(start, start + recordsPerTransaction));
  }
  return parts.length === 0 ? [[]] : parts;
}
