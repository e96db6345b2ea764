import { IsochronError } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Finding, Hole } from "../../model/source-health.ts";
import { diffListing } from "../cursor/listing-diff.ts";
import { nextLowerBound } from "../cursor/time-window.ts";
import { readJsonAnswer } from "../json-answer.ts";
import { asObject } from "../json-fields.ts";
import { objects } from "../openstack-inventory/item.ts";
import type { CloudSession } from "../openstack-inventory/keystone.ts";
import type { RawRecord, SourceIo } from "../source.ts";
import type { EventsApiCursor, OpenPass, StackPlace } from "./events-cursor.ts";
import type { EventsApiSettings } from "./settings.ts";
import type { Stack, StackReading } from "./stack-events.ts";
import { loseStack, readStack, readStackEvents, StackUnavailable } from "./stack-events.ts";

/** One call's tools. */
export interface Reading {
  readonly settings: EventsApiSettings;
  readonly session: CloudSession;
  readonly io: SourceIo;
  /** Whether the call should hand over what it has, having so many records. */
  readonly isSpent: (records: number) => boolean;
}

/** What a step of a pass gave; `skipped` says why a listing is not to be read at all. */
export interface Step {
  readonly records: readonly RawRecord[];
  readonly cursor: EventsApiCursor;
  readonly findings?: readonly Finding[];
  readonly holes?: readonly Hole[];
  readonly skipped?: string;
}

export type PassCursor = EventsApiCursor & { readonly pass: OpenPass };

/** Stacks asked for per request; each costs a request of its own for its events. */
const stacksPerPage = 100;

/** So many stacks in a row that cannot be read mean that the service is away, not that a stack is broken. */
const failuresInARowMax = 3;

/**
 * Reads one page of the listing of stacks, and the events of those that may have new ones. Deleted stacks and nested
 * ones are listed too, because their events stay readable under their own names only.
 */
export async function takeStackStep(reading: Reading, from: PassCursor): Promise<Step> {
  const { settings, io } = reading;
  const { pass, stop } = await openListing(reading, from.pass);
  let cursor: PassCursor = { ...from, pass };
  if (stop !== undefined) return { records: [], cursor, skipped: stop };
  const page = await listStacks(reading, pass);
  const records: RawRecord[] = [];
  const findings: Finding[] = [];
  const holes: Hole[] = [];
  const { startedAt } = pass;
  const since = cursor.since ?? 0;
  const isSpent = (more: number) => reading.isSpent(records.length + more);
  const tools: StackReading = { settings, session: reading.session, io, startedAt, since, isSpent };
  for (const stack of page.stacks) {
    if (cursor.pass.handled.includes(stack.id)) continue;
    if (isSpent(0)) return { records, cursor, findings, holes };
    const place = Object.hasOwn(cursor.stacks, stack.id) ? cursor.stacks[stack.id] : undefined;
    if (!mayHaveNews(cursor, stack, place, settings)) {
      cursor = passStack(cursor, stack, place && { ...place, missed: 0 });
      continue;
    }
    const open = cursor.pass.open?.stack === stack.id ? cursor.pass.open : null;
    const outcome = await attempt(() => readStackEvents(tools, stack, place, open));
    if (outcome instanceof StackUnavailable) {
      io.warn("a stack's events are left out", { stack: stack.id, reason: outcome.message });
      cursor = passStack(cursor, stack, place && { ...place, stamp: stack.stamp, missed: 0 });
    } else if (outcome instanceof IsochronError) {
      if (cursor.pass.inARow + 1 >= failuresInARowMax) throw outcome;
      io.warn("a stack's events could not be read", { stack: stack.id, problem: outcome.problem });
      const waiting = place ?? { name: stack.name, after: null, last: null, readAt: null };
      const next = passStack(cursor, stack, { ...waiting, stamp: "", missed: 0 });
      const { unread, inARow } = next.pass;
      cursor = { ...next, pass: { ...next.pass, unread: unread + 1, inARow: inARow + 1 } };
    } else if ("open" in outcome) {
      records.push(...outcome.records);
      return {
        records,
        cursor: { ...cursor, pass: { ...cursor.pass, open: outcome.open } },
        findings,
        holes,
      };
    } else {
      records.push(...outcome.records);
      findings.push(...outcome.findings);
      holes.push(...outcome.holes);
      const settled = isOver(stack, settledBefore(settings, startedAt));
      cursor = passStack(cursor, stack, settled ? undefined : outcome.place);
      cursor = { ...cursor, pass: { ...cursor.pass, inARow: 0 } };
    }
  }
  const ended = page.next === undefined ? endStacks(cursor) : turnPage(settings, cursor, page.next);
  return {
    records,
    cursor: ended.cursor,
    findings: [...findings, ...(ended.findings ?? [])],
    holes: [...holes, ...(ended.holes ?? [])],
  };
}

/** Heat lists all projects' stacks to whom its policy lets (`stacks:global_index`), and to its administrators anyway. */
async function openListing(
  { session }: Reading,
  pass: OpenPass,
): Promise<{ readonly pass: OpenPass; readonly stop?: string }> {
  if (session.endpoint("orchestration") === undefined)
    return { pass, stop: "the catalog has no orchestration service for these credentials" };
  if (pass.global !== null) return { pass };
  const all = await session.get("orchestration", "/stacks?limit=1&global_tenant=true");
  if (all.status !== 403) {
    readJsonAnswer(all, "Heat's stacks of all projects");
    return { pass: { ...pass, global: true } };
  }
  const own = await session.get("orchestration", "/stacks?limit=1");
  if (own.status === 403) return { pass, stop: "the credentials' roles do not allow it" };
  readJsonAnswer(own, "Heat's stacks");
  return { pass: { ...pass, global: false } };
}

