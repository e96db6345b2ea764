import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, minute, page, project } from "../../../test/drafts.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { Hole } from "../../model/source-health.ts";
import { tenantKey } from "../../model/tenant.ts";
import type { ConnectionState, EventStore } from "../event-store.ts";

let db: TestStore;
let events: EventStore;
const { name } = connection;

beforeEach(async () => {
  db = await openTestStore();
  ({ events } = db.store);
  await events.connect(connection);
});

afterEach(() => db.close());

async function state(): Promise<ConnectionState> {
  const { connections } = await db.store.reader.coverage({ kind: "provider" });
  return connections.find((one) => one.connection === name)!;
}

/** The open holes in minutes. */
async function spans(): Promise<readonly (readonly [from: number, to: number, Hole["reason"]])[]> {
  const { holes } = await state();
  return holes.map(({ from, to, reason }) => [inMinutes(from), inMinutes(to), reason]);
}

function inMinutes(at: number): number {
  return (at - minute(0)) / 60_000;
}

function hole(from: number, to: number, reason: Hole["reason"] = "outage"): Hole {
  return { from: minute(from), to: minute(to), reason, says: `from ${from} to ${to}` };
}

const outcome = { records: 5, foundLate: 1 };

describe("what came after its time was called complete", () => {
  test("proves the claim false, with a hole from it to the claim, until a reconcile has read that again", async () => {
    await events.append(page([event(draft("on-time", 1))], { completeTo: minute(30), lateAfterMs: 60_000 }));
    expect(await state()).toMatchObject({ state: "idle", findings: [], holes: [], completeTo: minute(30) });
    const late = [event(draft("late", 10)), event(draft("later", 20)), event(draft("in time", 31))];
    const appended = await events.append(page(late, { completeTo: minute(40), lateAfterMs: 60_000 }));
    expect(appended.late).toBe(2);
    const found = await state();
    expect(found).toMatchObject({ state: "degraded", completeTo: minute(40), counts: { late: 2 } });
    expect(found.findings).toMatchObject([{ code: "late-commit", count: 1 }]);
    expect(await spans()).toEqual([[10, 30, "late-commit"]]);

    await events.reconciled(name, { ...outcome, from: minute(15), to: minute(60) });
    expect(await spans()).toEqual([[10, 15, "late-commit"]]);
    expect((await state()).state).toBe("degraded");
    await events.reconciled(name, { ...outcome, from: minute(0), to: minute(60) });
    expect(await state()).toMatchObject({
      state: "idle",
      findings: [],
      holes: [],
      counts: { late: 4 },
      reconciled: { records: 5, foundLate: 1, foundLateEver: 2, from: minute(0), to: minute(60) },
    });
  });

  test("is no proof within the delay that the source promises, nor where its claim speaks of something else", async () => {
    await events.append(page([], { completeTo: minute(30) }));
    const within = page([event(draft("a", 29))], { lateAfterMs: 60_000 });
    expect((await events.append(within)).late).toBe(0);
    expect((await events.append(page([event(draft("b", 1))]))).late).toBe(0);
    const repeated = page([event(draft("b", 1))], { lateAfterMs: 0 });
    expect((await events.append(repeated)).late).toBe(0);
    expect(await state()).toMatchObject({ findings: [], holes: [], counts: { late: 0 } });
  });

  test("and bears a date of long before is counted and nothing more, whatever comes with it", async () => {
    await events.append(page([], { completeTo: minute(30) }));
    const entered = event(draft("of 2019", 0, { occurredAt: instant(Date.UTC(2019, 4, 1)) }));
    expect((await events.append(page([entered], { lateAfterMs: 0 }))).late).toBe(1);
    expect(await state()).toMatchObject({ state: "idle", findings: [], holes: [], counts: { late: 1 } });
    const older = event(draft("a week", 29 - 7 * 24 * 60));
    await events.append(page([older, event(draft("late", 10))], { lateAfterMs: 0 }));
    expect(await spans()).toEqual([[10, 30, "late-commit"]]);
    expect((await state()).findings).toMatchObject([{ code: "late-commit", count: 1 }]);
  });

  test("is no proof where only an import said so, in whose place comes what the far end says first", async () => {
    const imported = page([event(draft("a", 30))], { secondHand: true });
    await events.append({ ...imported, completeTo: minute(30) });
    expect(await state()).toMatchObject({ completeTo: minute(30) });
    const first = page([event(draft("b", 5))], { lateAfterMs: 0, completeTo: minute(20) });
    expect((await events.append(first)).late).toBe(0);
    expect(await state()).toMatchObject({ findings: [], holes: [], completeTo: minute(20) });
    expect((await events.append(page([event(draft("c", 5))], { lateAfterMs: 0 }))).late).toBe(1);
  });

  test("is no proof either where a heartbeat came between the import and the first record", async () => {
    await events.append({ ...page([], { secondHand: true }), completeTo: minute(30) });
    await events.noteHealth(name, { heard: true });
    expect(await state()).not.toHaveProperty("completeTo");
    expect((await events.append(page([event(draft("b", 5))], { lateAfterMs: 0 }))).late).toBe(0);
  });

  test("is counted and nothing more when it is found by reading again", async () => {
    await events.append(page([], { completeTo: minute(30) }));
    const again = page([event(draft("a", 29))], { lateAfterMs: 0, reconciling: true });
    expect((await events.append(again)).late).toBe(1);
    expect(await state()).toMatchObject({ findings: [], holes: [], counts: { late: 0 } });
  });
});

