import type { SqlClient, SqlQuery, TableRow } from "../../src/sources/source.ts";
import { parseSelect } from "./select-statement.ts";
import type { Actor, Weather, World } from "./world.ts";

/** As PostgreSQL writes a time with a zone. */
export function sqlTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "+00");
}

/** A database of one table as a process reads it: one snapshot a transaction, taken by its first statement. */
export function sqlClientOver(
  world: World,
  weather: Weather,
  actor: Actor,
  rowsOf: (statement: string) => readonly TableRow[],
): SqlClient {
  return {
    dialect: "postgresql",
    read: async (_zone, work) => {
      const nowMs = await world.call(actor, "begin", weather, () => world.nowMs);
      // What is slow here is between the transaction's beginning and its snapshot.
      if (weather.isSlow && !world.calm && world.random.chance(0.15)) await world.sleep(20_000, actor);
      let snapshot: readonly TableRow[] | undefined;
      const query: SqlQuery = (text, values = []) =>
        world.call(actor, "query", weather, () => {
          snapshot ??= rowsOf(text).map((row) => ({ ...row }));
          const isClock = / AS now,/.test(text);
          if (isClock) return [clockRow(text, text.includes("now()") ? nowMs : world.nowMs)];
          return parseSelect(text).run(snapshot, values);
        });
      return work(query);
    },
  };
}

/** The answer to the source's question for the time, by `now()` or by the statement's own. */
function clockRow(text: string, nowMs: number): TableRow {
  const seconds = /\(\) - interval '(\d+) seconds' AS floor/.exec(text)?.[1];
  if (seconds === undefined) throw new SyntaxError(`the model does not know this SQL: ${text}`);
  const again = /to_timestamp\(([\d.]+)\) AS again/.exec(text)?.[1];
  return {
    now: sqlTime(nowMs),
    floor: sqlTime(nowMs - Number(seconds) * 1000),
    horizon: sqlTime(nowMs + 86_400_000),
    ms: String(nowMs),
    ...(again === undefined ? {} : { again: sqlTime(Math.round(Number(again) * 1000)) }),
  };
}
