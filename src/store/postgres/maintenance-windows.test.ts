import { afterAll, beforeAll, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { tenantKey } from "../../model/tenant.ts";

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
});
afterAll(() => db.close());

const hour = 3_600_000;
const at = (hours: number) => instant(Date.UTC(2026, 10, 20) + hours * hour);
const provider: Scope = { kind: "provider" };
const operator: Scope = { kind: "provider", security: "withheld" };
const tenant: Scope = {
  kind: "tenant",
  label: "p",
  keys: [tenantKey({ controlPlane: "cloud", projectId: "p" })],
};

const plan = (from: number, to: number, title = "New firmware") => ({
  title,
  from: at(from),
  to: at(to),
  controlPlane: "cloud",
  on: [{ kind: "host", id: "compute-01" }],
  by: "operator (usr_1)",
  why: "the vendor asks for it",
});

test("planned work is found where it reaches into a stretch, to its last moment and not beyond, until it is cancelled", async () => {
  const { maintenance } = db.store;
  const window = await maintenance.plan(plan(2, 4));
  expect(window).toEqual({ ...plan(2, 4), id: expect.stringMatching(/^mnt_[0-9a-z]{26}$/) });
  const found = async (scope: Scope, from: number, to: number) =>
    (await maintenance.covering(scope, at(from), at(to))).map(({ id }) => id);
  expect(await found(provider, 0, 2)).toEqual([]);
  expect(await found(provider, 0, 2.001)).toEqual([window.id]);
  expect(await found(operator, 3.999, 9)).toEqual([window.id]);
  expect(await found(provider, 4, 9)).toEqual([]);
  expect(await maintenance.cancel("mnt_none", "someone", at(1))).toBe(false);
  expect(await maintenance.cancel(window.id, "someone", at(1))).toBe(true);
  expect(await maintenance.cancel(window.id, "someone", at(1))).toBe(false);
  expect(await found(provider, 2, 4)).toEqual([]);
  expect(await maintenance.list(provider, 10)).toEqual([{ ...window, cancelledAt: at(1) }]);
  expect(await maintenance.find(operator, window.id)).toEqual({ ...window, cancelledAt: at(1) });
  expect(await maintenance.find(tenant, window.id)).toBeUndefined();
});

test("planned work without things or with its end before its beginning is refused by the store", async () => {
  await expect(db.store.maintenance.plan({ ...plan(2, 4), on: [] })).rejects.toThrow(/check constraint/);
  await expect(db.store.maintenance.plan(plan(4, 4))).rejects.toThrow(/check constraint/);
});

test("a tenant gets no planned work and no split, through the store or past it", async () => {
  const { maintenance, alertSplits } = db.store;
  await maintenance.plan(plan(10, 12));
  await alertSplits.split({ series: "zabbix x", by: "someone", why: "not the same", at: at(1) });
  expect(await maintenance.covering(tenant, at(0), at(99))).toEqual([]);
  expect(await maintenance.list(tenant, 10)).toEqual([]);
  expect(await alertSplits.standing(tenant, 10)).toEqual([]);
  const session = await loginAs(db.url, "tenant");
  try {
    for (const table of ["maintenance_window", "alert_split"])
      await expect(session.query(`SELECT * FROM isochron.${table}`)).rejects.toMatchObject({ code: "42501" });
  } finally {
    await session.end();
  }
});

test("a series is split once however often it is asked for, and again after that was taken back", async () => {
  const { alertSplits } = db.store;
  const asked = { series: "alertmanager y", by: "someone", why: "another problem", at: at(2) };
  const [one, other] = await Promise.all([alertSplits.split(asked), alertSplits.split(asked)]);
  expect(one.split.id).toBe(other.split.id);
  expect([one.fresh, other.fresh].toSorted()).toEqual([false, true]);
  const ids = async () => (await alertSplits.standing(operator, 10)).map(({ id }) => id);
  expect(await ids()).toContain(one.split.id);
  expect(await alertSplits.undo(one.split.id, "someone", at(3))).toBe(true);
  expect(await alertSplits.undo(one.split.id, "someone", at(3))).toBe(false);
  expect(await ids()).not.toContain(one.split.id);
  const again = await alertSplits.split(asked);
  expect(again.fresh).toBe(true);
  expect(again.split.id).not.toBe(one.split.id);
});
