import { expect, test } from "vitest";
import { openTestStore } from "../../../test/database.ts";
import { minute } from "../../../test/drafts.ts";
import { verifyExport } from "../audit-export.ts";
import type { AuditRecord } from "../audit-store.ts";

const record = (n: number, fields: Partial<AuditRecord> = {}): AuditRecord => ({
  at: minute(n),
  action: "sign-in",
  outcome: "done",
  actor: { id: `user-${n}`, name: `User ${n}`, address: "192.0.2.1" },
  object: "session",
  ...fields,
});

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line.trimEnd());
  return all;
}

test("what is appended is told in its order, verifies, and verifies as a file", async () => {
  const db = await openTestStore();
  const { audit } = db.store;
  await audit.append([record(1), record(2, { why: "to see", details: { b: 1, a: [1.5, null, "ü"] } })]);
  await audit.append([record(3, { count: 4 })]);
  const { entries, more } = await audit.list({}, 2);
  expect(entries.map(({ sequence }) => sequence)).toEqual([3, 2]);
  expect(more).toBe(true);
  expect(entries[1]?.personal["why"]?.value).toBe("to see");
  expect(await audit.verify()).toMatchObject({ ok: true, entries: 3, erased: 0 });
  const lines = await linesOf(audit.exportLines());
  expect(lines).toHaveLength(5);
  expect(await verifyExport(lines)).toMatchObject({ ok: true, entries: 3 });
  await db.close();
});
