import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { minute } from "../../test/drafts.ts";
import { clean } from "../normalise/clean.ts";
import { ownConnection } from "../model/own-connection.ts";
import type { AuditRecord } from "../store/audit-store.ts";
import { AuditTimeline, tellAudit } from "./audit-timeline.ts";

let db: TestStore;
beforeAll(async () => void (db = await openTestStore()));
afterAll(() => db.close());

const provider = { kind: "provider" } as const;
const stages = () => ({ clean, store: db.store.events });
const record = (fields: Partial<AuditRecord> = {}): AuditRecord => ({
  at: minute(1),
  action: "sign-in",
  outcome: "done",
  actor: { id: "somebody-secret", name: "Somebody Secret", address: "192.0.2.77" },
  object: "session:token",
  why: "a secret reason",
  ...fields,
});
const told = async () =>
  (
    await db.store.reader.timeline(
      provider,
      { connections: [ownConnection.name] },
      { limit: 500, order: "oldest" },
    )
  ).events.map(({ event }) => event);

test("each audit entry is told once on the timeline, without anybody's name, however often it is tried", async () => {
  const { audit } = db.store;
  await audit.append([record(), record({ action: "token", object: "token:tok_1" })]);
  await audit.append([
    record({ action: "rule", object: "ruling:rul_1", details: { event: "evt_told_already" } }),
  ]);
  await Promise.all([tellAudit(stages(), audit), tellAudit(stages(), audit)]);
  await tellAudit(stages(), audit);
  const events = await told();
  expect(events.map((event) => [event.type, "visibility" in event ? event.visibility : undefined])).toEqual([
    ["isochron.audit.sign-in", "security"],
    ["isochron.audit.token", "provider"],
  ]);
  expect(JSON.stringify(events)).not.toMatch(/secret|192\.0\.2\.77/i);
});

test("what a process leaves untold is told by the next one, and none is lost or doubled", async () => {
  const { audit } = db.store;
  const before = (await told()).length;
  await Promise.all(
    Array.from({ length: 230 }, (_, n) => audit.append([record({ object: `session:${n}` })])),
  );
  const timelines = [1, 2].map(
    () => new AuditTimeline(stages(), audit, (error) => expect(error).toBeUndefined()),
  );
  for (const timeline of timelines) timeline.begin();
  await Promise.all(timelines.map((timeline) => timeline.end()));
  while (await tellAudit(stages(), audit));
  const events = await told();
  expect(events).toHaveLength(before + 230);
  expect(new Set(events.map(({ subject }) => subject.id)).size).toBe(events.length);
});
