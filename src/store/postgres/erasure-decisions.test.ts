import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { minute } from "../../../test/drafts.ts";
import { testRule } from "../../../test/notify-world.ts";
import { duration, instant } from "../../model/instant.ts";
import type { NotificationRule } from "../../model/notification.ts";
import type { ErasureTarget } from "../../model/retention.ts";
import { projectKey } from "../../model/tenant.ts";

/** What people decided, planned, said or let be told, of whom and of what an erasure is of. */

const userId = "9c1b0f2e7a";
const subject = `keystone/${userId}`;
const by = `Jo (${subject})`;
const tenantId = "canary-project";
const key = projectKey("default", tenantId);
const other = projectKey("default", "other-project");
const at = minute(1);

let db: TestStore;
beforeEach(async () => {
  db = await openTestStore();
});
afterEach(() => db.close());

async function erase(target: ErasureTarget): Promise<void> {
  const { retention } = db.store;
  const { id } = await retention.requestErasure({ target, why: "they asked", by: "admin", at });
  const epoch = (await retention.take("test", 60_000))!;
  await retention.erase(epoch, id, at);
  await retention.forgetReaders(epoch, instant(at + 1));
  await retention.release(epoch, true);
}

/** Every row of every table in which the text stands. */
async function findText(text: string): Promise<readonly string[]> {
  const tables = await db.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'isochron'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await db.sql<{ row: string }>(
      `SELECT t::text AS row FROM isochron.${name} t WHERE t::text ~* $1`,
      [text],
    );
    found.push(...rows.map(({ row }) => `${name}: ${row}`));
  }
  return found;
}

async function decideAll(why: string): Promise<void> {
  const { feedback, maintenance, alertSplits, incidents } = db.store;
  await feedback.give({
    symptom: "evt_1",
    candidate: "evt_2",
    verdict: "confirmed",
    why,
    by,
    at,
    addends: [],
  });
  const planned = await maintenance.plan({
    title: why,
    from: at,
    to: instant(at + 1),
    controlPlane: "default",
    on: [{ kind: "server", id: why }],
    by,
    why,
  });
  await maintenance.cancel(planned.id, by, at);
  const { split } = await alertSplits.split({ series: `default|zabbix|down|server:${why}`, by, why, at });
  await alertSplits.undo(split.id, by, at);
  await incidents.open({
    origin: "hand",
    by,
    at,
    changes: [
      { kind: "title", title: why },
      { kind: "window", from: at },
      { kind: "note", text: why },
    ],
  });
  await db.sql(
    `INSERT INTO isochron.ruling (id, version, match, answer, decided_by, why, decided_at, withdrawn)
     VALUES ('rul_1', 1, '{}', '{"kind":"provider"}', $1, $2, now(), false)`,
    [by, why],
  );
}

async function tellRule(name: string, fields: Partial<NotificationRule>, label: string): Promise<void> {
  const rule = testRule(name, "https://hooks.example.org/", fields);
  await db.store.notifications.decide(rule, "0:");
  const hash = createHash("sha256").update(label).digest("hex");
  await db.store.notifications.commit({
    rule: rule.id,
    ruleVersion: 1,
    revision: 0,
    mark: "1:",
    groups: [
      {
        hash,
        label,
        recent: [],
        held: ["evt_held"],
        heldMore: 0,
        missing: false,
        seenAt: at,
        quietUntil: at,
      },
    ],
    drafts: [{ kind: "events", group: hash, events: ["evt_1"], more: 0, late: false }],
    untold: [],
    matched: 1,
    tooOld: 0,
    at,
  });
}

test("who decided, planned or said something is gone with the person, name and all, and what was said stays", async () => {
  await decideAll("the switch was replaced");
  await erase({ kind: "user", userId, words: [] });
  for (const word of [userId, "Jo \\("]) expect(await findText(word), word).toEqual([]);
  expect(await db.sql("SELECT given_by, why FROM isochron.feedback")).toEqual([
    { given_by: "erased", why: "the switch was replaced" },
  ]);
  expect(await db.sql("SELECT decided_by FROM isochron.ruling")).toEqual([{ decided_by: "erased" }]);
});

test("what was decided about an erased tenant loses its ids", async () => {
  await decideAll(`it was ${tenantId}`);
  await erase({ kind: "tenant", label: "x", keys: [key] });
  expect(await findText(tenantId)).toEqual([]);
  expect(await db.sql("SELECT why FROM isochron.feedback")).toEqual([{ why: "it was erased" }]);
});

test("an erased tenant's rules go whole, with what they remember and what waits, and others' stay", async () => {
  await tellRule("gone", { owner: key, name: "mine" }, "server:web");
  await tellRule("stays", { owner: other, name: "theirs" }, "server:db");
  await erase({ kind: "tenant", label: "x", keys: [key] });
  expect(await findText("ntf_gone")).toEqual([]);
  const scope = { kind: "provider" } as const;
  expect(await db.store.notifications.list(scope, 9)).toMatchObject([{ rule: { id: "ntf_stays" } }]);
  expect(await db.store.notifications.deliveries(scope, "ntf_stays", 9)).toHaveLength(1);
});

test("of another's rule the groups of an erased tenant lose their names, and the hashes that they could be guessed by", async () => {
  await tellRule("p", { query: { project: tenantId }, quietMs: duration(1) }, `${other},${key}`);
  const [before] = await db.store.notifications.groups("ntf_p");
  await erase({ kind: "tenant", label: "x", keys: [key] });
  expect(await findText(tenantId)).toEqual([]);
  expect(await findText(before!.hash)).toEqual([]);
  const [after] = await db.store.notifications.groups("ntf_p");
  // What is held back is still told.
  expect(after).toMatchObject({ held: ["evt_held"], quietUntil: at });
  expect(after!.seenAt).toBeUndefined();
  const [told] = await db.store.notifications.deliveries({ kind: "provider" }, "ntf_p", 1);
  expect(told?.draft.group).toBe(after!.hash);
});

test("rules of an erased person rest, and no version names them", async () => {
  const maker = { subject, name: "Jo", grants: [{ kind: "provider", role: "admin" }] } as const;
  const rule = testRule("made", "https://hooks.example.org/", { maker });
  await db.store.notifications.decide(rule, "0:");
  await db.store.notifications.decide({ ...rule, version: 2 }, "0:");
  await erase({ kind: "user", userId, words: [] });
  for (const word of [userId, '"Jo"']) expect(await findText(word), word).toEqual([]);
  const found = await db.store.notifications.find({ kind: "provider" }, rule.id);
  expect(found?.standing.paused?.why).toBe("Whoever made it was erased.");
  expect(found?.standing.maker).toEqual({ subject: "erased", name: "erased", grants: [] });
});
