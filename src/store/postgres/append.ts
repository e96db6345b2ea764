import type pg from "pg";
import type { EventDraft } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Appended, EventOutcome, ResolvedPage } from "../event-store.ts";
import { planAppend, type AppendPlan, type DeliveryRow } from "./append-plan.ts";
import { advance, holdConnection, renewLease } from "./connections.ts";
import { eventId } from "./event-id.ts";
import { loadEvents, writeDeliveries, writeEvents, writeRevisions } from "./event-writes.ts";
import type { Partitions } from "./partitions.ts";
import { admitPage, admitTwins, type Admitted } from "./erasure-door.ts";
import { findPoison, isDataError, outOfTime, setAsideInstead, type Poison } from "./poison.ts";
import type { Pools } from "./pools.ts";
import { writeSetAside } from "./set-aside.ts";
import { toStormMember } from "./storm-fold.ts";
import { writeStormMembers } from "./storm-writes.ts";
import { unaskedKey } from "./ruling-keys.ts";
import { markUnruled, type AnsweredRow } from "./ruling-writes.ts";
import type { Tombstones } from "./retention-tombstones.ts";
import { writePageHealth } from "./source-health.ts";
import {
  holdNews,
  markDue,
  markMissed,
  tenantsWaiting,
  writePending,
  type WaitingRow,
} from "./topology-marks.ts";
import { noteTenants, placeNews } from "./topology-runs.ts";
import { writeFacts, type NewsRow } from "./topology-writes.ts";

/** Deadlocks and serialisation failures pass; what still fails after so many tries does not. */
const attemptsMax = 6;
const passing = new Set(["40P01", "40001", "55P03"]);
/** No partition for the row: retention has dropped it under us. */
const partitionMissing = "23514";

export interface AppendTools {
  readonly pools: Pools;
  readonly partitions: Partitions;
  readonly noticeSecret: Uint8Array;
  readonly tombstones: Tombstones;
}

/**
 * Stores a page whole or not at all: events, editions, facts, rejects, counts and cursor are one transaction.
 * A record that only the database refuses is set aside like one that could not be read.
 */
export async function appendPage(tools: AppendTools, given: ResolvedPage): Promise<Appended> {
  const tooFar = outOfTime(given);
  const refused = new Set(tooFar.keys());
  let page = setAsideInstead(given, tooFar);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await tools.partitions.ensure(page.events.map(({ draft }) => draft.occurredAt));
      const checked = page;
      const appended = await tools.pools.transact("ingest", "write", (client) =>
        writePage(client, tools, checked),
      );
      return { ...appended, refused };
    } catch (error) {
      const { code } = error as { code?: string };
      if (attempt === attemptsMax) throw error;
      if (code === partitionMissing) tools.partitions.forget();
      else if (isDataError(error)) {
        const poison = await searchPoison(tools, page, error);
        for (const unit of poison.keys()) refused.add(unit);
        page = setAsideInstead(page, poison);
      } else if (code === undefined || !passing.has(code)) throw error;
    }
  }
}

/** Tries parts of the page, and undoes them, until the records are found that cannot be stored. */
async function searchPoison(tools: AppendTools, page: ResolvedPage, cause: unknown): Promise<Poison> {
  const poison = await findPoison(page, cause, (part) =>
    tools.pools.transact("ingest", "write", (client) => tryPart(client, tools, part)),
  );
  if (poison.size === 0) throw cause;
  return poison;
}

/**
 * Gives what the database refuses the part with; nothing of it stays but the lease made longer. A search holds the row by
 * which the lease is renewed nearly all of the time, so that another worker would take it over and search in turn.
 */
async function tryPart(client: pg.ClientBase, tools: AppendTools, part: ResolvedPage): Promise<unknown> {
  await holdConnection(client, part);
  // What the lease lost in a crash is not worth a wait for the disk for each part.
  await client.query("SET LOCAL synchronous_commit = off");
  await client.query("SAVEPOINT trial");
  let refusal: unknown;
  try {
    await writePage(client, tools, part);
  } catch (error) {
    if (!isDataError(error)) throw error;
    refusal = error;
  }
  await client.query("ROLLBACK TO SAVEPOINT trial");
  if (part.epoch !== undefined) await renewLease(client, part.connection, part.epoch);
  return refusal;
}

