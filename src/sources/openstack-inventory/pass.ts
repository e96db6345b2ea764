import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Instant } from "../../model/instant.ts";
import type { Finding } from "../../model/source-health.ts";
import { nextLowerBound } from "../cursor/time-window.ts";
import type { Page, RawRecord, SourceIo } from "../source.ts";
import { resolveAccess } from "./credentials.ts";
import type { InventoryCursor, ListingPlace, OpenPass } from "./inventory-cursor.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { writeRecord } from "./inventory-record.ts";
import type { CloudSession } from "./keystone.ts";
import { openSession } from "./keystone.ts";
import { endListing } from "./listing-end.ts";
import type { Listing } from "./listings.ts";
import { idsMax, listingNamed, listings } from "./listings.ts";
import type { ListingPage } from "./listing-page.ts";
import { firstQuery, readListingPage } from "./listing-page.ts";
import { microversionHeaders } from "./microversion.ts";
import { recordedAccess } from "./recorded-http.ts";
import { readServerActions } from "./server-actions.ts";
import type { InventorySettings, ServiceName } from "./settings.ts";
import { readSettings } from "./settings.ts";

/** A call hands over what it has after this long, so that the lease on the connection is renewed in time. */
const callMsMax = 30_000;

/** Each server costs further requests for its actions, so fewer of them are taken at a time. */
const serverPageSizeMax = 100;

/** One call's tools: the conversation with the cloud and what it has agreed with each service. */
interface Reading {
  readonly settings: InventorySettings;
  readonly session: CloudSession;
  readonly io: SourceIo;
  readonly isRecorded: boolean;
  readonly headers: Map<ServiceName, Readonly<Record<string, string>>>;
}

/**
 * Reads on from the cursor until `records_max` records are gathered or the pass is over. A listing that fails is
 * given up for this pass with a warning and keeps its place, so that nothing in it is skipped; the pass then names
 * no moment up to which it is complete. Throws when nobody could sign in, or when not one listing could be read.
 */
export async function fetchInventory(
  config: JsonObject,
  from: InventoryCursor | undefined,
  io: SourceIo,
): Promise<Page<InventoryCursor>> {
  const settings = readSettings(config);
  const now = io.now();
  let cursor: InventoryCursor = from ?? emptyCursor;
  // A moment that was read before (a recording played again, a clock set back) would tell changes backwards.
  if (now < (cursor.pass?.startedAt ?? 0) || (cursor.pass === null && now <= (cursor.passedAt ?? -1))) {
    return { records: [], cursor, done: true };
  }
  const recorded = recordedAccess(io.http);
  const access = recorded ?? (await resolveAccess(settings, io));
  const reading: Reading = {
    settings,
    session: await openSession(access, io),
    io,
    isRecorded: recorded !== undefined,
    headers: new Map(),
  };
  cursor = { ...cursor, pass: cursor.pass ?? beginPass(cursor, reading, now) };
  const records: RawRecord[] = [];
  const findings: Finding[] = [];
  const endBy = now + callMsMax;
  while (
    cursor.pass !== null &&
    cursor.pass.todo.length > 0 &&
    records.length < settings.records_max &&
    io.now() <= endBy
  ) {
    const step = await takeStep(reading, cursor, cursor.pass);
    records.push(...step.records);
    findings.push(...(step.findings ?? []));
    cursor = step.cursor;
  }
  const found = findings.length === 0 ? {} : { findings };
  if (cursor.pass === null || cursor.pass.todo.length > 0) return { records, cursor, done: false, ...found };
  return { ...endPass(records, cursor, cursor.pass), ...found };
}

const emptyCursor: InventoryCursor = { passedAt: null, pass: null, listings: {}, again: null };

/**
 * Reads again what the APIs can be asked for by the time of its change: servers with their actions, deleted servers,
 * migrations. States are only ever seen by looking, so that looking again tells nothing of their past.
 */
export function startInventoryAt(_config: JsonObject, at: Instant): InventoryCursor {
  return { ...emptyCursor, again: Math.floor(at) };
}

