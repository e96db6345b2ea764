import { instant } from "../../model/instant.ts";
import type { StoredTypePair, TypePairStore } from "../type-pair-store.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";

export function typePairStore(pools: Pools): TypePairStore {
  return {
    pairs: async (effects, causes) =>
      pools.transact("provider", "read", async (client) => {
        const { rows } = await client.query<StoredTypePair>(
          `SELECT cause, effect, lift, direction, together::integer AS together, p_value AS "pValue"
            FROM isochron.type_pair WHERE effect = ANY($1::text[]) AND cause = ANY($2::text[])`,
          [effects, causes],
        );
        return rows;
      }),
    replace: async (pairs, { from, to }) => {
      await pools.transact("ingest", "write", async (client) => {
        // Two processes may have learnt at once; the later one replaces what the other wrote.
        await client.query("SELECT pg_advisory_xact_lock(hashtext('isochron.type_pair'))");
        await client.query("DELETE FROM isochron.type_pair");
        await client.query(
          `INSERT INTO isochron.type_pair (cause, effect, lift, direction, together, p_value)
            SELECT cause, effect, lift, direction, together, "pValue" FROM jsonb_to_recordset($1::jsonb)
              AS pair(cause text, effect text, lift float8, direction float8, together bigint, "pValue" float8)`,
          [JSON.stringify(pairs)],
        );
        await client.query(
          `INSERT INTO isochron.type_pair_learnt (learnt_at, learnt_from, learnt_to)
            VALUES (now(), $1::timestamptz, $2::timestamptz)
            ON CONFLICT (only_one) DO UPDATE
              SET learnt_at = EXCLUDED.learnt_at, learnt_from = EXCLUDED.learnt_from, learnt_to = EXCLUDED.learnt_to`,
          [iso(from), iso(to)],
        );
      });
    },
    learntAt: async () =>
      pools.transact("provider", "read", async (client) => {
        const { rows } = await client.query<{ learnt_at: number; learnt_from: number; learnt_to: number }>(
          "SELECT learnt_at, learnt_from, learnt_to FROM isochron.type_pair_learnt",
        );
        const [row] = rows;
        return row === undefined
          ? undefined
          : {
              at: instant(row.learnt_at),
              from: instant(row.learnt_from),
              to: instant(row.learnt_to),
            };
      }),
  };
}
