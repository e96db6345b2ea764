import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import type { AuditRecord } from "../../store/audit-store.ts";
import type { Store } from "../../store/store.ts";
import { pageRequest, problemIn, startApi, TestClock } from "../../../test/api-host.ts";
import { cookieOf, makeToken, openSession } from "../../../test/api-sign-in.ts";
import {
  appendEvents,
  controlPlane,
  fillWorld,
  ownedEvent,
  prod,
  web,
  worldEnd,
} from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { eventually } from "../../../test/eventually.ts";
import { glassReads } from "../../../test/session-rows.ts";
import type { EventsPageJson, SessionJson } from "./contract.ts";
import { AuditNotes } from "./audit-notes.ts";
import { Refusals } from "./refusals.ts";
import { SignIn } from "./sign-in.ts";
import { TenantDirectory } from "./tenant-directory.ts";

const why = "The customer's administrator was locked out.";
const hour = 3_600_000;

let database: TestStore;
let store: Store;
let app: FastifyInstance;
let operatorId: string;
const clock = new TestClock();
const written: AuditRecord[] = [];

beforeAll(async () => {
  database = await openTestStore();
  const audit = { append: async (records: readonly AuditRecord[]) => void written.push(...records) };
  store = { ...database.store, audit: { ...database.store.audit, ...audit } };
  await fillWorld(store);
  operatorId = await makeToken(store, "operator", { kind: "provider", role: "operator" });
  const event = ownedEvent(prod, web, "s-prod", instant(worldEnd - 1_000));
  await appendEvents(store, [{ ...event, draft: { ...event.draft, visibility: "security" } }]);
  app = await startApi(store, { clock: clock.read });
});

beforeEach(() => {
  clock.now = worldEnd;
  written.length = 0;
});

afterAll(async () => {
  await app.close();
  await database.close();
});

async function sees(cookie: string): Promise<boolean> {
  const answer = await app.inject({ url: "/api/v1/events?limit=1", headers: { cookie } });
  return answer.json<EventsPageJson>().events.some(({ summary }) => summary.startsWith("s-prod"));
}

async function ask(method: "POST" | "DELETE", path: string, cookie: string, body?: object) {
  return app.inject(pageRequest(method, path, cookie, body));
}

test("an operator sees what is withheld for an hour, and then as before without doing anything", async () => {
  const before = await openSession(app, "operator");
  expect(await sees(before)).toBe(false);
  const broken = await ask("POST", "/session/break-glass", before, { why });
  expect(broken.json<SessionJson>()).toMatchObject({
    kind: "provider",
    glass: { since: "2026-11-20T12:00:00.000Z", until: "2026-11-20T13:00:00.000Z", why },
  });
  const cookie = cookieOf(broken);
  expect(await sees(cookie)).toBe(true);
  clock.pass(hour - 1);
  expect(await sees(cookie)).toBe(true);
  clock.pass(1);
  expect(await sees(cookie)).toBe(false);
  const { glass } = (await app.inject({ url: "/api/v1/session", headers: { cookie } })).json<SessionJson>();
  expect(glass).toBeNull();
});

test("the cookie of before is worth nothing afterwards, whichever way the rights change", async () => {
  const first = await openSession(app, "operator");
  const second = cookieOf(await ask("POST", "/session/break-glass", first, { why }));
  const third = cookieOf(await ask("DELETE", "/session/break-glass", second));
  const status = async (cookie: string) =>
    (await app.inject({ url: "/api/v1/events", headers: { cookie } })).statusCode;
  expect([await status(first), await status(second), await status(third)]).toEqual([401, 401, 200]);
  expect(await sees(third)).toBe(false);
});

test("the reason is written down before anything is shown, and how much was read when it is over", async () => {
  const reason = "An order of the court.";
  const before = await openSession(app, "operator");
  written.length = 0;
  const cookie = cookieOf(await ask("POST", "/session/break-glass", before, { why: reason }));
  const actor = { id: operatorId, name: "operator" };
  expect(written).toEqual([
    {
      at: worldEnd,
      action: "break-glass",
      outcome: "done",
      actor: { ...actor, address: "127.0.0.1" },
      object: "session",
      why: reason,
    },
  ]);
  await sees(cookie);
  await sees(cookie);
  await app.inject({ url: "/api/v1/events/none", headers: { cookie } });
  clock.pass(10 * 60_000);
  await readsCounted(reason, 2);
  await ask("DELETE", "/session/break-glass", cookie);
  expect(written.slice(1)).toEqual([
    {
      at: worldEnd + 10 * 60_000,
      action: "break-glass",
      outcome: "done",
      actor,
      object: "session",
      why: reason,
      details: { ended: true, minutes: 10, reads: 2 },
    },
  ]);
});

