import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connection,
  controlPlane,
  draft,
  edition,
  event,
  fact,
  minute,
  page,
  project,
} from "../../test/drafts.ts";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { duration } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import { projectKey } from "../model/tenant.ts";
import { buildTopologyView } from "../resolve/topology-view.ts";
import type { Store } from "../store/store.ts";
import { findWhatElse, type WhatElseAnswer, type WhatElseQuestion } from "./what-else.ts";

const provider: Scope = { kind: "provider" };
const operator: Scope = { kind: "provider", security: "withheld" };
const tenant = (id: string): Scope => ({ kind: "tenant", label: id, keys: [projectKey(controlPlane, id)] });

const shop = project("shop");
const bank = project("bank");
const day = 24 * 60;
/** When the symptoms are; history lies before. */
const now = 30 * day;

let db: TestStore;

const host = { kind: "host", id: "cmp-1" };
const server = (id: string) => ({ kind: "server", id });

function change(name: string, at: number, fields: Parameters<typeof draft>[2]) {
  return draft(name, at, { type: `change.${name}`, ...fields });
}

function symptom(name: string, at: number, fields: Parameters<typeof draft>[2] = {}) {
  return draft(name, at, {
    kind: "symptom",
    type: "alert.unreachable",
    severity: "error",
    category: "monitoring",
    summary: `${name} is unreachable`,
    ...fields,
  });
}

/** Nightly, of which each night has so many and one more lies just before the symptom. */
const nights = Array.from({ length: 29 }, (_, night) =>
  draft(`snapshot-${night}`, now - night * day - 3, {
    type: "snapshot.create.end",
    category: "snapshot",
    subject: { kind: "snapshot", id: `snap-${night}` },
  }),
);

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  const upgrade = change("firmware", now - 3 * day, {
    subject: host,
    summary: "Firmware of cmp-1 was written",
  });
  const elsewhere = change("elsewhere", now - 30, { subject: { kind: "host", id: "cmp-2" } });
  const hidden = change("secret-rotation", now - 10, { subject: server("s1"), visibility: "security" });
  const web = symptom("web", now, { subject: server("s1"), operation: { requestId: "req-1" } });
  const api = symptom("api", now + 1, { subject: server("s2") });
  const other = symptom("ledger", now + 2, { subject: server("s3") });
  const resize = change("resize", now - 5, { subject: server("s1") });
  const later = change("reboot", now + 20, { subject: server("s1"), summary: "Server s1 was rebooted" });
  await db.store.events.append(
    page(
      [
        ...nights.map((one) => event(one, shop)),
        event(upgrade, undefined, { attribution: { status: "provider", evidence: [] } }),
        event(elsewhere, undefined, { attribution: { status: "provider", evidence: [] } }),
        event(hidden, shop, { editions: [edition(hidden, shop, { visibility: "security" })] }),
        event(web, shop),
        event(api, shop),
        event(other, bank),
        event(resize, shop),
        event(later, shop),
      ],
      {
        facts: [
          fact("server:s1", "runs_on", "host:cmp-1", 1),
          fact("server:s2", "runs_on", "host:cmp-1", 1),
          fact("server:s3", "runs_on", "host:cmp-2", 1),
        ],
      },
    ),
  );
});

afterAll(async () => db.close());

async function idOf(key: string, { reader }: Store = db.store): Promise<string> {
  const { events } = await reader.timeline(provider, {}, { limit: 200, order: "newest" });
  return events.find((one) => one.audience === "provider" && one.event.key === key)!.event.id;
}

async function ask(
  scope: Scope,
  question: Omit<WhatElseQuestion, "windowMs" | "limit">,
): Promise<WhatElseAnswer | undefined> {
  const { reader, correlation, maintenance } = db.store;
  const parts = { reader, correlation, maintenance, buildView: buildTopologyView };
  return findWhatElse(parts, scope, { windowMs: duration(3 * 3_600_000), limit: 20, ...question });
}

function typesOf(answer: WhatElseAnswer | undefined): readonly string[] {
  return (answer?.candidates ?? []).map(({ event: { event: one } }) => one.type);
}

