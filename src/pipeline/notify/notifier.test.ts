import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, minute, page, project } from "../../../test/drafts.ts";
import {
  disableRules,
  notifyWorld,
  Receiver,
  startRule,
  takeAway,
  testRule,
  testSecret,
  type NotifyWorld,
} from "../../../test/notify-world.ts";
import { duration, instant } from "../../model/instant.ts";
import { projectKey } from "../../model/tenant.ts";
import { deliverDue, fireTest, passAll } from "./notifier.ts";

let db: TestStore;
let receiver: Receiver;
let world: NotifyWorld;
let count = 0;
const live = new AbortController().signal;
const provider = { kind: "provider" } as const;

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterAll(() => db.close());
beforeEach(async () => {
  receiver = await new Receiver().open();
  world = notifyWorld(db.store);
});
afterEach(async () => {
  await disableRules(db);
  await world.close();
  await receiver.close();
  expect(world.errors).toEqual([]);
});

const ruleOf = (fields: Parameters<typeof testRule>[2] = {}) =>
  startRule(db.store, testRule(`n${(count += 1)}`, receiver.url, fields));
const store = (...events: Parameters<typeof page>[0]) => db.store.events.append(page(events));
const bodies = () => receiver.received.map(({ body }) => JSON.parse(body));
const ids = () => receiver.received.map(({ headers }) => headers["webhook-id"]);
async function round(): Promise<void> {
  await passAll(world.tools);
  await deliverDue(world.tools, live);
}
const later = (ms: number): void => void (world.now = instant(world.now + ms));

test("an event is posted once, signed after Standard Webhooks, with what its reader is shown", async () => {
  await ruleOf();
  await store(event(draft("once", 55, { summary: "Server web-1 was deleted" }), project("a")));
  await round();
  await round();
  expect(bodies()).toMatchObject([
    { kind: "events", more: 0, late: false, events: [{ summary: "Server web-1 was deleted" }] },
  ]);
  const [{ headers, body }] = receiver.received as [(typeof receiver.received)[0]];
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = headers;
  const key = Buffer.from(testSecret.slice(6), "base64");
  expect(signature).toBe(`v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`);
});

test("a message is tried again under the same id, after the time that the target asks for", async () => {
  const rule = await ruleOf();
  receiver.answers.push(
    (_, response) => response.writeHead(429, { "retry-after": "120" }).end("hush"),
    503,
    200,
  );
  await store(event(draft("again", 55), project("a")));
  await round();
  later(119_000);
  await deliverDue(world.tools, live);
  expect(receiver.received).toHaveLength(1);
  later(2_000);
  await deliverDue(world.tools, live);
  later(60_000);
  await deliverDue(world.tools, live);
  expect(new Set(ids())).toHaveLength(1);
  const [told] = await db.store.notifications.deliveries(provider, rule.id, 5);
  expect(told).toMatchObject({ state: "sent", attempts: 3, lastAnswer: "The target answered 200." });
  expect(receiver.received).toHaveLength(3);
});

