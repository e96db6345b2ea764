import { createHash } from "node:crypto";
import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { lastingReasons } from "../model/source-health.ts";
import type { Source, SourceIo, Span, WebhookSource } from "../sources/source.ts";
import type { EventReader } from "../store/event-reader.ts";
import { ingest, notAfterNow } from "./ingest.ts";
import type { Stages } from "./ingest.ts";
import { lateAfterMs } from "./contract-check.ts";
import type { MainRead, PartRead, Reading } from "./lanes.ts";
import { inParts, parsePlace, readLanes, readPage } from "./lanes.ts";
import { holdLease, orAborted, type HeldLease, type LeaseClaim } from "./lease-keeper.ts";
import { reattribute } from "./reattribute.ts";
import { machineScheduler } from "./scheduler.ts";

/** A comparison that needs more pages than this is not coming to an end. */
const pagesMax = 100_000;

/** A comparison that was broken off longer ago than this begins anew. */
const resumeWithinMs = 6 * 3_600_000;

/** What a sender may still be about to post, beside what the source's contract says. */
const postDelayMs = 60_000;

/** How long who asks for a comparison waits for a pass of another worker to end, and how often it looks at most. */
const patienceMs = 60_000;
const waitMsMin = 500;

const hourMs = 3_600_000;

/** How far back a comparison by itself reaches at most for a hole that it may close. */
const reachMsMax = 31 * 24 * hourMs;

/** Connections are compared in these hours after midnight (UTC), each at a time of its own. */
const nightMs = 6 * hourMs;

/** One connection to compare with its source. */
export interface ReconcilePass extends Omit<LeaseClaim, "restMs" | "io"> {
  readonly source: Source;
  readonly config: JsonObject;
  readonly io: SourceIo;
  /** How long the main lane may wait meanwhile. */
  readonly intervalMs: number;
}

/** How often a connection is compared, and how far back. */
export interface ReconcileSchedule {
  readonly everyMs: number;
  readonly spanMs: number;
}

export interface ReconcileOutcome extends Span {
  readonly records: number;
  /** Events of the span that had been missing. */
  readonly foundLate: number;
}

/** What the lane keeps: how far the comparison has come, or when the last one ended. */
const progressSchema = z.union([
  z.strictObject({ endedAt: z.number() }),
  z.strictObject({
    from: z.number(),
    to: z.number(),
    records: z.number(),
    foundLate: z.number(),
    isDoubted: z.boolean().default(false),
    cursor: z.json(),
  }),
]);
interface Progress extends Compared {
  readonly cursor: Json | undefined;
}

/** Why the connection cannot be compared with its source; undefined when it can. */
export function whyNotReconciled({ source, config, io }: ReconcilePass): string | undefined {
  if (source.delivery === "pull") {
    return source.startAt === undefined ? `${source.title} cannot be asked for its past.` : undefined;
  }
  if (source.delivery !== "webhook" || source.recall === undefined)
    return `${source.title} can only be received; nobody can be asked for what was missed.`;
  const now = io.now();
  return source.recall(config, { from: now, to: now }, io) === undefined
    ? "Its settings name no API that could be asked for what was missed."
    : undefined;
}

/**
 * Compares what is stored of the last `spanMs` with what the source still knows of it, stores what was missing and says
 * so. Of a pulling source the main lane is read first: what it finds is new, what only the comparison finds is late.
 * Throws `usage` where the source cannot be asked, and `fenced` when another worker holds the connection for a minute.
 */
export async function reconcileOnce(
  stages: Stages,
  pass: ReconcilePass,
  spanMs: number,
): Promise<ReconcileOutcome> {
  const { store, scheduler = machineScheduler } = stages;
  for (let waitedMs = 0; waitedMs < patienceMs;) {
    const outcome = await reconcileUnlessHeld(stages, pass, spanMs);
    if (outcome !== undefined) return outcome;
    const freeInMs = await store.waitFor(pass.connection.name, pass.holder, 0);
    const waitMs = Math.max(freeInMs, waitMsMin);
    await scheduler.wait(waitMs, pass.io.signal);
    pass.io.signal.throwIfAborted();
    waitedMs += waitMs;
  }
  throw new IsochronError(
    "fenced",
    `Another worker is reading ${pass.connection.name} now.`,
    "Try again when it has finished; it compares by itself as well, see `reconcile_every_hours`.",
  );
}

/** What a comparison found, and how many holes it closed of those that were known. */
export interface Reconciliation extends ReconcileOutcome {
  readonly holesClosed: number;
  readonly holesLeft: number;
}

/** The same as `reconcileOnce`, with what became of the connection's holes. */
export async function reconcileAndCount(
  stages: Stages,
  reader: EventReader,
  pass: ReconcilePass,
  spanMs: number,
): Promise<Reconciliation> {
  const countHoles = async (): Promise<number> => {
    const { connections } = await reader.coverage({ kind: "provider" });
    return connections.find(({ connection }) => connection === pass.connection.name)?.holes.length ?? 0;
  };
  const before = await countHoles();
  const outcome = await reconcileOnce(stages, pass, spanMs);
  const holesLeft = await countHoles();
  return { ...outcome, holesClosed: Math.max(0, before - holesLeft), holesLeft };
}

