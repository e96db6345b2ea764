import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { LengthCount, OperationProgress, OperationStore } from "../operation-store.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";

interface WatchRow {
  readonly epoch: string;
  readonly learnt_to: number | null;
  readonly swept_to: number | null;
}

/** Reads and writes on the ingest login: no reader's login sees what is learnt. */
export function operationStore(pools: Pools): OperationStore {
  return {
    lengths: () =>
      pools.transact("ingest", "read", async (client) => {
        const { rows } = await client.query<{ key: string; bin: number; count: string }>(
          "SELECT key, bin, count FROM isochron.operation_length",
        );
        return rows.map(({ key, bin, count }): LengthCount => ({ key, bin, count: Number(count) }));
      }),
    take: (holder, leaseMs, restMs) =>
      pools.transact("ingest", "write", async (client) => {
        const { rows } = await client.query<WatchRow>(
          `UPDATE isochron.operation_watch
              SET epoch = epoch + 1, holder = $1, lease_until = now() + $2 * interval '1 millisecond'
            WHERE (lease_until IS NULL OR lease_until < now() OR holder = $1)
              AND (passed_at IS NULL OR passed_at + $3 * interval '1 millisecond' <= now())
            RETURNING epoch, learnt_to, swept_to`,
          [holder, leaseMs, restMs],
        );
        return rows[0] === undefined ? undefined : toProgress(rows[0]);
      }),
    advance: (epoch, { learntTo, sweptTo, lengths }) =>
      pools.transact("ingest", "write", async (client) => {
        const { rowCount } = await client.query(
          `UPDATE isochron.operation_watch
              SET learnt_to = coalesce($2::timestamptz, learnt_to), swept_to = coalesce($3::timestamptz, swept_to)
            WHERE epoch = $1 AND lease_until IS NOT NULL`,
          [epoch, learntTo === undefined ? null : iso(learntTo), sweptTo === undefined ? null : iso(sweptTo)],
        );
        if (rowCount !== 1) throw passedOn();
        if (lengths.length === 0) return;
        await client.query(
          `INSERT INTO isochron.operation_length AS known (key, bin, count)
           SELECT key, bin, sum(count) FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS more (key, bin, count)
            GROUP BY key, bin ORDER BY key, bin
           ON CONFLICT (key, bin) DO UPDATE SET count = known.count + excluded.count`,
          [lengths.map(({ key }) => key), lengths.map(({ bin }) => bin), lengths.map(({ count }) => count)],
        );
      }),
    release: async (epoch, passed) => {
      await pools.transact("ingest", "write", (client) =>
        client.query(
          `UPDATE isochron.operation_watch
              SET lease_until = NULL, passed_at = CASE WHEN $2::boolean THEN now() ELSE passed_at END
            WHERE epoch = $1`,
          [epoch, passed],
        ),
      );
    },
  };
}

function toProgress({ epoch, learnt_to: learntTo, swept_to: sweptTo }: WatchRow): OperationProgress {
  return {
    epoch: Number(epoch),
    ...(learntTo === null ? {} : { learntTo: instant(learntTo) }),
    ...(sweptTo === null ? {} : { sweptTo: instant(sweptTo) }),
  };
}

function passedOn(): IsochronError {
  return new IsochronError(
    "fenced",
    "Another worker looks after operations by now.",
    "Nothing needs to be done: it goes on from what is stored.",
  );
}
