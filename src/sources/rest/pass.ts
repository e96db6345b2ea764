import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { nextLowerBound, settledTo, signpost } from "../cursor/time-window.ts";
import { parseSettings } from "../http-settings.ts";
import type { Page, RawRecord, SourceIo } from "../source.ts";
import type { RestApi } from "./api-shape.ts";
import { idAt } from "./item-path.ts";
import type { ListingPage } from "./listing-page.ts";
import { readPage } from "./listing-page.ts";
import { readingOf, writeRestRecord } from "./rest-record.ts";
import type { RestSettings } from "./settings.ts";
import { apiOf, restSettings } from "./settings.ts";
import { spellSince } from "./since-spelling.ts";
import { changesOf } from "./transition.ts";

/** How long after its own time a ticket's change may become readable: transactions, and the search index behind. */
export const settleMs = duration(60_000);

/** A call hands over what it has after this long, so that the lease on the connection is renewed in time. */
const callMsMax = 30_000;

/** So many histories in a row that cannot be read mean that the service is away, not that a ticket is broken. */
const failuresInARowMax = 3;

/** After so many passes a ticket whose history cannot be read is set aside, so that it holds nothing up for ever. */
const attemptsMax = 5;

const openPass = z.object({
  startedAt: z.number().int(),
  since: z.number().int(),
  /** What the page before gave for the next one; null at the beginning. */
  next: z.string().nullable(),
  pages: z.number().int(),
  /** Ids of the tickets of the page under way that were handed over already. */
  handled: z.array(z.string()),
  failed: z.array(z.string()),
  /** How many histories were read in this pass, and how many of the last ones were not. */
  read: z.number().int(),
  inARow: z.number().int(),
});

export const restCursor = z.object({
  /** From when on the next pass reads, in milliseconds since the epoch; null before the first. */
  since: z.number().int().nullable(),
  pass: openPass.nullable(),
  /** In how many passes the history of a ticket could not be read although others could, by the ticket's id. */
  unread: z.record(z.string(), z.number().int()),
});
export type RestCursor = z.infer<typeof restCursor>;
type OpenPass = z.infer<typeof openPass>;

/** Asks for what changed from then on; which histories could not be read is counted anew. */
export function startTicketsAt(_config: JsonObject, at: Instant): RestCursor {
  return { since: Math.floor(at), pass: null, unread: {} };
}

const atBeginning = { next: null, pages: 0, handled: [], failed: [], read: 0, inARow: 0 };

