import { afterAll, beforeAll, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import { bearer, get, problemIn, startApi } from "../../../test/api-host.ts";
import { fillWorld, prod, tokenText, web, worldEnd } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { keepEverything } from "../../model/retention.ts";
import { openErasureDesk } from "../../pipeline/erasure-desk.ts";
import { hashToken } from "./sign-in.ts";

let db: TestStore;
let app: FastifyInstance;

beforeAll(async () => {
  db = await openTestStore();
  await fillWorld(db.store);
  for (const role of ["operator", "auditor"] as const)
    await db.store.tokens.create({
      name: role,
      hash: hashToken(tokenText(role))!,
      scope: { kind: "provider", role },
    });
  const erasures = openErasureDesk({
    retention: db.store.retention,
    policy: keepEverything,
    now: () => worldEnd,
    holder: "test",
    audit: db.store.audit,
    identityProviders: ["keystone"],
    waits: true,
  });
  app = await startApi(db.store, { erasures });
});
afterAll(async () => {
  await app.close();
  await db.close();
});

const post = (url: string, as: string, payload: object) =>
  app.inject({ method: "POST", url: `/api/v1${url}`, headers: bearer(as), payload });
const target = { project_id: prod.projectId, control_plane: prod.controlPlane };

test("only who administers finds holds and erasures; to everybody else there is nothing there", async () => {
  const missing = (await get(app, "/nothing-here", "provider")).json<{ detail: string }>().detail;
  for (const as of ["operator", "auditor", "north", "prod"])
    for (const answer of [
      await get(app, "/holds", as),
      await get(app, "/erasures", as),
      await post("/holds", as, { nonsense: true }),
      await post("/erasures/dry-run", as, { target }),
      await post("/erasures", as, { target, why: "x", confirm: "y" }),
    ]) {
      expect([as, answer.statusCode, problemIn(answer).detail]).toEqual([as, 404, missing]);
    }
});

test("a hold is placed with a reason, listed, lifted with a reason, and each is in the audit", async () => {
  const placed = await post("/holds", "provider", {
    target: { resource: web, control_plane: prod.controlPlane },
    from: "2026-11-01T00:00:00Z",
    why: "a dispute",
  });
  expect(placed.statusCode).toBe(201);
  const { id } = placed.json<{ id: string }>();
  expect((await get(app, "/holds", "provider")).json()).toMatchObject({
    holds: [{ id, of: "server:srv-web-1 of region-1", why: "a dispute", to: null, lifted: null }],
  });
  const lifted = await post(`/holds/${id}/lifting`, "provider", { why: "settled" });
  expect(lifted.json()).toMatchObject({ lifted: { why: "settled" } });
  expect((await post(`/holds/${id}/lifting`, "provider", { why: "again" })).statusCode).toBe(404);
  const { entries } = await db.store.audit.list({ action: "hold" }, 10);
  expect(entries.map(({ object, details }) => [object, details])).toEqual([
    [id, { placed: false }],
    [id, { placed: true }],
  ]);
  for (const wrong of [
    {},
    { ...target, domain_id: "d" },
    { resource: web, ...target },
    { customer_id: "none" },
  ]) {
    const answer = await post("/holds", "provider", { target: wrong, why: "x" });
    expect([wrong, answer.statusCode]).toEqual([wrong, "customer_id" in wrong ? 422 : 400]);
  }
});

test("an erasure needs what its dry run gave, and takes exactly that", async () => {
  const asked = await post("/erasures/dry-run", "provider", { target });
  const { counts, confirm } = asked.json<{ counts: { events: number }; confirm: string }>();
  expect(counts.events).toBeGreaterThan(0);
  for (const wrong of ["", "x", confirm.slice(1)])
    expect(
      problemIn(await post("/erasures", "provider", { target, why: "gone", confirm: wrong })),
    ).toMatchObject({ code: "erasure-changed", status: 409 });
  const other = { user_id: "somebody" };
  expect((await post("/erasures", "provider", { target: other, why: "gone", confirm })).statusCode).toBe(409);
  const erased = await post("/erasures", "provider", { target, why: "the customer has left", confirm });
  expect(erased.statusCode).toBe(202);
  expect(erased.json()).toMatchObject({ state: "done", counts });
  expect((await get(app, "/erasures", "provider")).json()).toMatchObject({
    erasures: [{ state: "done", why: "the customer has left" }],
  });
  expect((await get(app, "/events", "prod")).statusCode).toBe(401);
  const { entries } = await db.store.audit.list({ action: "erasure" }, 10);
  expect(entries).toHaveLength(1);
  expect(JSON.stringify(entries)).not.toContain(prod.projectId);
});
