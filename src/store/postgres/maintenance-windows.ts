import { randomInt } from "node:crypto";
import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { MaintenanceStore, MaintenanceWindow } from "../maintenance-store.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";
import { poolOf } from "./view.ts";

interface WindowRow {
  readonly id: string;
  readonly title: string;
  readonly starts_at: number;
  readonly ends_at: number;
  readonly control_plane: string;
  readonly things: readonly EntityRef[];
  readonly planned_by: string;
  readonly why: string;
  readonly cancelled_at: number | null;
}

const columns = "id, title, starts_at, ends_at, control_plane, things, planned_by, why, cancelled_at";

/** More at once would be no plan any more; the newest are taken. */
const coveringMax = 2_000;

export function maintenanceStore(pools: Pools): MaintenanceStore {
  const read = async (
    pool: ReturnType<typeof poolOf>,
    sql: string,
    values: unknown[],
  ): Promise<readonly MaintenanceWindow[]> =>
    pools.transact(pool, "read", async (client) =>
      (await client.query<WindowRow>(sql, values)).rows.map(toWindow),
    );
  return {
    plan: (window) => pools.transact("ingest", "write", (client) => insertWindow(client, window)),
    cancel: async (id, by, at) => {
      const { rowCount } = await pools.transact("ingest", "write", (client) =>
        client.query(
          `UPDATE isochron.maintenance_window SET cancelled_at = $3::timestamptz, cancelled_by = $2
            WHERE id = $1 AND cancelled_at IS NULL`,
          [id, by, iso(at)],
        ),
      );
      return rowCount === 1;
    },
    covering: async (scope, from, to) => {
      if (scope.kind === "tenant") return [];
      const sql = `SELECT ${columns} FROM isochron.maintenance_window
        WHERE cancelled_at IS NULL AND ends_at > $1::timestamptz AND starts_at < $2::timestamptz
        ORDER BY starts_at DESC, id DESC LIMIT $3`;
      return read(poolOf(scope), sql, [iso(from), iso(to), coveringMax]);
    },
    find: async (scope, id) => {
      if (scope.kind === "tenant") return undefined;
      const sql = `SELECT ${columns} FROM isochron.maintenance_window WHERE id = $1`;
      return (await read(poolOf(scope), sql, [id]))[0];
    },
    list: async (scope, limit) => {
      if (scope.kind === "tenant") return [];
      const sql = `SELECT ${columns} FROM isochron.maintenance_window ORDER BY starts_at DESC, id DESC LIMIT $1`;
      return read(poolOf(scope), sql, [limit]);
    },
  };
}

async function insertWindow(
  client: pg.ClientBase,
  window: Omit<MaintenanceWindow, "id" | "cancelledAt">,
): Promise<MaintenanceWindow> {
  const { title, from, to, controlPlane, on, by, why } = window;
  const things = on.map(({ kind, id }) => ({ kind, id }));
  const { rows } = await client.query<WindowRow>(
    `INSERT INTO isochron.maintenance_window
       (id, title, starts_at, ends_at, control_plane, things, planned_by, why)
     VALUES ($1, $2, $3::timestamptz, $4::timestamptz, $5, $6, $7, $8) RETURNING ${columns}`,
    [makeId("mnt"), title, iso(from), iso(to), controlPlane, JSON.stringify(things), by, why],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the maintenance window was not stored");
  return toWindow(row);
}

/** PREFIX_ and 26 letters and digits that nobody guesses. */
export function makeId(prefix: string): string {
  const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  const letters = Array.from({ length: 26 }, () => alphabet[randomInt(alphabet.length)]);
  return `${prefix}_${letters.join("")}`;
}

function toWindow(row: WindowRow): MaintenanceWindow {
  return {
    id: row.id,
    title: row.title,
    from: instant(row.starts_at),
    to: instant(row.ends_at),
    controlPlane: row.control_plane,
    on: row.things.map(({ kind, id }) => ({ kind, id })),
    by: row.planned_by,
    why: row.why,
    ...(row.cancelled_at === null ? {} : { cancelledAt: instant(row.cancelled_at) }),
  };
}