async function listStacks(
  { session }: Reading,
  pass: OpenPass,
): Promise<{ readonly stacks: readonly Stack[]; readonly next?: string }> {
  const query = new URLSearchParams({
    show_deleted: "true",
    show_nested: "true",
    // What is made meanwhile then comes at the end, and moves nothing from one page to another.
    sort_keys: "creation_time",
    sort_dir: "asc",
    limit: String(stacksPerPage),
  });
  if (pass.global === true) query.set("global_tenant", "true");
  if (pass.next !== null) query.set("marker", pass.next);
  const answer = await session.get("orchestration", `/stacks?${query.toString()}`);
  const list = asObject(readJsonAnswer(answer, "Heat's stacks"))?.["stacks"];
  if (!Array.isArray(list)) {
    throw new IsochronError(
      "source-malformed",
      "Heat's stacks came without `stacks`.",
      "Check that the endpoint in the catalog is Heat's own.",
    );
  }
  const items: readonly JsonObject[] = objects(list);
  const stacks = items.map(readStack).filter((stack) => stack !== undefined);
  const last = stacks.at(-1)?.id;
  return { stacks, ...(items.length >= stacksPerPage && last !== undefined && { next: last }) };
}

/** Up to when a thing has to have ended so that nothing of it can still be on its way. */
function settledBefore({ overlap_seconds: seconds }: EventsApiSettings, startedAt: number): number {
  return nextLowerBound(startedAt, { overlapMs: seconds * 1000 });
}

function isOver({ deletedAt }: Stack, settledAt: number): boolean {
  return deletedAt !== undefined && deletedAt < settledAt;
}

/**
 * Whether a stack may have events that were not read. Signals and the like change nothing in the listing, so that
 * every stack is asked in a full pass; in between, those that changed, are changing, or changed within the overlap.
 */
function mayHaveNews(
  cursor: PassCursor,
  stack: Stack,
  place: StackPlace | undefined,
  settings: EventsApiSettings,
): boolean {
  const { pass, since, stacksReadAt } = cursor;
  if (place === undefined) {
    const doneTo = stacksReadAt === null ? (since ?? 0) : settledBefore(settings, stacksReadAt);
    return !isOver(stack, doneTo);
  }
  if (pass.full || place.stamp !== stack.stamp || stack.status.endsWith("_IN_PROGRESS")) return true;
  return (
    place.readAt === null || (place.last !== null && place.last[1] >= settledBefore(settings, place.readAt))
  );
}

/** The stack is done with in this pass; without a place it is not remembered. */
function passStack(cursor: PassCursor, stack: Stack, place: StackPlace | undefined): PassCursor {
  const { [stack.id]: _before, ...others } = cursor.stacks;
  const { pass } = cursor;
  return {
    ...cursor,
    stacks: place === undefined ? others : { ...others, [stack.id]: place },
    pass: {
      ...pass,
      open: null,
      handled: [...pass.handled, stack.id],
      listed: place === undefined ? pass.listed : [...pass.listed, stack.id],
    },
  };
}

function turnPage(settings: EventsApiSettings, cursor: PassCursor, next: string): Step {
  const pages = cursor.pass.pages + 1;
  if (pages >= settings.pages_max) {
    throw new IsochronError(
      "source-malformed",
      `Heat's stacks go on after ${settings.pages_max} pages.`,
      "Raise `pages_max`.",
    );
  }
  return { records: [], cursor: { ...cursor, pass: { ...cursor.pass, next, pages, handled: [] } } };
}

/**
 * The listing is over. A stack that two complete listings lack was purged, or is hidden from us: what it told after the
 * last reading is not known. Where suspiciously many are missing at once, all of them stay remembered.
 */
function endStacks(cursor: PassCursor): Step {
  const { pass } = cursor;
  const listed = new Set(pass.listed);
  const misses = new Map(Object.entries(cursor.stacks).map(([id, { missed }]) => [id, missed]));
  const { once, gone, suspected } = diffListing(misses, (id) => listed.has(id));
  const left = new Set(gone);
  const missing = new Set(once);
  const stacks = Object.fromEntries(
    Object.entries(cursor.stacks)
      .filter(([id]) => !left.has(id))
      .map(([id, place]): [string, StackPlace] => [id, missing.has(id) ? { ...place, missed: 1 } : place]),
  );
  const lost = gone
    .filter((id) => !cursor.stacks[id]!.stamp.startsWith("DELETE_COMPLETE"))
    .map((id) => loseStack(cursor.stacks[id]!, id, pass.startedAt));
  const drop: Finding = {
    code: "sudden-drop",
    says:
      `Heat lists ${misses.size - suspected} of the ${misses.size} stacks that it listed before; ` +
      "check what the credentials may see.",
  };
  const isWhole = pass.unread === 0 && suspected === 0;
  return {
    records: [],
    findings: [...lost.map(({ finding }) => finding), ...(suspected > 0 ? [drop] : [])],
    holes: lost.map(({ hole }) => hole),
    cursor: {
      ...cursor,
      stacks,
      ...(isWhole && { stacksReadAt: pass.startedAt, ...(pass.full && { fullAt: pass.startedAt }) }),
      pass: {
        ...pass,
        todo: pass.todo.slice(1),
        read: [...pass.read, "stacks"],
        failed: isWhole ? pass.failed : [...pass.failed, "stacks"],
        next: null,
        pages: 0,
        handled: [],
        listed: [],
      },
    },
  };
}

async function attempt<Result>(
  work: () => Promise<Result>,
): Promise<Result | IsochronError | StackUnavailable> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StackUnavailable) return error;
    if (!(error instanceof IsochronError) || error.kind !== "unavailable" || error.code === "source-denied")
      throw error;
    return error;
  }
}
