import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recordPasses } from "../../test/sql-source/recording.ts";
import { baculaJobs, pf9Rows } from "../../test/sql-source/sample-rows.ts";
import type { SourceDatabase } from "../../test/sql-source/source-database.ts";
import { openSourceDatabase } from "../../test/sql-source/source-database.ts";
import { TableReader } from "../../test/sql-source/table-reader.ts";
import { sql } from "./sql.ts";
import { presetNames, presetTables } from "./sql/presets.ts";

let pf9: SourceDatabase;
let bacula: SourceDatabase;
beforeAll(async () => {
  pf9 = await openSourceDatabase("pf9-mngt");
  bacula = await openSourceDatabase("bacula");
});
afterAll(async () => {
  await pf9.close();
  await bacula.close();
});

async function fillTables(): Promise<void> {
  for (const [table, rows] of Object.entries(pf9Rows)) await pf9.insert(table, ...rows);
  await bacula.insert("job", ...baculaJobs);
}

test("its fixture is what a real PostgreSQL answers (`vitest -u` records it again)", async () => {
  await fillTables();
  const config = { url: "env:PF9_DATABASE_URL", preset: "pf9-mngt" };
  const { queries } = await recordPasses(pf9.url, config);
  const { records } = await recordPasses(bacula.url, { url: "env:BACULA_DATABASE_URL", preset: "bacula" });
  const origin =
    "Answers of a real PostgreSQL 18 to the statements of two passes, over rows made by hand in the tables of pf9-mngt 2.20; " +
    "records read in the same way from the table of jobs of Debian's bacula-director-pgsql 9.6.7. The server's clock is fixed.";
  const lines = (items: readonly object[]) => items.map((item) => JSON.stringify(item)).join(",\n");
  const head = JSON.stringify({ origin, config }).slice(0, -1);
  await expect(
    `${head},\n"records":[${lines(records)}],\n"queries":[${lines(queries)}]}\n`,
  ).toMatchFileSnapshot("./sql.fixture.json");
});

describe("its settings", () => {
  const problem = (config: object): string =>
    JSON.stringify(sql.config.safeParse(config).error?.issues ?? "none");

  test("know pf9-mngt's twelve tables and Bacula's", () => {
    expect(presetNames.map((name) => presetTables(name).length)).toEqual([12, 1]);
  });

  test.each([
    [
      "a URL in place of a reference",
      { url: "postgres://u:p@h/d", preset: "bacula" },
      "never the URL itself",
    ],
    ["nothing to read", { url: "env:URL" }, "says what to read"],
    ["an unknown zone", { url: "env:URL", preset: "bacula", zone: "Mars" }, "a zone such as UTC"],
    ["a setting that there is not", { url: "env:URL", preset: "bacula", tabels: [] }, "tabels"],
  ])("refuse %s", (_what, config, said) => {
    expect(problem(config)).toContain(said);
  });

  test.each([
    ["an identifier with quotes", { table: 'x"; --' }],
    ["a column that names a prototype", { key: ["__proto__"] }],
    ["two transitions of one name", {}],
  ])("refuse a mapping with %s", (_what, change) => {
    const transition = { name: "a", type: "a", kind: "change", category: "other", summary: "a" };
    const mapping = {
      table: "t",
      key: ["id"],
      order: { by: "listing" },
      row_kind: "t",
      transitions: [transition, transition],
    };
    expect(problem({ url: "env:URL", tables: [{ ...mapping, ...change }] })).not.toBe('"none"');
  });

  test("refuse a table that the preset does not have", async () => {
    await expect(
      new TableReader(pf9.url, { preset: "pf9-mngt", only: ["servers"] }).pass(),
    ).rejects.toMatchObject({
      code: "config-invalid",
    });
  });
});

describe("several tables of one connection", () => {
  const mapping = (table: string) => ({
    table,
    key: ["id"],
    order: { by: "serial", column: "id" },
    row_kind: "thing",
    transitions: [
      { name: "made", at: ["at"], type: "thing.made", kind: "change", category: "other", summary: "made" },
    ],
  });

  test("one that cannot be read holds up no other, and lets the pass claim no completeness", async () => {
    await pf9.sql(
      "CREATE TABLE good (id serial PRIMARY KEY, at timestamptz DEFAULT now()); INSERT INTO good DEFAULT VALUES",
    );
    const tables = new TableReader(pf9.url, { tables: [mapping("missing"), mapping("good")] });
    const first = await tables.pass();
    expect(first.drafts.map((draft) => draft.key.split("/").slice(0, 2))).toEqual([["good", "1"]]);
    expect(first).not.toHaveProperty("completeTo");
    expect(tables.warnings).toEqual(["a table could not be read and waits for the next pass"]);
    await pf9.sql(
      "CREATE TABLE missing (id serial PRIMARY KEY, at timestamptz); INSERT INTO missing VALUES (1, now())",
    );
    const second = await tables.pass();
    expect(second.drafts.map((draft) => draft.key.split("/")[0])).toEqual(["missing"]);
    expect(second.completeTo).toEqual(expect.any(Number));
  });

  test("none that can be read is a failure that names its cause", async () => {
    const tables = new TableReader(pf9.url, { tables: [mapping("absent")] });
    await expect(tables.pass()).rejects.toMatchObject({
      code: "source-malformed",
      problem: expect.stringContaining('relation "absent" does not exist') as string,
    });
  });
});

test("half of the workflows end in a later pass, and every transition is found", async () => {
  const tables = [
    "backup_history",
    "runbook_executions",
    "restore_jobs",
    "support_tickets",
    "operational_insights",
  ];
  await pf9.sql(`TRUNCATE ${tables.join(", ")} RESTART IDENTITY`);
  const all = new TableReader(pf9.url, { preset: "pf9-mngt", only: tables, page_size: 40 });
  const ends: Readonly<Record<string, string>> = {
    backup_history: "status = 'completed', completed_at = clock_timestamp()",
    runbook_executions: "status = 'failed', completed_at = clock_timestamp()",
    restore_jobs: "status = 'SUCCEEDED', finished_at = clock_timestamp()",
    support_tickets: "status = 'resolved', resolved_at = clock_timestamp(), updated_at = clock_timestamp()",
    operational_insights: "status = 'resolved', resolved_at = clock_timestamp()",
  };
  const told = new Map<string, number>();
  const rounds = 4;
  const perRound = 25;
  for (let round = 0; round <= rounds + 1; round += 1) {
    for (const table of tables) {
      // What began a round ago ends now, behind the cursor; of what begins now every other row ends at once.
      await pf9.sql(`UPDATE ${table} SET ${ends[table]!} WHERE status = 'running'`);
      if (round < rounds)
        await pf9.sql(`INSERT INTO ${table} (status) SELECT 'running' FROM generate_series(1, ${perRound})`);
      await pf9.sql(
        `UPDATE ${table} SET ${ends[table]!} WHERE ctid IN (SELECT ctid FROM ${table} WHERE status = 'running' LIMIT ${Math.ceil(perRound / 2)})`,
      );
    }
    for (const { key, phase } of (await all.pass()).drafts)
      if (phase !== "start") told.set(key, (told.get(key) ?? 0) + 1);
  }
  expect(told.size).toBe(tables.length * rounds * perRound);
  expect([...told.values()].filter((count) => count > 1)).toEqual([]);
});
