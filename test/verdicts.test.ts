import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { correlationAnswers } from "../src/correlation-answers.ts";
import { instant } from "../src/model/instant.ts";
import type { EventsPageJson } from "../src/present/api/contract.ts";
import { hashToken } from "../src/present/api/sign-in.ts";
import type { TuningJson, VerdictJson, VerdictsJson } from "../src/present/api/verdict-contract.ts";
import { buildTopologyView } from "../src/resolve/topology-view.ts";
import { bearer, get, getJson, problemIn, startApi } from "./api-host.ts";
import { fillWorld, tokenText } from "./api-world.ts";
import { openTestStore, type TestStore } from "./database.ts";

let db: TestStore;
let app: FastifyInstance;
let ids: readonly string[];

beforeAll(async () => {
  db = await openTestStore();
  await fillWorld(db.store);
  for (const role of ["operator", "auditor"] as const)
    await db.store.tokens.create({
      name: role,
      hash: hashToken(tokenText(role))!,
      scope: { kind: "provider", role },
    });
  app = await startApi(
    db.store,
    correlationAnswers({ store: db.store, stages: { buildView: buildTopologyView } }),
  );
  const { events } = await getJson<EventsPageJson>(app, "/events?limit=200", "provider");
  ids = events.filter(({ connection }) => connection !== "isochron").map(({ id }) => id);
});
afterAll(async () => {
  await app.close();
  await db.close();
});

const post = (as: string, payload: object) =>
  app.inject({ method: "POST", url: "/api/v1/verdicts", headers: bearer(as), payload });

/** The newest event, and one that lay before it. */
const pair = () => ({ symptom: ids[0]!, candidate: ids[1]! });

test("what is said of a change is kept with what the ranking then showed, told, and in the audit", async () => {
  const given = await post("operator", { ...pair(), verdict: "confirmed", why: "undone, and all was well" });
  expect(given.statusCode).toBe(201);
  expect(given.json<VerdictJson>()).toMatchObject({ ...pair(), verdict: "confirmed" });
  const [kept] = await db.store.feedback.about({ kind: "provider" }, pair().symptom);
  expect(kept!.addends.map(({ name }) => name)).toContain("time");
  const listed = await getJson<VerdictsJson>(app, `/verdicts?symptom=${pair().symptom}`, "auditor");
  expect(listed.verdicts).toMatchObject([{ candidate: pair().candidate, verdict: "confirmed" }]);
  const ranked = await getJson<{ candidates: { event: { id: string }; addends: { name: string }[] }[] }>(
    app,
    `/what-else?event=${pair().symptom}&window_minutes=1440&limit=50`,
    "operator",
  );
  const shown = ranked.candidates.find(({ event }) => event.id === pair().candidate)!;
  expect(shown.addends.map(({ name }) => name)).toContain("verdict");
  const { entries } = await db.store.audit.list({ action: "feedback" }, 5);
  expect(entries).toMatchObject([
    {
      object: `event:${pair().symptom}`,
      details: { candidate: pair().candidate, verdict: "confirmed" },
    },
  ]);
});

test("a word that is taken back is shown no more", async () => {
  await post("operator", { ...pair(), verdict: null, why: "it was another" });
  const listed = await getJson<VerdictsJson>(app, `/verdicts?symptom=${pair().symptom}`, "operator");
  expect(listed.verdicts).toEqual([]);
});

test("only who decides may say something, and to tenants there is nothing there", async () => {
  const missing = problemIn(await get(app, "/nothing-here", "provider")).detail;
  for (const as of ["auditor", "north", "prod"]) {
    const answer = await post(as, { ...pair(), verdict: "suspected", why: "x" });
    expect([as, answer.statusCode, problemIn(answer).detail]).toEqual([as, 404, missing]);
  }
  for (const path of ["/tuning", `/verdicts?symptom=${pair().symptom}`])
    expect(problemIn(await get(app, path, "north")).detail).toBe(missing);
});

test("an event that is not there, or is compared with itself, is not found", async () => {
  const none = `evt_${"0".repeat(26)}`;
  const { symptom } = pair();
  for (const wrong of [
    { symptom, candidate: none },
    { symptom: none, candidate: symptom },
    { symptom, candidate: symptom },
  ])
    expect((await post("provider", { ...wrong, verdict: "suspected", why: "x" })).statusCode).toBe(404);
  expect((await post("provider", { ...pair(), verdict: "guilty", why: "x" })).statusCode).toBe(400);
  expect((await post("provider", { ...pair(), verdict: "suspected", why: " " })).statusCode).toBe(400);
});

test("weights are fitted once there are labels of both kinds and of several symptoms, and never changed", async () => {
  const before = await getJson<TuningJson>(app, "/tuning", "operator");
  expect(before).toMatchObject({ needed: 20 });
  expect(before.fit).toBeUndefined();
  for (let index = 0; index < 30; index++)
    await db.store.feedback.give({
      symptom: `s${Math.floor(index / 2)}`,
      candidate: `c${index}`,
      verdict: index % 2 === 0 ? "confirmed" : "ruled-out",
      why: "seen",
      by: "operator",
      at: instant(Date.UTC(2026, 10, 20) + index),
      addends: [{ name: "path", value: (index % 2 === 0 ? 1 : -1) + Math.sin(index) / 2 }],
    });
  const { fit, labels } = await getJson<TuningJson>(app, "/tuning", "operator");
  expect(labels).toEqual({ confirmed: 15, ruled_out: 15, suspected: 0 });
  expect(fit!.factors).toMatchObject([{ addend: "path" }]);
  expect(fit!.factors[0]!.factor).toBeGreaterThan(1);
  expect(fit!.fitted.log_loss).toBeLessThan(fit!.shipped.log_loss);
});
