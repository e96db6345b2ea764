import type pg from "pg";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import {
  lastingReasons,
  settledBy,
  type Finding,
  type FindingCode,
  type Hole,
  type HoleReason,
} from "../../model/source-health.ts";
import type { EventStore, HealthNote, ResolvedPage } from "../event-store.ts";
import { timeRules } from "./connection-states.ts";
import { holdConnection, notBeyondNow, ownClaim, type ConnectionRow } from "./connections.ts";
import { iso } from "./event-writes.ts";

/**
 * What is older than this when it comes was entered, imported or replayed afterwards and bears the date that somebody
 * gave it: it proves nothing against a claim of what could be read, and no comparison could show such a span whole.
 */
const lateAgeMsMax = 7 * 86_400_000;

/** Writes down what a page tells of its source, and what the page proves against it; the connection is held already. */
export async function writePageHealth(
  client: pg.ClientBase,
  page: ResolvedPage,
  held: ConnectionRow,
  { late, revised }: { readonly late: readonly Instant[]; readonly revised: number },
): Promise<void> {
  const changed = page.recordsAreFinal === true && revised > 0 ? [changedInPlace(revised)] : [];
  const proved = [provedLate(page, held, late), provedAbsence(page, held)].filter(
    (proof) => proof !== undefined,
  );
  await writeHealth(client, page.connection, {
    findings: [...(page.findings ?? []), ...changed, ...proved.map(({ finding }) => finding)],
    holes: [...(page.holes ?? []), ...proved.map(({ hole }) => hole)],
    settled: page.settled ?? [],
  });
}

/** A new version of our own reading looks the same from here, and says so. */
function changedInPlace(revised: number): Finding {
  const records = revised === 1 ? "1 record" : `${revised} records`;
  const says = `${records} came again and read differently, or this version of Isochron reads them differently.`;
  return { code: "changed-in-place", says };
}

interface Proof {
  readonly finding: Finding;
  readonly hole: Hole;
}

/** What came now was missing from a span that had been called complete, so that more of it may be missing still. */
function provedLate(page: ResolvedPage, held: ConnectionRow, all: readonly Instant[]): Proof | undefined {
  const { claimed_to: claimedTo } = held;
  if (page.reconciling === true || claimedTo === null) return undefined;
  const late = all.filter((at) => at >= claimedTo - lateAgeMsMax);
  if (late.length === 0) return undefined;
  const from = instant(late.reduce((earliest, at) => Math.min(earliest, at), claimedTo));
  const to = instant(claimedTo);
  const events = late.length === 1 ? "1 event" : `${late.length} events`;
  const says = `${events} from ${formatInstant(from)} on came after all until ${formatInstant(to)} had been called complete.`;
  return {
    finding: { code: "late-commit", says },
    hole: { from, to, reason: "late-commit", says },
  };
}

/** Between the last success and what the source still keeps, records may have come and gone. */
function provedAbsence({ retentionMs }: ResolvedPage, held: ConnectionRow): Proof | undefined {
  if (retentionMs === undefined || held.last_success_at === null) return undefined;
  const keptFrom = instant(held.now - retentionMs);
  if (held.last_success_at >= keptFrom) return undefined;
  const from = instant(Math.min(held.complete_to ?? held.last_success_at, held.last_success_at));
  const says = `Nothing was read from ${formatInstant(instant(held.last_success_at))} until now, and the source keeps its records for ${Math.round(retentionMs / 60_000)} minutes.`;
  return {
    finding: { code: "outlived-retention", says },
    hole: { from, to: keptFrom, reason: "outlived-retention", says },
  };
}

/** Notes what was heard beside records. Throws `source-unknown`. */
export async function noteHealth(client: pg.ClientBase, connection: string, note: HealthNote): Promise<void> {
  const { findings = [], holes = [], settled = [] } = note;
  if (findings.length + holes.length + settled.length > 0) {
    await holdConnection(client, { connection });
    await writeHealth(client, connection, { findings, holes, settled });
  }
  await client.query(
    `UPDATE isochron.connection
        SET last_heard_at = CASE WHEN $2 THEN clock_timestamp() ELSE last_heard_at END,
            complete_to = greatest(CASE WHEN $2 THEN ${ownClaim} ELSE complete_to END, ${notBeyondNow("$3")})
      WHERE name = $1`,
    [connection, note.heard === true, note.completeTo === undefined ? null : iso(note.completeTo)],
  );
}

export async function readLastHeard(client: pg.ClientBase, connection: string): Promise<Instant | undefined> {
  const { rows } = await client.query<{ last_heard_at: number | null }>(
    "SELECT last_heard_at FROM isochron.connection WHERE name = $1",
    [connection],
  );
  const at = rows[0]?.last_heard_at;
  return at == null ? undefined : instant(at);
}

/**
 * Writes down what a reconcile of [from, to) found, and closes what it has read again; with an epoch, nothing once that
 * lease has passed on. Throws `source-unknown`.
 */