function beginPass(cursor: InventoryCursor, { settings, isRecorded }: Reading, now: number): OpenPass {
  const fullEveryMs = isRecorded ? 0 : settings.full_every_seconds * 1000;
  const wanted = listings.filter((listing) => {
    const seenAt = cursor.listings[listing.name]?.seenAt;
    if (!settings.services.includes(listing.service)) return false;
    if (cursor.again !== null && listing.since === undefined) return false;
    if (seenAt === undefined) return true;
    if (listing.firstPassOnly) return false;
    return listing.every === "pass" || now - seenAt >= fullEveryMs;
  });
  return { ...atBeginning, startedAt: now, todo: wanted.map(({ name }) => name), read: [], failed: [] };
}

const atBeginning = { next: null, pages: 0, seenAt: null, known: {}, rows: 0 } as const;

function endPass(
  records: readonly RawRecord[],
  cursor: InventoryCursor,
  pass: OpenPass,
): Page<InventoryCursor> {
  if (pass.read.length === 0 && pass.failed.length > 0) {
    throw new IsochronError(
      "source-unavailable",
      `None of ${pass.failed.length} listings could be read.`,
      "The warnings before this one say why; the next pass tries again.",
    );
  }
  return {
    records,
    cursor: { ...cursor, passedAt: pass.startedAt, pass: null },
    done: true,
    ...(pass.failed.length === 0 && pass.read.length > 0 ? { completeTo: instant(pass.startedAt) } : {}),
  };
}

interface Step {
  readonly records: readonly RawRecord[];
  readonly findings?: readonly Finding[];
  readonly cursor: InventoryCursor;
}

/** Reads one page of the first listing to do. */
async function takeStep(reading: Reading, cursor: InventoryCursor, pass: OpenPass): Promise<Step> {
  const [name = "", ...rest] = pass.todo;
  const listing = listingNamed(name);
  if (listing === undefined)
    return { records: [], cursor: { ...cursor, pass: { ...pass, ...atBeginning, todo: rest } } };
  try {
    return await readStep(reading, cursor, pass, listing);
  } catch (error) {
    if (!(error instanceof IsochronError) || error.kind !== "unavailable" || error.code === "source-denied")
      throw error;
    reading.io.warn("a listing could not be read and waits for the next pass", {
      listing: name,
      code: error.code,
      problem: error.problem,
    });
    // Where a whole service is away, asking it for each of its listings would only hold up the others.
    const away = error.code === "source-unavailable" && pass.next === null;
    const lost = away ? pass.todo.filter((item) => listingNamed(item)?.service === listing.service) : [name];
    const todo = pass.todo.filter((item) => !lost.includes(item));
    return {
      records: [],
      cursor: { ...cursor, pass: { ...pass, ...atBeginning, todo, failed: [...pass.failed, ...lost] } },
    };
  }
}

async function readStep(
  reading: Reading,
  cursor: InventoryCursor,
  pass: OpenPass,
  listing: Listing,
): Promise<Step> {
  const { settings, session, io } = reading;
  const place = cursor.listings[listing.name];
  const lookBack = pass.startedAt - settings.look_back_hours * 3_600_000;
  const newSince = place?.since ?? cursor.again ?? lookBack;
  const isLater = place !== undefined || cursor.again !== null;
  const narrowed = listing.since === "always" || (listing.since === "later" && isLater);
  const readsActions = listing.path === "/servers/detail";
  const pageSize = readsActions ? Math.min(settings.page_size, serverPageSizeMax) : settings.page_size;
  const query = pass.next ?? firstQuery(listing, pageSize, narrowed ? newSince : undefined);
  const headers = await headersFor(reading, listing.service);
  const page = await readListingPage(session, listing, query, headers, io);
  if ("skipped" in page) {
    // A recording often holds a few listings only; of a live cloud this is worth knowing.
    if (!reading.isRecorded)
      io.warn("a listing is left out", { listing: listing.name, reason: page.skipped });
    return {
      records: [],
      cursor: { ...cursor, pass: { ...pass, ...atBeginning, todo: pass.todo.slice(1) } },
    };
  }
  if (pass.pages + 1 >= settings.pages_max && page.next !== undefined) {
    throw new IsochronError(
      "source-malformed",
      `${listing.name} goes on after ${settings.pages_max} pages.`,
      "Raise `pages_max` or `page_size`.",
    );
  }
  const made = recordPage(listing, page, pass, place, newSince);
  const actions = listing.path.startsWith("/servers")
    ? await recordActions(reading, page, newSince, headers)
    : [];
  const records = [...made.records, ...actions];
  const rows = pass.rows + page.items.length;
  const seenAt = pass.seenAt ?? page.sentAt;
  if (page.next !== undefined) {
    const open = { ...pass, next: page.next, pages: pass.pages + 1, seenAt, known: made.known, rows };
    return { records, cursor: { ...cursor, pass: open } };
  }
  const ended = endListing(listing, place, page.sentAt, { known: made.known, rows: narrowed ? null : rows });
  const since = nextLowerBound(pass.startedAt, { overlapMs: settings.overlap_seconds * 1000 });
  return {
    records: [...records, ...ended.gone],
    findings: ended.findings,
    cursor: {
      ...cursor,
      listings: { ...cursor.listings, [listing.name]: { seenAt, since, ...ended.place } },
      pass: {
        ...pass,
        ...atBeginning,
        todo: pass.todo.slice(1),
        read: [...pass.read, listing.name],
        // What is suspected to be cut makes nothing complete.
        failed: [...pass.failed, ...(ended.findings.length > 0 ? [listing.name] : [])],
      },
    },
  };
}

