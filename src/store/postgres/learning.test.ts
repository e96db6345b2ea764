import { afterAll, beforeAll, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { tenantKey } from "../../model/tenant.ts";
import type { Feedback } from "../feedback-store.ts";

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
});
afterAll(() => db.close());

const at = (minute: number) => instant(Date.UTC(2026, 10, 20) + minute * 60_000);
const operator: Scope = { kind: "provider", security: "withheld" };
const tenant: Scope = {
  kind: "tenant",
  label: "p",
  keys: [tenantKey({ controlPlane: "cloud", projectId: "p" })],
};

function word(symptom: string, candidate: string, verdict: Feedback["verdict"], minute: number): Feedback {
  const addends = [{ name: "time", value: -0.5 }];
  return { symptom, candidate, verdict, why: "seen", by: "operator (usr_1)", at: at(minute), addends };
}

test("the latest word of a pair stands, also one that takes it back, and nothing that was said is lost", async () => {
  const { feedback } = db.store;
  await feedback.give(word("s1", "a", "suspected", 1));
  await feedback.give(word("s1", "b", "ruled-out", 2));
  await feedback.give(word("s1", "a", "confirmed", 3));
  await feedback.give(word("s1", "b", null, 4));
  await feedback.give(word("s2", "a", "ruled-out", 5));
  expect(await feedback.about(operator, "s1")).toEqual([word("s1", "a", "confirmed", 3)]);
  expect(await feedback.all()).toEqual([word("s1", "a", "confirmed", 3), word("s2", "a", "ruled-out", 5)]);
  const session = await loginAs(db.url, "ingest");
  try {
    const { rows } = await session.query("SELECT count(*)::integer AS said FROM isochron.feedback");
    expect(rows).toEqual([{ said: 5 }]);
    await expect(session.query("UPDATE isochron.feedback SET verdict = NULL")).rejects.toMatchObject({
      code: "42501",
    });
    await expect(session.query("DELETE FROM isochron.feedback")).rejects.toMatchObject({ code: "42501" });
  } finally {
    await session.end();
  }
});

test("what was learnt of types is replaced whole", async () => {
  const { typePairs } = db.store;
  expect(await typePairs.learntAt()).toBeUndefined();
  const pair = { cause: "a", effect: "b", lift: 3.5, direction: 0.5, together: 9, pValue: 0.001 };
  await typePairs.replace([pair, { ...pair, cause: "c" }], { from: at(0), to: at(10) });
  await typePairs.replace([pair, { ...pair, cause: "d", pValue: 0 }], { from: at(5), to: at(15) });
  expect(await typePairs.pairs(["b"], ["a", "c", "d"])).toHaveLength(2);
  expect(await typePairs.pairs(["b"], ["a"])).toEqual([pair]);
  expect(await typePairs.pairs(["a"], ["b"])).toEqual([]);
  expect(await typePairs.learntAt()).toMatchObject({ from: at(5), to: at(15) });
});

test("a tenant gets no word and no pair, through the store or past it", async () => {
  expect(await db.store.feedback.about(tenant, "s1")).toEqual([]);
  const session = await loginAs(db.url, "tenant");
  try {
    for (const table of ["feedback", "type_pair", "type_pair_learnt"])
      await expect(session.query(`SELECT * FROM isochron.${table}`)).rejects.toMatchObject({ code: "42501" });
  } finally {
    await session.end();
  }
});