export async function noteReconcile(
  client: pg.ClientBase,
  connection: string,
  outcome: Parameters<EventStore["reconciled"]>[1],
  epoch?: number,
): Promise<void> {
  const held = await holdConnection(client, { connection });
  if (epoch !== undefined && held.epoch !== epoch) return;
  await client.query(
    `UPDATE isochron.connection
        SET reconciled_at = clock_timestamp(), reconciled_from = $2, reconciled_to = $3, reconciled_records = $4,
            reconciled_found_late = $5::bigint, found_late_ever = found_late_ever + $5::bigint
      WHERE name = $1`,
    [connection, iso(outcome.from), iso(outcome.to), outcome.records, outcome.foundLate],
  );
  const open = await closeHoles(client, connection, outcome);
  // A finding that stands for a hole ends with it: one that a reconcile did not reach leaves it standing.
  const settled = settledBy("reconcile").filter(
    (code) => lastingReasons.some((reason) => reason === code) || !open.some((reason) => reason === code),
  );
  await writeHealth(client, connection, { findings: [], holes: [], settled });
}

interface Health {
  readonly findings: readonly Finding[];
  readonly holes: readonly Hole[];
  readonly settled: readonly FindingCode[];
}

async function writeHealth(client: pg.ClientBase, connection: string, health: Health): Promise<void> {
  const seen = new Set(health.findings.map(({ code }) => code));
  const settled = health.settled.filter((code) => !seen.has(code));
  if (settled.length > 0) {
    await client.query(
      "DELETE FROM isochron.connection_finding WHERE connection = $1 AND code = ANY($2::text[])",
      [connection, settled],
    );
  }
  for (const { code, says } of health.findings) await addFinding(client, connection, { code, says });
  for (const hole of health.holes) await addHole(client, connection, hole);
}

async function addFinding(client: pg.ClientBase, connection: string, finding: Finding): Promise<void> {
  // One that time has settled begins anew.
  await client.query(
    `DELETE FROM isochron.connection_finding AS f USING unnest($2::text[], $3::bigint[]) AS rule (code, stands_ms)
      WHERE f.connection = $1 AND f.code = rule.code
        AND f.last_at + rule.stands_ms * interval '1 millisecond' < clock_timestamp()`,
    [connection, ...timeRules()],
  );
  await client.query(
    `INSERT INTO isochron.connection_finding AS f (connection, code, says) VALUES ($1, $2, $3)
     ON CONFLICT (connection, code)
     DO UPDATE SET says = excluded.says, last_at = clock_timestamp(), count = f.count + 1`,
    [connection, finding.code, storable(finding.says)],
  );
}

/** Adds a hole, as one with those of its reason that it meets. */
async function addHole(client: pg.ClientBase, connection: string, hole: Hole): Promise<void> {
  if (hole.to <= hole.from) return;
  const { rows } = await client.query<{ hole_from: number; hole_to: number }>(
    `DELETE FROM isochron.connection_hole
      WHERE connection = $1 AND reason = $2 AND hole_from <= $4 AND hole_to >= $3 RETURNING hole_from, hole_to`,
    [connection, hole.reason, iso(hole.from), iso(hole.to)],
  );
  const from = rows.reduce((earliest, row) => Math.min(earliest, row.hole_from), hole.from as number);
  const to = rows.reduce((latest, row) => Math.max(latest, row.hole_to), hole.to as number);
  await insertHole(client, connection, { ...hole, from: instant(from), to: instant(to) });
}

async function insertHole(client: pg.ClientBase, connection: string, hole: Hole): Promise<void> {
  await client.query(
    `INSERT INTO isochron.connection_hole (connection, reason, hole_from, hole_to, says) VALUES ($1, $2, $3, $4, $5)`,
    [connection, hole.reason, iso(hole.from), iso(hole.to), storable(hole.says)],
  );
}

/** Takes the span out of the holes; what of a hole lies outside it stays open. Gives the reasons that remain. */
async function closeHoles(
  client: pg.ClientBase,
  connection: string,
  span: { readonly from: Instant; readonly to: Instant },
): Promise<readonly HoleReason[]> {
  // Nothing was proved of an empty span, which would cut holes in two.
  const { rows } = await client.query<{
    reason: HoleReason;
    hole_from: number;
    hole_to: number;
    says: string;
  }>(
    `DELETE FROM isochron.connection_hole
      WHERE connection = $1 AND hole_from < $3 AND hole_to > $2 AND $2 < $3 AND reason <> ALL($4::text[])
  RETURNING reason, hole_from, hole_to, says`,
    [connection, iso(span.from), iso(span.to), lastingReasons],
  );
  for (const { reason, hole_from, hole_to, says } of rows) {
    const from = instant(hole_from);
    const to = instant(hole_to);
    if (from < span.from) await insertHole(client, connection, { reason, says, from, to: span.from });
    if (to > span.to) await insertHole(client, connection, { reason, says, from: span.to, to });
  }
  const left = await client.query<{ reason: HoleReason }>(
    "SELECT DISTINCT reason FROM isochron.connection_hole WHERE connection = $1",
    [connection],
  );
  return left.rows.map(({ reason }) => reason);
}

/** Sentences may quote what a source sent. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\\0").slice(0, 1000);
}
