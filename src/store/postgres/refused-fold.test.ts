import { expect, test } from "vitest";
import fc from "fast-check";
import { minute } from "../../../test/drafts.ts";
import { instant } from "../../model/instant.ts";
import type { AuditRecord } from "../audit-store.ts";
import { RefusedFold } from "./refused-fold.ts";

const refusal = (actor: string, at: number, object = "GET /api/v1/audit"): AuditRecord => ({
  at: instant(at),
  action: "denied",
  outcome: "refused",
  actor: { id: actor, address: "192.0.2.1" },
  object,
});

test("a scanner is one entry a minute, with how often and a few of what it asked for", () => {
  const fold = new RefusedFold();
  for (let n = 0; n < 5_000; n += 1) fold.note(refusal("scanner", minute(1) + n, `GET /${n % 40}`));
  for (let n = 0; n < 3; n += 1) fold.note(refusal("scanner", minute(2) + n));
  expect(fold.take(minute(1))).toEqual([]);
  const [first, ...others] = fold.take(minute(2));
  expect(others).toEqual([]);
  expect(first).toMatchObject({ count: 5_000, actor: { id: "scanner" } });
  expect(first?.details?.["objects"]).toHaveLength(10);
  expect(fold.take("all")).toMatchObject([{ count: 3 }]);
});

test("whoever asks however often, no refusal is lost, and memory is bounded", () => {
  const asked = fc.array(fc.record({ actor: fc.nat(30), second: fc.nat(600), take: fc.boolean() }), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(asked, (refusals) => {
      const fold = new RefusedFold(5);
      let told = 0;
      const count = (records: readonly AuditRecord[]) =>
        records.reduce((sum, record) => sum + (record.count ?? 1), 0);
      for (const { actor, second, take } of refusals) {
        const at = minute(0) + second * 1000;
        fold.note(refusal(`user-${actor}`, at));
        expect(fold.waiting).toBeLessThanOrEqual(6);
        if (take) told += count(fold.take(instant(at)));
      }
      expect(told + count(fold.take("all"))).toBe(refusals.length);
      expect(fold.waiting).toBe(0);
    }),
  );
});