async function headersFor(reading: Reading, service: ServiceName): Promise<Readonly<Record<string, string>>> {
  const agreed =
    reading.headers.get(service) ?? (await microversionHeaders(reading.session, service, reading.io));
  reading.headers.set(service, agreed);
  return agreed;
}

function recordPage(
  listing: Listing,
  page: ListingPage,
  pass: OpenPass,
  place: ListingPlace | undefined,
  newSince: number,
): { readonly records: readonly RawRecord[]; readonly known: OpenPass["known"] } {
  const known: OpenPass["known"] = { ...pass.known };
  // Nova derives a hypervisor's state from its service, so one failure would be told twice.
  const reportedElsewhere = listing.name === "hypervisors" && pass.read.includes("services");
  const records = page.items.map((item, index) => {
    const bare = listing.remember?.(item, undefined)?.id;
    const previous = bare === undefined ? undefined : place?.known[bare];
    const remembered = listing.remember?.(item, previous);
    const isWithin = listing.remembersAll === undefined || pass.rows + index < idsMax;
    const isOnItsWay = listing.remembersAll === "statuses" && (remembered?.state.length ?? 0) > 0;
    if (remembered !== undefined && (isWithin || isOnItsWay)) known[remembered.id] = [...remembered.state];
    return writeRecord(
      {
        listing: listing.name,
        item,
        seenAt: page.sentAt,
        newSince: instant(newSince),
        ...previousOf(item, listing, place, previous),
        ...(reportedElsewhere ? { reportedElsewhere } : {}),
      },
      positionOf(listing, pass.pages, index),
    );
  });
  return { records, known };
}

/** Settled things are not in `known` by their own id any more, so what was unsettled is found by the plain id. */
function previousOf(
  item: JsonObject,
  listing: Listing,
  place: ListingPlace | undefined,
  remembered: ListingPlace["known"][string] | undefined,
): Pick<InventoryRecord, "previous" | "previousSeenAt"> {
  if (place === undefined || listing.remember === undefined) return {};
  const isPartly = listing.remembersAll !== undefined && (place.rows === null || place.rows > idsMax);
  const id = item["id"];
  const previous = remembered ?? (typeof id === "string" ? place.known[id] : undefined);
  return {
    // Of what was remembered in part, nothing is known to be there for the first time.
    ...(isPartly ? {} : { previousSeenAt: instant(place.seenAt) }),
    ...(previous === undefined ? {} : { previous }),
  };
}

async function recordActions(
  reading: Reading,
  page: ListingPage,
  since: number,
  headers: Readonly<Record<string, string>>,
): Promise<readonly RawRecord[]> {
  const actions = await readServerActions(reading.session, page.items, since, headers);
  return actions.map(({ action, path, server }) =>
    writeRecord(
      {
        listing: "server-actions",
        item: action,
        seenAt: page.sentAt,
        ...server,
      },
      `GET ${path}`,
    ),
  );
}

function positionOf(listing: Listing, page: number, index: number): string {
  return `GET ${listing.path}${page === 0 ? "" : ` page ${page + 1}`} #${index + 1}`;
}
