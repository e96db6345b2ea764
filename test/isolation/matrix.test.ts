import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FastifyInstance } from "fastify";
import { getJson, startApi } from "../api-host.ts";
import { fillWorld } from "../api-world.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { tryMatrix } from "./matrix.ts";
import { partsOver } from "./matrix-world.ts";
import { operations } from "./matrix-operations.ts";

let database: TestStore;
let app: FastifyInstance;
beforeAll(async () => {
  database = await openTestStore();
  await fillWorld(database.store);
  app = await startApi(database.store, partsOver(database.store));
});
afterAll(async () => {
  await app.close();
  await database.close();
});

describe("what each principal is answered", () => {
  test("is tried with every operation of the API's document", async () => {
    const document = await getJson<{ paths: Record<string, object> }>(app, "/openapi.json", "provider");
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace("/api/v1", "")}`),
    );
    expect(listed.length).toBeGreaterThan(20);
    const tried = new Set(operations.map(({ name }) => name).filter((name) => !name.startsWith("(")));
    expect([...tried].toSorted()).toEqual(listed.toSorted());
  });

  test("is what the oracle says, in a share of all cells", async () => {
    const { tried, wrong } = await tryMatrix({ every: 19 });
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(800);
  });

  test("is what the oracle says of every operation on incidents, also of documents that are no JSON", async () => {
    const { tried, wrong } = await tryMatrix({ only: /incidents/, every: 3 });
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(500);
  });

  test("is what the oracle says of every dry run of a ruling, which has to look beyond what the asker may see", async () => {
    const { tried, wrong } = await tryMatrix({ only: /dry-run/ });
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(250);
  });

  test("is what the oracle says of every notification rule, whose owner has it sent elsewhere", async () => {
    const { tried, wrong } = await tryMatrix({ only: /notification-rules/, every: 3 });
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(400);
  });
});
