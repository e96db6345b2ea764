import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { clean } from "../../normalise/clean.ts";
import type { RulingChange, RulingVersion } from "../ruling-store.ts";
import { ownConnection } from "../../model/own-connection.ts";
import { decide, type Decision } from "../../pipeline/decisions.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { minute } from "../../../test/drafts.ts";

let db: TestStore;
beforeAll(async () => void (db = await openTestStore()));
afterAll(() => db.close());
beforeEach(async () => {
  await db.sql("TRUNCATE isochron.event, isochron.delivery, isochron.ruling, isochron.connection");
});

const provider = { kind: "provider" } as const;

function change(version: number, fields: Partial<RulingVersion> = {}): RulingChange {
  const ruling = { id: "rul_a", version, match: { type: "alert.*" }, answer: provider, by: "provider" };
  return {
    kind: "ruling",
    version: { ...ruling, why: "ours", decidedAt: minute(1), withdrawn: false, ...fields },
  };
}

function decision(fields: Partial<Decision> = {}): Decision {
  return {
    key: "ruling/rul_a/1",
    type: "isochron.ruling.made",
    subject: { kind: "ruling", id: "rul_a" },
    summary: "Ruling rul_a was made",
    by: "provider",
    why: "ours",
    at: minute(1),
    details: { match: { type: "alert.*" } },
    ...fields,
  };
}

const stages = () => ({ clean, decisions: db.store.decisions });

test("a decision is stored with its event, which is the provider's alone", async () => {
  await decide(stages(), change(1), decision());
  const { events } = await db.store.reader.timeline(provider, {}, { limit: 10, order: "newest" });
  expect(events).toMatchObject([
    {
      event: {
        connection: "isochron",
        source: "isochron",
        type: "isochron.ruling.made",
        kind: "human",
        category: "tenancy",
        visibility: "provider",
        platform: true,
        subject: { kind: "ruling", id: "rul_a" },
        attribution: { status: "provider" },
        details: { by: "provider", why: "ours", match: { type: "alert.*" } },
      },
    },
  ]);
  expect(await db.sql("SELECT count(*)::integer AS n FROM isochron.tenant_event")).toEqual([{ n: 0 }]);
  expect(await db.sql("SELECT id, version FROM isochron.ruling")).toEqual([{ id: "rul_a", version: 1 }]);
});

test("a change that is refused leaves no event behind, and an event that is refused no change", async () => {
  await decide(stages(), change(1), decision());
  await expect(decide(stages(), change(3), decision({ key: "ruling/rul_a/3" }))).rejects.toMatchObject({
    code: "ruling-changed",
  });
  // A connection of that name that stands for something else cannot tell of decisions.
  await db.sql("UPDATE isochron.connection SET source = 'sql'");
  await expect(decide(stages(), change(2), decision({ key: "ruling/rul_a/2" }))).rejects.toMatchObject({
    code: "connection-mismatch",
  });
  expect(await db.sql("SELECT key FROM isochron.event")).toEqual([{ key: "ruling/rul_a/1" }]);
  expect(await db.sql("SELECT version FROM isochron.ruling")).toEqual([{ version: 1 }]);
});

test("what is decided here is always complete, and says nothing of how far the clouds are", async () => {
  await decide(stages(), change(1), decision());
  const { connections, completeTo } = await db.store.reader.coverage(provider);
  expect(completeTo).toBeUndefined();
  expect(connections).toMatchObject([
    { connection: ownConnection.name, state: "running", findings: [], holes: [] },
  ]);
  expect(connections[0]!.completeTo! - Date.now()).toBeGreaterThan(-60_000);
  const keys = ["project/default/a" as never];
  expect(await db.store.reader.coverage({ kind: "tenant", label: "a", keys })).toEqual({
    connections: [],
    holes: [],
  });
});

test("a decision is written down in the audit trail with its event, and not where it fails", async () => {
  const written = async () => (await db.store.audit.list({ object: "ruling:rul_a" }, 10)).entries;
  const before = (await written()).length;
  await decide(stages(), change(1), decision({ by: "ops (tok_1)" }));
  await expect(decide(stages(), change(3), decision({ key: "ruling/rul_a/3" }))).rejects.toMatchObject({
    code: "ruling-changed",
  });
  const [entry, ...others] = await written();
  expect(others).toHaveLength(before);
  expect(entry).toMatchObject({ action: "rule", outcome: "done", details: { step: "isochron.ruling.made" } });
  expect(entry?.personal).toMatchObject({ "actor.id": { value: "tok_1" }, "actor.name": { value: "ops" } });
  const event = await db.store.reader.event(provider, String(entry?.details["event"]));
  expect(event).toMatchObject({ event: { type: "isochron.ruling.made" } });
  expect(await db.store.audit.verify()).toMatchObject({ ok: true });
});
