import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { SourceDatabase } from "../../../test/sql-source/source-database.ts";
import { openSourceDatabase } from "../../../test/sql-source/source-database.ts";
import { TableReader } from "../../../test/sql-source/table-reader.ts";
import { formatInstant } from "../../model/instant.ts";

let catalog: SourceDatabase;
beforeAll(async () => {
  catalog = await openSourceDatabase("bacula");
});
beforeEach(() => catalog.sql("TRUNCATE job RESTART IDENTITY"));
afterAll(() => catalog.close());

function reader(config = {}): TableReader {
  return new TableReader(catalog.url, { preset: "bacula", ...config });
}

const nightly = {
  job: "nightly.2026-11-20_23.05.00_04",
  name: "nightly",
  type: "B",
  level: "F",
  jobstatus: "C",
};

test("a job that waits, runs and ends after later ones is told at each step, once", async () => {
  const jobs = reader();
  await catalog.insert("job", { ...nightly, schedtime: "2026-11-20 23:05:00" });
  expect(await jobs.types()).toEqual([]);
  await catalog.insert("job", {
    ...nightly,
    jobstatus: "T",
    starttime: "2026-11-20 23:06:00",
    endtime: "2026-11-20 23:07:00",
  });
  expect(await jobs.types()).toEqual(["bacula.backup.started", "bacula.backup.completed"]);
  for (const letter of ["R", "M", "R", "a", "i"]) {
    await catalog.sql("UPDATE job SET jobstatus = $1, starttime = '2026-11-20 23:08:00' WHERE jobid = 1", [
      letter,
    ]);
    await jobs.pass();
  }
  await catalog.sql(
    "UPDATE job SET jobstatus = 'f', endtime = '2026-11-20 23:59:00', joberrors = 3 WHERE jobid = 1",
  );
  const [failed, ...others] = (await jobs.pass()).drafts;
  expect(others).toEqual([]);
  expect(failed).toMatchObject({
    type: "bacula.backup.failed",
    kind: "symptom",
    severity: "error",
    subject: { kind: "bacula_job", id: "1" },
  });
  expect(formatInstant(failed!.occurredAt)).toBe("2026-11-20T23:59:00.000Z");
  expect(await jobs.types()).toEqual([]);
});

test.each([
  ["R", "T", "bacula.restore.completed", "info"],
  ["R", "E", "bacula.restore.failed", "error"],
  ["B", "W", "bacula.backup.completed", "warning"],
  ["V", "D", "bacula.verify.completed", "warning"],
  ["B", "A", "bacula.backup.canceled", "warning"],
  ["B", "I", "bacula.backup.failed", "error"],
  ["c", "T", "bacula.copy.completed", "info"],
])("a job of type %s with status %s is %s, %s", async (type, jobstatus, expected, severity) => {
  await catalog.insert("job", { ...nightly, type, jobstatus, endtime: "2026-11-20 23:07:00" });
  const { drafts } = await reader().pass();
  expect(drafts.map((draft) => [draft.type, draft.severity])).toEqual([[expected, severity]]);
});

test("the catalog's local times are read in the director's zone", async () => {
  await catalog.insert("job", { ...nightly, jobstatus: "T", endtime: "2026-07-01 02:30:00" });
  const [completed] = (await reader({ zone: "Europe/Paris" }).pass()).drafts;
  expect(formatInstant(completed!.occurredAt)).toBe("2026-07-01T00:30:00.000Z");
});