describe("holes", () => {
  test("that meet are one, those of other reasons stand beside, and a reconcile splits what it reads out of them", async () => {
    await events.noteHealth(name, { holes: [hole(0, 10), hole(20, 30)] });
    await events.append(page([], { holes: [hole(10, 20), hole(5, 6, "place-lost"), hole(7, 7)] }));
    expect(await spans()).toEqual([
      [0, 30, "outage"],
      [5, 6, "place-lost"],
    ]);
    await events.reconciled(name, { ...outcome, from: minute(3), to: minute(12) });
    expect(await spans()).toEqual([
      [0, 3, "outage"],
      [12, 30, "outage"],
    ]);
  });

  test("that the source has dropped stay when it is read again", async () => {
    await events.append(page([], { completeTo: minute(5), retentionMs: 3_600_000 }));
    await db.sql("UPDATE isochron.connection SET last_success_at = now() - interval '2 hours'");
    await events.append(page([], { retentionMs: 3_600_000 }));
    const after = await state();
    expect(after).toMatchObject({ state: "degraded", findings: [{ code: "outlived-retention" }] });
    expect(after.holes).toMatchObject([{ from: minute(5), reason: "outlived-retention" }]);
    await events.append(page([], { retentionMs: 3_600_000 }));
    expect((await state()).findings).toMatchObject([{ count: 1 }]);
    await events.reconciled(name, { ...outcome, from: minute(0), to: after.holes[0]!.to });
    expect(await state()).toMatchObject({ findings: [], holes: after.holes });
  });
});