/**
 * The same when the schedule says so, and further back where a hole is still open that it may close; undefined when it
 * is not due, or when another worker is at it.
 */
export async function reconcileWhenDue(
  stages: Stages,
  pass: ReconcilePass,
  { everyMs, spanMs }: ReconcileSchedule,
): Promise<ReconcileOutcome | undefined> {
  const { name } = pass.connection;
  const saved = progressSchema.safeParse(await stages.store.cursor(name, "reconcile"));
  if (!saved.success) {
    // The first one comes at its time, not on top of the first harvest.
    await holdLease(stages, pass, ({ epoch }) => noteEnd(stages, pass, epoch));
    return undefined;
  }
  // One that was broken off goes on at once, as far back as it began.
  if (!("endedAt" in saved.data)) return reconcileUnlessHeld(stages, pass, spanMs);
  if (!isReconcileDue(name, everyMs, instant(saved.data.endedAt), stages.now())) return undefined;
  return reconcileUnlessHeld(stages, pass, Math.max(spanMs, await holesReachMs(stages, pass)));
}

/** How far back the oldest hole begins that reading again can close, as far as the source keeps what it told. */
async function holesReachMs({ reader, now }: Stages, { connection, source }: ReconcilePass): Promise<number> {
  const { connections = [] } = (await reader?.coverage({ kind: "provider" })) ?? {};
  const at = now();
  const keptFrom = at - Math.min(reachMsMax, source.contract.retention ?? reachMsMax);
  const holes = connections.find(({ connection: name }) => name === connection.name)?.holes ?? [];
  const closable = holes.filter(({ reason, to }) => !lastingReasons.includes(reason) && to > keptFrom);
  return closable.reduce((reachMs, { from }) => Math.max(reachMs, at - Math.max(from, keptFrom)), 0);
}

/** Whether the connection's time, which is its own among all connections, has passed since the last comparison. */
export function isReconcileDue(connection: string, everyMs: number, last: Instant, now: Instant): boolean {
  const hash = createHash("sha256").update(connection).digest().readUInt32BE(0) / 2 ** 32;
  const offsetMs = hash * Math.min(everyMs, nightMs);
  const turn = (at: Instant): number => Math.floor((at - offsetMs) / everyMs);
  return turn(now) > turn(last);
}

async function reconcileUnlessHeld(
  stages: Stages,
  pass: ReconcilePass,
  spanMs: number,
): Promise<ReconcileOutcome | undefined> {
  const reason = whyNotReconciled(pass);
  if (reason !== undefined) {
    throw new IsochronError(
      "usage",
      `${pass.connection.name} cannot be reconciled. ${reason}`,
      "Its events are as complete as what arrives.",
    );
  }
  return holdLease(stages, pass, async (lease) => {
    const outcome = keptOf(stages, pass, await compare(stages, pass, lease, spanMs));
    await stages.store.reconciled(pass.connection.name, outcome, lease.epoch);
    await noteEnd(stages, pass, lease.epoch);
    return outcome;
  });
}

interface Compared extends ReconcileOutcome {
  /** True where something of the span showed only after that part of it may have been read, so that more may follow. */
  readonly isDoubted: boolean;
}

/** Of what the source has dropped by now, reading it again proves nothing; nor does reading of what still changed. */
function keptOf(
  stages: Stages,
  { source }: ReconcilePass,
  { from, to, records, foundLate, isDoubted }: Compared,
): ReconcileOutcome {
  const { retention = Number.POSITIVE_INFINITY } = source.contract;
  const keptFrom = isDoubted ? to : Math.max(from, stages.now() - retention);
  return { from: instant(Math.min(keptFrom, to)), to, records, foundLate };
}

async function compare(
  stages: Stages,
  pass: ReconcilePass,
  lease: HeldLease,
  spanMs: number,
): Promise<Compared> {
  const { source } = pass;
  const io = { ...pass.io, signal: lease.signal };
  if (source.delivery === "pull")
    return readAgain(stages, { ...pass, source, io, epoch: lease.epoch }, spanMs);
  if (source.delivery === "webhook") return recallSpan(stages, { ...pass, source, io }, lease, spanMs);
  throw new Error(`${source.name} was asked for what nobody can be asked for`);
}

/**
 * Reads a pulling source's span once more, in a lane of its own that can go on after a crash. Throws
 * `source-unavailable` where the source could be read in part only, so that nothing is known to be whole.
 */