describe("what else changed, as the provider", () => {
  test("finds what was done to the host that the thing stands on, days before the window", async () => {
    const answer = await ask(provider, { events: [await idOf("web")] });
    expect(typesOf(answer)).toContain("change.firmware");
    const found = answer!.candidates.find(({ event: { event: one } }) => one.type === "change.firmware")!;
    expect(found.path.map(({ relation, to }) => [relation, to.id])).toEqual([["runs_on", "cmp-1"]]);
    expect(answer!.window.from).toBe(minute(now - 180));
    expect(answer!.checked.since).toBeLessThan(found.event.event.occurredAt);
  });

  test("puts what happened to the same thing before what happened elsewhere", async () => {
    const types = typesOf(await ask(provider, { events: [await idOf("web")] }));
    expect(types.indexOf("change.resize")).toBeLessThan(types.indexOf("change.elsewhere"));
  });

  test("tells what followed apart, and never ranks it", async () => {
    const answer = await ask(provider, { events: [await idOf("web")] });
    expect(typesOf(answer)).not.toContain("change.reboot");
    expect(answer!.followed.map(({ event: { event: one } }) => one.type)).toContain("change.reboot");
  });

  test("takes what comes at this hour of every day for usual", async () => {
    const answer = await ask(provider, { events: [await idOf("web")] });
    const rarity = (type: string) =>
      answer!.candidates
        .find(({ event: { event: one } }) => one.type === type)
        ?.addends.find(({ name }) => name === "rarity")?.value;
    expect(rarity("change.resize")).toBeGreaterThan(rarity("snapshot.create.end")!);
  });

  test("says of a change that it fell into work on what its thing stood on, in the same cloud alone", async () => {
    const planned = async () => {
      const answer = await ask(provider, { events: [await idOf("web")] });
      const resize = answer!.candidates.find(({ event: { event: one } }) => one.type === "change.resize")!;
      return resize.addends.find(({ name }) => name === "planned")?.says;
    };
    const work = { title: "new disks", from: minute(now - 60), to: minute(now + 60), on: [host] };
    const { maintenance } = db.store;
    await maintenance.plan({ ...work, controlPlane: "another", by: "operator", why: "due" });
    expect(await planned()).toBeUndefined();
    const { id } = await maintenance.plan({ ...work, controlPlane, by: "operator", why: "due" });
    expect(await planned()).toContain("“new disks” on host cmp-1, which it stood on");
    await maintenance.cancel(id, "operator", minute(now));
    expect(await planned()).toBeUndefined();
  });

  test("asks about several symptoms together, the earliest standing for the moment", async () => {
    const events = [await idOf("api"), await idOf("web"), await idOf("api")];
    const answer = await ask(provider, { events });
    expect(answer!.target.at).toBe(minute(now));
    expect(answer!.target.selection!.map(({ event: one }) => one.id)).toEqual([events[1], events[0]]);
  });

  test("answers from a resource at a moment, and from a moment alone", async () => {
    const around = await ask(provider, { resource: host, at: minute(now) });
    expect(typesOf(around)).toContain("change.firmware");
    const before = await ask(provider, { at: minute(now) });
    expect(typesOf(before)).toContain("change.resize");
  });

  test("shows an operator nothing of what is withheld, in no way of looking", async () => {
    const questions = [{ events: [await idOf("web")] }, { resource: server("s1"), at: minute(now) }];
    for (const question of questions) {
      expect(typesOf(await ask(provider, question))).toContain("change.secret-rotation");
      const withheld = await ask(operator, question);
      expect(typesOf(withheld)).toContain("change.resize");
      expect(typesOf(withheld)).not.toContain("change.secret-rotation");
    }
  });

  test("says of what there was more than it looked at", async () => {
    const crowded = await openTestStore();
    try {
      const { events, reader, correlation } = crowded.store;
      await events.connect(connection);
      const many = Array.from({ length: 40 }, (_, nth) =>
        event(change(`edit-${nth}`, 100 + nth, { subject: server("busy") })),
      );
      await events.append(page([...many, event(symptom("down", 200, { subject: server("busy") }))]));
      const parts = { reader, correlation, buildView: buildTopologyView };
      const question = {
        events: [await idOf("down", crowded.store)],
        windowMs: duration(3 * 3_600_000),
        limit: 5,
      };
      const answer = await findWhatElse(parts, provider, question);
      expect(answer!.checked).toMatchObject({ truncated: true });
      expect(answer!.checked.cut).toContainEqual({ of: "events of what is asked about", most: 24 });
    } finally {
      await crowded.close();
    }
  });
});

describe("what else changed, as a tenant", () => {
  test("looks at its own editions alone", async () => {
    const answer = await ask(tenant("shop"), { events: [await idOf("web")] });
    expect(typesOf(answer)).toContain("change.resize");
    const text = JSON.stringify(answer);
    for (const word of ["cmp-1", "cmp-2", "firmware", "elsewhere", "ledger", "secret-rotation"])
      expect(text).not.toContain(word);
  });

  test("is told nothing at all where one of several events is another's", async () => {
    const [own, foreign] = [await idOf("web"), await idOf("ledger")];
    expect(await ask(tenant("shop"), { events: [own] })).toBeDefined();
    expect(await ask(tenant("shop"), { events: [own, foreign] })).toBeUndefined();
    expect(await ask(tenant("shop"), { events: [own, "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa"] })).toBeUndefined();
  });

  test("finds of a resource of another's what it finds of one that nobody has", async () => {
    const at = minute(now + 5);
    const foreign = await ask(tenant("shop"), { resource: server("s3"), at });
    const nobodys = await ask(tenant("shop"), { resource: server("sX"), at });
    expect(typesOf(foreign)).toEqual(typesOf(nobodys));
    expect(foreign!.checked.events).toBe(nobodys!.checked.events);
  });
});
