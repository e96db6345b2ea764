import type { EventDraft } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import { settledBy, type Finding, type FindingCode } from "../model/source-health.ts";
import type { ClockReading, SourceContract } from "../sources/source.ts";

/** Below so many records it takes no share of them for a change of the source's form. */
const setAsideMin = 3;

/** The share of the latest records that may be set aside before the source counts as changed. */
const setAsideShareMax = 0.2;

/** Over how many of the latest records that share is taken. */
const recentMax = 50;

/** So many records of a kind that could all be read make it a kind that always could. */
const provenMin = 100;

/** Kinds of records that are kept in mind for a connection. */
const kindsMax = 200;

/** A record as a page gave it, in the page's order. */
export interface CheckedRecord {
  /** As in `RawRecord`; what differs in its digits only counts as one kind of record. */
  readonly position: string;
  readonly receivedAt: Instant;
  /** Undefined where the record had to be set aside. */
  readonly events: readonly Pick<EventDraft, "occurredAt" | "precision" | "details">[] | undefined;
}

export interface CheckedPage {
  readonly records: readonly CheckedRecord[];
  /** What the source itself found. */
  readonly findings: readonly Finding[];
  /** True where the page ends a pass that read the source whole. */
  readonly endsPass: boolean;
  /** True where it reads the past again, which tells nothing of the order of what comes. */
  readonly reconciling: boolean;
  /** The pass whose pages follow each other in the source's order; absent where the page stands alone. */
  readonly pass?: number;
  /** The source's clock, as it was read last. */
  readonly clock?: ClockReading;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly settled: readonly FindingCode[];
}

/** What of earlier pages is kept in mind. It says nothing that another process could not learn again from new pages. */
export interface WatchMemory {
  /** Of the latest records, oldest first: whether each could be read. */
  readonly recent: readonly boolean[];
  /** How many records of each kind could be read, as long as all of them could. */
  readonly proven: ReadonlyMap<string, number>;
  /** What was found since the last pass that read the source whole. */
  readonly inPass: ReadonlySet<FindingCode>;
  /** Up to where the pages of a pass have come. */
  readonly through?: { readonly pass: number; readonly latest: number };
  /** Whether the latest page that told of events told of some from the future. */
  readonly toldFuture: boolean;
  /** Whether this process itself read the source's clock as off: only that may be taken back by another reading. */
  readonly readOff: boolean;
}

export const emptyMemory: WatchMemory = {
  recent: [],
  proven: new Map(),
  inPass: new Set(),
  toldFuture: false,
  readOff: false,
};

/** Holds a page against what its source promises. Pure: the same page on the same memory gives the same verdict. */
export function checkPage(
  contract: SourceContract,
  memory: WatchMemory,
  page: CheckedPage,
): { readonly verdict: Verdict; readonly memory: WatchMemory } {
  const recent = [...memory.recent, ...page.records.map(({ events }) => events !== undefined)].slice(
    -recentMax,
  );
  const proven = tally(memory.proven, page.records);
  const order = checkOrder(contract, page, startOf(memory, page));
  const future = checkTimes(contract, page.records);
  const hasEvents = page.records.some(({ events = [] }) => events.length > 0);
  const toldFuture = hasEvents ? future.length > 0 : memory.toldFuture;
  const readings = checkReading(contract, page.clock);
  const found = [
    ...page.findings,
    ...order.findings,
    ...(future.length > 0 ? future : readings),
    ...checkForm(memory.proven, recent, page.records),
  ];
  const codes = new Set(found.map(({ code }) => code));
  const inPass = new Set([...memory.inPass, ...codes]);
  const settled = [
    ...settledBy("page").filter((code) => {
      if (codes.has(code)) return false;
      const isReadSane = page.clock !== undefined && memory.readOff;
      if (code === "clock-off") return !toldFuture && (hasEvents || isReadSane);
      return readsWell(recent, page.records);
    }),
    ...(page.endsPass ? settledBy("pass").filter((code) => !inPass.has(code)) : []),
  ];
  return {
    verdict: { findings: found, settled },
    memory: {
      recent,
      proven,
      inPass: page.endsPass ? new Set() : inPass,
      toldFuture,
      readOff: readings.length > 0 || (memory.readOff && page.clock === undefined),
      ...(page.pass === undefined
        ? memory.through && { through: memory.through }
        : { through: { pass: page.pass, latest: order.latest } }),
    },
  };
}

/** The latest event of the pages before, where the page goes on from them. */
function startOf({ through }: WatchMemory, { pass }: CheckedPage): number {
  return pass !== undefined && through?.pass === pass ? through.latest : Number.NEGATIVE_INFINITY;
}

/** A sorted source hands its records over oldest first, give or take what its clock may be off. */
function checkOrder(
  contract: SourceContract,
  { records, reconciling }: CheckedPage,
  start: number,
): { readonly findings: readonly Finding[]; readonly latest: number } {
  if (contract.ordering !== "sorted" || reconciling) return { findings: [], latest: start };
  let latest = start;
  let before = 0;
  let worstMs = 0;
  for (const { events } of records) {
    const times = (events ?? []).map(({ occurredAt }) => occurredAt);
    if (times.length === 0) continue;
    const behindMs = latest - Math.min(...times);
    if (behindMs > contract.clockErrorMax) before += 1;
    worstMs = Math.max(worstMs, behindMs);
    latest = Math.max(latest, ...times);
  }
  if (before === 0) return { findings: [], latest };
  const says = `${count(before, "record")} came after later ones, by up to ${seconds(worstMs)}, from a source that promises their order.`;
  return { findings: [{ code: "unsorted", says }], latest };
}

