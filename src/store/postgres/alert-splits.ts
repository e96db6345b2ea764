import { instant } from "../../model/instant.ts";
import type { AlertSplit, AlertSplitStore } from "../alert-split-store.ts";
import { iso } from "./event-writes.ts";
import { makeId } from "./maintenance-windows.ts";
import type { Pools } from "./pools.ts";
import { poolOf } from "./view.ts";

interface SplitRow {
  readonly id: string;
  readonly series: string;
  readonly split_by: string;
  readonly why: string;
  readonly split_at: number;
}

const columns = "id, series, split_by, why, split_at";

export function alertSplitStore(pools: Pools): AlertSplitStore {
  return {
    split: ({ series, by, why, at }) =>
      pools.transact("ingest", "write", async (client) => {
        // A split that stands is written as it was, so that its row is given back whoever came first.
        const { rows } = await client.query<SplitRow & { readonly fresh: boolean }>(
          `INSERT INTO isochron.alert_split (id, series, split_by, why, split_at)
           VALUES ($1, $2, $3, $4, $5::timestamptz)
           ON CONFLICT (series) WHERE undone_at IS NULL DO UPDATE SET series = excluded.series
           RETURNING ${columns}, xmax = 0 AS fresh`,
          [makeId("spl"), series, by, why, iso(at)],
        );
        const [row] = rows;
        if (row === undefined) throw new Error("the split was not stored");
        return { split: toSplit(row), fresh: row.fresh };
      }),
    undo: async (id, by, at) => {
      const { rowCount } = await pools.transact("ingest", "write", (client) =>
        client.query(
          `UPDATE isochron.alert_split SET undone_at = $3::timestamptz, undone_by = $2
            WHERE id = $1 AND undone_at IS NULL`,
          [id, by, iso(at)],
        ),
      );
      return rowCount === 1;
    },
    standing: async (scope, limit) => {
      if (scope.kind === "tenant") return [];
      const sql = `SELECT ${columns} FROM isochron.alert_split WHERE undone_at IS NULL
        ORDER BY split_at DESC, id DESC LIMIT $1`;
      return pools.transact(poolOf(scope), "read", async (client) =>
        (await client.query<SplitRow>(sql, [limit])).rows.map(toSplit),
      );
    },
  };
}

function toSplit(row: SplitRow): AlertSplit {
  return { id: row.id, series: row.series, by: row.split_by, why: row.why, at: instant(row.split_at) };
}
