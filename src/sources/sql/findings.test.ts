import { afterAll, beforeAll, expect, test } from "vitest";
import type { SourceDatabase } from "../../../test/sql-source/source-database.ts";
import { openSourceDatabase } from "../../../test/sql-source/source-database.ts";
import { sqlIo, TableReader } from "../../../test/sql-source/table-reader.ts";
import { instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { ClockReading } from "../source.ts";
import { sql } from "../sql.ts";
import { knownMax } from "./place.ts";

/** What a table did that its contract excludes is told with the page that shows it. */

let source: SourceDatabase;
beforeAll(async () => {
  source = await openSourceDatabase("pf9-mngt");
});
afterAll(() => source.close());

const made = { name: "made", type: "thing.made", kind: "change", category: "other", summary: "made" };

function tableOf(table: string, order: JsonObject, more: JsonObject = {}): JsonObject {
  return { table, key: ["id"], order, row_kind: "thing", transitions: [{ ...made, stamp: "at" }], ...more };
}

/** The findings of a pass, and how many events it told. */
async function passOf(reader: TableReader) {
  const findings: string[] = [];
  let records = 0;
  for (;;) {
    const page = await reader.page();
    findings.push(...(page.findings ?? []).map(({ code, says }) => `${code}: ${says}`));
    records += page.records.length;
    if (page.done) return { findings, records, isComplete: page.completeTo !== undefined };
  }
}

test("a listing that loses most rows at once is suspected, and no row is told as gone", async () => {
  await source.sql("CREATE TABLE flag (id int PRIMARY KEY, at timestamptz, hidden boolean DEFAULT false)");
  await source.sql("INSERT INTO flag SELECT n, now() FROM generate_series(1, 20) AS n");
  await source.sql("CREATE VIEW visible_flag AS SELECT id, at FROM flag WHERE NOT hidden");
  const flags = new TableReader(source.url, { tables: [tableOf("visible_flag", { by: "listing" })] });
  expect(await passOf(flags)).toEqual({ findings: [], records: 20, isComplete: true });
  await source.sql("UPDATE flag SET hidden = true WHERE id > 5");
  for (let count = 0; count < 3; count += 1) {
    expect(await passOf(flags)).toEqual({
      findings: [expect.stringMatching(/^sudden-drop: visible_flag lacks 15 of the rows/)],
      records: 0,
      isComplete: false,
    });
  }
  await source.sql("UPDATE flag SET hidden = false");
  expect(await passOf(flags)).toEqual({ findings: [], records: 0, isComplete: true });
});

test("open rows beyond those that can be watched are told by their number", async () => {
  await source.sql(
    "CREATE TABLE job (id serial PRIMARY KEY, at timestamptz DEFAULT now(), ended timestamptz)",
  );
  await source.sql(`INSERT INTO job (at) SELECT now() FROM generate_series(1, ${knownMax + 7})`);
  const open = { when: [{ column: "ended", present: false }] };
  const mapping = tableOf("job", { by: "serial", column: "id" }, { open });
  const { findings, isComplete } = await passOf(
    new TableReader(source.url, { tables: [mapping], page_size: 10_000 }),
  );
  expect(findings).toEqual([expect.stringMatching(/^unwatched: job has 7 open rows beyond the 20000/)]);
  expect(isComplete).toBe(false);
});

test("a table that no longer fits its mapping is told when the pass is over, for as long as it lasts", async () => {
  await source.sql("CREATE TABLE drifted (id int PRIMARY KEY, moment timestamptz)");
  await source.sql("CREATE TABLE good (id int PRIMARY KEY, at timestamptz)");
  const tables = ["drifted", "good"].map((table) => tableOf(table, { by: "serial", column: "id" }));
  const reader = new TableReader(source.url, { tables });
  const drift = [expect.stringMatching(/^schema-drift: drifted could not be read/)];
  expect(await passOf(reader)).toMatchObject({ findings: drift });
  expect(await passOf(reader)).toMatchObject({ findings: drift });
  await source.sql("ALTER TABLE drifted RENAME moment TO at");
  expect(await passOf(reader)).toMatchObject({ findings: [] });
});

test("each page tells how the database's clock stands against ours", async () => {
  await source.sql("CREATE TABLE dated (id int PRIMARY KEY, at timestamptz)");
  const readings: ClockReading[] = [];
  const now = () => instant(Date.now() - 3_600_000);
  const io = { ...sqlIo(source.url), now, noteClock: (reading: ClockReading) => void readings.push(reading) };
  await sql.fetch(
    { url: "env:URL", tables: [tableOf("dated", { by: "serial", column: "id" })] },
    undefined,
    io,
  );
  expect(readings).toHaveLength(1);
  const [{ aheadMs, errorMs }] = readings as [ClockReading];
  expect(Math.abs(aheadMs - 3_600_000)).toBeLessThanOrEqual(errorMs);
});
