import { instant } from "../../model/instant.ts";
import type { Feedback, FeedbackStore } from "../feedback-store.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";
import { poolOf } from "./view.ts";

interface FeedbackRow {
  readonly symptom: string;
  readonly candidate: string;
  readonly verdict: Feedback["verdict"];
  readonly why: string;
  readonly given_by: string;
  readonly given_at: number;
  readonly addends: Feedback["addends"];
}

/** More labels than this would be fitted no better. */
const allMax = 20_000;

const latest = `SELECT DISTINCT ON (symptom, candidate) symptom, candidate, verdict, why, given_by, given_at,
    addends FROM isochron.feedback`;

export function feedbackStore(pools: Pools): FeedbackStore {
  return {
    give: async ({ symptom, candidate, verdict, why, by, at, addends }) => {
      await pools.transact("ingest", "write", async (client) => {
        // Of two words at once on one pair the later one stands.
        await client.query("SELECT pg_advisory_xact_lock(hashtext('isochron.feedback'), hashtext($1))", [
          `${symptom} ${candidate}`,
        ]);
        await client.query(
          `INSERT INTO isochron.feedback (symptom, candidate, version, verdict, why, given_by, given_at, addends)
            SELECT $1::text, $2::text, coalesce(max(version), 0) + 1, $3, $4, $5, $6::timestamptz, $7::jsonb
              FROM isochron.feedback WHERE symptom = $1 AND candidate = $2`,
          [symptom, candidate, verdict, why, by, iso(at), JSON.stringify(addends)],
        );
      });
    },
    about: async (scope, symptom) => {
      if (scope.kind === "tenant") return [];
      return pools.transact(poolOf(scope), "read", async (client) => {
        const { rows } = await client.query<FeedbackRow>(
          `SELECT * FROM (${latest} WHERE symptom = $1 ORDER BY symptom, candidate, version DESC) standing
            WHERE verdict IS NOT NULL ORDER BY given_at, candidate`,
          [symptom],
        );
        return rows.map(toFeedback);
      });
    },
    all: async () =>
      pools.transact("provider", "read", async (client) => {
        const { rows } = await client.query<FeedbackRow>(
          `SELECT * FROM (${latest} ORDER BY symptom, candidate, version DESC) standing
            WHERE verdict IS NOT NULL ORDER BY given_at DESC, symptom DESC, candidate DESC LIMIT $1`,
          [allMax],
        );
        return rows.toReversed().map(toFeedback);
      }),
  };
}

function toFeedback(row: FeedbackRow): Feedback {
  const { symptom, candidate, verdict, why, addends } = row;
  return { symptom, candidate, verdict, why, by: row.given_by, at: instant(row.given_at), addends };
}