interface Reading {
  readonly settings: RestSettings;
  readonly api: RestApi;
  readonly meta: JsonObject;
  readonly io: SourceIo;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Reads one page of the tickets that changed since, each with its history. The lower bound overlaps the pass before,
 * and the next pass begins where this one began by the server's clock, so that what changes meanwhile is read again.
 */
export async function fetchTickets(
  config: JsonObject,
  from: RestCursor | undefined,
  io: SourceIo,
): Promise<Page<RestCursor>> {
  const settings = parseSettings(restSettings, config);
  const api = apiOf(settings);
  const now = io.now();
  const cursor: RestCursor = from ?? { since: null, pass: null, unread: {} };
  const since = cursor.since ?? now - settings.look_back_hours * 3_600_000;
  const open = cursor.pass ?? { ...atBeginning, startedAt: now, since };
  const reading: Reading = {
    settings,
    api,
    meta: { reading: readingOf(settings) },
    io,
    values: { since: spellSince(api.since, open.since, now) },
  };
  const page = await readPage(
    {
      settings,
      api,
      listing: api.tickets,
      idPath: api.fields.id,
      values: reading.values,
      next: open.next ?? undefined,
    },
    io,
  );
  const startedAt = open.pages === 0 ? signpost(open.startedAt, page.serverTime) : open.startedAt;
  return readTickets(reading, { ...cursor, pass: { ...open, startedAt } }, page, now + callMsMax);
}

/** The tickets of one page, until the time of the call is over. */
async function readTickets(
  reading: Reading,
  cursor: RestCursor & { pass: OpenPass },
  page: ListingPage,
  endBy: number,
): Promise<Page<RestCursor>> {
  const { api, io, meta, settings } = reading;
  const withHistory = api.history !== undefined && settings.history;
  const records: RawRecord[] = [];
  const pass = { ...cursor.pass, handled: [...cursor.pass.handled], failed: [...cursor.pass.failed] };
  for (const [index, item] of page.items.entries()) {
    const id = idAt(item, api.fields.id);
    if (id !== undefined && pass.handled.includes(id)) continue;
    if (io.now() > endBy) return { records, cursor: { ...cursor, pass }, done: false };
    const position = `tickets page ${pass.pages + 1} #${index + 1}`;
    records.push(
      writeRestRecord(item, position, io.now(), { ...meta, part: "ticket", resolution: !withHistory }),
    );
    if (id === undefined) continue;
    pass.handled.push(id);
    if (!withHistory) continue;
    const outcome = await readHistory(reading, item, id);
    if (!("problem" in outcome)) {
      records.push(...outcome);
      pass.read += 1;
      pass.inARow = 0;
      continue;
    }
    if (pass.inARow + 1 >= failuresInARowMax) throw outcome;
    pass.inARow += 1;
    io.warn("a ticket's history could not be read", { ticket: id, problem: outcome.problem });
    if ((cursor.unread[id] ?? 0) + 1 < attemptsMax) pass.failed.push(id);
    else {
      const lost = { ...meta, part: "history-lost", problem: outcome.problem };
      records.push(writeRestRecord(item, `${position}, history`, io.now(), lost));
    }
  }
  return endPage(reading, { ...cursor, pass }, page, records);
}

function endPage(
  { settings }: Reading,
  cursor: RestCursor & { pass: OpenPass },
  page: ListingPage,
  records: readonly RawRecord[],
): Page<RestCursor> {
  const { pass, unread } = cursor;
  if (page.next !== undefined) {
    if (pass.pages + 1 >= settings.pages_max) {
      throw new IsochronError(
        "source-malformed",
        `The tickets go on after ${settings.pages_max} pages.`,
        "Raise `page_size` or `pages_max`, or lower `look_back_hours`.",
      );
    }
    const next = { ...pass, next: page.next, pages: pass.pages + 1, handled: [] };
    return { records, cursor: { ...cursor, pass: next }, done: false };
  }
  // With a history still to be read, the window stays where it is: everything in it is read again, and stored once.
  const isWhole = pass.failed.length === 0;
  // Where no history at all was read, the service is away, and nothing is known of any ticket.
  const counted = pass.failed.map((id) => [id, (unread[id] ?? 0) + (pass.read > 0 ? 1 : 0)]);
  const since = isWhole
    ? nextLowerBound(pass.startedAt, { overlapMs: settings.overlap_seconds * 1000 })
    : pass.since;
  return {
    records,
    cursor: { since, pass: null, unread: Object.fromEntries(counted) as RestCursor["unread"] },
    done: true,
    ...(isWhole && { completeTo: instant(settledTo(pass.startedAt, { settleMs })) }),
  };
}

/** The records of a ticket's history, or why it cannot be read. Refused credentials are no matter of one ticket. */
async function readHistory(
  { settings, api, io, meta, values }: Reading,
  ticket: Json,
  id: string,
): Promise<readonly RawRecord[] | IsochronError> {
  const { history } = api;
  if (history === undefined) return [];
  const records: RawRecord[] = [];
  let next: string | undefined;
  try {
    for (let count = 0; count < settings.pages_max; count += 1) {
      const request = {
        settings,
        api,
        listing: history,
        idPath: history.id,
        values: { ...values, id },
        next,
      };
      const page = await readPage(request, io);
      for (const [index, item] of page.items.entries()) {
        const isOther = typeof item === "object" && item !== null && changesOf(item, history).length === 0;
        if (isOther) continue;
        const position = `history of ticket ${id}, page ${count + 1} #${index + 1}`;
        records.push(writeRestRecord(item, position, io.now(), { ...meta, part: "transition", ticket }));
      }
      next = page.next;
      if (next === undefined) return records;
    }
  } catch (error) {
    if (!(error instanceof IsochronError) || error.kind !== "unavailable" || error.code === "source-denied")
      throw error;
    return error;
  }
  return new IsochronError(
    "source-malformed",
    `The history of ticket ${id} goes on after ${settings.pages_max} pages.`,
    "Raise `page_size` or `pages_max`.",
  );
}