test("where it cannot be written down nothing is shown", async () => {
  const cookie = await openSession(app, "operator");
  const append = async (): Promise<never> => {
    throw new Error("the disk is full");
  };
  const mute = await startApi({ ...store, audit: { ...store.audit, append } }, { clock: clock.read });
  const answer = await mute.inject(pageRequest("POST", "/session/break-glass", cookie, { why }));
  expect(answer.statusCode).toBe(500);
  expect(answer.headers["set-cookie"]).toBeUndefined();
  expect(await sees(cookie)).toBe(false);
  await mute.close();
});

test("what runs out by itself is told of by whichever process looks next", async () => {
  const reason = "An hour that nobody ends.";
  const before = await openSession(app, "operator");
  const cookie = cookieOf(await ask("POST", "/session/break-glass", before, { why: reason }));
  await sees(cookie);
  await readsCounted(reason, 1);
  clock.pass(hour);
  written.length = 0;
  const audit = new AuditNotes(store.audit, clock.read);
  const parts = { store, clock: clock.read, secret: new Uint8Array(32), openDemo: false, audit };
  const other = new SignIn(
    { ...parts, refusals: new Refusals(1, clock.read, audit) },
    new TenantDirectory(store.topology, clock.read),
  );
  await other.tidySessions();
  await other.tidySessions();
  const told = written.filter((record) => record.why === reason);
  expect(told.map(({ details }) => details)).toEqual([{ ended: true, minutes: 60, reads: 1 }]);
});

test("a new reason ends the old one, and is told apart", async () => {
  const before = await openSession(app, "operator");
  const first = cookieOf(await ask("POST", "/session/break-glass", before, { why: "The first reason." }));
  clock.pass(60_000);
  const again = await ask("POST", "/session/break-glass", first, { why: "The second reason." });
  expect(again.json<SessionJson>().glass).toMatchObject({
    since: "2026-11-20T12:01:00.000Z",
    why: "The second reason.",
  });
  await ask("DELETE", "/session", cookieOf(again));
  expect(written.filter(({ why: told }) => told === "The first reason.")).toHaveLength(1);
});

test("broken glass lasts while its holder looks as a tenant, shows nothing there, and no longer than the session", async () => {
  const before = await openSession(app, "operator");
  const broken = cookieOf(await ask("POST", "/session/break-glass", before, { why }));
  const looked = await ask("POST", "/session/as", broken, {
    control_plane: controlPlane,
    project_id: "p-prod",
  });
  expect(looked.json<SessionJson>()).toMatchObject({
    as_tenant: true,
    glass: { why },
    permissions: ["look-as-tenant", "export"],
  });
  expect(await sees(cookieOf(looked))).toBe(false);
  const back = await ask("DELETE", "/session/as", cookieOf(looked));
  expect(await sees(cookieOf(back))).toBe(true);
  for (let hours = 1; hours < 12; hours++) {
    clock.now = instant(worldEnd + hours * hour);
    await sees(cookieOf(back));
  }
  clock.now = instant(worldEnd + 11.5 * hour);
  const late = await ask("POST", "/session/break-glass", cookieOf(back), { why });
  expect(late.json<SessionJson>().glass?.until).toBe("2026-11-21T00:00:00.000Z");
});

test("a reason is 10 to 500 characters in one line", async () => {
  const cookie = await openSession(app, "operator");
  for (const reason of [
    "",
    "too short",
    " short       ",
    "x".repeat(501),
    "a line\nand another",
    "bell \u0007 bell bell",
  ]) {
    const answer = await ask("POST", "/session/break-glass", cookie, { why: reason });
    expect(problemIn(answer).code).toBe("body-invalid");
  }
  expect(written.filter(({ action }) => action === "break-glass")).toEqual([]);
});

/** What follows an answer is not waited for by it. */
async function readsCounted(reason: string, count: number): Promise<void> {
  await eventually(`${count} reads are counted`, async () => (await glassReads(database, reason)) === count);
}