test("what a target answers is kept short, without secrets", async () => {
  const rule = await ruleOf();
  receiver.answers.push((_, response) => response.writeHead(500).end(`hush\u001b[31m${"x".repeat(5_000)}`));
  await store(event(draft("answer", 55), project("a")));
  await round();
  const [told] = await db.store.notifications.deliveries(provider, rule.id, 5);
  expect(told?.lastAnswer).toMatch(/^The target answered 500: \[redacted\]␛\[31mx{50,}/);
  expect(told?.lastAnswer?.length).toBeLessThan(200);
});

test("a target that drops the connection, or redirects elsewhere, is tried again and never followed", async () => {
  const rule = await ruleOf();
  receiver.answers.push(
    (request) => request.socket.destroy(),
    (_, response) => response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end(),
    200,
  );
  await store(event(draft("dropped", 55), project("a")));
  await round();
  for (const _ of [1, 2]) {
    later(3_600_000);
    await deliverDue(world.tools, live);
  }
  expect(new Set(ids())).toHaveLength(1);
  expect((await db.store.notifications.deliveries(provider, rule.id, 5))[0]).toMatchObject({
    state: "sent",
    attempts: 3,
  });
});

test("a target that hangs is given up for this time when its time is over", async () => {
  const late = new AbortController();
  world = notifyWorld(db.store, () => late.signal);
  const rule = await ruleOf();
  receiver.answers.push(() => late.abort());
  await store(event(draft("hangs", 55), project("a")));
  await round();
  expect((await db.store.notifications.deliveries(provider, rule.id, 5))[0]).toMatchObject({
    state: "waiting",
    attempts: 1,
    lastAnswer: "No answer came in time.",
  });
});

test("after a day without success a message is dead, is kept whole, and goes out again on command", async () => {
  const rule = await ruleOf();
  receiver.answers.push(500, 500);
  await store(event(draft("dead", 55), project("a")));
  await round();
  later(86_400_000);
  await deliverDue(world.tools, live);
  expect((await db.store.notifications.deliveries(provider, rule.id, 5))[0]).toMatchObject({ state: "dead" });
  expect((await db.store.notifications.tally()).dead).toBe(1);
  await db.store.notifications.revive(rule.id, world.now);
  await deliverDue(world.tools, live);
  expect(new Set(ids())).toHaveLength(1);
  expect(bodies()[2]).toMatchObject({ events: [{ summary: "Server dead was created" }] });
});

test("410 ends the message at once and lets the rule rest", async () => {
  const rule = await ruleOf();
  receiver.answers.push(410);
  await store(event(draft("gone", 55), project("a")));
  await round();
  const found = await db.store.notifications.find(provider, rule.id);
  expect(found?.standing.paused?.why).toContain("410");
  expect(world.audited).toMatchObject([{ action: "notification", details: { paused: true } }]);
});

test("no later message of a rule overtakes one that waits", async () => {
  await ruleOf();
  receiver.answers.push(500);
  await store(event(draft("first", 50), project("a")));
  await round();
  await store(event(draft("second", 51), project("a")));
  await round();
  expect(receiver.received).toHaveLength(1);
  later(3_600_000);
  await round();
  expect(bodies().map((body) => body.events[0].summary)).toEqual([
    "Server first was created",
    "Server first was created",
    "Server second was created",
  ]);
});

test("a rule that lost its right rests, says so, and sends nothing, not even what waits already", async () => {
  const rule = await ruleOf();
  await store(event(draft("right", 55), project("a")));
  await passAll(world.tools);
  world.ended.set(rule.id, "The token that made it was revoked.");
  await deliverDue(world.tools, live);
  await round();
  expect(receiver.received).toEqual([]);
  const found = await db.store.notifications.find(provider, rule.id);
  expect(found?.standing.paused?.why).toBe("The token that made it was revoked.");
});

test("what is taken from a tenant before it is sent is never sent, and after it is sent is taken back without content", async () => {
  const owner = projectKey("default", "a");
  const rule = await ruleOf({ owner, reach: "operational" });
  await store(event(draft("taken", 55, { summary: "A secret plan" }), project("a")));
  await round();
  await store(event(draft("unsent", 56, { summary: "Another plan" }), project("a")));
  await passAll(world.tools);
  await takeAway(db, ["A secret plan", "Another plan"]);
  await round();
  const [told, correction, ...others] = bodies();
  expect(others).toEqual([]);
  expect(told.events[0].summary).toBe("A secret plan");
  expect(correction).toMatchObject({ kind: "correction", corrects: told.id, whole: true, events: [] });
  expect(receiver.received[1]?.body).not.toContain("plan");
  const kinds = (await db.store.notifications.deliveries(provider, rule.id, 9)).map(({ state }) => state);
  expect(kinds).toEqual(["withdrawn", "sent", "withdrawn", "sent"]);
});

test("each tenant's rule is told of its own events alone", async () => {
  await ruleOf({ owner: projectKey("default", "b"), reach: "operational" });
  await store(
    event(draft("mine", 55, { summary: "of b" }), project("b")),
    event(draft("other", 55, { summary: "of c" }), project("c")),
    event(draft("nobody", 55, { summary: "of nobody" })),
    event(draft("hidden", 55, { summary: "b's security", visibility: "security" }), project("b")),
  );
  await round();
  expect(bodies().map((body) => body.events[0].summary)).toEqual(["of b"]);
});

test("a storm is one message, and what comes in the quiet period is told at its end", async () => {
  await ruleOf({ quietMs: duration(600_000), groupBy: ["type"] });
  const storm = Array.from({ length: 40 }, (_, n) => event(draft(`storm${n}`, 50), project("a")));
  await store(...storm);
  await round();
  await store(event(draft("quiet", 58, { summary: "In the quiet" }), project("a")));
  await round();
  expect(bodies()).toMatchObject([{ more: 35, headline: expect.stringMatching(/, and 39 more \(/) }]);
  later(600_000);
  await round();
  expect(bodies()[1]).toMatchObject({ events: [{ summary: "In the quiet" }] });
});

test("what became known late is marked, and what is older than the horizon is counted and not told", async () => {
  const rule = await ruleOf({ horizonMs: duration(3_600_000) });
  await store(event(draft("late", 30), project("a")), event(draft("old", -30), project("a")));
  await round();
  expect(bodies()).toMatchObject([{ late: true, headline: "Late: Server late was created" }]);
  expect((await db.store.notifications.find(provider, rule.id))?.standing.counts).toMatchObject({
    matched: 1,
    tooOld: 1,
  });
});

test("what should have come and did not is told once, and when it comes after all", async () => {
  const spanMs = duration(26 * 3_600_000);
  await ruleOf({ condition: { kind: "absence", spanMs }, query: { type: ["backup.end"] } });
  await store(event(draft("backup", 55, { type: "backup.end" }), project("a")));
  await round();
  later(spanMs + 1);
  await round();
  await round();
  expect(bodies()).toMatchObject([{ kind: "absence", since: new Date(minute(55)).toISOString() }]);
  expect(bodies()[0].headline).toContain("complete");
  await store(event(draft("backup2", 60 + 26 * 60, { type: "backup.end" }), project("a")));
  await round();
  expect(bodies()[1]).toMatchObject({ kind: "ended", events: [{ type: "backup.end" }] });
});

test("so many within a span are one message, in whichever order they come", async () => {
  await ruleOf({
    condition: { kind: "at-least", count: 3, withinMs: duration(600_000) },
    groupBy: ["resource"],
  });
  const subject = { kind: "server", id: "s1" };
  const at = (name: string, n: number) => event(draft(name, n, { subject }), project("a"));
  await store(at("n1", 50), at("n2", 58));
  await store(event(draft("n-other", 55), project("a")));
  await round();
  expect(bodies()).toEqual([]);
  await store(at("n3", 54));
  await round();
  expect(bodies()).toMatchObject([{ group_label: "server:s1", events: [{}, {}, {}] }]);
});

test("a rise of severity is told, and no fall", async () => {
  await ruleOf({ condition: { kind: "severity-rise" } });
  const severities = ["warning", "info", "error", "error", "critical"] as const;
  for (const [n, severity] of severities.entries()) {
    await store(event(draft(`rise${n}`, 50 + n, { severity }), project("a")));
    await round();
  }
  expect(bodies().map((body) => body.events[0].severity)).toEqual(["error", "critical"]);
});

test("a test fire is answered at once and tells of nothing", async () => {
  const rule = await ruleOf();
  expect(await fireTest(world.tools, rule, live)).toMatchObject({ state: "sent" });
  receiver.answers.push(500);
  expect(await fireTest(world.tools, rule, live)).toMatchObject({ lastAnswer: "The target answered 500." });
  expect(bodies()[0]).toMatchObject({ kind: "test", events: [] });
});

test("an edit that follows another version is refused, and a pass that began before it writes nothing", async () => {
  const rule = await ruleOf();
  const before = (await db.store.notifications.running()).find((one) => one.rule.id === rule.id);
  await db.store.notifications.decide({ ...rule, version: 2, name: "renamed" }, "0:");
  await expect(db.store.notifications.decide({ ...rule, version: 2 }, "0:")).rejects.toMatchObject({
    code: "notification-changed",
  });
  const pass = {
    rule: rule.id,
    ruleVersion: 1,
    revision: before!.standing.revision,
    mark: "1:",
    at: world.now,
  };
  const nothing = { groups: [], drafts: [], untold: [], matched: 0, tooOld: 0 };
  expect(await db.store.notifications.commit({ ...pass, ...nothing })).toBeUndefined();
});

test("an edit that gathers otherwise loses nothing that is held back, and misses nothing by what was gathered before", async () => {
  const condition = { kind: "absence", spanMs: duration(3_600_000) } as const;
  const rule = await ruleOf({ quietMs: duration(600_000), groupBy: ["resource"] });
  await store(event(draft("e1", 55, { summary: "First" }), project("a")));
  await round();
  const subject = { kind: "server", id: "server-of-e1" };
  await store(event(draft("e2", 56, { summary: "Held", subject }), project("a")));
  await round();
  const { standing } = (await db.store.notifications.find(provider, rule.id))!;
  await db.store.notifications.decide(
    { ...rule, version: 2, condition, groupBy: [], query: { type: ["backup.end"] }, decidedAt: world.now },
    standing.mark,
  );
  later(1_200_000);
  await round();
  expect(bodies().map(({ events }) => events[0].summary)).toEqual(["First", "Held"]);
  later(7_200_000);
  await round();
  expect(bodies().slice(2)).toMatchObject([{ kind: "absence" }]);
  expect(bodies()[2].group_label).toBeUndefined();
});

test("a time that lies ahead of ours neither hides an absence nor a rise", async () => {
  const ahead = { occurredAt: instant(minute(55) + 400 * 86_400_000) };
  await ruleOf({ condition: { kind: "severity-rise" } });
  await store(event(draft("ahead", 0, ahead), project("a")));
  await round();
  later(60_000);
  await store(event(draft("rise", 61, { severity: "critical" }), project("a")));
  await round();
  expect(bodies()).toMatchObject([{ events: [{ severity: "critical" }] }]);
  await ruleOf({
    condition: { kind: "absence", spanMs: duration(3_600_000) },
    query: { type: ["backup.end"] },
  });
  await store(event(draft("far", 0, { ...ahead, type: "backup.end" }), project("a")));
  await round();
  later(3_700_000);
  await round();
  expect(bodies().slice(-1)).toMatchObject([{ kind: "absence" }]);
});

test("an absence is not told where one came that became known after the horizon", async () => {
  await ruleOf({
    condition: { kind: "absence", spanMs: duration(20 * 86_400_000) },
    horizonMs: duration(86_400_000),
    decidedAt: instant(world.now - 21 * 86_400_000),
  });
  await store(event(draft("seen", 0, { occurredAt: instant(world.now - 5 * 86_400_000) }), project("a")));
  await round();
  expect(bodies()).toEqual([]);
});

test("what is missing is told once, however long it is missing, and is known to have been seen for as long", async () => {
  await ruleOf({ condition: { kind: "absence", spanMs: duration(100 * 86_400_000) } });
  await store(event(draft("seen-once", 55), project("a")));
  await round();
  for (const days of [60, 60, 60]) {
    later(days * 86_400_000);
    await db.store.notifications.sweep(instant(world.now - 30 * 86_400_000));
    await round();
  }
  expect(bodies()).toMatchObject([{ kind: "absence", since: new Date(minute(55)).toISOString() }]);
});

test("a test that nobody heard the answer of waits for nobody, and is no message that is late", async () => {
  const rule = await ruleOf();
  const draftOfTest = { kind: "test", group: "", events: [], more: 0, late: false } as const;
  await db.store.notifications.enqueue(rule, draftOfTest, instant(world.now - 86_400_000));
  expect((await db.store.notifications.tally()).oldestWaitingAt).toBeUndefined();
  await db.store.notifications.sweep(world.now);
  expect(await db.store.notifications.deliveries(provider, rule.id, 5)).toEqual([]);
});

test("messages of a rule that was switched off are nobody's to wait for", async () => {
  const rule = await ruleOf();
  await store(event(draft("off", 55), project("a")));
  await passAll(world.tools);
  expect((await db.store.notifications.tally()).oldestWaitingAt).toBeDefined();
  await db.store.notifications.decide({ ...rule, version: 2, enabled: false }, "0:");
  expect((await db.store.notifications.tally()).oldestWaitingAt).toBeUndefined();
});
