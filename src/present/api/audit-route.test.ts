import { afterAll, beforeAll, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import { get, getJson, problemIn, startApi } from "../../../test/api-host.ts";
import { hashOf, tokenText } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { minute } from "../../../test/drafts.ts";
import { parseKeptHead } from "../../store/audit-export.ts";
import { isHeadSigned } from "../../store/audit-chain.ts";
import { auditEntrySchema, auditPageSchema, type AuditPageJson } from "./audit-contract.ts";

let db: TestStore;
let app: FastifyInstance;
const scopes = {
  auditor: { kind: "provider", role: "auditor" },
  admin: { kind: "provider", role: "admin" },
  operator: { kind: "provider", role: "operator" },
  tenant: { kind: "project", controlPlane: "default", projectId: "p", role: "admin" },
  ingest: { kind: "ingest", connection: "nova" },
} as const;

beforeAll(async () => {
  db = await openTestStore();
  for (const [name, scope] of Object.entries(scopes))
    await db.store.tokens.create({ name, hash: hashOf(tokenText(name)), scope });
  for (let n = 1; n <= 7; n += 1) {
    const actor = { id: `user-${n % 2}`, name: n % 2 === 0 ? "Even" : "Odd", address: "192.0.2.1" };
    const action = n % 3 === 0 ? "token" : "sign-in";
    await db.store.audit.append([
      { at: minute(n), action, outcome: "done", actor, object: `object:${n}`, why: `reason ${n}` },
    ]);
  }
  app = await startApi(db.store);
});
afterAll(async () => {
  await app.close();
  await db.close();
});

const page = (query: string) => getJson<AuditPageJson>(app, `/audit${query}`, "auditor");
const numbers = async (query: string) => (await page(query)).entries.map(({ sequence }) => sequence);

test("auditors and administrators read the trail, and everybody else is answered as if there were none", async () => {
  for (const name of ["auditor", "admin"]) expect((await get(app, "/audit", name)).statusCode).toBe(200);
  const missing = problemIn(await get(app, "/nothing-here", "operator"));
  expect((await get(app, "/audit", "ingest")).statusCode).toBe(401);
  for (const name of ["operator", "tenant"]) {
    for (const path of ["/audit", "/audit?limit=nonsense", "/audit/head", "/audit/1", "/audit/999"]) {
      expect([name, path, problemIn(await get(app, path, name)).status]).toEqual([
        name,
        path,
        missing.status,
      ]);
    }
  }
});

test("pages follow one another by the entries' numbers, and filters hold together", async () => {
  const first = auditPageSchema.parse(await page("?limit=3"));
  expect(first.entries.map(({ sequence }) => sequence)).toEqual([7, 6, 5]);
  expect(first.next_before).toBe(5);
  expect(await numbers(`?limit=10&before=${first.next_before}`)).toEqual([4, 3, 2, 1]);
  expect((await page("?limit=7")).next_before).toBeNull();
  expect(await numbers("?action=token")).toEqual([6, 3]);
  expect(await numbers("?actor=user-0")).toEqual([6, 4, 2]);
  expect(await numbers("?actor=Odd&action=token")).toEqual([3]);
  expect(await numbers("?object=object:4")).toEqual([4]);
  const time = (n: number) => new Date(minute(n)).toISOString();
  expect(await numbers(`?from=${time(3)}&to=${time(5)}`)).toEqual([4, 3]);
  expect(problemIn(await get(app, "/audit?action=other", "auditor")).status).toBe(400);
});

test("one entry tells all that it holds, and after an erasure no more of the person", async () => {
  const before = auditEntrySchema.parse(await getJson(app, "/audit/2", "auditor"));
  expect(before).toMatchObject({ actor: { id: "user-0", name: "Even" }, why: "reason 2", erased: false });
  const record = { at: minute(9), action: "erasure", outcome: "done", object: "person" } as const;
  expect(await db.store.audit.eraseActor("user-0", { ...record, actor: { id: "admin" } })).toBe(3);
  const after = auditEntrySchema.parse(await getJson(app, "/audit/2", "auditor"));
  expect(after).toEqual({
    ...before,
    actor: { id: null, name: null, address: null },
    why: null,
    erased: true,
  });
  expect(await numbers("?actor=user-0")).toEqual([]);
  expect(await db.store.audit.verify()).toMatchObject({ ok: true, erased: 3 });
});

test("the head is signed, to the letter as it is answered", async () => {
  const answer = await getJson<object>(app, "/audit/head", "auditor");
  const head = parseKeptHead(JSON.stringify(answer));
  expect(head === undefined ? false : isHeadSigned(head)).toBe(true);
  expect(await db.store.audit.verify({ head: head! })).toMatchObject({ ok: true });
});
