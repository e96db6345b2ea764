import { openTestStore } from "../database.ts";
import { SeededRandom } from "../faults/seeded-random.ts";
import { leaveFilesAlone, tamperWithFiles } from "./audit-file-tamper.ts";
import { leaveTablesAlone, tamperWithTables } from "./audit-table-tamper.ts";
import type { Report, Size } from "./report.ts";

const sizes: Readonly<Record<Size, { readonly tampered: number; readonly untouched: number }>> = {
  short: { tampered: 200, untouched: 40 },
  full: { tampered: 1_000, untouched: 200 },
};

/**
 * Edits, swaps, deletions, insertions, rewritings and cut tails of exports and of tables: each has to be found where it
 * is. And exports and stores that nobody touched: none may be found wanting.
 */
export async function run(report: Report, size: Size = "full", seed = 20_261_121): Promise<void> {
  const { tampered, untouched } = sizes[size];
  const random = new SeededRandom(seed);
  const tell = (name: string, tried: number, wrong: readonly string[]): void =>
    report.count(name, tried, wrong.length, wrong[0]);

  const files = await tamperWithFiles(random, tampered);
  tell("changed exports that verify", tampered, files.missed);
  tell("changed exports, the first bad place", tampered, files.misplaced);
  tell(
    "untouched exports, with and without a kept head",
    2 * untouched,
    await leaveFilesAlone(random, untouched),
  );

  const db = await openTestStore();
  try {
    tell("untouched stores", untouched, await leaveTablesAlone(db, random, untouched));
    const tables = await tamperWithTables(db, random, tampered);
    tell("changed tables that verify", tampered, tables.missed);
    tell("changed tables, the first bad place", tampered, tables.misplaced);
    const after = await db.store.audit.verify();
    tell("the store as it was left", 1, after.ok ? [] : [after.says]);
  } finally {
    await db.close();
  }
}
