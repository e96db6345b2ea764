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

const latest = `SELECT DISTINCT ON (symptom, candidate) sequence, symptom, candidate, verdict, why, given_by, given_at,
    addends FROM isochron.feedback`;

export function feedbackStore(pools: Pools): FeedbackStore {
  return {
    give: async ({ symptom, candidate, verdict, why, by, at, addends }) => {
      await pools.transact("ingest", "write", (client) =>
        client.query(
          `INSERT INTO isochron.feedback (symptom, candidate, verdict, why, given_by, given_at, addends)
            VALUES ($1, $2, $3, $4, $5, $6::timestamptz, $7::jsonb)`,
          [symptom, candidate, verdict, why, by, iso(at), JSON.stringify(addends)],
        ),
      );
    },
    about: async (scope, symptom) => {
      if (scope.kind === "tenant") return [];
      return pools.transact(poolOf(scope), "read", async (client) => {
        const { rows } = await client.query<FeedbackRow>(
          `SELECT * FROM (${latest} WHERE symptom = $1 ORDER BY symptom, candidate, sequence DESC) standing
            WHERE verdict IS NOT NULL ORDER BY sequence`,
          [symptom],
        );
        return rows.map(toFeedback);
      });
    },
    all: async () =>
      pools.transact("provider", "read", async (client) => {
        const { rows } = await client.query<FeedbackRow>(
          `SELECT * FROM (${latest} ORDER BY symptom, candidate, sequence DESC) standing
            WHERE verdict IS NOT NULL ORDER BY sequence DESC LIMIT $1`,
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