describe("findings", () => {
  test("count how often they were seen, keep the latest words, and end when they are settled or their time is over", async () => {
    await events.append(page([], { findings: [{ code: "clock-off", says: "one" }] }));
    await events.noteHealth(name, { findings: [{ code: "clock-off", says: "two \0" }] });
    expect((await state()).findings).toMatchObject([{ code: "clock-off", says: "two \\0", count: 2 }]);
    await events.append(page([], { settled: ["clock-off"] }));
    expect((await state()).findings).toEqual([]);

    await events.append(page([], { findings: [{ code: "changed-in-place", says: "x" }] }));
    await db.sql("UPDATE isochron.connection_finding SET last_at = now() - interval '25 hours'");
    expect(await state()).toMatchObject({ state: "idle", findings: [] });
    await events.append(page([], { findings: [{ code: "changed-in-place", says: "y" }] }));
    expect((await state()).findings).toMatchObject([{ count: 1, says: "y" }]);
  });

  test("a final record that says something else is one, and where records may change it is none", async () => {
    const first = draft("a", 1);
    await events.append(page([event(first)], { recordsAreFinal: true }));
    await events.append(page([event({ ...first, summary: "said otherwise" })]));
    expect((await state()).findings).toEqual([]);
    await events.append(page([event({ ...first, summary: "a third" })], { recordsAreFinal: true }));
    expect((await state()).findings).toMatchObject([{ code: "changed-in-place" }]);
  });

  test("a page that is undone leaves none behind", async () => {
    const epoch = (await events.lease(name, "a", 60_000))!;
    await events.release(name, epoch);
    await events.lease(name, "b", 60_000);
    const stale = page([], { epoch, findings: [{ code: "unsorted", says: "x" }], holes: [hole(1, 2)] });
    await expect(events.append(stale)).rejects.toMatchObject({ code: "fenced" });
    expect(await state()).toMatchObject({ findings: [], holes: [] });
  });
});

