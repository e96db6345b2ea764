import type pg from "pg";
import { instant } from "../../model/instant.ts";
import { findingSettlements, type FindingCode, type HoleReason } from "../../model/source-health.ts";
import type { ConnectionState } from "../event-store.ts";

interface StateRow {
  readonly name: string;
  readonly source: string;
  readonly control_plane: string;
  readonly state: ConnectionState["state"];
  readonly complete_to: number | null;
  readonly last_heard_at: number | null;
  readonly expect_within_ms: number | null;
  readonly last_event_at: number | null;
  readonly last_success_at: number | null;
  readonly last_error_at: number | null;
  readonly last_error: string | null;
  readonly reconciled_at: number | null;
  readonly reconciled_from: number;
  readonly reconciled_to: number;
  readonly reconciled_records: number;
  readonly reconciled_found_late: number;
  readonly found_late_ever: number;
  readonly events: number;
  readonly folded: number;
  readonly repeated: number;
  readonly revised: number;
  readonly set_aside: number;
  readonly late: number;
  readonly expired: number;
}

interface FindingRow {
  readonly connection: string;
  readonly code: FindingCode;
  readonly says: string;
  readonly since: number;
  readonly last_at: number;
  readonly count: number;
}

interface HoleRow {
  readonly connection: string;
  readonly reason: HoleReason;
  readonly hole_from: number;
  readonly hole_to: number;
  readonly says: string;
}

/**
 * How much longer than expected one may be silent while a worker that is alive reads it: a single answer may take long,
 * but one that takes longer than this is not coming.
 */
const answerMsMax = 30 * 60_000;

/** Every connection as it stands, by name. Whether one is silent is for the database's clock to say, at this moment. */
export async function listConnections(client: pg.ClientBase): Promise<readonly ConnectionState[]> {
  const findings = await readFindings(client);
  const degraded = [...findings.keys()];
  const { rows } = await client.query<StateRow>(
    `SELECT *, CASE WHEN config ->> 'retired' = 'true' THEN 'retired'
                    WHEN last_error IS NOT NULL THEN 'failing'
                    WHEN config ->> 'finished' IS DISTINCT FROM 'true'
                     AND greatest(last_heard_at, expect_since)
                         + (expect_within_ms + CASE WHEN lease_until > clock_timestamp() THEN ${answerMsMax} ELSE 0 END)
                           * interval '1 millisecond' < clock_timestamp() THEN 'silent'
                    WHEN name = ANY($1::text[]) THEN 'degraded'
                    WHEN lease_until > clock_timestamp() THEN 'running'
                    WHEN config ->> 'finished' = 'true' THEN 'finished'
                    WHEN source = 'isochron' THEN 'running'
                    ELSE 'idle' END AS state,
            -- What is decided here is stored with its decision, so nothing of it is ever outstanding.
            CASE WHEN source = 'isochron' THEN clock_timestamp() ELSE complete_to END AS complete_to
       FROM isochron.connection ORDER BY name`,
    [degraded],
  );
  const holes = await readHoles(client);
  return rows.map((row) => toState(row, findings.get(row.name) ?? [], holes.get(row.name) ?? []));
}

async function readFindings(client: pg.ClientBase): Promise<Map<string, FindingRow[]>> {
  const { rows } = await client.query<FindingRow>(
    `SELECT f.* FROM isochron.connection_finding AS f
       LEFT JOIN unnest($1::text[], $2::bigint[]) AS rule (code, stands_ms) ON rule.code = f.code
      WHERE rule.stands_ms IS NULL OR f.last_at + rule.stands_ms * interval '1 millisecond' >= clock_timestamp()
      ORDER BY f.connection, f.code`,
    timeRules(),
  );
  return groupByConnection(rows);
}

/** Codes that time settles, and after how many milliseconds, as two arrays. */
export function timeRules(): [codes: string[], standsMs: number[]] {
  const rules = Object.entries(findingSettlements).flatMap(([code, { afterMs }]) =>
    afterMs === undefined ? [] : [[code, afterMs] as const],
  );
  return [rules.map(([code]) => code), rules.map(([, afterMs]) => afterMs)];
}

async function readHoles(client: pg.ClientBase): Promise<Map<string, HoleRow[]>> {
  const { rows } = await client.query<HoleRow>(
    "SELECT * FROM isochron.connection_hole ORDER BY connection, hole_from, reason",
  );
  return groupByConnection(rows);
}

function groupByConnection<Row extends { readonly connection: string }>(
  rows: readonly Row[],
): Map<string, Row[]> {
  return Map.groupBy(rows, ({ connection }) => connection);
}

function toState(row: StateRow, findings: readonly FindingRow[], holes: readonly HoleRow[]): ConnectionState {
  return {
    connection: row.name,
    source: row.source,
    controlPlane: row.control_plane,
    state: row.state,
    ...(row.complete_to === null ? {} : { completeTo: instant(row.complete_to) }),
    ...(row.last_heard_at === null ? {} : { lastHeardAt: instant(row.last_heard_at) }),
    ...(row.expect_within_ms === null ? {} : { expectWithinMs: row.expect_within_ms }),
    findings: findings.map(({ code, says, since, last_at, count }) => {
      return { code, says, since: instant(since), lastAt: instant(last_at), count };
    }),
    holes: holes.map(({ hole_from, hole_to, reason, says }) => {
      return { from: instant(hole_from), to: instant(hole_to), reason, says };
    }),
    ...toReconciled(row),
    ...(row.last_event_at === null ? {} : { lastEventAt: instant(row.last_event_at) }),
    ...(row.last_success_at === null ? {} : { lastSuccessAt: instant(row.last_success_at) }),
    ...(row.last_error === null
      ? {}
      : { lastError: { at: instant(row.last_error_at ?? 0), message: row.last_error } }),
    counts: {
      events: row.events,
      folded: row.folded,
      repeated: row.repeated,
      revised: row.revised,
      setAside: row.set_aside,
      late: row.late + row.found_late_ever,
      ...(row.expired === 0 ? {} : { expired: row.expired }),
    },
  };
}

function toReconciled(row: StateRow): Pick<ConnectionState, "reconciled"> {
  if (row.reconciled_at === null) return {};
  return {
    reconciled: {
      at: instant(row.reconciled_at),
      from: instant(row.reconciled_from),
      to: instant(row.reconciled_to),
      records: row.reconciled_records,
      foundLate: row.reconciled_found_late,
      foundLateEver: row.found_late_ever,
    },
  };
}
