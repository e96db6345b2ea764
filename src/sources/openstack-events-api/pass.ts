import { IsochronError } from "../../errors.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Finding, Hole } from "../../model/source-health.ts";
import { settledTo } from "../cursor/time-window.ts";
import { parseSettings } from "../http-settings.ts";
import { resolveAccess } from "../openstack-inventory/credentials.ts";
import { openSession } from "../openstack-inventory/keystone.ts";
import type { Page, RawRecord, SourceIo } from "../source.ts";
import type { EventsApiCursor, OpenPass } from "./events-cursor.ts";
import { takeObjectStep } from "./object-pass.ts";
import { objectListingNamed, objectListings } from "./object-listings.ts";
import type { EventsApiSettings } from "./settings.ts";
import { eventsApiSettings } from "./settings.ts";
import { clockErrorMs } from "./stack-events.ts";
import type { PassCursor, Reading, Step } from "./stack-pass.ts";
import { takeStackStep } from "./stack-pass.ts";

/** Both services write an event or a state and commit it at once. */
export const commitDelayMs = duration(60_000);

/** A call hands over what it has after this long, so that the lease on the connection is renewed in time. */
const callMsMax = 30_000;

const stacksPart = "stacks";

const emptyCursor: EventsApiCursor = {
  since: null,
  again: false,
  stacksReadAt: null,
  fullAt: null,
  stacks: {},
  objects: {},
  pass: null,
};

/** Reads again the events of stacks from then on. Octavia shows only what is: its past cannot be asked for. */
export function startEventsApiAt(_config: JsonObject, at: Instant): EventsApiCursor {
  return { ...emptyCursor, since: Math.floor(at), again: true };
}

/**
 * Reads on until `records_max` records are gathered, half a minute is over, or the pass is. A service or a listing that
 * fails is given up for this pass and keeps its place, while the others go on; the pass then names no moment up to
 * which it is complete. Throws when nobody could sign in, or when nothing at all could be read.
 */
export async function fetchEventsApi(
  config: JsonObject,
  from: EventsApiCursor | undefined,
  io: SourceIo,
): Promise<Page<EventsApiCursor>> {
  const settings = parseSettings(eventsApiSettings, config);
  const now = io.now();
  const records: RawRecord[] = [];
  const findings: Finding[] = [];
  const holes: Hole[] = [];
  const endBy = now + callMsMax;
  const reading: Reading = {
    settings,
    session: await openSession(await resolveAccess(settings, io), io),
    io,
    isSpent: (more) => records.length + more >= settings.records_max || io.now() > endBy,
  };
  const begun = from ?? emptyCursor;
  let cursor: PassCursor = {
    ...begun,
    since: begun.since ?? now - settings.look_back_hours * 3_600_000,
    pass: begun.pass ?? beginPass(begun, settings, now),
  };
  while (cursor.pass.todo.length > 0 && !reading.isSpent(0)) {
    const step = await takeStep(reading, cursor);
    records.push(...step.records);
    findings.push(...(step.findings ?? []));
    holes.push(...(step.holes ?? []));
    cursor = { ...step.cursor, pass: step.cursor.pass ?? cursor.pass };
  }
  const told = { ...(findings.length > 0 && { findings }), ...(holes.length > 0 && { holes }) };
  if (cursor.pass.todo.length > 0) return { records, cursor, done: false, ...told };
  return { ...endPass(cursor), records, done: true, ...told };
}

function beginPass(
  { again, fullAt }: EventsApiCursor,
  settings: EventsApiSettings,
  startedAt: number,
): OpenPass {
  const { services } = settings;
  const ofObjects =
    services.includes("load-balancer") && !again ? objectListings.map(({ name }) => name) : [];
  return {
    ...atBeginning,
    startedAt,
    full: fullAt === null || startedAt - fullAt >= settings.full_every_seconds * 1000,
    todo: [...(services.includes("orchestration") ? [stacksPart] : []), ...ofObjects],
    read: [],
    failed: [],
    global: null,
    pools: [],
  };
}

const atBeginning = {
  next: null,
  pages: 0,
  seenAt: null,
  handled: [],
  listed: [],
  unread: 0,
  inARow: 0,
  open: null,
  known: {},
};

async function takeStep(reading: Reading, cursor: PassCursor): Promise<Step> {
  const { pass } = cursor;
  const [name = ""] = pass.todo;
  try {
    const step = await readPart(reading, cursor, name);
    if (step.skipped === undefined) return step;
    reading.io.warn("a listing is left out", { listing: name, reason: step.skipped });
    return {
      records: [],
      cursor: { ...cursor, pass: { ...pass, ...atBeginning, todo: pass.todo.slice(1) } },
    };
  } catch (error) {
    if (!(error instanceof IsochronError) || error.kind !== "unavailable" || error.code === "source-denied")
      throw error;
    reading.io.warn("a listing could not be read and waits for the next pass", {
      listing: name,
      code: error.code,
      problem: error.problem,
    });
    // Where Octavia is away, asking it for each of its listings would only hold up the others.
    const isAway = name !== stacksPart && error.code === "source-unavailable";
    const lost = isAway || name === "pools" ? pass.todo : [name];
    const kept = isAway ? [] : name === "pools" ? ["health-monitors", "amphorae"] : pass.todo.slice(1);
    return {
      records: [],
      cursor: {
        ...cursor,
        pass: {
          ...pass,
          ...atBeginning,
          pools: [],
          todo: pass.todo.slice(1).filter((one) => kept.includes(one)),
          failed: [...pass.failed, ...lost.filter((one) => !kept.includes(one))],
        },
      },
    };
  }
}

function readPart(reading: Reading, cursor: PassCursor, name: string): Promise<Step> {
  if (name === stacksPart) return takeStackStep(reading, cursor);
  const listing = objectListingNamed(name);
  if (listing !== undefined) return takeObjectStep(reading, cursor, listing);
  return Promise.resolve({ records: [], cursor, skipped: "this version does not know it" });
}

function endPass(cursor: PassCursor): Pick<Page<EventsApiCursor>, "cursor" | "completeTo"> {
  const { pass } = cursor;
  if (pass.read.length === 0) {
    throw new IsochronError(
      "source-unavailable",
      pass.failed.length === 0
        ? "The credentials may read neither stacks nor load balancers."
        : `None of ${pass.failed.length} listings could be read.`,
      "The warnings before this one say why; the next pass tries again.",
    );
  }
  const ended = { ...cursor, pass: null };
  if (pass.failed.length > 0) return { cursor: ended };
  return { cursor: ended, completeTo: instant(completeTo(cursor)) };
}

/**
 * Signals show only when every stack is asked, and a deletion is told from when the thing was listed last, but not
 * before a second listing confirms it.
 */
function completeTo({ pass, fullAt, objects }: PassCursor): number {
  const asked = pass.read.includes(stacksPart) ? (fullAt ?? pass.startedAt) : pass.startedAt;
  const pending = Object.values(objects).flatMap(({ missing }) =>
    Object.values(missing).map(([lastAt]) => lastAt),
  );
  const settled = settledTo(Math.min(asked, pass.startedAt), { settleMs: commitDelayMs + clockErrorMs });
  return Math.min(settled, ...pending);
}
