import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SourceDatabase } from "../../test/sql-source/source-database.ts";
import { openSourceDatabase } from "../../test/sql-source/source-database.ts";
import type { SqlQuery } from "../sources/source.ts";
import { createSqlAccess } from "./sql-client.ts";

let source: SourceDatabase;
beforeAll(async () => {
  source = await openSourceDatabase("bacula");
});
afterAll(() => source.close());

const never = new AbortController().signal;

function read<Result>(
  work: (query: SqlQuery) => Promise<Result>,
  options = {},
  url = source.url,
  zone = "UTC",
) {
  return createSqlAccess({ signal: never, ...options })(url).read(zone, work);
}

describe("a read of a PostgreSQL", () => {
  test("gives values as the server writes them, in the zone that was asked for", async () => {
    const statement =
      "SELECT 9007199254740993::bigint AS big, 1.10::numeric AS exact, true AS yes, NULL AS nothing, " +
      "'{a,b}'::text[] AS list, '{\"b\": 1, \"a\": 2}'::json AS kept, timestamptz '2026-07-01 00:30:00Z' AS moment, $1::bigint AS given";
    const [row] = await read((query) => query(statement, [12n]), {}, source.url, "Europe/Paris");
    expect(row).toEqual({
      big: "9007199254740993",
      exact: "1.10",
      yes: "t",
      nothing: null,
      list: "{a,b}",
      kept: '{"b": 1, "a": 2}',
      moment: "2026-07-01 02:30:00+02",
      given: "12",
    });
  });

  test("sees one snapshot, whatever commits meanwhile", async () => {
    const counts = await read(async (query) => {
      const before = await query("SELECT count(*) AS jobs FROM job");
      await source.insert("job", { job: "j", name: "j", type: "B", level: "F", jobstatus: "T" });
      return [before, await query("SELECT count(*) AS jobs FROM job")];
    });
    expect(counts[0]).toEqual(counts[1]);
    expect(await read((query) => query("SELECT count(*) AS jobs FROM job"))).not.toEqual(counts[0]);
  });

  test("takes that snapshot with its first statement, so that the time which that one tells is the snapshot's", async () => {
    const job = { job: "before the clock", name: "j", type: "B", level: "F", jobstatus: "T" };
    const seen = await read(async (query) => {
      await source.insert("job", job);
      await query("SELECT statement_timestamp() AS now");
      await source.insert("job", { ...job, job: "after the clock" });
      return query("SELECT job FROM job WHERE job LIKE '% the clock'");
    });
    expect(seen).toEqual([{ job: "before the clock" }]);
  });

  test("changes nothing, even when asked to", async () => {
    await expect(read((query) => query("DELETE FROM job"))).rejects.toThrow("read-only transaction");
  });

  test("leaves no connection behind, not even after a failure", async () => {
    await read((query) => query("SELECT 1 AS one"));
    await read((query) => query("SELECT nothing FROM job")).catch(() => undefined);
    const left =
      "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'isochron'";
    await expect.poll(() => source.sql(left)).toEqual([{ count: 0 }]);
  });
});

describe("a failure has a code", () => {
  test.each([
    ["a table that is not there", "SELECT x FROM nothing", "source-malformed"],
    ["a column that is not there", "SELECT nothing FROM job", "source-malformed"],
    ["a table that we may not read", "SELECT * FROM secret", "source-denied"],
    ["a statement that takes too long", "SELECT pg_sleep(30)", "source-unavailable"],
  ])("for %s", async (_what, statement, code) => {
    await source.sql(
      "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sql_client_reader') THEN CREATE ROLE sql_client_reader; END IF; END $$; " +
        "CREATE TABLE IF NOT EXISTS secret (id int); GRANT SELECT ON job TO sql_client_reader",
    );
    const failing = read(
      async (query) => {
        await query("SET LOCAL ROLE sql_client_reader");
        return query(statement);
      },
      { statementTimeoutMs: 200 },
    );
    await expect(failing).rejects.toMatchObject({ code });
  });

  test("for a server that is not there, or never answers", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const urls = [`postgres://u:canary@127.0.0.1:${port}/d`, `mysql://u:canary@127.0.0.1:${port}/d`];
    try {
      for (const url of [...urls, "postgres://u:canary@127.0.0.1:1/d", "mariadb://u:canary@127.0.0.1:1/d"]) {
        const failure = await read((query) => query("SELECT 1"), { connectTimeoutMs: 100 }, url).catch(
          (error: unknown) => error,
        );
        expect(failure).toMatchObject({ code: "source-unavailable" });
        expect(String(failure)).not.toContain("canary");
      }
    } finally {
      silent.close();
    }
  });

  test.each(["oracle://u:canary@h/d", "canary", "postgres://u:canary@h:port/d"])(
    "for an address such as %s",
    async (url) => {
      const attempt = async () => read((query) => query("SELECT 1"), {}, url);
      const failure = await attempt().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "config-invalid" });
      expect(String(failure)).not.toContain("canary");
    },
  );

  test("for an unknown zone", async () => {
    await expect(read((query) => query("SELECT 1"), {}, source.url, "Mars")).rejects.toMatchObject({
      code: "config-invalid",
    });
  });

  test("the end of our own process is no failure of the server", async () => {
    const stopping = new AbortController();
    const reading = read(
      (query) => {
        const answer = query("SELECT pg_sleep(30)");
        stopping.abort(new Error("we are stopping"));
        return answer;
      },
      { signal: stopping.signal },
    );
    await expect(reading).rejects.toThrow("we are stopping");
  });
});