async function readAgain(
  stages: Stages,
  reading: Reading & Pick<ReconcilePass, "intervalMs">,
  spanMs: number,
): Promise<Compared> {
  const main = await readLanes(stages, reading);
  let mainReadAt = stages.now();
  const { from, to, ...begun } = await beginOrGoOn(stages, reading, main, spanMs);
  let { records, foundLate, cursor, isDoubted } = begun;
  const keep = ({ page, ...part }: PartRead): Json => {
    if (page?.done === true && page.completeTo === undefined) return { endedAt: stages.now() };
    const sum = { records: records + part.records, foundLate: foundLate + part.foundLate };
    return { from, to, ...sum, isDoubted, cursor: page?.cursor ?? cursor ?? null };
  };
  for (let pages = 0; pages < pagesMax; pages++) {
    const page = await readPage(stages, reading, { name: "reconcile", cursor, lateBefore: to, keep });
    records += page.ingested.records;
    foundLate += page.ingested.foundLate ?? 0;
    cursor = page.cursor;
    if (page.done && page.completeTo === undefined) throw readInPart(reading);
    isDoubted ||= page.hasHole;
    if (page.done) return { from, to, records, foundLate, isDoubted };
    // What happens now does not wait for what was.
    if (stages.now() - mainReadAt >= reading.intervalMs) {
      const { ingested, hasHole } = await readLanes(stages, { ...reading, lateBefore: to });
      isDoubted ||= hasHole || (ingested.foundLate ?? 0) > 0;
      mainReadAt = stages.now();
    }
  }
  throw new Error(`${reading.connection.name} gave ${pagesMax} pages without an end`);
}

function readInPart({ connection }: Reading): IsochronError {
  return new IsochronError(
    "source-unavailable",
    `${connection.name} could be read in part only; what was missing there is stored, and the holes stay open.`,
    "Compare it again when it answers whole; what it could not read is in the log.",
  );
}

async function beginOrGoOn(
  stages: Stages,
  reading: Reading,
  main: MainRead,
  spanMs: number,
): Promise<Progress> {
  const { connection, source, config, io } = reading;
  const { commitDelayMax, clockErrorMax } = source.contract;
  // What may still become readable, or lies beyond our clock, is not late.
  const claimed = main.completeTo === undefined ? undefined : notAfterNow(stages, main.completeTo);
  const slackMs = lateAfterMs(source.contract) ?? 0;
  const to = instant(claimed === undefined ? io.now() - commitDelayMax - clockErrorMax : claimed - slackMs);
  const from = instant(to - spanMs);
  const saved = progressSchema.safeParse(await stages.store.cursor(connection.name, "reconcile"));
  if (saved.success && !("endedAt" in saved.data)) {
    const { data } = saved;
    const cursor = source.cursor.safeParse(data.cursor);
    if (cursor.success && data.to >= to - resumeWithinMs && data.from <= from) {
      return { ...data, from: instant(data.from), to: instant(data.to), cursor: cursor.data };
    }
  }
  const place = parsePlace(reading, await stages.store.cursor(connection.name, "main"));
  return {
    from,
    to,
    records: 0,
    foundLate: 0,
    isDoubted: false,
    cursor: source.startAt?.(config, from, place),
  };
}

/** Asks a push source's sender for what it still knows; a repeated record changes nothing, so it starts over after a crash. */
async function recallSpan(
  stages: Stages,
  { connection, source, config, io }: ReconcilePass & { readonly source: WebhookSource },
  { epoch, signal }: HeldLease,
  spanMs: number,
): Promise<Compared> {
  const { commitDelayMax, clockErrorMax } = source.contract;
  const to = instant(io.now() - commitDelayMax - clockErrorMax - postDelayMs);
  const span = { from: instant(to - spanMs), to };
  let records = 0;
  let foundLate = 0;
  for await (const page of untilAborted(source.recall?.(config, span, io), signal)) {
    for (const part of inParts(page)) {
      const batch = { connection, source, stream: "webhook", records: part, epoch };
      // That its API answers does not show that the sender still posts.
      const asked = { reconciling: true, secondHand: true, lateBefore: to } as const;
      const ingested = await ingest(stages, { ...batch, ...asked });
      await reattribute(stages, signal);
      records += ingested.records;
      foundLate += ingested.foundLate ?? 0;
      signal.throwIfAborted();
    }
  }
  return { ...span, records, foundLate, isDoubted: false };
}

/** The same pages until the signal ends them. Throws its reason. */
async function* untilAborted<Item>(
  pages: AsyncIterable<Item> | undefined,
  signal: AbortSignal,
): AsyncIterable<Item> {
  const iterator = pages?.[Symbol.asyncIterator]();
  if (iterator === undefined) return;
  try {
    for (let count = 0; count < pagesMax; count++) {
      const step = await orAborted(iterator.next(), signal);
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    // Whoever is still asking for a page is told to stop, and neither waited for nor listened to.
    iterator.return?.().catch(() => undefined);
  }
}

/** Leaves behind when the comparison ended, from which the next one's turn follows. */
async function noteEnd(stages: Stages, { connection }: ReconcilePass, epoch: number): Promise<void> {
  await stages.store.append({
    connection: connection.name,
    stream: "main",
    controlPlane: connection.controlPlane,
    events: [],
    facts: [],
    rejects: [],
    lane: "reconcile",
    // Nobody was heard for it.
    secondHand: true,
    epoch,
    cursor: { endedAt: stages.now() },
  });
}