/** What happened cannot have happened after it was told. */
function checkTimes(contract: SourceContract, records: readonly CheckedRecord[]): readonly Finding[] {
  const ahead = records.flatMap(({ receivedAt, events = [] }) =>
    events
      .map(({ occurredAt, precision, details }) =>
        details["time_suspect"] === true ? Number.NaN : occurredAt - precision - receivedAt,
      )
      .filter((ms) => Number.isNaN(ms) || ms > contract.clockErrorMax),
  );
  if (ahead.length === 0) return [];
  const known = ahead.filter((ms) => !Number.isNaN(ms));
  const by =
    known.length === 0
      ? ""
      : `, by up to ${seconds(known.reduce((most, ms) => Math.max(most, ms), 0))} where ${seconds(contract.clockErrorMax)} are promised`;
  return [{ code: "clock-off", says: `${count(ahead.length, "event")} came from the future${by}.` }];
}

/** A clock that was read is off by as much as it differs from ours, but for what the reading itself leaves open. */
function checkReading(
  { clockErrorMax }: SourceContract,
  clock: ClockReading | undefined,
): readonly Finding[] {
  if (clock === undefined || Math.abs(clock.aheadMs) <= clockErrorMax + clock.errorMs) return [];
  const way = clock.aheadMs > 0 ? "ahead of" : "behind";
  const says = `Its clock is ${seconds(Math.abs(clock.aheadMs))} ${way} ours, give or take ${seconds(clock.errorMs)}, where ${seconds(clockErrorMax)} are promised.`;
  return [{ code: "clock-off", says }];
}

/** Too many records that cannot be read, or all of a kind that always could, mean that the source writes otherwise now. */
function checkForm(
  proven: WatchMemory["proven"],
  recent: readonly boolean[],
  records: readonly CheckedRecord[],
): readonly Finding[] {
  const here = records.filter(({ events }) => events === undefined);
  if (here.length === 0) return [];
  const bad = recent.filter((isRead) => !isRead).length;
  if (bad >= setAsideMin && bad > recent.length * setAsideShareMax) {
    return [
      {
        code: "schema-drift",
        says: `${bad} of the latest ${count(recent.length, "record")} could not be read and were set aside.`,
      },
    ];
  }
  const readable = new Set(
    records.flatMap((record) => (record.events === undefined ? [] : [kindOf(record)])),
  );
  const changed = here.find((record) => {
    const kind = kindOf(record);
    return !readable.has(kind) && (proven.get(kind) ?? 0) >= provenMin;
  });
  if (changed === undefined) return [];
  const before = proven.get(kindOf(changed)) ?? 0;
  return [
    {
      code: "schema-drift",
      says: `What came as "${changed.position.slice(0, 80)}" could not be read, and ${before} of its kind before it could.`,
    },
  ];
}

/** Whether the page shows by itself that a drift is over; one without a record shows nothing. */
function readsWell(recent: readonly boolean[], records: readonly CheckedRecord[]): boolean {
  const isWhole = records.length > 0 && records.every(({ events }) => events !== undefined);
  return isWhole && recent.filter((isRead) => !isRead).length <= recent.length * setAsideShareMax;
}

function tally(
  proven: WatchMemory["proven"],
  records: readonly CheckedRecord[],
): ReadonlyMap<string, number> {
  const next = new Map(proven);
  for (const record of records) {
    const kind = kindOf(record);
    if (record.events === undefined) next.delete(kind);
    else if (next.has(kind) || next.size < kindsMax) next.set(kind, (next.get(kind) ?? 0) + 1);
  }
  return next;
}

/** Where a record stood, without the numbers and ids that make it this one. */
function kindOf({ position }: CheckedRecord): string {
  return position
    .slice(0, 200)
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}/gi, "#")
    .replaceAll(/\d+/g, "#");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

/** What a process keeps in mind of its connections' latest pages. */
export class ContractWatch {
  readonly #memories = new Map<string, WatchMemory>();
  readonly #clocks = new Map<string, { readonly reading: ClockReading; isTaken: boolean }>();

  /** Remembers a reading of a connection's source; of several for one page, the one that is furthest off. */
  noteClock(connection: string, reading: ClockReading): void {
    const before = this.#clocks.get(connection);
    if (before === undefined || before.isTaken || surelyOff(reading) > surelyOff(before.reading))
      this.#clocks.set(connection, { reading, isTaken: false });
  }

  /** Holds a page against its source's contract and against the pages before it. */
  check(connection: string, contract: SourceContract, page: CheckedPage): Verdict {
    const clock = this.#clocks.get(connection);
    const { verdict, memory } = checkPage(contract, this.#memories.get(connection) ?? emptyMemory, {
      ...page,
      ...(clock === undefined ? {} : { clock: clock.reading }),
    });
    // It stands for the other parts of the page as well.
    if (clock !== undefined) clock.isTaken = true;
    this.#memories.set(connection, memory);
    return verdict;
  }
}

function surelyOff({ aheadMs, errorMs }: ClockReading): number {
  return Math.abs(aheadMs) - errorMs;
}

/**
 * How much older than the moment that a connection is called complete to a new event may be, in milliseconds: what is
 * older yet was missing from that claim. Undefined where the claim does not speak of when things happened.
 */
export function lateAfterMs(contract: SourceContract): number | undefined {
  if (contract.completeness === "settled") return 0;
  return contract.completeness === "read" ? contract.commitDelayMax + contract.clockErrorMax : undefined;
}