/** Writes a page within a transaction of the caller's. */
export async function writePage(
  client: pg.ClientBase,
  tools: AppendTools,
  given: ResolvedPage,
): Promise<Omit<Appended, "refused">> {
  const held = await holdConnection(client, given);
  const { source } = held;
  // Shared among pages; whoever collects what is due for re-attribution waits until none is under way.
  await client.query("SELECT pg_advisory_xact_lock_shared(hashtext('isochron topology'))");
  // Behind both locks: a deletion that took them before is seen, and one that takes them later sees the page.
  const admitted = await admitPage(client, tools.tombstones, given);
  const { page } = admitted;
  const identity = {
    connection: page.connection,
    source,
    controlPlane: page.controlPlane,
    stream: page.stream,
  };
  const plan = await planAppend(identity, page.events, {
    deliveries: await knownDeliveries(client, page),
    load: (places) => loadEvents(client, places),
  });
  await admitTwins(client, tools.tombstones, plan.events.values());
  const { fresh: facts, news } = await writeFacts(client, page);
  await writeEvents(client, tools.noticeSecret, plan.events.values());
  const foldNames = new Map<string, string>();
  const members = plan.members.map(({ id, key, event }) => ({
    ...toStormMember(tools.noticeSecret, { ...identity, id, key }, event, foldNames),
    dependsOn: new Set(event.dependsOn),
  }));
  await writeStormMembers(client, members);
  await writeDeliveries(client, page.connection, plan.deliveries);
  const revisions = await writeRevisions(client, plan.revisions);
  const revised = revisions.size;
  const pending = [...plan.events.values(), ...members];
  const waiting = await writePending(client, page.controlPlane, pending);
  const newlySetAside = await writeSetAside(client, page);
  const late = findLate(page, plan, held.claimed_to);
  const appended: Omit<Appended, "refused"> = {
    created: plan.created,
    folded: plan.folded,
    repeated: plan.repeated + plan.revisions.length - revised,
    revised,
    setAside: given.rejects.length,
    facts,
    late: late.length,
    ...(admitted.refused.size === 0 ? {} : { expired: admitted.refused.size }),
    outcomes: nameOutcomes(plan, revisions, admitted),
  };
  const times = page.events.map(({ draft }) => draft.occurredAt);
  const lastEventAt = times.length === 0 ? undefined : times.reduce((a, b) => (a > b ? a : b));
  await writePageHealth(client, page, held, { late, revised });
  const { cursorAfter } = page;
  const left = cursorAfter === undefined ? page : { ...page, cursor: cursorAfter(appended.outcomes) };
  await advance(client, left, { appended, newlySetAside, lastEventAt });
  await tellNews(client, page, news, [...waiting, ...tenantsWaiting(pending)]);
  await markUnruled(client, pending.map(toAnswered), page.rulingsVersion, true);
  // Delivered at commit, and says nothing but that something is new.
  if (plan.events.size + members.length > 0) await client.query("NOTIFY isochron_stored");
  return appended;
}

/** What the page's facts make due, and what facts its events have missed. */
async function tellNews(
  client: pg.ClientBase,
  page: ResolvedPage,
  news: readonly NewsRow[],
  waiting: readonly WaitingRow[],
): Promise<void> {
  if (news.length + waiting.length === 0) return;
  await holdNews(client);
  const placed = await placeNews(client, page, news);
  await noteTenants(client, page.controlPlane, placed);
  await markDue(client, page.controlPlane, placed);
  if (waiting.length > 0 && page.topologyMark !== undefined)
    await markMissed(client, page.controlPlane, waiting, page.topologyMark);
}

function toAnswered({
  row,
  dependsOn,
}: {
  readonly row: Pick<AnsweredRow, "id" | "occurred_at" | "control_plane">;
  readonly dependsOn: ReadonlySet<string>;
}): AnsweredRow {
  const { id, occurred_at, control_plane } = row;
  return { id, occurred_at, control_plane, unasked: dependsOn.has(unaskedKey) };
}

/** When the new events happened that are older than what the connection was called complete to allows. */
function findLate(page: ResolvedPage, plan: AppendPlan, completeTo: number | null): readonly Instant[] {
  if (completeTo === null) return [];
  const slackMs = page.reconciling === true ? 0 : page.lateAfterMs;
  if (slackMs === undefined) return [];
  return plan.decisions
    .filter(
      ({ what, draft }) => what === "create" && draft.occurredAt + draft.precision + slackMs < completeTo,
    )
    .map(({ draft }) => draft.occurredAt);
}

function nameOutcomes(
  plan: AppendPlan,
  revisions: ReadonlySet<string>,
  { refused, originals }: Admitted,
): ReadonlyMap<EventDraft, EventOutcome> {
  const fresh = new Set(revisions);
  const words = { create: "created", fold: "folded", repeat: "repeated" } as const;
  return new Map<EventDraft, EventOutcome>([
    ...plan.decisions.map(({ draft: kept, what, revision }) => {
      const draft = originals.get(kept) ?? kept;
      // Of the same words twice in one page, only the first are a revision.
      if (what === "revise") return [draft, fresh.delete(revision) ? "revised" : "repeated"] as const;
      return [draft, words[what]] as const;
    }),
    ...[...refused].map((draft) => [draft, "expired"] as const),
  ]);
}

async function knownDeliveries(client: pg.ClientBase, page: ResolvedPage): Promise<readonly DeliveryRow[]> {
  if (page.events.length === 0) return [];
  const drafts = page.events.map(({ draft }) => draft);
  const records = drafts.flatMap(({ sourceIds, key }) => [...new Set(sourceIds)].map((id) => ({ id, key })));
  const groups = drafts.flatMap(({ twin }) => (twin === undefined ? [] : [twin.group]));
  const events = drafts.map(({ key }) => eventId(page.connection, page.stream, key));
  const columns = `source_id, key, event_id, occurred_at, encode(content_hash, 'hex') AS content_hash,
    twin_group, twin_side, twin_at`;
  // Each record by both parts of its name: an alert that flaps has one id and a key for every time. With LIMIT each is
  // looked up by the index, however large the ledger is.
  const { rows } = await client.query<DeliveryRow>(
    `SELECT known.* FROM unnest($2::text[], $5::text[]) AS given (id, delivered) CROSS JOIN LATERAL (
       SELECT ${columns} FROM isochron.delivery
        WHERE connection = $1 AND source_id = given.id AND key = given.delivered LIMIT 1) AS known
     UNION
     SELECT ${columns} FROM isochron.delivery WHERE connection = $1 AND twin_group = ANY($3::text[])
     UNION
     SELECT ${columns} FROM isochron.delivery WHERE connection = $1 AND event_id = ANY($4::text[])
     ORDER BY source_id, key`,
    [
      page.connection,
      records.map(({ id }) => id),
      [...new Set(groups)],
      [...new Set(events)],
      records.map(({ key }) => key),
    ],
  );
  return rows;
}
