import type pg from "pg";
import { IsochronError } from "../../errors.ts";
import type { Instant } from "../../model/instant.ts";
import {
  isErasureHeld,
  keysOf,
  noErasureCounts,
  type ErasureCounts,
  type ErasureTarget,
} from "../../model/retention.ts";
import type { ErasureRecord } from "../retention-store.ts";
import { tenantsOf } from "./erasure-door.ts";
import { noteErasure, readErasure } from "./erasure-requests.ts";
import { readSubject, type ErasureSubject } from "./erasure-subject.ts";
import { removeWordsFromTexts, scrubSmallTables } from "./erasure-texts.ts";
import { detachDeliveries, scrubEvents } from "./erasure-writes.ts";
import { searchFor } from "./erasure-words.ts";
import type { EventRow } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";
import { removeEvents } from "./retention-removal.ts";
import {
  heldWords,
  holdConnections,
  holdRetention,
  partsColumns,
  readHolds,
  removeSetAside,
  toParts,
  type PartsRow,
} from "./retention.ts";
import type { Tombstones } from "./retention-tombstones.ts";

const rowsPerBatch = 200;
/** How many rows of a table one statement reads through for words. */
const scanRows = 1_000;

type Tally = { -readonly [Name in keyof ErasureCounts]: number };

interface Work {
  readonly subject: ErasureSubject;
  readonly tally: Tally;
  /** Runs one batch; in a dry run nothing is to be changed. */
  readonly batch: <T>(action: (client: pg.ClientBase) => Promise<T>) => Promise<T>;
  readonly dry: boolean;
  readonly tombstones: Tombstones;
}

export async function countErasure(
  pools: Pools,
  tombstones: Tombstones,
  target: ErasureTarget,
): Promise<ErasureCounts> {
  const tally = { ...noErasureCounts };
  const batch: Work["batch"] = (action) => pools.transact("ingest", "read", action);
  const subject = await batch((client) => readSubject(client, target));
  await carryOut({ subject, tally, batch, dry: true, tombstones });
  return tally;
}

/** Carries an erasure out, batch by batch; one that was broken off is begun anew and finds what is left. */
export async function erase(
  pools: Pools,
  tombstones: Tombstones,
  epoch: number,
  id: string,
  now: Instant,
): Promise<ErasureRecord> {
  const record = await pools.transact("ingest", "read", (client) => readErasure(client, id));
  if (record === undefined) {
    throw new IsochronError("not-found", `There is no erasure ${id}.`, "See `isochron erase --list`.");
  }
  const { target } = record;
  if (target === undefined) return record;
  const tally: Tally = { ...record.counts, held: 0 };
  const batch: Work["batch"] = (action) =>
    pools.transact("ingest", "write", async (client) => {
      await holdRetention(client, epoch);
      return action(client);
    });
  const subject = await batch(async (client) => {
    await tombstones.check(client);
    const found = await readSubject(client, target);
    const until = iso(Math.max(now, record.askedAt));
    // First, so that what arrives meanwhile is refused already.
    await tombstones.erase(client, found.entities, until);
    return found;
  });
  // Whoever did not see that yet has committed when this lock is given, and is found below.
  await batch(async (client) => {
    await client.query("SET LOCAL lock_timeout = '25s'");
    await client.query("SELECT pg_advisory_xact_lock(hashtext('isochron topology'))");
  });
  await carryOut({ subject, tally, batch, dry: false, tombstones });
  await batch(async (client) => {
    await noteErasure(client, id, { counts: tally, readers: subject.keys, now });
    if (tally.held === 0) await scrubSmallTables(client, subject, now);
    await client.query("NOTIFY isochron_stored");
  });
  const done = await pools.transact("ingest", "read", (client) => readErasure(client, id));
  return done ?? record;
}

async function carryOut(work: Work): Promise<void> {
  const { subject, batch, dry, tally } = work;
  const seen = new Set<string>();
  await eraseMentions(work, seen);
  await eraseScanned(work, seen);
  await eraseSetAside(work);
  if (tally.held > 0) return;
  await removeWordsFromTexts({ subject, batch, dry });
  tally.facts += await batch((client) => eraseTopology(client, subject, dry));
}

type ErasableRow = PartsRow & Pick<EventRow, "subject_kind" | "subject_id" | "actor">;

const erasableColumns = `${partsColumns}, e.subject_kind, e.subject_id, e.actor`;