describe("quiet and dead", () => {
  test("a connection is silent when it was not heard for longer than expected, by the database's clock", async () => {
    await events.connect({ ...connection, expectWithinMs: 60_000 });
    expect(await state()).toMatchObject({ state: "idle", expectWithinMs: 60_000 });
    await db.sql("UPDATE isochron.connection SET expect_since = now() - interval '2 minutes'");
    expect((await state()).state).toBe("silent");
    await events.noteHealth(name, { heard: true, completeTo: minute(3) });
    expect(await state()).toMatchObject({ state: "idle", completeTo: minute(3) });
    expect(await events.lastHeard(name)).toEqual((await state()).lastHeardAt);
    await db.sql("UPDATE isochron.connection SET last_heard_at = now() - interval '2 minutes'");
    expect((await state()).state).toBe("silent");
    // Another process that knows of no expectation changes nothing; only null takes it back.
    await events.connect(connection);
    expect((await state()).state).toBe("silent");
    await events.connect({ ...connection, expectWithinMs: null });
    expect((await state()).state).toBe("idle");
  });

  test("what was read elsewhere ends no failure and no absence, and claims nothing for a source that was heard", async () => {
    await events.append(page([], { completeTo: minute(2), retentionMs: 60_000 }));
    await events.report(name, "It is away.");
    await db.sql("UPDATE isochron.connection SET last_success_at = now() - interval '2 minutes'");
    const imported = page([event(draft("a", 5))], { secondHand: true });
    await events.append({ ...imported, completeTo: minute(5) });
    expect(await state()).toMatchObject({ state: "failing", completeTo: minute(2), holes: [] });
    await events.append(page([], { completeTo: minute(30), retentionMs: 60_000 }));
    expect((await state()).holes).toMatchObject([{ from: minute(2), reason: "outlived-retention" }]);
  });

  test("nothing is called complete beyond the database's clock, whatever a worker's says", async () => {
    await events.append(page([]));
    await events.noteHealth(name, { heard: true });
    expect(await state()).not.toHaveProperty("completeTo");
    const ahead = instant(Date.now() + 3_600_000);
    await events.append(page([], { completeTo: ahead }));
    await events.noteHealth(name, { completeTo: ahead });
    expect((await state()).completeTo).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  test("what a former holder of the lease says of a pass or a reconcile changes nothing", async () => {
    const former = (await events.lease(name, "a", 0))!;
    const holder = (await events.lease(name, "b", 60_000))!;
    await events.noteHealth(name, { holes: [hole(1, 5)] });
    const before = await state();
    await events.report(name, "It is away.", former);
    await events.reconciled(name, { ...outcome, from: minute(0), to: minute(9) }, former);
    expect(await state()).toEqual(before);
    await events.report(name, "It is away.", holder);
    await events.reconciled(name, { ...outcome, from: minute(0), to: minute(9) }, holder);
    expect(await state()).toMatchObject({ state: "failing", holes: [], reconciled: outcome });
    await events.report(name, undefined);
    expect(await state()).toMatchObject({ state: "running" });
  });

  test("a connection that a living worker reads is running while an answer takes long, but not for ever", async () => {
    await events.connect({ ...connection, expectWithinMs: 60_000 });
    const heard = (ago: string) =>
      db.sql(
        "UPDATE isochron.connection SET last_heard_at = clock_timestamp() - $1::interval, expect_since = NULL",
        [ago],
      );
    await events.append(page([]));
    const epoch = (await events.lease(name, "a", 60_000))!;
    await heard("20 minutes");
    expect((await state()).state).toBe("running");
    await heard("32 minutes");
    expect((await state()).state).toBe("silent");
    await heard("20 minutes");
    await db.sql("UPDATE isochron.connection SET lease_until = clock_timestamp() - interval '1 second'");
    expect((await state()).state).toBe("silent");
    expect(await events.renew(name, epoch)).toBe(true);
    expect((await state()).state).toBe("running");
    await events.release(name, epoch);
    expect((await state()).state).toBe("silent");
  });

  test("a file that is read is not the far end's voice", async () => {
    await events.append(page([event(draft("a", 1))], { secondHand: true }));
    expect(await events.lastHeard(name)).toBeUndefined();
    await events.append(page([]));
    expect(await events.lastHeard(name)).toBeDefined();
  });
});

test("a retired connection holds up nobody's coverage, keeps its holes and its place, and comes back when it is read", async () => {
  const other = { ...connection, name: "old" };
  await events.append(page([], { completeTo: minute(30) }));
  await events.connect({ ...other, expectWithinMs: 1 });
  await events.append({
    ...page([], { completeTo: minute(10), holes: [hole(1, 5)] }),
    connection: "old",
    cursor: 7,
  });
  await events.report("old", "It is away.");
  await events.connect({ ...other, config: { retired: true }, expectWithinMs: null });
  const coverage = () => db.store.reader.coverage({ kind: "provider" });
  const old = async () => (await coverage()).connections.find((one) => one.connection === "old");
  expect(await old()).toMatchObject({
    state: "retired",
    completeTo: minute(10),
    holes: [{ from: minute(1) }],
  });
  expect(await coverage()).toMatchObject({
    completeTo: minute(30),
    holes: [{ from: minute(1), to: minute(5) }],
  });
  expect(await events.cursor("old", "main")).toBe(7);
  await events.connect(other);
  expect((await old())?.state).toBe("failing");
  expect((await coverage()).completeTo).toBe(minute(10));
});

test("a tenant's coverage has the merged holes of its own control plane, without a word of why and whose", async () => {
  const tenant: Scope = { kind: "tenant", label: "a", keys: [tenantKey(project("a"))] };
  const holes = [hole(1, 5, "place-lost"), hole(4, 8, "outage")];
  await events.append(page([], { completeTo: minute(10), holes }));
  const before = await db.store.reader.coverage(tenant);
  expect(before).toEqual({
    connections: [],
    completeTo: minute(10),
    holes: [{ from: minute(1), to: minute(8) }],
  });
  await events.connect({ ...connection, name: "far", controlPlane: "elsewhere" });
  await events.noteHealth("far", { completeTo: minute(2), holes: [hole(20, 30)] });
  expect(await db.store.reader.coverage(tenant)).toEqual(before);
  expect((await db.store.reader.coverage({ kind: "provider" })).holes).toEqual([
    { from: minute(1), to: minute(8) },
    { from: minute(20), to: minute(30) },
  ]);
});
