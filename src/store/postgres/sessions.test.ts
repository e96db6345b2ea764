import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import type { SessionRecord } from "../session-store.ts";
import type { Store } from "../store.ts";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";

let database: TestStore;
let store: Store;
const at = instant(Date.parse("2026-11-20T10:00:00Z"));
const hour = 3_600_000;

beforeAll(async () => {
  database = await openTestStore();
  store = database.store;
});

afterAll(() => database.close());

function hashOf(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function sessionOf(text: string, more: Partial<SessionRecord> = {}): SessionRecord {
  return {
    hash: hashOf(text),
    through: "keystone",
    subject: "keystone/u-1",
    name: "ada",
    createdAt: at,
    usedAt: at,
    expiresAt: instant(at + 12 * hour),
    ...more,
  };
}

async function read(text: string): Promise<Record<string, unknown> | undefined> {
  const found = await store.sessions.find(hashOf(text));
  return found === undefined ? undefined : { ...found, hash: Buffer.from(found.hash).toString("hex") };
}

test("a session is read back as it was opened, in every store over the database", async () => {
  const glass = { brokenAt: at, until: instant(at + hour), why: "the disk of a customer is gone" };
  const session = sessionOf("whole", {
    sealedCredential: Buffer.from("sealed"),
    as: { controlPlane: "region-1", projectId: "p-1" },
    glass,
  });
  await store.sessions.create(session);
  const other = await database.reopen();
  expect(await other.sessions.find(session.hash)).toEqual({
    ...session,
    hash: Buffer.from(session.hash),
  });
  await other.close();
  await store.sessions.create(sessionOf("bare"));
  expect(await read("bare")).toEqual({
    ...sessionOf("bare"),
    hash: Buffer.from(hashOf("bare")).toString("hex"),
  });
  expect(await read("unknown")).toBeUndefined();
});

test("a session ends once", async () => {
  await store.sessions.create(sessionOf("ends"));
  expect(await store.sessions.end(hashOf("ends"), instant(at + 1))).toBe(true);
  expect(await store.sessions.end(hashOf("ends"), instant(at + 2))).toBe(false);
  expect(await read("ends")).toMatchObject({ endedAt: at + 1 });
  expect(await store.sessions.end(hashOf("unknown"), at)).toBe(false);
});

test("a use is never set back", async () => {
  await store.sessions.create(sessionOf("used"));
  await store.sessions.use(hashOf("used"), instant(at + hour));
  await store.sessions.use(hashOf("used"), instant(at + 1));
  expect(await read("used")).toMatchObject({ usedAt: at + hour });
});

test("of many that replace the same session one does, and the others find it ended", async () => {
  await store.sessions.create(sessionOf("first"));
  const successors = ["a", "b", "c", "d"];
  const outcomes = await Promise.all(
    successors.map((name) => store.sessions.replace(hashOf("first"), sessionOf(`next ${name}`), at)),
  );
  expect(outcomes.filter(Boolean)).toHaveLength(1);
  expect(await read("first")).toMatchObject({ endedAt: at });
  const opened = await Promise.all(successors.map((name) => read(`next ${name}`)));
  expect(opened.filter((one) => one !== undefined)).toHaveLength(1);
});

test("broken glass is told of once when it is over, with what was read under it by every secret of the session", async () => {
  const glass = { brokenAt: at, until: instant(at + hour), why: "an order of the court" };
  await store.sessions.create(sessionOf("glass", { glass }));
  await store.sessions.countGlassRead(hashOf("glass"));
  await store.sessions.countGlassRead(hashOf("glass"));
  await store.sessions.replace(hashOf("glass"), sessionOf("glass, looking", { glass }), at);
  await store.sessions.countGlassRead(hashOf("glass, looking"));
  const mine = async (moment: number) =>
    (await store.sessions.takeMendedGlass(instant(moment))).filter(({ why }) => why === glass.why);
  expect(await mine(at + hour - 1)).toEqual([]);
  const mended = { subject: "keystone/u-1", name: "ada", ...glass, reads: 3 };
  expect(await mine(at + hour)).toEqual([mended]);
  expect(await mine(at + 2 * hour)).toEqual([]);

  await store.sessions.create(sessionOf("given back", { glass }));
  await store.sessions.countGlassRead(hashOf("given back"));
  await store.sessions.replace(hashOf("given back"), sessionOf("whole again"), instant(at + 60_000));
  expect(await mine(at + 60_000)).toEqual([{ ...mended, until: at + 60_000, reads: 1 }]);
});

test("what is long over is forgotten, unless its broken glass was not told of yet", async () => {
  const glass = { brokenAt: at, until: instant(at + hour), why: "not told of yet" };
  await store.sessions.create(sessionOf("old"));
  await store.sessions.create(sessionOf("old, ended", { expiresAt: instant(at + 100 * hour) }));
  await store.sessions.end(hashOf("old, ended"), at);
  await store.sessions.create(sessionOf("old, untold", { glass }));
  await store.sessions.create(sessionOf("young", { expiresAt: instant(at + 100 * hour) }));
  await store.sessions.sweep(instant(at + 50 * hour));
  const left = await Promise.all(["old", "old, ended", "old, untold", "young"].map(read));
  expect(left.map((one) => one !== undefined)).toEqual([false, false, true, true]);
  await store.sessions.takeMendedGlass(instant(at + 50 * hour));
  await store.sessions.sweep(instant(at + 50 * hour));
  expect(await read("old, untold")).toBeUndefined();
});

test("no login but the one that serves sign-in reaches a session or a token", async () => {
  for (const login of ["provider", "tenant", "operator"] as const) {
    const client = await loginAs(database.url, login);
    for (const table of ["session", "api_token"]) {
      await expect(client.query(`SELECT * FROM isochron.${table}`)).rejects.toThrow(/permission denied/);
    }
    await client.end();
  }
});

test("a token tells the day of its last use, and who made it", async () => {
  const hash = hashOf("a token");
  const made = await store.tokens.create({ name: "x", hash, scope: { kind: "provider" }, madeBy: "tok_a" });
  expect(made).toMatchObject({ madeBy: "tok_a" });
  expect(made).not.toHaveProperty("usedOn");
  expect(await store.tokens.byId(made.id)).not.toHaveProperty("usedOn");
  const [today] = await database.sql<{ day: string }>("SELECT (now() AT TIME ZONE 'UTC')::date::text AS day");
  expect(await store.tokens.find(hash)).toMatchObject({ id: made.id, usedOn: today?.day });
  expect(await store.tokens.byId(made.id)).toMatchObject({ usedOn: today?.day });
  expect(await store.tokens.byId("tok_none")).toBeUndefined();
});

test("sessions of a person who is erased go, and those of nobody else with a name like it", async () => {
  await store.sessions.create(sessionOf("erased", { subject: "keystone/u_7" }));
  await store.sessions.create(sessionOf("like it", { subject: "keystone/ux7" }));
  const { retention } = store;
  const target = { kind: "user", userId: "u_7", words: [] } as const;
  const { id } = await retention.requestErasure({ target, why: "they asked", by: "admin", at });
  const epoch = (await retention.take("test", 60_000))!;
  await retention.erase(epoch, id, at);
  await retention.release(epoch, true);
  expect(await read("erased")).toBeUndefined();
  expect(await read("like it")).toMatchObject({ subject: "keystone/ux7" });
});