/** Events that the index leads to: those that are the tenant's, that concern it, or that mention what is its. */
async function eraseMentions(work: Work, seen: Set<string>): Promise<void> {
  const { subject, batch } = work;
  for (const { controlPlane, mentions } of subject.mentioned) {
    let after = { at: "-infinity", id: "" };
    for (;;) {
      const from = after;
      const rows = await batch(async (client) => {
        const { rows: found } = await client.query<ErasableRow>(
          `SELECT ${erasableColumns} FROM isochron.event e
            WHERE ($1 = '' OR e.control_plane = $1) AND e.mentions && $2::text[]
              AND (e.occurred_at, e.id) > ($3::timestamptz, $4)
            ORDER BY e.occurred_at, e.id LIMIT $5`,
          [controlPlane, mentions, from.at, from.id, rowsPerBatch],
        );
        await eraseRows(work, client, found, seen);
        return found;
      });
      const last = rows.at(-1);
      if (last === undefined || rows.length < rowsPerBatch) break;
      after = { at: iso(last.occurred_at), id: last.id };
    }
  }
}

/** Events that have one of the words anywhere: a table is read through once, a stretch at a time. */
async function eraseScanned(work: Work, seen: Set<string>): Promise<void> {
  const { subject, batch } = work;
  if (subject.search.isEmpty) return;
  let after = { at: "-infinity", id: "" };
  for (;;) {
    const from = after;
    const last = await batch(async (client) => {
      const { rows: stretch } = await client.query<{ id: string; occurred_at: number; texts: string[] }>(
        `SELECT e.id, e.occurred_at,
                to_jsonb(e)::text || ARRAY(SELECT to_jsonb(m)::text FROM isochron.storm_member m WHERE m.fold_id = e.id)
                  || ARRAY(SELECT r.draft::text FROM isochron.event_revision r WHERE r.event_id = e.id) AS texts
           FROM isochron.event e WHERE (e.occurred_at, e.id) > ($1::timestamptz, $2)
          ORDER BY e.occurred_at, e.id LIMIT $3`,
        [from.at, from.id, scanRows],
      );
      const end = stretch.at(-1);
      if (end === undefined) return undefined;
      const found = stretch.filter(({ texts }) => texts.some((text) => subject.search.isIn(text)));
      const { rows } = await client.query<ErasableRow>(
        `SELECT ${erasableColumns} FROM isochron.event e
          WHERE e.id = ANY($1::text[]) AND e.occurred_at = ANY($2::timestamptz[]) ORDER BY e.occurred_at, e.id`,
        [found.map(({ id }) => id), [...new Set(found.map((row) => iso(row.occurred_at)))]],
      );
      await eraseRows(work, client, rows, seen);
      return stretch.length < scanRows ? undefined : end;
    });
    if (last === undefined) return;
    after = { at: iso(last.occurred_at), id: last.id };
  }
}

async function eraseRows(
  work: Work,
  client: pg.ClientBase,
  found: readonly ErasableRow[],
  seen: Set<string>,
): Promise<void> {
  const { subject, tally, dry, tombstones } = work;
  const rows = found.filter((row) => !seen.has(row.id) && !isLeftAlone(subject, row));
  if (rows.length === 0) return;
  for (const { id } of rows) seen.add(id);
  if (!dry)
    await holdConnections(
      client,
      rows.map(({ connection }) => connection),
    );
  const holds = await readHolds(client);
  const parts = await toParts(client, rows, holds);
  const free = rows.filter((row, at) => {
    const held = isErasureHeld(holds, parts[at]!, heldBy(subject, row, parts[at]!.affected));
    if (held) tally.held += 1;
    return !held;
  });
  const whole = free.filter((row) => subject.isWhole(row));
  const partly = free.filter((row) => !subject.isWhole(row));
  tally.events += whole.length;
  tally.changed += partly.length;
  if (dry) {
    tally.editions += whole.flatMap((row) => row.edition_keys).length;
    tally.editions += partly
      .flatMap((row) => row.edition_keys)
      .filter((key) => subject.keys.some((own) => own === key)).length;
    tally.stormMembers += await countMembers(
      client,
      whole.map(({ id }) => id),
    );
    return;
  }
  const removed = await removeEvents(client, tombstones, whole, "erased");
  tally.stormMembers += removed.members;
  tally.editions += removed.editions;
  tally.editions += await scrubEvents(client, tombstones, subject, partly);
  await detachDeliveries(client, tombstones, partly);
}

function isLeftAlone({ excepted }: ErasureSubject, { attribution }: ErasableRow): boolean {
  return attribution.status === "owned" && keysOf(attribution.tenant).some((key) => excepted.has(key));
}

/** Whose holds keep the row: the whole names of those who lose it, since their domain may be held, or one of its projects. */
function heldBy(
  subject: ErasureSubject,
  { attribution, edition_keys: keys }: ErasableRow,
  affected: readonly string[],
): readonly string[] {
  const owner = attribution.status === "owned" ? keysOf(attribution.tenant) : [];
  if (subject.kind === "user") return [...keys, ...affected, ...owner];
  const erased = new Set<string>(subject.keys);
  const losing = tenantsOf(attribution)
    .map(keysOf)
    .filter((own) => own.some((key) => erased.has(key)));
  return [...subject.keys, ...losing.flat()];
}

async function countMembers(client: pg.ClientBase, folds: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    "SELECT count(*) AS count FROM isochron.storm_member WHERE fold_id = ANY($1::text[])",
    [folds],
  );
  return rows[0]?.count ?? 0;
}

/** Records that nobody could read go where they have one of the words, since nobody can tell what else they say. */
async function eraseSetAside({ subject, batch, dry, tally, tombstones }: Work): Promise<void> {
  if (subject.rawWords.length === 0) return;
  const search = searchFor(subject.rawWords);
  let after = "";
  for (;;) {
    const from = after;
    const last = await batch(async (client) => {
      const { rows } = await client.query<{ id: string; bytes: Buffer; text: string; held: boolean }>(
        `WITH stretch AS (SELECT * FROM isochron.set_aside WHERE id > $1 ORDER BY id LIMIT $2)
         SELECT s.id, s.bytes, s.meta::text || s.position || s.reason AS text,
                EXISTS (SELECT FROM unnest($3::bytea[]) AS word WHERE position(word IN s.bytes) > 0) AS held
           FROM stretch s ORDER BY s.id`,
        [
          from,
          rowsPerBatch,
          (await readHolds(client))
            .filter(({ lifted }) => lifted === undefined)
            .flatMap(heldWords)
            .map((word) => Buffer.from(word)),
        ],
      );
      const found = rows.filter(
        ({ bytes, text }) => search.isIn(bytes.toString("utf8")) || subject.search.isIn(text),
      );
      const gone = found.filter(({ held }) => !held).map(({ id }) => id);
      tally.held += found.length - gone.length;
      tally.setAside += gone.length;
      if (!dry) await removeSetAside(client, tombstones, gone, "erased");
      return rows.length < rowsPerBatch ? undefined : rows.at(-1)?.id;
    });
    if (last === undefined) return;
    after = last;
  }
}

/** What is known of the erased and of what was theirs alone. */
async function eraseTopology(client: pg.ClientBase, subject: ErasureSubject, dry: boolean): Promise<number> {
  let facts = 0;
  for (const { controlPlane, entities } of subject.known) {
    const values = [controlPlane, entities];
    const among = `($1 = '' OR t.control_plane = $1)
      AND (t.from_kind || ':' || t.from_id = ANY($2::text[]) OR t.to_kind || ':' || t.to_id = ANY($2::text[]))`;
    if (dry) {
      const { rows } = await client.query<{ count: number }>(
        `SELECT count(*) AS count FROM isochron.topology_fact t WHERE ${among}`,
        values,
      );
      facts += rows[0]?.count ?? 0;
      continue;
    }
    facts +=
      (await client.query(`DELETE FROM isochron.topology_fact t WHERE ${among}`, values)).rowCount ?? 0;
    await client.query(`DELETE FROM isochron.topology_run t WHERE ${among}`, values);
    await client.query(
      "DELETE FROM isochron.topology_tenant t WHERE ($1 = '' OR t.control_plane = $1) AND t.kind || ':' || t.id = ANY($2::text[])",
      values,
    );
    for (const table of ["pending_attribution", "reattribution_due"])
      await client.query(
        `DELETE FROM isochron.${table} t WHERE ($1 = '' OR t.control_plane = $1)
            AND replace(t.entity_key, 'tenant/', '') = ANY($2::text[])`,
        values,
      );
  }
  return facts;
}
